//! Writes down what advice was made from, small enough to be kept as a test.

use std::{error::Error, fs, path::Path};

use serde_json::{Value, json};
use triway_measure::advise::Advice;

/// Digits that a figure keeps.
const DIGITS: usize = 4;

/// `NAME-RUN.json`: what was known beforehand, and every probe.
pub(super) fn write(
    folder: &str,
    (name, run): (&str, usize),
    advice: &Advice,
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let recorded = json!({
        "workload": name,
        "situation": rounded(serde_json::to_value(&advice.situation)?),
        "probes": rounded(serde_json::to_value(&advice.probes)?),
    });
    let path = Path::new(folder).join(format!("{name}-{run}.json"));
    let mut text = serde_json::to_string(&recorded)?;
    text.push('\n');
    fs::write(path, text)?;
    Ok(())
}

/// Floats with few digits, and nothing that is not there.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => number
            .as_f64()
            .and_then(|float| format!("{float:.*e}", DIGITS - 1).parse::<f64>().ok())
            .map_or(Value::Null, Value::from),
        Value::Array(values) => values.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, rounded(value)))
            .collect(),
        other => other,
    }
}
