//! A process that this one started and must not leave behind.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::ExitStatus,
};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// The child; killed with its process group and reaped when dropped.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    pid: Pid,
    status: Option<ExitStatus>,
    error_output: Option<OwnedFd>,
}

impl Child {
    pub(super) fn new(mut process: std::process::Child) -> io::Result<Self> {
        let pid = i32::try_from(process.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("the system gave no process number"))?;
        Ok(Self {
            error_output: process.stderr.take().map(OwnedFd::from),
            process,
            pid,
            status: None,
        })
    }

    /// Its process number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its process group, which has the number of the child itself.
    pub(crate) fn group(&self) -> Pid {
        self.pid
    }

    /// What it writes to its error output, if that was asked for and nobody has it yet.
    pub(crate) fn take_error_output(&mut self) -> Option<OwnedFd> {
        self.error_output.take()
    }

    pub(super) fn set_error_output(&mut self, output: OwnedFd) {
        self.error_output = Some(output);
    }

    /// Asks the child and its process group to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends the child and its process group.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Waits until it has ended, and reaps it. Blocks.
    ///
    /// # Errors
    /// The system does not tell; it is not this process's child any more.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let status = self.process.wait()?;
        self.status = Some(status);
        Ok(status)
    }

    pub(super) fn pidfd(&self) -> io::Result<OwnedFd> {
        Ok(pidfd_open(self.pid, PidfdFlags::empty())?)
    }

    fn signal(&self, signal: Signal) {
        // Once reaped, the number may belong to somebody else.
        if self.status.is_none() {
            // The only possible failure is that the group is gone, which is what was wanted.
            let _gone = kill_process_group(self.pid, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_none() {
            self.kill();
            // Nothing can be done here about a child that cannot be waited for.
            let _reaped = self.process.wait();
        }
    }
}

/// How a process ended, for people.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it exited with code {code}"),
        (None, Some(signal)) => format!("it was killed by signal {signal}{}", name(signal)),
        (None, None) => "it ended in an unknown way".to_owned(),
    }
}

fn name(signal: i32) -> &'static str {
    match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL; perhaps the system ran out of memory)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    }
}
