//! Whole numbers of every width, as the loops over them need them.

/// A whole number of at most 64 bits.
pub(super) trait Whole: Copy + Ord {
    const LEAST: Self;
    const MOST: Self;

    /// The same number, or where it has 64 bits and no sign, the same modulo 2^64.
    fn wrapped(self) -> i64;

    /// The same number.
    fn exact(self) -> i128;

    /// The smallest number of this width that is at least `bound`; `None` if all are smaller.
    fn at_least(bound: i128) -> Option<Self>;

    /// The greatest number of this width that is at most `bound`; `None` if all are greater.
    fn at_most(bound: i128) -> Option<Self>;
}

macro_rules! whole {
    ($($number:ty)*) => {$(
        impl Whole for $number {
            const LEAST: Self = <$number>::MIN;
            const MOST: Self = <$number>::MAX;

            #[inline(always)]
            fn wrapped(self) -> i64 {
                self as i64
            }

            fn exact(self) -> i128 {
                i128::from(self)
            }

            fn at_least(bound: i128) -> Option<Self> {
                Self::try_from(bound.max(Self::MIN.exact())).ok()
            }

            fn at_most(bound: i128) -> Option<Self> {
                Self::try_from(bound.min(Self::MAX.exact())).ok()
            }
        }
    )*};
}

whole!(i8 i16 i32 i64 u8 u16 u32 u64);
