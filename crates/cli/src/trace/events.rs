//! The Trace Event Format of Chrome: complete events in microseconds, and names for processes and threads.
//!
//! A plain file is whole JSON after every write: its end is written each time and overwritten by what comes next. So a run
//! that is ended by force leaves a trace that opens.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    time::{Duration, Instant},
};

use serde::Serialize;
use triway_core::{FailureKind, Status};

use crate::beside;

const HEAD: &[u8] = b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
const TAIL: &[u8] = b"\n]}\n";

/// How many bytes wait at most to be written.
const BUFFER: usize = 64 << 10;

/// How long they wait at most, as long as events come.
const PACE: Duration = Duration::from_millis(250);

/// The thread that stands for the job as a whole; lanes come after it. Perfetto has a meaning of its own for thread 0.
const JOB: u32 = 1;

/// Events on their way to a file.
pub(super) struct Events {
    file: File,
    /// Where the next write goes, in a plain file.
    offset: Option<u64>,
    buffer: Vec<u8>,
    any: bool,
    named: HashSet<(u32, u32)>,
    written: Instant,
}

/// One attempt.
#[derive(Debug)]
pub(super) struct Span<'a> {
    /// From 1.
    pub(super) process: u32,
    pub(super) lane: u32,
    pub(super) index: u64,
    /// In seconds.
    pub(super) from: f64,
    /// In seconds.
    pub(super) to: f64,
    pub(super) status: Status,
    /// As it may be shown.
    pub(super) input: Option<&'a str>,
    pub(super) error: Option<&'a FailureKind>,
}

/// An event, by the names that the format has.
#[derive(Serialize)]
struct Event<'a> {
    ph: &'static str,
    pid: u32,
    tid: u32,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    args: Arguments<'a>,
}

#[derive(Default, Serialize)]
struct Arguments<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a FailureKind>,
}

impl Events {
    /// None yet; what stood in the file goes.
    pub(super) fn new(file: File) -> io::Result<Self> {
        beside::empty(&file)?;
        let plain = file.metadata()?.is_file();
        let mut events = Self {
            file,
            offset: plain.then_some(0),
            buffer: HEAD.to_vec(),
            any: false,
            named: HashSet::new(),
            written: Instant::now(),
        };
        events.flush()?;
        Ok(events)
    }

    /// Gives a process its name.
    pub(super) fn process(&mut self, process: u32, name: &str) {
        self.name("process_name", (process, JOB), name);
        self.name("thread_name", (process, JOB), "job");
    }

    /// A time until lanes stood ready: from when on, and for how long, in seconds.
    pub(super) fn startup(&mut self, process: u32, what: &str, (from, seconds): (f64, f64)) {
        self.put(&Event {
            ph: "X",
            pid: process,
            tid: JOB,
            name: what,
            cat: Some("start-up"),
            ts: Some(microseconds(from)),
            dur: Some(microseconds(seconds)),
            args: Arguments::default(),
        });
    }

    /// An attempt.
    pub(super) fn span(&mut self, span: &Span<'_>) {
        let thread = span.lane.saturating_add(JOB + 1);
        let place = (span.process, thread);
        if self.named.insert(place) {
            self.name("thread_name", place, &format!("lane {}", span.lane));
            self.put(&metadata(
                "thread_sort_index",
                place,
                Arguments {
                    sort_index: Some(thread),
                    ..Arguments::default()
                },
            ));
        }
        let from = microseconds(span.from);
        self.put(&Event {
            ph: "X",
            pid: span.process,
            tid: thread,
            name: &format!("{} {}", span.index, span.status),
            cat: Some(span.status.name()),
            ts: Some(from),
            dur: Some((microseconds(span.to) - from).max(0.0)),
            args: Arguments {
                index: Some(span.index),
                input: span.input,
                error: span.error,
                ..Arguments::default()
            },
        });
    }

    /// Writes if much waits, or for long.
    pub(super) fn flush_now_and_then(&mut self) -> io::Result<()> {
        if self.buffer.len() < BUFFER && self.written.elapsed() < PACE {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what is left.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.flush()?;
        match self.offset {
            Some(_) => Ok(()),
            None => self.file.write_all(TAIL),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let length = self.buffer.len() as u64;
        match &mut self.offset {
            Some(offset) => {
                self.buffer.extend_from_slice(TAIL);
                self.file.write_all_at(&self.buffer, *offset)?;
                *offset += length;
            }
            None => self.file.write_all(&self.buffer)?,
        }
        self.buffer.clear();
        self.written = Instant::now();
        Ok(())
    }

    fn name(&mut self, what: &'static str, place: (u32, u32), name: &str) {
        self.put(&metadata(
            what,
            place,
            Arguments {
                name: Some(name),
                ..Arguments::default()
            },
        ));
    }

    fn put(&mut self, event: &Event<'_>) {
        let before = if self.any { ",\n" } else { "\n" };
        self.any = true;
        self.buffer.extend_from_slice(before.as_bytes());
        // Memory takes all that is written to it, and all keys are texts.
        let _written = serde_json::to_writer(&mut self.buffer, event);
    }
}

fn metadata<'a>(what: &'static str, (pid, tid): (u32, u32), args: Arguments<'a>) -> Event<'a> {
    Event {
        ph: "M",
        pid,
        tid,
        name: what,
        cat: None,
        ts: None,
        dur: None,
        args,
    }
}

/// To a thousandth, which is the clock's own unit.
fn microseconds(seconds: f64) -> f64 {
    let rounded = (seconds * 1e9).round() / 1e3;
    if rounded.is_finite() { rounded } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read as _, os::fd::OwnedFd};

    use serde_json::Value;

    use super::*;

    fn span(index: u64, lane: u32) -> Span<'static> {
        Span {
            process: 1,
            lane,
            index,
            from: 0.5,
            to: 0.75,
            status: Status::Ok,
            input: Some("\"</script>\n"),
            error: None,
        }
    }

    fn read(text: &str) -> Vec<Value> {
        let value: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        value["traceEvents"].as_array().unwrap().clone()
    }

    #[test]
    fn a_file_is_whole_after_every_write() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "x".repeat(1000)).unwrap();
        let text = || fs::read_to_string(file.path()).unwrap();
        let mut events = Events::new(file.reopen().unwrap()).unwrap();
        assert_eq!(read(&text()), Vec::<Value>::new());
        events.process(1, "arm");
        for index in 0..3 {
            events.span(&span(index, 0));
            events.flush().unwrap();
            let spans = read(&text())
                .into_iter()
                .filter(|event| event["ph"] == "X")
                .count();
            assert_eq!(spans as u64, index + 1);
        }
        events.end().unwrap();
        let all = read(&text());
        assert_eq!(
            all.len(),
            7,
            "two names, a lane's name and place, three attempts: {all:?}"
        );
        let attempt = &all[4];
        assert_eq!(
            (&attempt["ts"], &attempt["dur"]),
            (&500_000.0.into(), &250_000.0.into())
        );
        assert_eq!(
            (&attempt["name"], &attempt["tid"]),
            (&"0 ok".into(), &2.into())
        );
    }

    #[test]
    fn a_pipe_gets_the_end_once() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut events = Events::new(File::from(OwnedFd::from(writer))).unwrap();
        events.span(&span(0, 0));
        events.flush().unwrap();
        events.span(&span(1, 1));
        events.end().unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(read(&text).len(), 6);
    }
}
