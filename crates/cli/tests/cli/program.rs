//! Starts the binary and waits for it, but never for ever.

use std::{
    io::{Read, Write},
    os::unix::process::ExitStatusExt as _,
    process::{Child, ChildStdin, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// No test waits longer than this for the program.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

/// The program while it runs, its output being read.
pub(crate) struct Started {
    pub(crate) process: Child,
    out: Option<JoinHandle<Vec<u8>>>,
    err: Option<JoinHandle<Vec<u8>>>,
}

/// What the program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// 0 to 255; 1000 and its number for a signal.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The program with these arguments, separated by spaces.
pub(crate) fn triway(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_triway"));
    command
        .args(arguments.split_whitespace())
        .env("NO_COLOR", "1");
    command
}

/// Runs it without standard input.
pub(crate) fn run(arguments: &str) -> Ended {
    start(triway(arguments).stdin(Stdio::null())).end()
}

/// Runs it with this on standard input.
pub(crate) fn run_with(arguments: &str, input: &[u8]) -> Ended {
    let mut started = start(triway(arguments).stdin(Stdio::piped()));
    let mut stdin = started.stdin();
    let input = input.to_vec();
    // The program may end before it has read all.
    thread::spawn(move || drop(stdin.write_all(&input)));
    started.end()
}

/// Starts it and reads what it writes.
pub(crate) fn start(command: &mut Command) -> Started {
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Started {
        out: process.stdout.take().map(reader),
        err: process.stderr.take().map(reader),
        process,
    }
}

/// Polls until something is there.
#[track_caller]
pub(crate) fn eventually<R>(mut look: impl FnMut() -> Option<R>) -> R {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "it did not happen in time");
        thread::sleep(Duration::from_millis(5));
    }
}

impl Started {
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.process.stdin.take().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid(self.process.id()), signal).unwrap();
    }

    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let until = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            if Instant::now() >= until {
                self.process.kill().unwrap();
                panic!("it did not end in time");
            }
            thread::sleep(Duration::from_millis(2));
        };
        let text = |reader: Option<JoinHandle<Vec<u8>>>| {
            let bytes = reader.map(|reader| reader.join().unwrap());
            String::from_utf8(bytes.unwrap_or_default()).unwrap()
        };
        Ended {
            code: status.code().unwrap_or(1000 + status.signal().unwrap_or(0)),
            out: text(self.out),
            err: text(self.err),
        }
    }
}

impl Ended {
    /// The outcomes in the order of their inputs, after a look at whether each input has exactly one.
    #[track_caller]
    pub(crate) fn outcomes(&self) -> Vec<Value> {
        let line = |line| serde_json::from_str(line).unwrap();
        let mut outcomes: Vec<Value> = self.out.lines().map(line).collect();
        outcomes.sort_by_key(index);
        for (place, outcome) in outcomes.iter().enumerate() {
            assert_eq!(index(outcome), place as u64, "lost or twice: {}", self.out);
        }
        outcomes
    }
}

pub(crate) fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).unwrap()).unwrap()
}

fn index(outcome: &Value) -> u64 {
    outcome["index"].as_u64().unwrap()
}

fn reader(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}
