//! Figures as cells of a table, and as bare values.

use triway_measure::report::Estimate;

use crate::people::figures;

/// Two figures that belong together.
pub(super) fn pair(first: String, second: String) -> String {
    [first, second].join("\n")
}

/// A time, if it was measured.
pub(super) fn seconds(value: Option<f64>) -> String {
    value.map_or_else(missing, figures::time)
}

/// A figure and where the true one may be.
pub(super) fn interval(
    estimate: Option<Estimate>,
    one: fn(f64) -> String,
    range: fn(f64, [f64; 2]) -> String,
) -> String {
    match estimate {
        None => missing(),
        Some(Estimate {
            median, ci95: None, ..
        }) => one(median),
        Some(Estimate {
            median,
            ci95: Some(ends),
            ..
        }) => format!("{}\n{}", one(median), range(median, ends)),
    }
}

/// A count, if it was made.
pub(super) fn count(value: Option<u64>) -> String {
    value.map_or_else(missing, figures::count)
}

/// What was not measured.
pub(super) fn missing() -> String {
    "–".to_owned()
}

/// A bare value; empty where there is none.
pub(super) fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A bare median.
pub(super) fn median(estimate: Option<Estimate>) -> String {
    text(estimate.map(|estimate| estimate.median))
}

/// A bare end of an interval.
pub(super) fn end(estimate: Option<Estimate>, which: usize) -> String {
    let interval = estimate.and_then(|estimate| estimate.ci95);
    text(interval.map(|interval| interval[which]))
}
