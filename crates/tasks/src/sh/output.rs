//! What comes of a command: how it ended, and what it wrote.

use std::{borrow::Cow, os::unix::process::ExitStatusExt as _, process::ExitStatus};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

/// How a command ended and what it wrote.
///
/// As JSON, a stream that is not UTF-8 is `stdout_b64` in place of `stdout`, `stderr_b64` in place of `stderr`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ran {
    /// Its exit code; `None` if a signal ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// Whether a child of it held its output for longer than the grace, and was ended.
    pub left_behind: bool,
    /// The time limit that it outlasted, in seconds, if it was ended for that. What it wrote until then is kept.
    pub timed_out_s: Option<f64>,
}

/// A stream as far as it was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// Its beginning, up to the cap.
    pub kept: Vec<u8>,
    /// How many bytes it had.
    pub bytes: u64,
}

impl Captured {
    /// Whether there was more than what was kept.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.bytes > self.kept.len() as u64
    }
}

impl Ran {
    pub(super) fn new(status: ExitStatus, [stdout, stderr]: [Captured; 2], left: bool) -> Self {
        Self {
            exit_code: status.code(),
            signal: status.signal(),
            stdout,
            stderr,
            left_behind: left,
            timed_out_s: None,
        }
    }

    /// Reads what was written as JSON; `None` if that is no output of a command.
    #[must_use]
    pub fn of_json(json: &str) -> Option<Self> {
        let read: Read<'_> = serde_json::from_str(json).ok()?;
        let stream = |text: Option<Cow<'_, str>>, base64: Option<Cow<'_, str>>, bytes| {
            let kept = match (text, base64) {
                (Some(text), _) => text.into_owned().into_bytes(),
                (None, base64) => STANDARD.decode(&*base64?).ok()?,
            };
            Some(Captured { kept, bytes })
        };
        Some(Self {
            exit_code: read.exit_code,
            signal: read.signal,
            stdout: stream(read.stdout, read.stdout_b64, read.stdout_bytes)?,
            stderr: stream(read.stderr, read.stderr_b64, read.stderr_bytes)?,
            left_behind: read.left_behind,
            timed_out_s: read.timed_out_s,
        })
    }
}

impl Serialize for Ran {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(8))?;
        map.serialize_entry("exit_code", &self.exit_code)?;
        map.serialize_entry("signal", &self.signal)?;
        for (text, base64, stream) in [
            ("stdout", "stdout_b64", &self.stdout),
            ("stderr", "stderr_b64", &self.stderr),
        ] {
            match str::from_utf8(&stream.kept) {
                Ok(kept) => map.serialize_entry(text, kept)?,
                Err(_) => map.serialize_entry(base64, &STANDARD.encode(&stream.kept))?,
            }
        }
        map.serialize_entry("stdout_bytes", &self.stdout.bytes)?;
        map.serialize_entry("stderr_bytes", &self.stderr.bytes)?;
        map.serialize_entry("left_behind", &self.left_behind)?;
        map.serialize_entry("timed_out_s", &self.timed_out_s)?;
        map.end()
    }
}

#[derive(Deserialize)]
struct Read<'a> {
    exit_code: Option<i32>,
    signal: Option<i32>,
    #[serde(borrow)]
    stdout: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stdout_b64: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stderr: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stderr_b64: Option<Cow<'a, str>>,
    stdout_bytes: u64,
    stderr_bytes: u64,
    left_behind: bool,
    timed_out_s: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_reads_back_byte_for_byte() {
        for (kept, key) in [
            (&b"a\nb\0\"c"[..], "\"stdout\":"),
            (b"", "\"stdout\":"),
            (b"a\xffb", "\"stdout_b64\":"),
        ] {
            let stream = Captured {
                kept: kept.to_vec(),
                bytes: 100,
            };
            let status = ExitStatus::from_raw(3 << 8);
            let mut ran = Ran::new(status, [stream, Captured::default()], true);
            ran.timed_out_s = Some(0.5);
            let json = serde_json::to_string(&ran).unwrap();
            assert!(json.contains(key), "{json}");
            assert_eq!(Ran::of_json(&json), Some(ran), "{json}");
        }
        assert_eq!(Ran::of_json(r#"{"status":200}"#), None);
    }
}
