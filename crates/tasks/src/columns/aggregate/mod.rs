//! Adds up the rows that match: how many there are, their sum, the least and the greatest.

mod exact;
mod floats;
mod whole;

use arrow_array::ArrayAccessor;
use arrow_buffer::BooleanBuffer;
use serde::{Deserialize, Serialize};

pub(super) use self::exact::Exact;
use self::{floats::Floats, whole::Wholes};
use super::{
    class::Class,
    column::{Column, Values},
    instant::Instant,
};

/// What has been added up so far; of what kind, the column decides.
#[derive(Debug)]
pub(super) struct Aggregate {
    class: Class,
    count: u64,
    gathered: Gathered,
}

#[derive(Debug)]
enum Gathered {
    Whole(Wholes),
    Float(Floats),
    Text(Option<(String, String)>),
    Boolean(Option<(bool, bool)>),
    Nothing,
}

/// What rows add up to, in a form that can be added to that of other rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Figures {
    /// There was no value.
    Nothing,
    Whole {
        sum: i128,
        least: i128,
        most: i128,
    },
    Float {
        sum: Exact,
        least: f64,
        most: f64,
    },
    Text {
        least: String,
        most: String,
    },
    Boolean {
        least: bool,
        most: bool,
    },
    Instant {
        least: Instant,
        most: Instant,
    },
    /// Values of kinds that cannot be compared with each other.
    Mixed,
}

impl Aggregate {
    /// Nothing yet, of a column of this class.
    pub(super) fn new(class: Class) -> Self {
        Self {
            class,
            count: 0,
            gathered: match class {
                Class::Integer | Class::Instant { .. } => Gathered::Whole(Wholes::default()),
                Class::Float { .. } => Gathered::Float(Floats::default()),
                Class::Text => Gathered::Text(None),
                Class::Boolean => Gathered::Boolean(None),
                Class::Nothing => Gathered::Nothing,
            },
        }
    }

    /// Adds the rows from `from` on that are marked; none of them is missing.
    pub(super) fn add(&mut self, column: &Column, from: usize, mask: &[u8]) {
        self.count += match &mut self.gathered {
            Gathered::Whole(wholes) => wholes.add(&column.values, from, mask),
            Gathered::Float(floats) => floats.add(&column.values, from, mask),
            Gathered::Text(range) => add_text(range, &column.values, from, mask),
            Gathered::Boolean(range) => match &column.values {
                Values::Boolean(bits) => add_booleans(range, bits, from, mask),
                _ => 0,
            },
            Gathered::Nothing => 0,
        };
    }

    /// How many values were added, and what they came to.
    pub(super) fn finish(self) -> (u64, Figures) {
        if self.count == 0 {
            return (0, Figures::Nothing);
        }
        let figures = match (self.gathered, self.class) {
            (Gathered::Whole(wholes), Class::Instant { step, form }) => {
                let instant = |steps: i128| Instant {
                    nanos: steps * step,
                    form,
                };
                Figures::Instant {
                    least: instant(wholes.least),
                    most: instant(wholes.most),
                }
            }
            (Gathered::Whole(wholes), _) => Figures::Whole {
                sum: wholes.sum,
                least: wholes.least,
                most: wholes.most,
            },
            (Gathered::Float(floats), _) => Figures::Float {
                sum: floats.sum,
                least: floats.least,
                most: floats.most,
            },
            (Gathered::Text(Some((least, most))), _) => Figures::Text { least, most },
            (Gathered::Boolean(Some((least, most))), _) => Figures::Boolean { least, most },
            _ => Figures::Nothing,
        };
        (self.count, figures)
    }
}

impl Figures {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, one) | (one, Self::Nothing) => one,
            (
                Self::Whole { sum, least, most },
                Self::Whole {
                    sum: more,
                    least: low,
                    most: high,
                },
            ) => Self::Whole {
                sum: sum + more,
                least: least.min(low),
                most: most.max(high),
            },
            (
                Self::Float { sum, least, most },
                Self::Float {
                    sum: more,
                    least: low,
                    most: high,
                },
            ) => Self::Float {
                sum: sum.and(&more),
                least: floats::least(least, low),
                most: floats::most(most, high),
            },
            (one @ Self::Whole { .. }, other @ Self::Float { .. })
            | (other @ Self::Float { .. }, one @ Self::Whole { .. }) => one.into_float().and(other),
            (
                Self::Text { least, most },
                Self::Text {
                    least: low,
                    most: high,
                },
            ) => Self::Text {
                least: least.min(low),
                most: most.max(high),
            },
            (
                Self::Boolean { least, most },
                Self::Boolean {
                    least: low,
                    most: high,
                },
            ) => Self::Boolean {
                least: least & low,
                most: most | high,
            },
            (
                Self::Instant { least, most },
                Self::Instant {
                    least: low,
                    most: high,
                },
            ) => Self::Instant {
                least: if low.nanos < least.nanos { low } else { least },
                most: if high.nanos > most.nanos { high } else { most },
            },
            _ => Self::Mixed,
        }
    }

    /// Whole numbers as floats, their sum still exact: some files of a table may hold the one, some the other.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the nearest float stands for the least and the greatest"
    )]
    fn into_float(self) -> Self {
        match self {
            Self::Whole { sum, least, most } => Self::Float {
                sum: Exact::of_whole(sum),
                least: least as f64,
                most: most as f64,
            },
            other => other,
        }
    }
}

fn add_text(
    range: &mut Option<(String, String)>,
    values: &Values,
    from: usize,
    mask: &[u8],
) -> u64 {
    match values {
        Values::Text(values) => add_texts(range, &values, from, mask),
        Values::LargeText(values) => add_texts(range, &values, from, mask),
        Values::TextView(values) => add_texts(range, &values, from, mask),
        _ => 0,
    }
}

fn add_texts<'a>(
    range: &mut Option<(String, String)>,
    values: &impl ArrayAccessor<Item = &'a str>,
    from: usize,
    mask: &[u8],
) -> u64 {
    let mut count = 0;
    for (at, _) in mask.iter().enumerate().filter(|(_, keep)| **keep == 1) {
        count += 1;
        let value = values.value(from + at);
        let (least, most) = range.get_or_insert_with(|| (value.to_owned(), value.to_owned()));
        if value < least.as_str() {
            value.clone_into(least);
        } else if value > most.as_str() {
            value.clone_into(most);
        }
    }
    count
}

fn add_booleans(
    range: &mut Option<(bool, bool)>,
    bits: &BooleanBuffer,
    from: usize,
    mask: &[u8],
) -> u64 {
    let mut count = 0;
    for (at, _) in mask.iter().enumerate().filter(|(_, keep)| **keep == 1) {
        count += 1;
        let value = bits.value(from + at);
        let (least, most) = range.get_or_insert((value, value));
        *least &= value;
        *most |= value;
    }
    count
}
