//! Sums of floats: exact until they are shown.

use super::exact::Exact;
use crate::columns::column::Values;

/// Floats so far.
#[derive(Debug, Default)]
pub(super) struct Floats {
    pub(super) sum: Exact,
    pub(super) least: f64,
    pub(super) most: f64,
    any: bool,
}

impl Floats {
    /// Adds the values from `from` on that are marked, and says how many there were.
    pub(super) fn add(&mut self, values: &Values, from: usize, mask: &[u8]) -> u64 {
        match values {
            Values::F64(values) => self.add_all(values[from..].iter().copied(), mask),
            Values::F32(values) => {
                self.add_all(values[from..].iter().copied().map(f64::from), mask)
            }
            _ => 0,
        }
    }

    fn add_all(&mut self, values: impl Iterator<Item = f64>, mask: &[u8]) -> u64 {
        let mut count = 0;
        for (value, _) in values.zip(mask).filter(|(_, keep)| **keep == 1) {
            count += 1;
            if !self.any {
                (self.least, self.most, self.any) = (value, value, true);
            }
            self.sum.add(value);
            self.least = least(self.least, value);
            self.most = most(self.most, value);
        }
        count
    }
}

/// The smaller one. Not-a-number is greater than all others.
pub(super) fn least(one: f64, other: f64) -> f64 {
    if other < one || one.is_nan() {
        other
    } else {
        one
    }
}

/// The greater one. Not-a-number is greater than all others.
pub(super) fn most(one: f64, other: f64) -> f64 {
    if other > one || other.is_nan() {
        other
    } else {
        one
    }
}
