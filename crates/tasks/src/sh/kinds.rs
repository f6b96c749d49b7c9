//! The kinds of failure that commands meet, the same for both forms.

use std::{ffi::OsStr, io, path::Path, time::Duration};

use rustix::{io::Errno, process::Signal};
use triway_core::{Failure, FailureKind};

use super::output::{Captured, Ran};
use crate::command::excerpt;

/// The exit code is not 0.
pub const EXIT_CODE: FailureKind = FailureKind::new("exit-code");
/// A signal ended the command.
pub const SIGNAL: FailureKind = FailureKind::new("signal");
/// The command could not be started.
pub const START: FailureKind = FailureKind::new("start");

/// Why a command could not be started.
pub(super) fn starting(program: &OsStr, error: &io::Error) -> Failure {
    let program = program.to_string_lossy();
    let program = excerpt(&program);
    let why = match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE) => {
            let message = format!(
                "this machine gives no further descriptor for `{program}` ({error}); raise `ulimit -n` or lower the \
                 concurrency"
            );
            return Failure::new(FailureKind::LOCAL_LIMIT, message);
        }
        Some(Errno::AGAIN | Errno::NOMEM) => {
            let message = format!(
                "this machine gives no further process for `{program}` ({error}); raise `ulimit -u` or lower the \
                 concurrency"
            );
            return Failure::new(FailureKind::LOCAL_LIMIT, message);
        }
        Some(Errno::TOOBIG) => {
            "the input is too long for an argument; --stdin gives it on standard input".to_owned()
        }
        Some(Errno::NOENT) if program.contains('/') && Path::new(&*program).exists() => {
            format!("`{program}` is there, but not the interpreter that it names in its first line")
        }
        Some(Errno::NOENT) => format!("there is no program `{program}`"),
        Some(Errno::NOEXEC) => format!(
            "`{program}` is no program of this machine, or a script whose first line names no interpreter, such as \
             #!/bin/sh"
        ),
        _ => format!("`{program}` cannot be started: {error}"),
    };
    Failure::permanent(START, why)
}

/// Why a command that runs cannot be waited for.
pub(super) fn waiting(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::ERROR,
        format!("the command was ended, because nothing tells of its end: {error}"),
    )
}

/// The command took too long.
pub(super) fn too_long(limit: Option<Duration>) -> Failure {
    let message = match limit {
        Some(limit) => format!("not done within its time limit of {limit:?}, and ended"),
        None => "not done within its time limit, and ended".to_owned(),
    };
    Failure::new(FailureKind::TIMEOUT, message)
}

/// Whoever makes the attempt waits no longer.
pub(super) fn given_up() -> Failure {
    too_long(None)
}

/// The job was aborted.
pub(super) fn cancelled() -> Failure {
    Failure::new(FailureKind::CANCELLED, "the job was aborted")
}

/// An input that no argument can hold.
pub(super) fn nul(at: usize) -> Failure {
    Failure::bad_input(format!(
        "the input contains a NUL at byte {at}, which no argument can hold; --stdin gives it on standard input"
    ))
}

/// Whether the end of a command is a success.
pub(super) fn judge(ran: &Ran) -> Result<(), Failure> {
    if let Some(limit) = ran.timed_out_s {
        return Err(too_long(Duration::try_from_secs_f64(limit).ok()));
    }
    let (kind, how) = match (ran.exit_code, ran.signal) {
        (Some(0), _) => return Ok(()),
        (Some(code), _) => (EXIT_CODE, format!("exit code {code}")),
        (None, Some(signal)) => (SIGNAL, format!("ended by signal {}", name(signal))),
        (None, None) => (SIGNAL, "ended in a way that nobody knows".to_owned()),
    };
    let message = match last_line(&ran.stderr) {
        Some(line) => format!("{how}: {}", excerpt(&line)),
        None => how,
    };
    Err(Failure::new(kind, message))
}

fn name(signal: i32) -> String {
    const NAMES: [(Signal, &str); 11] = [
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::ILL, "ILL"),
        (Signal::ABORT, "ABRT"),
        (Signal::BUS, "BUS"),
        (Signal::FPE, "FPE"),
        (Signal::KILL, "KILL"),
        (Signal::SEGV, "SEGV"),
        (Signal::PIPE, "PIPE"),
        (Signal::TERM, "TERM"),
    ];
    match NAMES.iter().find(|(known, _)| known.as_raw() == signal) {
        Some((_, name)) => format!("{signal} ({name})"),
        None => signal.to_string(),
    }
}

/// What a command said last, which is mostly why.
fn last_line(stderr: &Captured) -> Option<String> {
    // The end of a stream that was cut is not what it said last.
    let text = (!stderr.is_cut()).then_some(stderr.kept.trim_ascii_end())?;
    let last = text.rsplit(|byte| *byte == b'\n').next()?;
    (!last.is_empty()).then(|| String::from_utf8_lossy(last).into_owned())
}
