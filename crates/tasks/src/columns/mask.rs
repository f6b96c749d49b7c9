//! Which rows match: a byte a row, for as many rows as stay in the processor's nearest cache.
//!
//! Bytes, because loops over them become vector instructions of any width without anybody writing such; bits would have
//! to be packed and unpacked around every step.

use arrow_array::ArrayAccessor;
use arrow_buffer::{BooleanBuffer, NullBuffer};
use pulp::{Arch, NullaryFnOnce};

use super::{
    column::{Batch, Column, Values},
    predicate::{Bound, Operator, Span, Test},
    whole::Whole,
};

/// Rows that are filtered and added up before the next ones.
pub(super) const CHUNK: usize = 2048;

/// Marks the rows from `from` on that match, one byte each: 1, or 0 where not. `place` says where in the batch the
/// column of each test is.
pub(super) fn fill(bound: &Bound, batch: &Batch, place: &[usize], from: usize, mask: &mut [u8]) {
    mask.fill(1);
    for ((_, test), place) in bound.tests.iter().zip(place) {
        let column = &batch.columns[*place];
        narrow(test, column, from, mask);
        match test {
            Test::Missing(true) => match &column.valid {
                None => mask.fill(0),
                Some(valid) => keep(valid.inner(), from, 0, mask),
            },
            _ => keep_valid(column.valid.as_ref(), from, mask),
        }
    }
}

/// Takes away the rows whose value is missing.
pub(super) fn keep_valid(valid: Option<&NullBuffer>, from: usize, mask: &mut [u8]) {
    if let Some(valid) = valid {
        keep(valid.inner(), from, 1, mask);
    }
}

/// Takes away the rows whose bit is not this one.
fn keep(bits: &BooleanBuffer, from: usize, wanted: u8, mask: &mut [u8]) {
    let bits = bits.slice(from, mask.len());
    let words = bits.bit_chunks();
    for (mask, word) in mask.chunks_mut(64).zip(words.iter_padded()) {
        for (at, keep) in mask.iter_mut().enumerate() {
            *keep &= u8::from((word >> at) & 1 == u64::from(wanted));
        }
    }
}

/// Takes away the rows whose value does not pass; missing ones have a value of any kind.
fn narrow(test: &Test, column: &Column, from: usize, mask: &mut [u8]) {
    match test {
        Test::Missing(_) => {}
        Test::Whole(span) => narrow_whole(*span, &column.values, from, mask),
        Test::Float(operator, value) => match &column.values {
            Values::F64(values) => floats(&values[from..], *operator, *value, mask),
            #[expect(clippy::cast_possible_truncation, reason = "it was made from one")]
            Values::F32(values) => floats(&values[from..], *operator, *value as f32, mask),
            _ => mask.fill(0),
        },
        Test::Text(operator, value) => narrow_text(*operator, value, &column.values, from, mask),
        Test::Boolean(wanted) => match &column.values {
            Values::Boolean(bits) => keep(bits, from, u8::from(*wanted), mask),
            _ => mask.fill(0),
        },
    }
}

fn narrow_whole(span: Span, values: &Values, from: usize, mask: &mut [u8]) {
    match values {
        Values::I8(values) => whole(&values[from..], span, mask),
        Values::I16(values) => whole(&values[from..], span, mask),
        Values::I32(values) => whole(&values[from..], span, mask),
        Values::I64(values) => whole(&values[from..], span, mask),
        Values::U8(values) => whole(&values[from..], span, mask),
        Values::U16(values) => whole(&values[from..], span, mask),
        Values::U32(values) => whole(&values[from..], span, mask),
        Values::U64(values) => whole(&values[from..], span, mask),
        _ => mask.fill(0),
    }
}

fn whole<T: Whole>(values: &[T], span: Span, mask: &mut [u8]) {
    match (T::at_least(span.least), T::at_most(span.most)) {
        (Some(least), Some(most)) if least <= most => Arch::new().dispatch(Inside {
            values,
            least,
            most,
            outside: span.outside,
            mask,
        }),
        _ if span.outside => {}
        _ => mask.fill(0),
    }
}

struct Inside<'a, T> {
    values: &'a [T],
    least: T,
    most: T,
    outside: bool,
    mask: &'a mut [u8],
}

impl<T: Whole> NullaryFnOnce for Inside<'_, T> {
    type Output = ();

    /// Inlined, because it is compiled for the instructions that its caller may use.
    #[inline(always)]
    fn call(self) {
        let outside = u8::from(self.outside);
        for (keep, value) in self.mask.iter_mut().zip(self.values) {
            *keep &= u8::from((self.least <= *value) & (*value <= self.most)) ^ outside;
        }
    }
}

/// Not-a-number equals itself and is greater than all others, so that "greater" is "not at most". The value compared with
/// is never one.
fn floats<T: PartialOrd + Copy>(values: &[T], operator: Operator, with: T, mask: &mut [u8]) {
    #[expect(
        clippy::neg_cmp_op_on_partial_ord,
        reason = "that is how not-a-number counts as greater"
    )]
    match operator {
        Operator::Equal => filter(values, mask, |value| value == with),
        Operator::Unequal => filter(values, mask, |value| value != with),
        Operator::Less => filter(values, mask, |value| value < with),
        Operator::LessOrEqual => filter(values, mask, |value| value <= with),
        Operator::Greater => filter(values, mask, |value| !(value <= with)),
        Operator::GreaterOrEqual => filter(values, mask, |value| !(value < with)),
    }
}

fn filter<T: Copy>(values: &[T], mask: &mut [u8], passes: impl Fn(T) -> bool) {
    Arch::new().dispatch(Filter {
        values,
        mask,
        passes,
    });
}

struct Filter<'a, T, P> {
    values: &'a [T],
    mask: &'a mut [u8],
    passes: P,
}

impl<T: Copy, P: Fn(T) -> bool> NullaryFnOnce for Filter<'_, T, P> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (keep, value) in self.mask.iter_mut().zip(self.values) {
            *keep &= u8::from((self.passes)(*value));
        }
    }
}

fn narrow_text(operator: Operator, with: &str, values: &Values, from: usize, mask: &mut [u8]) {
    match values {
        Values::Text(values) => compare(&values, operator, with, from, mask),
        Values::LargeText(values) => compare(&values, operator, with, from, mask),
        Values::TextView(values) => compare(&values, operator, with, from, mask),
        _ => mask.fill(0),
    }
}

fn compare<'a>(
    values: &impl ArrayAccessor<Item = &'a str>,
    operator: Operator,
    with: &str,
    from: usize,
    mask: &mut [u8],
) {
    for (at, keep) in mask.iter_mut().enumerate() {
        // A comparison is dearer than the question whether it is still asked for.
        if *keep == 1 {
            let value = values.value(from + at);
            *keep = u8::from(match operator {
                Operator::Equal => value == with,
                Operator::Unequal => value != with,
                _ => operator.holds(value.cmp(with)),
            });
        }
    }
}
