//! Columns by name.

use arrow_schema::{Field, Schema};
use triway_core::Failure;

use super::kinds;

/// How many columns a message lists.
const LISTED: usize = 20;

/// The place and the type of a column.
///
/// # Errors
/// There is none of this name.
pub(super) fn column<'a>(of: &'a Schema, name: &str) -> Result<(usize, &'a Field), Failure> {
    if let Some(found) = of.column_with_name(name) {
        return Ok(found);
    }
    let names = of.fields().iter().map(|field| field.name().as_str());
    let mut listed = names.take(LISTED).collect::<Vec<_>>().join(", ");
    if of.fields().len() > LISTED {
        listed.push_str(", …");
    }
    Err(Failure::permanent(
        kinds::NO_COLUMN,
        format!("there is no column `{name}`; there are {listed}"),
    ))
}
