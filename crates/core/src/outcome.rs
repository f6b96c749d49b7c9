//! The one final end of an input.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Failure;

/// How an input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// The task succeeded.
    Ok,
    /// The task failed, or judged its own output a failure.
    Failed,
    /// A time limit expired.
    Timeout,
    /// The job was stopped before the input was done; a later run may take it up again.
    Cancelled,
    /// The worker process that had the input died.
    WorkerLost,
}

impl Status {
    /// The name in every output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::WorkerLost => "worker-lost",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What became of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome<I, O> {
    /// The input's place among the job's inputs, from 0.
    pub index: u64,
    /// The input itself.
    pub input: I,
    /// How it ended.
    pub status: Status,
    /// What the task gave back; a task may give an output and still judge it a failure.
    pub output: Option<O>,
    /// Why it did not succeed; `None` exactly when `status` is [`Status::Ok`].
    pub error: Option<Failure>,
    /// How often it was tried; 0 when it was never started.
    pub attempts: u32,
    /// Which lane ran the last attempt, from 0; `None` when there was none, or when the job stopped before a retry.
    pub worker: Option<u32>,
    /// From the job's start to the start of the last attempt.
    pub started: Duration,
    /// How long the last attempt waited to be started: for a lane, a permit, or its turn to be retried.
    pub queued: Duration,
    /// How long the last attempt took.
    pub run: Duration,
}

impl<I, O> Outcome<I, O> {
    /// Whether the input succeeded.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }
}
