//! Columns by name.

use arrow_schema::{Field, Schema};
use triway_core::Failure;

use super::kinds;

/// How many columns a message lists.
const LISTED: usize = 20;

/// The place and the type of a column.
///
/// # Errors
/// There is none of this name, or there are several.
pub(super) fn column<'a>(of: &'a Schema, name: &str) -> Result<(usize, &'a Field), Failure> {
    let mut found = of
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| field.name() == name);
    match (found.next(), found.next()) {
        (Some((at, field)), None) => return Ok((at, field)),
        (Some(_), Some(_)) => {
            return Err(Failure::permanent(
                kinds::AMBIGUOUS,
                format!("several columns are called `{name}`; nothing says which is meant"),
            ));
        }
        (None, _) => {}
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
