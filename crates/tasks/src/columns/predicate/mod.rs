//! Which rows count: `column OP value` joined by `and`.
//!
//! What is written is read without a file ([`Predicate`]), and bound to the columns of each file afterwards ([`Bound`]).

mod bound;
mod lexer;
mod parser;
mod term;

pub use self::term::{Predicate, PredicateError};
pub(super) use self::{
    bound::{Bound, Span, Test},
    term::Operator,
};
