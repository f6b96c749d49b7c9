//! Comma-separated values as RFC 4180 has them, with a header.
//!
//! A spreadsheet would compute a text that begins like a formula, and a terminal obey a control character, wherever the
//! text came from. So a text cell of the first kind begins with `'` here, and control characters are shown as what they
//! are. Another input may have that very text, so beside an input that is shown so, `input_b64` has it as it was. JSON
//! Lines keep all texts as they were.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use triway_measure::report::{ArmReport, Comparison, Estimate};

use super::{
    format::Format,
    jsonl::seconds,
    record::{Record, Shown},
};

/// Comma-separated values.
pub(super) struct Csv;

impl Format for Csv {
    fn begin(&mut self, _task: &str, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(
            b"index,input,input_b64,status,output,error_kind,error_message,attempts,worker,started_s,queued_s,run_s,response_s\r\n",
        )
    }

    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        let outcome = record.outcome;
        write!(to, "{},", outcome.index)?;
        match &record.input {
            Shown::Text(text) => {
                write!(to, "{},", cell(text))?;
                if matches!(guarded(text), Cow::Owned(_)) {
                    write!(to, "{}", STANDARD.encode(&**text))?;
                }
            }
            Shown::Bytes(bytes) => write!(to, ",{}", STANDARD.encode(bytes))?,
        }
        let output = cell(record.output().unwrap_or_default());
        write!(to, ",{},{output},", outcome.status.name())?;
        match &outcome.error {
            None => to.write_all(b",")?,
            Some(failure) => {
                let message = record.message(failure);
                write!(to, "{},{}", cell(failure.kind.as_str()), cell(&message))?;
            }
        }
        let worker = outcome.worker.map(|worker| worker.to_string());
        write!(to, ",{},{}", outcome.attempts, worker.unwrap_or_default())?;
        seconds(",", outcome.started, to)?;
        seconds(",", outcome.queued, to)?;
        seconds(",", outcome.run, to)?;
        match outcome.response() {
            Some(response) => seconds(",", response, to)?,
            None => to.write_all(b",")?,
        }
        to.write_all(b"\r\n")
    }

    fn comparison(&mut self, comparison: &Comparison, to: &mut dyn Write) -> io::Result<()> {
        let columns = |arm| columns(arm, comparison.winner.as_deref());
        let Some(first) = comparison.models.first() else {
            return Ok(());
        };
        let names: Vec<_> = columns(first).into_iter().map(|(name, _)| name).collect();
        write!(to, "{}\r\n", names.join(","))?;
        for arm in &comparison.models {
            let values = columns(arm).into_iter();
            let values: Vec<_> = values.map(|(_, value)| cell(&value).into_owned()).collect();
            write!(to, "{}\r\n", values.join(","))?;
        }
        Ok(())
    }
}

/// The figures of an arm with their names; what was not measured is empty.
fn columns(arm: &ArmReport, winner: Option<&str>) -> Vec<(&'static str, String)> {
    let latency =
        |of: fn(&triway_measure::report::Latency) -> f64| text(arm.latency_s.as_ref().map(of));
    let (switches, server) = (arm.context_switches, arm.server);
    vec![
        ("id", arm.id.clone()),
        ("model", arm.model.to_string()),
        ("concurrency", arm.concurrency.to_string()),
        ("runtime_threads", text(arm.runtime_threads)),
        ("winner", (winner == Some(&*arm.id)).to_string()),
        ("skipped", text(arm.skipped.as_deref())),
        ("unranked", text(arm.unranked.as_deref())),
        ("succeeded", text(arm.succeeded)),
        ("failed", text(arm.failed)),
        ("startup_s", text(arm.startup_s)),
        ("wall_s", median(arm.wall_s)),
        ("wall_s_low", end(arm.wall_s, 0)),
        ("wall_s_high", end(arm.wall_s, 1)),
        ("total_s", median(arm.total_s)),
        ("total_s_low", end(arm.total_s, 0)),
        ("total_s_high", end(arm.total_s, 1)),
        ("speedup", median(arm.speedup)),
        ("speedup_low", end(arm.speedup, 0)),
        ("speedup_high", end(arm.speedup, 1)),
        ("throughput_per_s", text(arm.throughput_per_s)),
        ("latency_p50_s", latency(|latency| latency.p50)),
        ("latency_p90_s", latency(|latency| latency.p90)),
        ("latency_p99_s", latency(|latency| latency.p99)),
        ("latency_max_s", latency(|latency| latency.max)),
        ("cpu_s", text(arm.cpu_s)),
        ("peak_memory_bytes", text(arm.peak_memory_bytes)),
        (
            "voluntary_switches",
            text(switches.map(|switches| switches.voluntary)),
        ),
        (
            "involuntary_switches",
            text(switches.map(|switches| switches.involuntary)),
        ),
        (
            "server_connections",
            text(server.map(|server| server.connections)),
        ),
        (
            "server_cpu_per_message_s",
            text(server.map(|server| server.cpu_per_message_s)),
        ),
        (
            "server_memory_per_connection_bytes",
            text(server.map(|server| server.memory_per_connection_bytes)),
        ),
    ]
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn median(estimate: Option<Estimate>) -> String {
    text(estimate.map(|estimate| estimate.median))
}

fn end(estimate: Option<Estimate>, which: usize) -> String {
    let interval = estimate.and_then(|estimate| estimate.ci95);
    text(interval.map(|interval| interval[which]))
}

/// A text as a cell that nothing obeys, in quotes where it needs them.
fn cell(text: &str) -> Cow<'_, str> {
    match guarded(text) {
        Cow::Borrowed(text) => quoted(text),
        Cow::Owned(text) => Cow::Owned(quoted(&text).into_owned()),
    }
}

/// The text without what a spreadsheet would compute or a terminal obey. What reads as a number is none of that.
fn guarded(text: &str) -> Cow<'_, str> {
    let formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let obeyed = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if !formula && !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut guarded = String::with_capacity(text.len() + 1);
    if formula {
        guarded.push('\'');
    }
    for c in text.chars() {
        if obeyed(c) {
            // As JSON has it, so that an output is still the JSON that it was.
            guarded.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            guarded.push(c);
        }
    }
    Cow::Owned(guarded)
}

/// A field, in quotes where it needs them.
fn quoted(field: &str) -> Cow<'_, str> {
    let edge = |c: char| c.is_whitespace();
    if field.contains([',', '"', '\n', '\r']) || field.starts_with(edge) || field.ends_with(edge) {
        return Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")));
    }
    Cow::Borrowed(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        for (field, expected) in [
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\nb", "\"a\nb\""),
            (" a", "\" a\""),
            ("", ""),
        ] {
            assert_eq!(quoted(field), expected);
        }
    }

    #[test]
    fn nothing_computes_or_obeys_a_cell() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+SUM(A1)", "'+SUM(A1)"),
            ("@x,y", "\"'@x,y\""),
            ("-cmd", "'-cmd"),
            ("\t=1", "'\t=1"),
            ("-1", "-1"),
            ("+1.5e3", "+1.5e3"),
            ("a=b", "a=b"),
            ("\x1b[31mred\0", "\\u001b[31mred\\u0000"),
            ("\u{9b}2J", "\\u009b2J"),
            ("a\nb", "\"a\nb\""),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }
}
