//! What a JSON document should say at one place: `data.items.0.state==ready`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A place in a JSON document and what should stand there.
///
/// The place is written as names and positions joined by dots, also `items[0]`, with or without `$.` before it. What
/// should stand there is JSON, or a text without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expected {
    written: String,
    steps: Vec<String>,
    /// As JSON text, because not every format that this travels in can hold a value of any type.
    value: String,
}

/// A text that says nothing about a JSON document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` says nothing about a JSON document; write PATH==VALUE, such as data.0.state==ready")]
pub struct ExpectedError(String);

impl Expected {
    /// Why a document is not as it should be, if so.
    pub(super) fn problem(&self, document: &Value) -> Option<String> {
        let found = self
            .steps
            .iter()
            .try_fold(document, |value, step| match value {
                Value::Array(values) => values.get(step.parse::<usize>().ok()?),
                other => other.get(step),
            });
        let place = self.steps.join(".");
        let Some(found) = found else {
            return Some(format!("there is no {place}"));
        };
        // It was made of a value, so it reads back.
        let wanted: Value = serde_json::from_str(&self.value).unwrap_or_default();
        (*found != wanted).then(|| format!("{place} is {}, not {wanted}", brief(found)))
    }
}

impl FromStr for Expected {
    type Err = ExpectedError;

    fn from_str(text: &str) -> Result<Self, ExpectedError> {
        let wrong = || ExpectedError(text.to_owned());
        let (path, value) = text.split_once("==").ok_or_else(wrong)?;
        let path = path.trim().trim_start_matches('$').trim_start_matches('.');
        let flat = path.replace('[', ".").replace(']', "");
        let steps: Vec<String> = flat.split('.').map(str::to_owned).collect();
        if steps.iter().any(String::is_empty) {
            return Err(wrong());
        }
        let value = value.trim();
        let value: Value =
            serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        Ok(Self {
            written: text.to_owned(),
            steps,
            value: value.to_string(),
        })
    }
}

impl TryFrom<String> for Expected {
    type Error = ExpectedError;

    fn try_from(text: String) -> Result<Self, ExpectedError> {
        text.parse()
    }
}

impl From<Expected> for String {
    fn from(expected: Expected) -> Self {
        expected.written
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

fn brief(value: &Value) -> String {
    crate::command::excerpt(&value.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_says_what_it_should_or_not() {
        let document = json!({"state": "ready", "n": 5, "items": [{"id": "7"}], "none": null});
        for (written, problem) in [
            ("state==ready", None),
            ("$.state == \"ready\"", None),
            ("n==5", None),
            ("n==6", Some("n is 5, not 6")),
            ("items.0.id==\"7\"", None),
            ("$.items[0].id==7", Some("items.0.id is \"7\", not 7")),
            ("items.1==x", Some("there is no items.1")),
            ("state.x==1", Some("there is no state.x")),
            ("none==null", None),
        ] {
            let expected: Expected = written.parse().unwrap();
            assert_eq!(expected.problem(&document).as_deref(), problem, "{written}");
        }
        for wrong in ["", "a", "a=b", "==5", "a..b==5"] {
            assert!(wrong.parse::<Expected>().is_err(), "{wrong}");
        }
    }
}
