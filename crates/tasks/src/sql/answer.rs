//! What a statement gave: how many rows it changed, or the rows that it found.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::RawValue;
use triway_core::Failure;

use super::kinds;

/// The most that the rows of an answer may occupy.
const MOST_BYTES: usize = 16 << 20;

/// What a statement gave. As JSON, `{"changes":N}`, `{"rows":[{…}]}`, or both where it changed rows and returned them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Answer {
    /// How many rows were inserted, changed or deleted; `None` for what only reads.
    pub changes: Option<u64>,
    /// The rows, each a JSON object; `None` where there cannot be any.
    pub rows: Option<Vec<String>>,
}

/// Rows while they arrive.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<String>,
    bytes: usize,
}

impl Answer {
    /// Bytes that it occupies, about.
    pub(super) fn bytes(&self) -> usize {
        let rows = self.rows.iter().flatten();
        size_of::<Self>() + rows.map(String::len).sum::<usize>()
    }
}

impl Rows {
    /// One more, a JSON object.
    pub(super) fn push(&mut self, row: String) -> Result<(), Failure> {
        self.bytes += row.len() + size_of::<String>();
        if self.bytes > MOST_BYTES {
            return Err(Failure::permanent(
                kinds::TOO_LARGE,
                "the query gives more than 16 MiB of rows, which is the most that an outcome may hold",
            ));
        }
        self.rows.push(row);
        Ok(())
    }

    /// What a statement gave that only reads, or that changed these rows.
    pub(super) fn answer(self, reads: bool) -> Answer {
        Answer {
            changes: (!reads).then_some(self.rows.len() as u64),
            rows: Some(self.rows),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        if !into.is_human_readable() {
            return (&self.changes, &self.rows).serialize(into);
        }
        let entries = usize::from(self.changes.is_some()) + usize::from(self.rows.is_some());
        let mut map = into.serialize_map(Some(entries))?;
        if let Some(changes) = self.changes {
            map.serialize_entry("changes", &changes)?;
        }
        if let Some(rows) = &self.rows {
            let rows = rows.iter().map(|row| serde_json::from_str(row));
            let rows: Vec<&RawValue> = rows
                .collect::<Result<_, _>>()
                .map_err(serde::ser::Error::custom)?;
            map.serialize_entry("rows", &rows)?;
        }
        map.end()
    }
}
