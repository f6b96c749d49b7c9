//! The values of a row as parameters. They are sent as text, which the server reads for whatever type it has inferred,
//! its own and those that extensions or users have made.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type};

use crate::sql::row::Value;

/// One value.
#[derive(Debug)]
pub(super) struct Parameter<'a>(pub(super) &'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(
        &self,
        wanted: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::Json(json) if matches!(wanted.kind(), Kind::Array(_)) => {
                out.extend_from_slice(array(&serde_json::from_str(json)?).as_bytes());
            }
            Value::Number(text) | Value::Text(text) | Value::Json(text) => {
                out.extend_from_slice(text.as_bytes());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    fn to_sql_checked(
        &self,
        wanted: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(wanted, out)
    }
}

/// A JSON list as the server writes arrays: `{1,"a b",NULL}`. What is no list is left for the server to refuse.
fn array(json: &serde_json::Value) -> String {
    use serde_json::Value as Json;
    match json {
        Json::Array(values) => {
            let values: Vec<_> = values.iter().map(array).collect();
            format!("{{{}}}", values.join(","))
        }
        Json::Null => "NULL".to_owned(),
        Json::String(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Json::Object(_) => {
            let text = json.to_string();
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_arrays() {
        for (json, text) in [
            ("[]", "{}"),
            ("[1, 2.5, null, true]", "{1,2.5,NULL,true}"),
            (
                r#"["a b", "c\"d\\e", "NULL"]"#,
                r#"{"a b","c\"d\\e","NULL"}"#,
            ),
            ("[[1],[2]]", "{{1},{2}}"),
            (r#"[{"a":"b"}]"#, r#"{"{\"a\":\"b\"}"}"#),
        ] {
            assert_eq!(array(&serde_json::from_str(json).unwrap()), text);
        }
    }
}
