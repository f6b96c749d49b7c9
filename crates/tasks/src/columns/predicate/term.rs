//! What a predicate is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::columns::instant::Instant;

/// Conditions that must all hold for a row to count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Predicate {
    pub(in crate::columns) terms: Vec<Term>,
}

/// What is wrong with a predicate, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredicateError {
    /// The predicate as it was written.
    pub text: String,
    /// The character that cannot be read further, counted from 1.
    pub place: usize,
    /// What was expected there.
    pub cause: String,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::columns) struct Term {
    pub(in crate::columns) column: String,
    pub(in crate::columns) condition: Condition,
}

/// What is asked of a column's value. Nothing compares with a missing value, so only [`Condition::Missing`] holds for one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::columns) enum Condition {
    /// Whether it is null.
    Missing(bool),
    /// How it compares.
    Compare(Operator, Literal),
}

/// The comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::columns) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::columns) enum Literal {
    Integer(i128),
    Float(f64),
    Text(String),
    Instant(Instant),
    Boolean(bool),
}

impl fmt::Display for PredicateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, place, cause } = self;
        write!(
            f,
            "at character {place}: {cause}\n  {text}\n  {:>place$}",
            '^'
        )
    }
}

impl std::error::Error for PredicateError {}

impl Operator {
    /// Whether values that stand so to each other match.
    pub(in crate::columns) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "the number {value}"),
            Self::Float(value) => write!(f, "the number {value}"),
            Self::Text(value) => write!(f, "the text \"{value}\""),
            Self::Instant(value) => write!(f, "the time {}", value.text().unwrap_or_default()),
            Self::Boolean(value) => write!(f, "{value}"),
        }
    }
}
