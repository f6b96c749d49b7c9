//! How something was measured, in the words that several kinds of findings share.

use serde_json::Value;
use triway_measure::report::Machine;

use crate::people::figures;

/// The machine, and this program's version.
pub(crate) fn machine(machine: &Machine) -> Vec<(&'static str, String)> {
    let processors = figures::counted(machine.cpus as u64, "processor", "processors");
    let processors = match &machine.cpu_model {
        Some(name) => format!("{processors} ({name})"),
        None => processors,
    };
    let memory = machine.memory_bytes.map(figures::bytes);
    let known = [
        ("Machine", Some(processors)),
        ("Memory", memory),
        ("System", machine.os.clone()),
        ("Triway", Some(env!("CARGO_PKG_VERSION").to_owned())),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The options that say anything: what is null, false or nothing was not asked for.
pub(crate) fn options(options: &Value) -> Option<(&'static str, String)> {
    let said = |value: &Value| {
        let nothing = [Value::Null, Value::Bool(false), Value::from(0)];
        !nothing.contains(value)
    };
    let shown = |(name, value): (&String, &Value)| match value {
        Value::Bool(true) => words(name),
        Value::String(text) => format!("{} {text}", words(name)),
        Value::Number(seconds) if is_time(name) => {
            let seconds = seconds.as_f64().unwrap_or_default();
            format!(
                "{} {}",
                words(name.trim_end_matches("_s")),
                figures::time(seconds)
            )
        }
        other => format!("{} {other}", words(name)),
    };
    let set = options.as_object()?.iter().filter(|(_, value)| said(value));
    let set: Vec<String> = set.map(shown).collect();
    (!set.is_empty()).then(|| ("Options", set.join(", ")))
}

/// Whether an option is a number of seconds, which a rate is not.
fn is_time(name: &str) -> bool {
    name.ends_with("_s") && !name.ends_with("_per_s")
}

/// The name of an option as people say it.
fn words(name: &str) -> String {
    name.replace("_per_s", " a second").replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_options_that_were_asked_for_are_told() {
        let all = serde_json::json!({
            "timeout_s": 5.0, "retries": 0, "rate_per_s": 100.0, "keep_order": false, "per_key": null,
            "at_most_once": true,
        });
        let told = options(&all).unwrap().1;
        assert_eq!(told, "at most once, rate a second 100.0, timeout 5.00 s");
        assert_eq!(options(&serde_json::json!({"retries": 0})), None);
    }
}
