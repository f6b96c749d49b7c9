//! Sums of whole numbers: exact, whatever their width.

use pulp::{Arch, NullaryFnOnce};

use crate::columns::{column::Values, whole::Whole};

/// Whole numbers so far.
#[derive(Debug)]
pub(super) struct Wholes {
    pub(super) sum: i128,
    pub(super) least: i128,
    pub(super) most: i128,
}

impl Default for Wholes {
    fn default() -> Self {
        Self {
            sum: 0,
            least: i128::MAX,
            most: i128::MIN,
        }
    }
}

impl Wholes {
    /// Adds the values from `from` on that are marked, and says how many there were.
    pub(super) fn add(&mut self, values: &Values, from: usize, mask: &[u8]) -> u64 {
        match values {
            Values::I8(values) => self.add_all(&values[from..], mask),
            Values::I16(values) => self.add_all(&values[from..], mask),
            Values::I32(values) => self.add_all(&values[from..], mask),
            Values::I64(values) => self.add_all(&values[from..], mask),
            Values::U8(values) => self.add_all(&values[from..], mask),
            Values::U16(values) => self.add_all(&values[from..], mask),
            Values::U32(values) => self.add_all(&values[from..], mask),
            Values::U64(values) => self.add_all(&values[from..], mask),
            _ => 0,
        }
    }

    fn add_all<T: Whole>(&mut self, values: &[T], mask: &[u8]) -> u64 {
        let Wrapped {
            count,
            sum,
            least,
            most,
        } = Arch::new().dispatch(Add { values, mask });
        if count == 0 {
            return 0;
        }
        let (least, most) = (least.exact(), most.exact());
        let bound = least.unsigned_abs().max(most.unsigned_abs()) * u128::from(count);
        self.sum += if bound < 1 << 63 {
            i128::from(sum)
        } else {
            exact_sum(values, mask)
        };
        self.least = self.least.min(least);
        self.most = self.most.max(most);
        count
    }
}

/// For values so large that the sum of a few does not fit 64 bits.
fn exact_sum<T: Whole>(values: &[T], mask: &[u8]) -> i128 {
    let kept = values.iter().zip(mask).filter(|(_, keep)| **keep == 1);
    kept.map(|(value, _)| value.exact()).sum()
}

/// What vectors can add up: the sum is that of the values modulo 2^64.
struct Wrapped<T> {
    count: u64,
    sum: i64,
    least: T,
    most: T,
}

struct Add<'a, T> {
    values: &'a [T],
    mask: &'a [u8],
}

impl<T: Whole> NullaryFnOnce for Add<'_, T> {
    type Output = Wrapped<T>;

    /// Inlined, because it is compiled for the instructions that its caller may use.
    #[inline(always)]
    fn call(self) -> Wrapped<T> {
        let (mut count, mut sum) = (0, 0_i64);
        let (mut least, mut most) = (T::MOST, T::LEAST);
        for (value, keep) in self.values.iter().zip(self.mask) {
            let marked = *keep != 0;
            count += u64::from(*keep);
            sum = sum.wrapping_add(if marked { value.wrapped() } else { 0 });
            least = least.min(if marked { *value } else { T::MOST });
            most = most.max(if marked { *value } else { T::LEAST });
        }
        Wrapped {
            count,
            sum,
            least,
            most,
        }
    }
}
