//! The exact sum of floats, rounded once when somebody wants to see it.
//!
//! A number wide enough for every float and every sum of 2^64 of them, in steps of the smallest one: a superaccumulator
//! after R. M. Neal, "Fast exact summation using small and large superaccumulators" (2015), the small one. So the sum is
//! the same in every order and for every way to split the rows, and its error is at most half a unit in the last place.

use serde::{Deserialize, Serialize};

/// Bits that a limb stands ahead of the one before it; the rest of its 64 gather carries.
const LIMB_BITS: u32 = 32;

/// The greatest float begins in limb 63 and ends in the next; two more take the carries of 2^64 additions.
const LIMBS: usize = 67;

/// So many additions cannot overflow a limb: each adds less than 2^53.
const UNCARRIED: u32 = 1 << 10;

/// A sum of floats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::columns) struct Exact {
    /// Limb i counts 2^(32 i - 1074). Carried, all but the last are from 0 to 2^32 - 1.
    limbs: Vec<i64>,
    /// Additions since the carries were last passed on.
    uncarried: u32,
    /// Infinities and what is no number at all, which add up as floats do.
    special: Option<f64>,
}

impl Default for Exact {
    fn default() -> Self {
        Self {
            limbs: vec![0; LIMBS],
            uncarried: 0,
            special: None,
        }
    }
}

impl Exact {
    /// The sum of nothing but this.
    pub(in crate::columns) fn of_whole(number: i128) -> Self {
        let mut sum = Self::default();
        let magnitude = number.unsigned_abs();
        // 1 is 2^1074 of the smallest steps, that is bit 18 of limb 33.
        for part in 0..4 {
            let bits = u64::try_from((magnitude >> (32 * part)) & 0xffff_ffff).unwrap_or(0);
            sum.spread(bits, 1074 + 32 * part, number < 0);
        }
        sum.carry();
        sum
    }

    /// Adds one.
    pub(in crate::columns) fn add(&mut self, value: f64) {
        const FRACTION: u64 = (1 << 52) - 1;
        let bits = value.to_bits();
        let exponent = (bits >> 52) & 0x7ff;
        if exponent == 0x7ff {
            self.special = Some(self.special.map_or(value, |sum| sum + value));
            return;
        }
        // Those with the exponent 0 have no hidden bit and count the same steps as those with 1.
        let (mantissa, shift) = match exponent {
            0 => (bits & FRACTION, 0),
            _ => ((bits & FRACTION) | 1 << 52, exponent - 1),
        };
        self.spread(mantissa, shift as u32, value.is_sign_negative());
    }

    /// Adds `mantissa` · 2^`shift` of the smallest steps, or takes it away. The mantissa has at most 53 bits.
    fn spread(&mut self, mantissa: u64, shift: u32, negative: bool) {
        let (limb, bit) = ((shift / LIMB_BITS) as usize, shift % LIMB_BITS);
        let low = ((mantissa << bit) & 0xffff_ffff).cast_signed();
        let high = (mantissa >> (LIMB_BITS - bit)).cast_signed();
        if negative {
            self.limbs[limb] -= low;
            self.limbs[limb + 1] -= high;
        } else {
            self.limbs[limb] += low;
            self.limbs[limb + 1] += high;
        }
        self.uncarried += 1;
        if self.uncarried == UNCARRIED {
            self.carry();
        }
    }

    fn carry(&mut self) {
        self.uncarried = 0;
        let mut carry = 0;
        let (last, others) = self.limbs.split_last_mut().expect("there are limbs");
        for limb in others {
            let sum = *limb + carry;
            carry = sum >> LIMB_BITS;
            *limb = sum & 0xffff_ffff;
        }
        *last += carry;
    }

    /// The sum of both.
    pub(in crate::columns) fn and(mut self, other: &Self) -> Self {
        let mut other = other.clone();
        self.carry();
        other.carry();
        for (limb, more) in self.limbs.iter_mut().zip(&other.limbs) {
            *limb += more;
        }
        self.carry();
        self.special = match (self.special, other.special) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
        self
    }

    /// The float nearest to the sum, of two as near the even one.
    pub(in crate::columns) fn rounded(&self) -> f64 {
        if let Some(special) = self.special {
            return special;
        }
        let mut magnitude = self.clone();
        magnitude.carry();
        let negative = magnitude.limbs[LIMBS - 1] < 0;
        if negative {
            magnitude.limbs.iter_mut().for_each(|limb| *limb = -*limb);
            magnitude.carry();
        }
        let rounded = nearest(&magnitude.limbs);
        if negative { -rounded } else { rounded }
    }
}

/// The float nearest to what these limbs count, none of which is negative.
#[expect(
    clippy::cast_precision_loss,
    reason = "this is where the sum is rounded, once"
)]
fn nearest(limbs: &[i64]) -> f64 {
    let limb = |at: usize| u128::from(limbs[at].unsigned_abs());
    let Some(top) = limbs.iter().rposition(|limb| *limb != 0) else {
        return 0.0;
    };
    // All that there is fits, and its lowest bit is the lowest that a float can have.
    let Some(low) = top.checked_sub(2).filter(|low| *low > 0) else {
        let bits = limb(0) | limb(1) << 32 | limb(2) << 64;
        return bits as f64 * two_to_the(0);
    };
    let dropped = limbs[..low].iter().any(|limb| *limb != 0);
    // At least 65 bits, so that the last of them only says whether the rest was nothing.
    let bits = limb(top) << 64 | limb(low + 1) << 32 | limb(low) | u128::from(dropped);
    bits as f64 * two_to_the(LIMB_BITS * low as u32)
}

/// 2^`shift` of the smallest steps; infinite beyond the greatest float.
fn two_to_the(shift: u32) -> f64 {
    match shift {
        0..52 => f64::from_bits(1 << shift),
        52..2098 => f64::from_bits(u64::from(shift - 51) << 52),
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> Exact {
        let mut sum = Exact::default();
        values.iter().for_each(|value| sum.add(*value));
        sum
    }

    #[test]
    fn sums_are_rounded_once() {
        let tiny = f64::from_bits(1);
        for (values, expected) in [
            (&[][..], 0.0),
            (&[0.1, 0.2, 0.3], 0.6),
            (&[1e16, 1.0, -1e16], 1.0),
            (&[1e308, 1e308, -1e308], 1e308),
            (&[f64::MAX, f64::MAX], f64::INFINITY),
            (&[-f64::MAX, -f64::MAX], f64::NEG_INFINITY),
            (&[tiny, tiny, tiny], 3.0 * tiny),
            (&[-tiny], -tiny),
            (&[1.0, tiny], 1.0),
            // Halfway between two floats: to the even one, unless anything at all lies beyond.
            (&[1.0, f64::EPSILON / 2.0], 1.0),
            (&[1.0, f64::EPSILON / 2.0, tiny], 1.0 + f64::EPSILON),
            (&[1.0, f64::EPSILON / 2.0, -tiny], 1.0),
            (&[-1.0, -f64::EPSILON / 2.0, -tiny], -1.0 - f64::EPSILON),
            (&[f64::INFINITY, 1.0], f64::INFINITY),
            (&[f64::INFINITY, f64::NEG_INFINITY], f64::NAN),
            (&[f64::MIN_POSITIVE, -tiny], f64::MIN_POSITIVE - tiny),
        ] {
            let found = sum(values).rounded();
            assert!(
                found == expected || found.is_nan() && expected.is_nan(),
                "{values:?}: {found:e}, not {expected:e}"
            );
        }
    }

    #[test]
    fn neither_order_nor_parts_change_a_sum() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20 {
            let mut values: Vec<f64> = (0..5000)
                .map(|_| f64::from_bits(random.u64(..)))
                .filter(|value| value.is_finite())
                .map(|value| value / 1e6)
                .collect();
            let whole = sum(&values).rounded();
            random.shuffle(&mut values);
            let (one, other) = values.split_at(random.usize(..values.len()));
            assert_eq!(
                sum(one).and(&sum(other)).rounded().to_bits(),
                whole.to_bits()
            );
        }
    }

    #[test]
    fn whole_numbers_are_sums_too() {
        for number in [0, 1, -1, 1 << 53, -(1 << 60) - 1, i128::MAX, i128::MIN + 1] {
            assert_eq!(Exact::of_whole(number).rounded(), number as f64, "{number}");
        }
        let half = Exact::of_whole(3).and(&sum(&[-0.5]));
        assert_eq!(half.rounded(), 2.5);
    }
}
