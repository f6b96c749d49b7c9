//! How the program ends: the codes that scripts rely on, and errors that know theirs.

use std::process::ExitCode;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every input succeeded.
    Ok,
    /// Some inputs failed, or arms of a comparison gave different results.
    SomeFailed,
    /// Wrong usage, or inputs that cannot be read.
    Usage,
    /// The job could not run, or its outcomes could not be delivered.
    CouldNotRun,
    /// The terminal went away.
    HungUp,
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-\.
    Quit,
    /// Asked to end by a signal that no keyboard sends.
    Terminated,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::SomeFailed => 1,
            Exit::Usage => 2,
            Exit::CouldNotRun => 3,
            Exit::HungUp => 129,
            Exit::Interrupted => 130,
            Exit::Quit => 131,
            Exit::Terminated => 143,
        })
    }
}

/// Why the program cannot go on, and how it ends for that.
#[derive(Debug)]
pub(crate) struct Fault {
    /// How it ends.
    pub(crate) exit: Exit,
    /// Why, for people.
    pub(crate) cause: anyhow::Error,
}

impl Fault {
    /// What was asked for makes no sense, or cannot be read.
    pub(crate) fn usage(cause: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Usage,
            cause: cause.into(),
        }
    }

    /// What was asked for makes sense, but this machine does not let it happen.
    pub(crate) fn could_not_run(cause: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::CouldNotRun,
            cause: cause.into(),
        }
    }
}
