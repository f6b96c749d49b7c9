//! One input: the values of a row by name.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use triway_core::Failure;

use crate::command::{excerpt, text};

/// The values of a row by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row(Arc<BTreeMap<String, Value>>);

/// A value as JSON has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` and `false`.
    Boolean(bool),
    /// A whole number of 64 bits.
    Whole(i64),
    /// Any other number.
    Float(f64),
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
        let object: serde_json::Map<String, Json> =
            serde_json::from_str(text).map_err(|error| {
                Failure::bad_input(format!(
                    "`{}` is no JSON object such as {{\"name\":\"Ada\"}}: {error}",
                    excerpt(text)
                ))
            })?;
        let values = object
            .into_iter()
            .map(|(name, value)| (name, Value::of(value)));
        Ok(Self(Arc::new(values.collect())))
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
        let values = self.0.iter().map(|(name, value)| {
            name.len()
                + match value {
                    Value::Text(text) | Value::Json(text) => text.len(),
                    _ => 0,
                }
                + size_of::<(String, Value)>()
        });
        values.sum()
    }
}

impl Value {
    fn of(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Boolean(value),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Self::Whole(whole),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::Text(text),
            other => Self::Json(other.to_string()),
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
            ("a", Value::Whole(1)),
            ("b", Value::Null),
            ("c", Value::Text("x".to_owned())),
            ("d", Value::Json("[1,2]".to_owned())),
            ("e", Value::Float(2.5)),
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
