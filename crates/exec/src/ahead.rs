//! How many inputs stand ready for the lanes besides those that are running.
//!
//! A lane that ends an attempt should find its next input waiting rather than wait for the dispatcher. A few
//! milliseconds of work are enough for that: for inputs that take a second a handful, for inputs that take
//! nanoseconds some thousands. So the size follows the throughput, within a bound in bytes.

use std::time::Duration;

/// So many stand ready whatever they weigh.
const FEWEST: usize = 8;
const MOST: usize = 8192;
/// Beyond the fewest, what stands ready may weigh so much: a job's memory is to follow its lanes, not its speed.
const MOST_BYTES: usize = 64 << 10;
/// How much work stands ready.
const STOCK: Duration = Duration::from_millis(5);
/// Over which time the throughput is looked at.
const WINDOW: Duration = Duration::from_millis(1);

/// The adaptive size.
pub(crate) struct Ahead {
    size: usize,
    ended: u32,
    window_began: Duration,
}

impl Ahead {
    pub(crate) fn new() -> Self {
        Self {
            size: FEWEST,
            ended: 0,
            window_began: Duration::ZERO,
        }
    }

    /// How many inputs of so many bytes each should stand ready.
    pub(crate) fn size(&self, bytes_each: usize) -> usize {
        self.size.min(MOST_BYTES / bytes_each.max(1)).max(FEWEST)
    }

    /// Learns that so many attempts ended by now.
    pub(crate) fn ended(&mut self, count: usize, now: Duration) {
        self.ended = self
            .ended
            .saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        let elapsed = now.saturating_sub(self.window_began);
        let full = usize::try_from(self.ended).unwrap_or(usize::MAX) >= self.size;
        if elapsed < WINDOW && !full {
            return;
        }
        let each = elapsed / self.ended.max(1);
        let stock = STOCK.as_nanos() / each.as_nanos().max(1);
        let wanted = usize::try_from(stock).unwrap_or(MOST).clamp(FEWEST, MOST);
        // Doubling at most, so that one burst does not admit thousands of inputs that then turn out to be slow.
        self.size = wanted.min(self.size * 2);
        self.ended = 0;
        self.window_began = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(each: Duration) -> usize {
        let mut ahead = Ahead::new();
        let mut now = Duration::ZERO;
        for _ in 0..10_000 {
            now += each;
            ahead.ended(1, now);
        }
        ahead.size(8)
    }

    #[test]
    fn the_stock_follows_the_throughput() {
        assert_eq!(settle(Duration::from_nanos(100)), MOST);
        assert_eq!(settle(Duration::from_micros(50)), 100);
        assert_eq!(settle(Duration::from_millis(20)), FEWEST);
    }

    #[test]
    fn large_inputs_are_few() {
        let mut ahead = Ahead::new();
        for n in 1..10_000 {
            ahead.ended(1, Duration::from_nanos(100 * n));
        }
        assert_eq!(ahead.size(100), MOST_BYTES / 100);
        assert_eq!(ahead.size(1 << 20), FEWEST);
    }
}
