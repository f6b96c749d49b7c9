//! The log that GNU parallel keeps with `--joblog`, column for column: for the scripts that read it.
//!
//! The time limit's kill is -1 with signal 15 there, whichever signal it took in the end.

use std::{
    io::{self, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use triway_core::Status;
use triway_tasks::sh::{Ran, kinds};

use super::{format::Format, record::Record};

/// A line a command.
#[derive(Default)]
pub(super) struct Joblog {
    /// When the job began, since the epoch.
    began: Duration,
}

/// What a shell says of a program that is not there.
const NO_PROGRAM: i32 = 127;

impl Format for Joblog {
    fn begin(&mut self, _task: &str, to: &mut dyn Write) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        self.began = now.unwrap_or_default();
        to.write_all(b"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n")
    }

    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        let outcome = record.outcome;
        if outcome.attempts == 0 {
            // It was never run, and who resumes by this log shall run it.
            return Ok(());
        }
        let ran = record.output().and_then(Ran::of_json);
        let started = (self.began + outcome.started).as_secs_f64();
        let received = ran.as_ref().map_or(0, |ran| ran.stdout.bytes);
        let (code, signal) = end(record, ran.as_ref());
        write!(
            to,
            "{}\t:\t{started:.3}\t{:10.3}\t0\t{received}\t{code}\t{signal}\t",
            outcome.index + 1,
            outcome.run.as_secs_f64(),
        )?;
        to.write_all(&record.command())?;
        to.write_all(b"\n")
    }
}

/// Exit code and signal.
fn end(record: &Record<'_>, ran: Option<&Ran>) -> (i32, i32) {
    const TERM: i32 = 15;
    let outcome = record.outcome;
    match (outcome.status, ran) {
        (Status::Timeout | Status::Cancelled, _) => (-1, TERM),
        (_, Some(ran)) => (ran.exit_code.unwrap_or(0), ran.signal.unwrap_or(0)),
        (Status::Ok, None) => (0, 0),
        (_, None) => match &outcome.error {
            Some(failure) if failure.kind == kinds::START => (NO_PROGRAM, 0),
            _ => (1, 0),
        },
    }
}
