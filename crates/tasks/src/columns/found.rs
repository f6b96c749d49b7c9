//! What a task gives back: the figures of some rows, as JSON for people and scripts, and exact for adding them up.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap as _};

use super::{aggregate::Figures, instant::Instant};

/// What the rows of a file, of a part of one, or of many came to.
///
/// As JSON it has `count`, `sum`, `avg`, `min`, `max` and `rows`. Elsewhere it keeps what it takes to add it to others
/// without rounding twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    exact: Exactly,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Exactly {
    rows: u64,
    count: u64,
    figures: Figures,
}

/// One of the figures.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// There is none: no value, or none of a kind that has it.
    Null,
    /// A whole number that 64 bits hold, with a sign or without.
    Whole(i128),
    /// A whole number beyond that, written as a string so that no reader rounds it.
    Large(i128),
    /// A float. What JSON has no number for is written as the strings `NaN`, `Infinity` and `-Infinity`.
    Float(f64),
    /// A text, a date or a point in time.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
}

impl Default for Found {
    fn default() -> Self {
        Self::new(0, 0, Figures::Nothing)
    }
}

impl Found {
    pub(super) fn new(rows: u64, count: u64, figures: Figures) -> Self {
        Self {
            exact: Exactly {
                rows,
                count,
                figures,
            },
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (one, other) = (self.exact, other.exact);
        Self::new(
            one.rows + other.rows,
            one.count + other.count,
            one.figures.and(other.figures),
        )
    }

    /// How many rows there were, whether they matched or not.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.exact.rows
    }

    /// How many rows matched and had a value.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.exact.count
    }

    /// The sum of the values; null where they are no numbers.
    #[must_use]
    pub fn sum(&self) -> Figure {
        match &self.exact.figures {
            Figures::Whole { sum, .. } => Figure::of(*sum),
            Figures::Float { sum, .. } => Figure::Float(sum.rounded()),
            _ => Figure::Null,
        }
    }

    /// Their mean; null where they are no numbers, or none.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count beyond 2^53 would take years to reach"
    )]
    pub fn avg(&self) -> Figure {
        let count = self.exact.count;
        match &self.exact.figures {
            Figures::Whole { sum, .. } => Figure::Float(quotient(*sum, count)),
            Figures::Float { sum, .. } => Figure::Float(sum.rounded() / count as f64),
            _ => Figure::Null,
        }
    }

    /// The least value.
    #[must_use]
    pub fn min(&self) -> Figure {
        match &self.exact.figures {
            Figures::Whole { least, .. } => Figure::of(*least),
            Figures::Float { least, .. } => Figure::Float(*least),
            Figures::Text { least, .. } => Figure::Text(least.clone()),
            Figures::Boolean { least, .. } => Figure::Boolean(*least),
            Figures::Instant { least, .. } => Figure::instant(*least),
            Figures::Nothing | Figures::Mixed => Figure::Null,
        }
    }

    /// The greatest value.
    #[must_use]
    pub fn max(&self) -> Figure {
        match &self.exact.figures {
            Figures::Whole { most, .. } => Figure::of(*most),
            Figures::Float { most, .. } => Figure::Float(*most),
            Figures::Text { most, .. } => Figure::Text(most.clone()),
            Figures::Boolean { most, .. } => Figure::Boolean(*most),
            Figures::Instant { most, .. } => Figure::instant(*most),
            Figures::Nothing | Figures::Mixed => Figure::Null,
        }
    }

    /// Whether it comes of values that have no common figures, such as texts in one file and numbers in another.
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        self.exact.figures == Figures::Mixed
    }

    /// Exact, for [`Found::from_bytes`].
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        postcard::to_stdvec(&self.exact).ok()
    }

    /// What an outcome holds besides its JSON; `None` if it holds nothing of the kind.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let exact = postcard::from_bytes(bytes).ok()?;
        Some(Self { exact })
    }
}

impl Serialize for Found {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        if !into.is_human_readable() {
            return self.exact.serialize(into);
        }
        let mut map = into.serialize_map(Some(6))?;
        map.serialize_entry("count", &self.count())?;
        map.serialize_entry("sum", &self.sum())?;
        map.serialize_entry("avg", &self.avg())?;
        map.serialize_entry("min", &self.min())?;
        map.serialize_entry("max", &self.max())?;
        map.serialize_entry("rows", &self.rows())?;
        map.end()
    }
}

/// From where it is exact, such as another process. JSON is not.
impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let exact = Exactly::deserialize(from)?;
        Ok(Self { exact })
    }
}

impl Figure {
    fn of(number: i128) -> Self {
        let fits = (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number);
        if fits {
            Self::Whole(number)
        } else {
            Self::Large(number)
        }
    }

    fn instant(instant: Instant) -> Self {
        instant.text().map_or(Self::Null, Self::Text)
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => into.serialize_none(),
            Self::Whole(number) => match u64::try_from(*number) {
                Ok(number) => into.serialize_u64(number),
                Err(_) => into.serialize_i64(i64::try_from(*number).unwrap_or(i64::MIN)),
            },
            Self::Float(number) if number.is_finite() => into.serialize_f64(*number),
            Self::Large(_) | Self::Float(_) => into.serialize_str(&self.to_string()),
            Self::Text(text) => into.serialize_str(text),
            Self::Boolean(value) => into.serialize_bool(*value),
        }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Whole(number) | Self::Large(number) => number.fmt(f),
            Self::Float(number) if number.is_nan() => f.write_str("NaN"),
            Self::Float(number) if number.is_infinite() && *number > 0.0 => f.write_str("Infinity"),
            Self::Float(number) if number.is_infinite() => f.write_str("-Infinity"),
            Self::Float(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Boolean(value) => value.fmt(f),
        }
    }
}

/// The float nearest to `sum` / `count`, rounded once.
#[expect(
    clippy::cast_precision_loss,
    reason = "this is where it is rounded, once"
)]
fn quotient(sum: i128, count: u64) -> f64 {
    if sum == 0 || count == 0 {
        return 0.0;
    }
    let (magnitude, count) = (sum.unsigned_abs(), u128::from(count));
    let shift = magnitude.leading_zeros();
    let shifted = magnitude << shift;
    // At least 64 bits, so that the last of them only says whether the division left something.
    let quotient = (shifted / count) | u128::from(!shifted.is_multiple_of(count));
    let nearest = quotient as f64 * f64::from_bits(u64::from(1023 - shift) << 52);
    if sum < 0 { -nearest } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(sum: i128, count: u64) -> Found {
        Found::new(
            10,
            count,
            Figures::Whole {
                sum,
                least: -1,
                most: sum,
            },
        )
    }

    #[test]
    fn json_says_what_does_not_fit() {
        for (found, json) in [
            (
                Found::default(),
                r#"{"count":0,"sum":null,"avg":null,"min":null,"max":null,"rows":0}"#,
            ),
            (
                whole(7, 2),
                r#"{"count":2,"sum":7,"avg":3.5,"min":-1,"max":7,"rows":10}"#,
            ),
            (
                whole(1 << 64, 1),
                r#"{"count":1,"sum":"18446744073709551616","avg":1.8446744073709552e+19,"min":-1,"max":"18446744073709551616","rows":10}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&found).unwrap(), json);
            assert!(serde_json::to_value(&found).is_ok(), "{json}");
        }
    }

    #[test]
    fn it_travels_without_losing_anything() {
        let found = whole((1 << 100) + 1, 3);
        let bytes = found.to_bytes().unwrap();
        assert_eq!(Found::from_bytes(&bytes), Some(found.clone()));
        let wire = postcard::to_stdvec(&found).unwrap();
        assert_eq!(postcard::from_bytes(&wire), Ok(found));
        assert_eq!(Found::from_bytes(b""), None);
    }

    #[test]
    fn a_mean_is_rounded_once() {
        for (sum, count, mean) in [
            (0, 3, 0.0),
            (1, 3, 1.0 / 3.0),
            (-10, 4, -2.5),
            (i128::from(u64::MAX) * 3, 3, u64::MAX as f64),
            ((1 << 53) + 1, 1, (1_u64 << 53) as f64),
            ((1 << 54) + 2, 2, (1_u64 << 53) as f64),
            ((1 << 54) + 3, 2, ((1_u64 << 53) + 2) as f64),
            (i128::MAX, 1, i128::MAX as f64),
        ] {
            assert_eq!(quotient(sum, count), mean, "{sum} / {count}");
        }
    }
}
