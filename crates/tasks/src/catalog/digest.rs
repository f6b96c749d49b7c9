//! A digest of what must be the same in an output under every model.

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// The xxh3 hash of an output's JSON without the fields that vary. It is the same on every machine and in every build.
///
/// A field is named by its place among objects, `a.b` being the `b` in `a`; in a list, each element is searched.
pub(super) fn digest<'a>(output: Value, varying: impl Iterator<Item = &'a str>) -> u64 {
    xxh3_64(compared(output, varying).as_bytes())
}

/// What the digest is one of: an output's JSON without the fields that vary.
pub(super) fn compared<'a>(mut output: Value, varying: impl Iterator<Item = &'a str>) -> String {
    for field in varying {
        remove(&mut output, field);
    }
    output.to_string()
}

fn remove(value: &mut Value, field: &str) {
    match value {
        Value::Array(values) => {
            for value in values {
                remove(value, field);
            }
        }
        Value::Object(fields) => {
            fields.remove(field);
            if let Some((outer, inner)) = field.split_once('.')
                && let Some(value) = fields.get_mut(outer)
            {
                remove(value, inner);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_vary_do_not_count() {
        let of = |json: &str, varying: &[&str]| {
            digest(serde_json::from_str(json).unwrap(), varying.iter().copied())
        };
        for (left, right, varying, same) in [
            (r#"{"a":1,"t":2}"#, r#"{"a":1,"t":3}"#, &["t"][..], true),
            (r#"{"a":1,"t":2}"#, r#"{"a":1,"t":3}"#, &[], false),
            (r#"{"a":1,"t":2}"#, r#"{"a":2,"t":2}"#, &["t"], false),
            (r#"{"a":1,"t":2}"#, r#"{"a":1}"#, &["t"], true),
            (
                r#"{"a":{"t":1,"b":2}}"#,
                r#"{"a":{"t":3,"b":2}}"#,
                &["a.t"],
                true,
            ),
            (
                r#"{"a":{"t":1,"b":2}}"#,
                r#"{"a":{"t":3,"b":2}}"#,
                &["t"],
                false,
            ),
            (r#"[{"t":1},{"t":2}]"#, r#"[{"t":3},{"t":4}]"#, &["t"], true),
            (r#"{"a.t":1}"#, r#"{"a.t":2}"#, &["a.t"], true),
            ("1", "1", &["t"], true),
            ("1", "2", &["t"], false),
        ] {
            assert_eq!(
                of(left, varying) == of(right, varying),
                same,
                "{left} {right}"
            );
        }
    }

    #[test]
    fn the_digest_is_the_same_in_every_build() {
        assert_eq!(
            digest(Value::Null, [].into_iter()),
            13_224_177_006_683_112_673
        );
    }
}
