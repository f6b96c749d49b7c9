//! Fields as values: which type they have, and columns made of them.

use arrow_array::StringArray;
use arrow_buffer::{BooleanBufferBuilder, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field as Declared, TimeUnit};
use triway_core::Failure;

use crate::{
    columns::{
        column::{Column, Values},
        instant::{DAY, Form, Instant},
        kinds,
        options::CsvOptions,
    },
    command::excerpt,
};

/// Whether a field stands for nothing.
fn is_null(field: &[u8], options: &CsvOptions) -> bool {
    field.is_empty() || options.nulls.iter().any(|null| null.as_bytes() == field)
}

/// The type of the values seen so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Guess(Option<DataType>);

const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

impl Guess {
    /// Takes one more into account.
    pub(super) fn see(&mut self, field: &[u8], options: &CsvOptions) {
        if is_null(field, options) {
            return;
        }
        let seen = kind(field);
        self.0 = Some(match (self.0.take(), seen) {
            (None, seen) => seen,
            (Some(before), seen) if before == seen => seen,
            (Some(DataType::Int64), DataType::Float64)
            | (Some(DataType::Float64), DataType::Int64) => DataType::Float64,
            (Some(DataType::Date32), DataType::Timestamp(unit, zone))
            | (Some(DataType::Timestamp(unit, zone)), DataType::Date32) => {
                DataType::Timestamp(unit, zone)
            }
            _ => DataType::Utf8,
        });
    }

    /// The type; text where no value was seen.
    pub(super) fn data(&self) -> DataType {
        self.0.clone().unwrap_or(DataType::Utf8)
    }
}

fn kind(text: &[u8]) -> DataType {
    if whole(text).is_some() {
        DataType::Int64
    } else if float(text).is_some() {
        DataType::Float64
    } else if boolean(text).is_some() {
        DataType::Boolean
    } else {
        match Instant::parse(text).map(|instant| instant.form) {
            Some(Form::Date) => DataType::Date32,
            Some(Form::Local) => TIMESTAMP,
            Some(Form::Utc) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            None => DataType::Utf8,
        }
    }
}

/// A column of which rows are read.
pub(super) struct Building {
    place: usize,
    name: String,
    values: Typed,
    valid: NullBufferBuilder,
}

enum Typed {
    Whole(Vec<i64>),
    Float(Vec<f64>),
    Boolean(BooleanBufferBuilder),
    Date(Vec<i32>),
    Timestamp(Vec<i64>, Form),
    Text { bytes: Vec<u8>, ends: Vec<i32> },
}

impl Building {
    /// The column at this place of a record.
    pub(super) fn new(place: usize, declared: &Declared) -> Self {
        Self {
            place,
            name: declared.name().clone(),
            values: Typed::new(declared.data_type()),
            valid: NullBufferBuilder::new(0),
        }
    }

    /// Which field of a record it is.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// Takes the next value.
    #[inline]
    pub(super) fn push(&mut self, field: &[u8], options: &CsvOptions) -> Result<(), Failure> {
        if is_null(field, options) {
            self.push_nothing();
        } else if self.values.push(field).is_some() {
            self.valid.append_non_null();
        } else {
            return Err(self.unfit(field));
        }
        Ok(())
    }

    /// Takes a value that is missing.
    pub(super) fn push_nothing(&mut self) {
        self.values.push_nothing();
        self.valid.append_null();
    }

    fn unfit(&self, text: &[u8]) -> Failure {
        let text = String::from_utf8_lossy(text);
        let (value, name) = (excerpt(&text), &self.name);
        let message = match self.values {
            Typed::Text { .. } => format!("`{value}` in the column `{name}` is not UTF-8"),
            _ => format!(
                "`{value}` in the column `{name}` is not one of {}, as the first rows have there; --typed-rows has \
                 more of them looked at",
                self.values.name()
            ),
        };
        Failure::permanent(kinds::BAD_VALUE, message)
    }

    /// The values so far, and begins anew.
    pub(super) fn finish(&mut self) -> Column {
        Column {
            values: self.values.finish(),
            valid: self.valid.finish(),
        }
    }
}

impl Typed {
    fn new(data: &DataType) -> Self {
        match data {
            DataType::Int64 => Self::Whole(Vec::new()),
            DataType::Float64 => Self::Float(Vec::new()),
            DataType::Boolean => Self::Boolean(BooleanBufferBuilder::new(0)),
            DataType::Date32 => Self::Date(Vec::new()),
            DataType::Timestamp(_, None) => Self::Timestamp(Vec::new(), Form::Local),
            DataType::Timestamp(_, Some(_)) => Self::Timestamp(Vec::new(), Form::Utc),
            _ => Self::Text {
                bytes: Vec::new(),
                ends: vec![0],
            },
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Whole(_) => "whole numbers of 64 bits",
            Self::Float(_) => "numbers",
            Self::Boolean(_) => "true and false",
            Self::Date(_) => "dates",
            Self::Timestamp(_, Form::Utc) => "points in time with Z or an offset",
            Self::Timestamp(..) => "points in time without an offset",
            Self::Text { .. } => "texts",
        }
    }

    /// `None` if it does not fit.
    #[inline]
    fn push(&mut self, text: &[u8]) -> Option<()> {
        match self {
            Self::Whole(values) => values.push(whole(text)?),
            Self::Float(values) => values.push(float(text)?),
            Self::Boolean(values) => values.append(boolean(text)?),
            Self::Date(values) => {
                let instant = Instant::parse(text).filter(|it| it.form == Form::Date)?;
                values.push(i32::try_from(instant.nanos / DAY).ok()?);
            }
            Self::Timestamp(values, form) => {
                let instant = Instant::parse(text)
                    .filter(|it| it.form == *form || it.form == Form::Date)
                    .filter(|it| it.nanos % 1000 == 0)?;
                values.push(i64::try_from(instant.nanos / 1000).ok()?);
            }
            Self::Text { bytes, ends } => {
                str::from_utf8(text).ok()?;
                bytes.extend_from_slice(text);
                ends.push(i32::try_from(bytes.len()).ok()?);
            }
        }
        Some(())
    }

    fn push_nothing(&mut self) {
        match self {
            Self::Whole(values) | Self::Timestamp(values, _) => values.push(0),
            Self::Float(values) => values.push(0.0),
            Self::Boolean(values) => values.append(false),
            Self::Date(values) => values.push(0),
            Self::Text { ends, .. } => ends.push(ends.last().copied().unwrap_or(0)),
        }
    }

    fn finish(&mut self) -> Values {
        fn take<T>(values: &mut Vec<T>) -> Vec<T> {
            let room = values.len();
            std::mem::replace(values, Vec::with_capacity(room))
        }
        match self {
            Self::Whole(values) | Self::Timestamp(values, _) => Values::I64(take(values).into()),
            Self::Float(values) => Values::F64(take(values).into()),
            Self::Boolean(values) => Values::Boolean(values.finish()),
            Self::Date(values) => Values::I32(take(values).into()),
            Self::Text { bytes, ends } => {
                let ends = std::mem::replace(ends, vec![0]);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                Values::Text(StringArray::new(offsets, take(bytes).into(), None))
            }
        }
    }
}

/// A whole number of 64 bits.
#[inline]
fn whole(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // So many digits fit whatever they are.
    if digits.is_empty() || digits.len() > 18 {
        return str::from_utf8(text).ok()?.parse().ok();
    }
    let mut sum = 0_i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum = sum * 10 + i64::from(digit);
    }
    Some(if negative { -sum } else { sum })
}

fn float(text: &[u8]) -> Option<f64> {
    fast_float2::parse(text).ok()
}

fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"true" | b"True" | b"TRUE" => Some(true),
        b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(values: &[&str]) -> DataType {
        let mut guess = Guess::default();
        let mut options = CsvOptions::default();
        options.nulls.push("NA".to_owned());
        for value in values {
            guess.see(value.as_bytes(), &options);
        }
        guess.data()
    }

    #[test]
    fn the_type_is_that_of_all_values() {
        for (values, data) in [
            (&["1", "-2", "", "NA"][..], DataType::Int64),
            (&["1", "2.5"], DataType::Float64),
            (&["1e3", "7"], DataType::Float64),
            (&["99999999999999999999"], DataType::Float64),
            (&["9223372036854775807"], DataType::Int64),
            (&["true", "False"], DataType::Boolean),
            (&["2026-01-31"], DataType::Date32),
            (&["2026-01-31", "2026-01-31T00:00:00"], TIMESTAMP),
            (&["2026-01-31", "1"], DataType::Utf8),
            (&["1", "x"], DataType::Utf8),
            (&["", "NA"], DataType::Utf8),
            (&[" 1"], DataType::Utf8),
        ] {
            assert_eq!(guessed(values), data, "{values:?}");
        }
    }
}
