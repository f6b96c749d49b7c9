//! What a statement gave: how many rows it changed, or the rows that it found.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

use super::row::Value;

/// What a statement gave. As JSON, `{"changes":N}`, `{"rows":[{…}]}`, or both where it changed rows and returned them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Answer {
    /// How many rows were inserted, changed or deleted; `None` for what only reads.
    pub changes: Option<u64>,
    /// What the columns of the rows are called; `None` where there cannot be any rows.
    pub columns: Option<Vec<String>>,
    /// The rows, a value for each column.
    pub rows: Vec<Vec<Value>>,
}

impl Answer {
    /// Bytes that it occupies, about.
    pub(super) fn bytes(&self) -> usize {
        let values = self.rows.iter().flatten();
        size_of::<Self>() + values.map(Value::bytes).sum::<usize>()
    }
}

impl Value {
    /// Bytes that it occupies, about.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Text(text) | Self::Json(text) => text.len(),
                _ => 0,
            }
    }
}

/// A row as an object; of columns with one name, the last one counts, as in every JSON object.
struct Object<'a>(&'a [String], &'a [Value]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        let mut map = into.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter().zip(self.1) {
            match value {
                Value::Null => map.serialize_entry(name, &())?,
                Value::Boolean(value) => map.serialize_entry(name, value)?,
                Value::Whole(value) => map.serialize_entry(name, value)?,
                Value::Float(value) => map.serialize_entry(name, value)?,
                Value::Text(text) | Value::Json(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        if !into.is_human_readable() {
            return (&self.changes, &self.columns, &self.rows).serialize(into);
        }
        let entries = usize::from(self.changes.is_some()) + usize::from(self.columns.is_some());
        let mut map = into.serialize_map(Some(entries))?;
        if let Some(changes) = self.changes {
            map.serialize_entry("changes", &changes)?;
        }
        if let Some(columns) = &self.columns {
            let rows = self.rows.iter().map(|row| Object(columns, row));
            map.serialize_entry("rows", &rows.collect::<Vec<_>>())?;
        }
        map.end()
    }
}
