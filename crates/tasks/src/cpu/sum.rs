//! The sum of square roots: one fixed order of additions, so that every model gives the same bits.
//!
//! The numbers are taken in blocks of [`BLOCK`]. Within a block there are sixteen accumulators; number i goes to
//! accumulator i mod 16, in rising order, and at the end they are added up from the first to the last. Sixteen
//! independent chains are enough to keep the processor's square-root unit busy, where a single one would wait for each
//! addition. Which of the processor's vector instructions do it is found out when the program runs; a root and a sum are
//! rounded the same whatever the width, so that the result is the same too. The blocks' sums are added in order with Neumaier's compensation (A. Neumaier, "Rundungsfehleranalyse
//! einiger Verfahren zur Summation endlicher Summen", 1974).
//!
//! All terms are positive, so the relative error of a block is at most its longest chain of additions times the
//! rounding unit u = 2⁻⁵³: (65536 / 16 + 16) u. Compensation adds about 2 u, rounding each root 1 u: less than 5·10⁻¹³
//! in all, whatever n is.

use pulp::{Arch, NullaryFnOnce};
use triway_core::Failure;

/// The largest n of [`Work::Sqrt`](crate::cpu::Work::Sqrt): the whole numbers up to here are floats without rounding.
pub const MAX_NUMBER: u64 = 1 << 53;

const LANES: usize = 16;

/// Numbers a block.
const BLOCK: u64 = 1 << 16;

/// How many blocks there are between two looks at whether to go on: four million numbers, a few milliseconds.
const LOOK_EVERY: u64 = 64;

/// The sum of the square roots of the whole numbers below n; `look` says now and then whether to go on.
pub(super) fn square_roots(n: u64, look: impl Fn() -> Result<(), Failure>) -> Result<f64, Failure> {
    if n > MAX_NUMBER {
        return Err(Failure::bad_input(format!(
            "{n} is more than {MAX_NUMBER}, the largest n whose numbers are all exact"
        )));
    }
    let widest = Arch::new();
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for (i, first) in (0..n).step_by(BLOCK as usize).enumerate() {
        if (i as u64).is_multiple_of(LOOK_EVERY) {
            look()?;
        }
        let block = block(widest, first, BLOCK.min(n - first));
        let next = sum + block;
        // What the addition rounded away, exactly: the smaller of the two loses its lowest bits.
        lost += if sum >= block {
            (sum - next) + block
        } else {
            (block - next) + sum
        };
        sum = next;
    }
    Ok(sum + lost)
}

/// A whole number up to [`MAX_NUMBER`] as a float; larger ones are rounded.
#[expect(
    clippy::cast_precision_loss,
    reason = "rounds only what is larger than any sum or duration that is accepted"
)]
pub(super) fn as_float(n: u64) -> f64 {
    n as f64
}

/// The sum of the square roots of `count` numbers from `first` on.
fn block(widest: Arch, first: u64, count: u64) -> f64 {
    let lanes = LANES as u64;
    let mut sums = widest.dispatch(Rounds {
        first,
        count: count / lanes,
    });
    let rest = first + count - count % lanes..first + count;
    for (sum, number) in sums.iter_mut().zip(rest) {
        *sum += as_float(number).sqrt();
    }
    sums.iter().sum()
}

/// So many rounds of one number to each accumulator.
struct Rounds {
    first: u64,
    count: u64,
}

impl NullaryFnOnce for Rounds {
    type Output = [f64; LANES];

    /// Inlined, because it is compiled for the instructions that its caller may use; and nothing else stands here,
    /// because anything that picks single lanes keeps them out of the vectors.
    #[inline(always)]
    fn call(self) -> [f64; LANES] {
        let mut sums = [0.0; LANES];
        let mut numbers = [0.0; LANES];
        for (number, i) in numbers.iter_mut().zip(self.first..) {
            *number = as_float(i);
        }
        for _ in 0..self.count {
            for (sum, number) in sums.iter_mut().zip(&mut numbers) {
                *sum += number.sqrt();
                *number += LANES as f64;
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum in about twice the precision: each root with what it lacks (one step of Newton's method on the error,
    /// exact thanks to the fused product), and each addition with what it rounds away (Knuth's two-sum).
    fn reference(n: u64) -> f64 {
        let (mut high, mut low) = (0.0_f64, 0.0_f64);
        for i in 0..n {
            let number = i as f64;
            let root = number.sqrt();
            let lacks = if i == 0 {
                0.0
            } else {
                root.mul_add(-root, number) / (2.0 * root)
            };
            let sum = high + root;
            let part = sum - high;
            low += (high - (sum - part)) + (root - part) + lacks;
            high = sum;
        }
        high + low
    }

    #[test]
    fn the_sum_agrees_with_a_precise_one() {
        for n in [
            0, 1, 2, 15, 16, 17, 1000, 65_535, 65_536, 65_537, 10_000_000,
        ] {
            let sum = square_roots(n, || Ok(())).unwrap();
            let exact = reference(n);
            let error = (sum - exact).abs();
            assert!(error <= 1e-12 * exact, "n = {n}: {sum} is not {exact}");
        }
    }

    #[test]
    fn an_absurd_number_is_refused_before_any_work() {
        assert!(square_roots(MAX_NUMBER + 1, || Ok(())).is_err());
    }
}
