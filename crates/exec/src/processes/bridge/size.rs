//! How many inputs a slot of a worker should have at once: the one that runs, and so many behind it that the way to
//! the parent and back costs little.
//!
//! A few milliseconds of work are enough for that. Inputs that take longer come one by one, so none waits behind
//! another while a different worker is idle.

use std::{num::NonZeroUsize, time::Duration};

/// So much work stands with a slot: what runs, and a batch that was handed over ahead.
const STOCK: Duration = Duration::from_millis(4);
const MOST: usize = 1024;
/// How much the latest input counts for against those before it.
const WEIGHT: f64 = 1.0 / 16.0;

/// The adaptive size.
#[derive(Debug)]
pub(super) struct Size {
    fixed: Option<usize>,
    now: usize,
    /// Nanoseconds, an average that forgets.
    each: Option<f64>,
}

impl Size {
    pub(super) fn new(fixed: Option<NonZeroUsize>) -> Self {
        Self {
            fixed: fixed.map(NonZeroUsize::get),
            now: 1,
            each: None,
        }
    }

    /// How many inputs a slot should have now.
    pub(super) fn per_slot(&self) -> usize {
        self.fixed.unwrap_or(self.now)
    }

    /// Learns how long inputs took that came back together.
    pub(super) fn learn(&mut self, took: impl Iterator<Item = Duration>) {
        for took in took {
            let nanos = took.as_secs_f64() * 1e9;
            let each = self.each.get_or_insert(nanos);
            *each += (nanos - *each) * WEIGHT;
        }
        let Some(each) = self.each else { return };
        let stock = STOCK.as_secs_f64() * 1e9 / each.max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is positive, and the cast saturates"
        )]
        let wanted = (stock as usize).clamp(1, MOST);
        // Doubling at most, so that one quick batch does not pile up inputs that turn out to be slow.
        self.now = wanted.min(self.now * 2);
    }

    /// Something took long that was thought quick: start over from one.
    pub(super) fn distrust(&mut self) {
        self.now = 1;
        self.each = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_follows_how_long_inputs_take() {
        for (took, expected) in [
            (Duration::from_nanos(50), MOST),
            (Duration::from_micros(40), 100),
            (Duration::from_millis(1), 4),
            (Duration::from_millis(4), 1),
            (Duration::from_secs(1), 1),
        ] {
            let mut size = Size::new(None);
            for _ in 0..100 {
                size.learn(std::iter::once(took));
            }
            assert_eq!(size.per_slot(), expected, "{took:?}");
            size.distrust();
            assert_eq!(size.per_slot(), 1);
        }
    }

    #[test]
    fn a_fixed_size_stays() {
        let mut size = Size::new(NonZeroUsize::new(3));
        size.learn(std::iter::once(Duration::from_secs(1)));
        assert_eq!(size.per_slot(), 3);
    }
}
