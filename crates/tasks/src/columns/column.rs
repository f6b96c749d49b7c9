//! Values of one column as they are filtered and added up: plain numbers where they are some, and which are missing.

use arrow_array::{
    Array, ArrayRef, LargeStringArray, StringArray, StringViewArray, cast::AsArray as _, types,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};
use arrow_select::take::take;
use triway_core::Failure;

use super::kinds;

/// Some rows of some columns.
pub(super) struct Batch {
    pub(super) rows: usize,
    /// Those that were asked for, in that order.
    pub(super) columns: Vec<Column>,
}

/// Some rows of one column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) values: Values,
    /// Which values are there; all of them if this is `None`.
    pub(super) valid: Option<NullBuffer>,
}

/// Values as they are stored; where one is missing, anything.
#[derive(Debug, Clone)]
pub(super) enum Values {
    I8(ScalarBuffer<i8>),
    I16(ScalarBuffer<i16>),
    I32(ScalarBuffer<i32>),
    I64(ScalarBuffer<i64>),
    U8(ScalarBuffer<u8>),
    U16(ScalarBuffer<u16>),
    U32(ScalarBuffer<u32>),
    U64(ScalarBuffer<u64>),
    F32(ScalarBuffer<f32>),
    F64(ScalarBuffer<f64>),
    Boolean(BooleanBuffer),
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    /// Not one of them is there, or not one is of a type that can be looked at.
    Nothing,
}

impl Column {
    /// The values of an array.
    ///
    /// # Errors
    /// A dictionary that does not fit its keys.
    pub(super) fn of(array: &ArrayRef) -> Result<Self, Failure> {
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            let plain = take(dictionary.values(), dictionary.keys(), None);
            return Self::of(&plain.map_err(kinds::bad_file)?);
        }
        Ok(Self {
            values: Values::of(array),
            valid: match array.data_type() {
                DataType::Null => Some(NullBuffer::new_null(array.len())),
                _ => array
                    .nulls()
                    .filter(|nulls| nulls.null_count() > 0)
                    .cloned(),
            },
        })
    }
}

impl Values {
    fn of(array: &ArrayRef) -> Self {
        macro_rules! plain {
            ($variant:ident, $kind:ident) => {
                Self::$variant(array.as_primitive::<types::$kind>().values().clone())
            };
        }
        match array.data_type() {
            DataType::Int8 => plain!(I8, Int8Type),
            DataType::Int16 => plain!(I16, Int16Type),
            DataType::Int32 => plain!(I32, Int32Type),
            DataType::Int64 => plain!(I64, Int64Type),
            DataType::UInt8 => plain!(U8, UInt8Type),
            DataType::UInt16 => plain!(U16, UInt16Type),
            DataType::UInt32 => plain!(U32, UInt32Type),
            DataType::UInt64 => plain!(U64, UInt64Type),
            DataType::Float32 => plain!(F32, Float32Type),
            DataType::Float64 => plain!(F64, Float64Type),
            DataType::Date32 => plain!(I32, Date32Type),
            DataType::Date64 => plain!(I64, Date64Type),
            DataType::Timestamp(TimeUnit::Second, _) => plain!(I64, TimestampSecondType),
            DataType::Timestamp(TimeUnit::Millisecond, _) => plain!(I64, TimestampMillisecondType),
            DataType::Timestamp(TimeUnit::Microsecond, _) => plain!(I64, TimestampMicrosecondType),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => plain!(I64, TimestampNanosecondType),
            DataType::Boolean => Self::Boolean(array.as_boolean().values().clone()),
            DataType::Utf8 => Self::Text(array.as_string().clone()),
            DataType::LargeUtf8 => Self::LargeText(array.as_string().clone()),
            DataType::Utf8View => Self::TextView(array.as_string_view().clone()),
            _ => Self::Nothing,
        }
    }
}

impl Column {
    fn is_there(&self, row: usize) -> bool {
        self.valid.as_ref().is_none_or(|valid| valid.is_valid(row))
    }

    /// The whole number of this row; `None` if it is missing or something else.
    pub(super) fn whole(&self, row: usize) -> Option<i128> {
        if !self.is_there(row) {
            return None;
        }
        Some(match &self.values {
            Values::I8(values) => values[row].into(),
            Values::I16(values) => values[row].into(),
            Values::I32(values) => values[row].into(),
            Values::I64(values) => values[row].into(),
            Values::U8(values) => values[row].into(),
            Values::U16(values) => values[row].into(),
            Values::U32(values) => values[row].into(),
            Values::U64(values) => values[row].into(),
            _ => return None,
        })
    }

    /// The float of this row; `None` if it is missing or something else.
    pub(super) fn float(&self, row: usize) -> Option<f64> {
        match &self.values {
            _ if !self.is_there(row) => None,
            Values::F32(values) => Some(values[row].into()),
            Values::F64(values) => Some(values[row]),
            _ => None,
        }
    }

    /// The text of this row; `None` if it is missing or something else.
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        match &self.values {
            _ if !self.is_there(row) => None,
            Values::Text(values) => Some(values.value(row)),
            Values::LargeText(values) => Some(values.value(row)),
            Values::TextView(values) => Some(values.value(row)),
            _ => None,
        }
    }
}
