//! One JSON object a line: the form that scripts may rely on.
//!
//! Every record has the same keys, but for an input that is no text (`input_b64` for `input`), and for `tried`: the
//! failed attempts before the last, in order, which is there only when there were any.

use std::{
    io::{self, Write},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use triway_core::Failure;

use super::{
    format::Format,
    record::{Record, Shown},
};
use crate::findings::Found;

/// JSON Lines.
pub(super) struct Jsonl;

impl Format for Jsonl {
    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        object(record, to)?;
        to.write_all(b"\n")
    }

    fn found(&mut self, found: &dyn Found, to: &mut dyn Write) -> io::Result<()> {
        found.json(false, to)
    }
}

/// An outcome as a JSON object without its line's end. The output is JSON already and is put in as it is.
pub(super) fn object(record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
    let outcome = record.outcome;
    write!(to, "{{\"index\":{},", outcome.index)?;
    match &record.input {
        Shown::Text(text) => {
            to.write_all(b"\"input\":")?;
            serde_json::to_writer(&mut *to, text)?;
        }
        Shown::Bytes(bytes) => write!(to, "\"input_b64\":\"{}\"", STANDARD.encode(bytes))?,
    }
    let output = record.output().unwrap_or("null");
    write!(
        to,
        ",\"status\":\"{}\",\"output\":{output},\"error\":",
        outcome.status.name()
    )?;
    match &outcome.error {
        None => to.write_all(b"null")?,
        Some(failure) => {
            to.write_all(b"{")?;
            cause(record, failure, to)?;
            to.write_all(b"}")?;
        }
    }
    write!(to, ",\"attempts\":{},\"worker\":", outcome.attempts)?;
    match outcome.worker {
        None => to.write_all(b"null")?,
        Some(worker) => write!(to, "{worker}")?,
    }
    seconds(",\"started_s\":", outcome.started, to)?;
    seconds(",\"queued_s\":", outcome.queued, to)?;
    seconds(",\"run_s\":", outcome.run, to)?;
    if let Some(cpu) = outcome.cpu {
        seconds(",\"cpu_s\":", cpu, to)?;
    }
    if let Some(response) = outcome.response() {
        seconds(",\"response_s\":", response, to)?;
    }
    if !outcome.tried.is_empty() {
        tried(record, to)?;
    }
    to.write_all(b"}")
}

/// The attempts that others followed.
fn tried(record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
    let mut before = ",\"tried\":[{";
    for tried in &record.outcome.tried {
        to.write_all(before.as_bytes())?;
        before = ",{";
        cause(record, &tried.failure, to)?;
        write!(to, ",\"worker\":{}", tried.worker)?;
        seconds(",\"started_s\":", tried.started, to)?;
        seconds(",\"run_s\":", tried.run, to)?;
        to.write_all(b"}")?;
    }
    to.write_all(b"]")
}

/// Kind and message of a failure, without the braces.
fn cause(record: &Record<'_>, failure: &Failure, to: &mut dyn Write) -> io::Result<()> {
    write!(to, "\"kind\":\"{}\",\"message\":", failure.kind.as_str())?;
    serde_json::to_writer(&mut *to, &record.message(failure))?;
    if let Some(trace) = &failure.trace {
        to.write_all(b",\"trace\":")?;
        serde_json::to_writer(&mut *to, trace)?;
    }
    Ok(())
}

/// A duration in seconds to the nanosecond, which a float could not promise.
pub(super) fn seconds(before: &str, time: Duration, to: &mut dyn Write) -> io::Result<()> {
    write!(to, "{before}{}.{:09}", time.as_secs(), time.subsec_nanos())
}
