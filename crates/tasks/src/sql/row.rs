//! One input: the values of a row by name.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use triway_core::Failure;

use crate::command::{excerpt, text};

/// The values of a row by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row(Arc<BTreeMap<String, Value>>);

/// A row and its place among the inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) row: &'a Row,
    pub(super) index: u64,
}

/// A value as JSON has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` and `false`.
    Boolean(bool),
    /// A number as it was written, so that a database with larger numbers than JSON's usual readers gets all of it.
    Number(String),
    /// A text.
    Text(String),
    /// A list or an object, as JSON.
    Json(String),
}

impl Row {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// A failure of kind `bad-input` that says what it is instead.
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let text = text(bytes)?;
        let values = members(text).map_err(|error| {
            Failure::bad_input(format!(
                "`{}` is no JSON object such as {{\"name\":\"Ada\"}}: {error}",
                excerpt(text)
            ))
        })?;
        Ok(Self(Arc::new(values)))
    }

    /// The value of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn value(&self, name: &str) -> Result<&Value, Failure> {
        self.0.get(name).ok_or_else(|| {
            let names = self.0.keys().map(String::as_str);
            let names = names.take(20).collect::<Vec<_>>().join(", ");
            let there = match names.as_str() {
                "" => "it has none".to_owned(),
                names => format!("it has {names}"),
            };
            Failure::bad_input(format!(
                "the row has no value for :{name}; {there} (write null for none)"
            ))
        })
    }

    /// Bytes that it occupies, about.
    pub(super) fn bytes(&self) -> usize {
        let values = self.0.iter();
        values.map(|(name, value)| name.len() + value.bytes()).sum()
    }
}

fn members(text: &str) -> Result<BTreeMap<String, Value>, serde_json::Error> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text)?;
    let member =
        |(name, value): (Cow<'_, str>, &RawValue)| Ok((name.into_owned(), Value::of(value)?));
    members.into_iter().map(member).collect()
}

impl Value {
    fn of(json: &RawValue) -> Result<Self, serde_json::Error> {
        let text = json.get();
        Ok(match text.as_bytes()[0] {
            b'n' => Self::Null,
            b't' => Self::Boolean(true),
            b'f' => Self::Boolean(false),
            b'"' => Self::Text(serde_json::from_str(text)?),
            b'{' | b'[' => Self::Json(text.to_owned()),
            _ => Self::Number(text.to_owned()),
        })
    }

    /// Bytes that it occupies, about.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Number(text) | Self::Text(text) | Self::Json(text) => text.len(),
                Self::Null | Self::Boolean(_) => 0,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_json_objects() {
        let row = Row::parse(br#" {"a":1,"b":null,"c":"x","d":[1,2],"e":2.5,"f":true} "#).unwrap();
        for (name, value) in [
            ("a", Value::Number("1".to_owned())),
            ("b", Value::Null),
            ("c", Value::Text("x".to_owned())),
            ("d", Value::Json("[1,2]".to_owned())),
            ("e", Value::Number("2.5".to_owned())),
            ("f", Value::Boolean(true)),
        ] {
            assert_eq!(row.value(name), Ok(&value));
        }
        let missing = row.value("g").unwrap_err().message;
        assert!(
            missing.contains("no value for :g; it has a, b, c"),
            "{missing}"
        );
        for bad in ["", "1", "[1]", "{\"a\":}", "\"a\""] {
            assert!(Row::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
