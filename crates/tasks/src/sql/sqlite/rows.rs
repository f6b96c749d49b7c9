//! What a statement gives: rows as JSON, or how many it changed.

use rusqlite::{Error, Statement as Prepared, types::ValueRef};
use serde::{Serialize, Serializer, ser, ser::SerializeMap as _};
use triway_core::Failure;

use crate::sql::{answer::Answer, answer::Rows};

/// Executes a statement that changes rows, and may give them back.
pub(super) fn changed(
    prepared: &mut Prepared<'_>,
    failed: impl Fn(Error) -> Failure + Copy,
) -> Result<Answer, Failure> {
    if prepared.column_count() == 0 {
        let changes = prepared.raw_execute().map_err(failed)?;
        return Ok(Answer {
            changes: Some(changes as u64),
            rows: None,
        });
    }
    Ok(found(prepared, failed)?.answer(false))
}

/// The rows that a statement gives.
pub(super) fn found(
    prepared: &mut Prepared<'_>,
    failed: impl Fn(Error) -> Failure + Copy,
) -> Result<Rows, Failure> {
    let (mut rows, mut full) = (Rows::default(), Ok(()));
    each(prepared, failed, |row| {
        full = rows.push(row);
        full.is_ok()
    })?;
    full.map(|()| rows)
}

/// Hands each row that a statement gives out as JSON.
pub(super) fn handed(
    prepared: &mut Prepared<'_>,
    failed: impl Fn(Error) -> Failure + Copy,
    mut hand: impl FnMut(&str),
) -> Result<(), Failure> {
    each(prepared, failed, |row| {
        hand(&row);
        true
    })
}

/// Hands out rows as long as more are wanted.
fn each(
    prepared: &mut Prepared<'_>,
    failed: impl Fn(Error) -> Failure + Copy,
    mut hand: impl FnMut(String) -> bool,
) -> Result<(), Failure> {
    let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let mut left = prepared.raw_query();
    while let Some(row) = left.next().map_err(failed)? {
        if !hand(serde_json::to_string(&Object(&columns, row))?) {
            break;
        }
    }
    Ok(())
}

/// A row as an object; of columns with one name, readers of JSON take the last.
struct Object<'a>(&'a [String], &'a rusqlite::Row<'a>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        let mut map = into.serialize_map(Some(self.0.len()))?;
        for (place, name) in self.0.iter().enumerate() {
            match self.1.get_ref(place).map_err(ser::Error::custom)? {
                ValueRef::Null => map.serialize_entry(name, &())?,
                ValueRef::Integer(value) => map.serialize_entry(name, &value)?,
                ValueRef::Real(value) => map.serialize_entry(name, &value)?,
                ValueRef::Text(text) => {
                    map.serialize_entry(name, &String::from_utf8_lossy(text))?;
                }
                ValueRef::Blob(bytes) => map.serialize_entry(name, &hex(bytes))?,
            }
        }
        map.end()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
