//! What sort of values a column holds, which decides what it can be compared with and what is told of it.

use std::fmt;

use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use super::instant::{DAY, Form};

/// Sorts of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Class {
    /// Whole numbers of up to 64 bits.
    Integer,
    /// Floats of 64 bits, or of 32.
    Float { narrow: bool },
    /// UTF-8.
    Text,
    /// `true` and `false`.
    Boolean,
    /// Dates and points in time; a step of the stored number is so many nanoseconds.
    Instant { step: i128, form: Form },
    /// Nothing but missing values.
    Nothing,
}

impl Class {
    /// The sort of a type; `None` for what is not understood (lists, decimals and the like).
    pub(super) fn of(data: &DataType) -> Option<Self> {
        Some(match data {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => Self::Integer,
            DataType::Float32 => Self::Float { narrow: true },
            DataType::Float64 => Self::Float { narrow: false },
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Boolean => Self::Boolean,
            DataType::Date32 => Self::Instant {
                step: DAY,
                form: Form::Date,
            },
            // Milliseconds, and by its definition always whole days.
            DataType::Date64 => Self::Instant {
                step: 1_000_000,
                form: Form::Date,
            },
            DataType::Timestamp(unit, zone) => Self::Instant {
                step: nanos(*unit),
                form: match zone {
                    None => Form::Local,
                    Some(_) => Form::Utc,
                },
            },
            DataType::Null => Self::Nothing,
            DataType::Dictionary(_, values) => return Self::of(values),
            _ => return None,
        })
    }
}

fn nanos(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1000,
        TimeUnit::Nanosecond => 1,
    }
}

/// As in "a column of …".
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "whole numbers",
            Self::Float { .. } => "floats",
            Self::Text => "texts",
            Self::Boolean => "true and false",
            Self::Instant {
                form: Form::Date, ..
            } => "dates",
            Self::Instant { .. } => "points in time",
            Self::Nothing => "nothing but missing values",
        })
    }
}
