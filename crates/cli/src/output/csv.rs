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

use super::{
    format::Format,
    jsonl::seconds,
    record::{Record, Shown},
};
use crate::findings::{Found, Records};

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

    fn found(&mut self, found: &dyn Found, to: &mut dyn Write) -> io::Result<()> {
        let Records { names, rows } = found.records();
        if names.is_empty() {
            return Ok(());
        }
        write!(to, "{}\r\n", names.join(","))?;
        for row in rows {
            let values: Vec<_> = row.iter().map(|value| cell(value)).collect();
            write!(to, "{}\r\n", values.join(","))?;
        }
        Ok(())
    }
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
