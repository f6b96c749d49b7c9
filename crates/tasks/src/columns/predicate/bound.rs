//! A predicate bound to the columns of a file: what is left to ask of each stored value.

use arrow_schema::Schema;
use triway_core::Failure;

use super::term::{Condition, Literal, Operator, Predicate, Term};
use crate::columns::{class::Class, instant::Instant, kinds, schema};

/// A predicate for the columns of one file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::columns) struct Bound {
    /// Which column of the file, and what it is asked.
    pub(in crate::columns) tests: Vec<(usize, Test)>,
}

/// What is asked of a stored value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::columns) enum Test {
    /// Whether it is missing.
    Missing(bool),
    /// Whether a number, or a point in time as it is stored, lies in a span, or outside.
    Whole(Span),
    /// How a float compares. Not-a-number equals itself and is greater than all others, as in DuckDB and Polars.
    Float(Operator, f64),
    /// How a text compares, byte by byte.
    Text(Operator, String),
    /// Whether it is this.
    Boolean(bool),
}

/// All whole numbers from `least` to `most`, or all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columns) struct Span {
    pub(in crate::columns) least: i128,
    pub(in crate::columns) most: i128,
    pub(in crate::columns) outside: bool,
}

impl Bound {
    /// Binds each condition to its column.
    ///
    /// # Errors
    /// There is no such column, or it holds something that cannot be compared so.
    pub(in crate::columns) fn new(predicate: &Predicate, of: &Schema) -> Result<Self, Failure> {
        let bind = |term: &Term| -> Result<(usize, Test), Failure> {
            let (index, field) = schema::column(of, &term.column)?;
            let test = match &term.condition {
                Condition::Missing(missing) => Test::Missing(*missing),
                Condition::Compare(operator, literal) => Class::of(field.data_type())
                    .and_then(|class| compare(class, *operator, literal))
                    .ok_or_else(|| wrong_type(&term.column, field.data_type(), literal))?,
            };
            Ok((index, test))
        };
        let tests = predicate
            .terms
            .iter()
            .map(bind)
            .collect::<Result<_, Failure>>()?;
        Ok(Self { tests })
    }
}

fn wrong_type(column: &str, data: &arrow_schema::DataType, literal: &Literal) -> Failure {
    let class = Class::of(data).map_or_else(|| format!("type {data}"), |class| class.to_string());
    Failure::permanent(
        kinds::WRONG_TYPE,
        format!("the column `{column}` is one of {class}, which does not compare with {literal}"),
    )
}

/// The test for a comparison; `None` if such a column has none.
fn compare(class: Class, operator: Operator, literal: &Literal) -> Option<Test> {
    Some(match (class, literal) {
        (Class::Integer, Literal::Integer(value)) => Test::Whole(Span::new(operator, *value, true)),
        (Class::Integer, Literal::Float(value)) => {
            Test::Whole(Span::new(operator, floor(*value), value.fract() == 0.0))
        }
        (Class::Float { narrow }, literal) => Test::Float(operator, float(literal, narrow)?),
        (Class::Text, Literal::Text(value)) => Test::Text(operator, value.clone()),
        (Class::Boolean, Literal::Boolean(value)) => match operator {
            Operator::Equal => Test::Boolean(*value),
            Operator::Unequal => Test::Boolean(!*value),
            _ => return None,
        },
        (Class::Instant { step, .. }, literal) => {
            let instant = match literal {
                Literal::Instant(instant) => *instant,
                Literal::Text(text) => Instant::parse(text.trim().as_bytes())?,
                _ => return None,
            };
            let (steps, rest) = (
                instant.nanos.div_euclid(step),
                instant.nanos.rem_euclid(step),
            );
            Test::Whole(Span::new(operator, steps, rest == 0))
        }
        // Whatever it is compared with, there is nothing.
        (Class::Nothing, _) => Test::Whole(Span::NOTHING),
        _ => return None,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and no stored number is beyond"
)]
fn floor(value: f64) -> i128 {
    value.floor() as i128
}

/// A column of narrow floats holds none that a literal of more digits could equal, so the literal is rounded as they were.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "floats are compared with the nearest float"
)]
fn float(literal: &Literal, narrow: bool) -> Option<f64> {
    let value = match literal {
        Literal::Integer(value) => *value as f64,
        Literal::Float(value) => *value,
        _ => return None,
    };
    Some(if narrow {
        f64::from(value as f32)
    } else {
        value
    })
}

impl Span {
    /// No number at all.
    const NOTHING: Self = Self {
        least: 1,
        most: 0,
        outside: false,
    };

    /// The whole numbers that stand so to a value: to `floor` itself if it is `exact`, and to one between it and the next
    /// otherwise.
    fn new(operator: Operator, floor: i128, exact: bool) -> Self {
        let (least, most) = match operator {
            Operator::Equal | Operator::Unequal if exact => (floor, floor),
            Operator::Equal | Operator::Unequal => (1, 0),
            Operator::Less => (i128::MIN, floor.saturating_sub(i128::from(exact))),
            Operator::LessOrEqual => (i128::MIN, floor),
            Operator::Greater => (floor.saturating_add(1), i128::MAX),
            Operator::GreaterOrEqual => (floor.saturating_add(i128::from(!exact)), i128::MAX),
        };
        Self {
            least,
            most,
            outside: operator == Operator::Unequal,
        }
    }

    /// Whether a number counts.
    #[cfg(test)]
    pub(in crate::columns) fn holds(self, value: i128) -> bool {
        (self.least <= value && value <= self.most) != self.outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_hold_what_the_comparison_does() {
        use Operator::*;
        for operator in [Equal, Unequal, Less, LessOrEqual, Greater, GreaterOrEqual] {
            for (floor, exact, value) in [(5, true, 5.0), (5, false, 5.5), (-6, false, -5.5)] {
                let span = Span::new(operator, floor, exact);
                for number in -10..10_i32 {
                    let ordering = f64::from(number).total_cmp(&value);
                    assert_eq!(
                        span.holds(i128::from(number)),
                        operator.holds(ordering),
                        "{number} {operator:?} {value}"
                    );
                }
            }
        }
    }
}
