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

/// One attempt that failed and was followed by another.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Tried {
    /// Why it failed.
    pub failure: Failure,
    /// Which lane ran it, from 0.
    pub worker: u32,
    /// From the job's start to the start of this attempt.
    pub started: Duration,
    /// How long it took.
    pub run: Duration,
}

impl Tried {
    /// An attempt that failed so, and where and when it ran.
    #[must_use]
    pub fn new(failure: Failure, worker: u32, started: Duration, run: Duration) -> Self {
        Self {
            failure,
            worker,
            started,
            run,
        }
    }
}

/// What became of one input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
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
    /// How much processor time the last attempt took, where its worker can tell.
    pub cpu: Option<Duration>,
    /// From the job's start to the moment at which the first attempt was to begin, where the plan has a schedule to keep.
    pub planned: Option<Duration>,
    /// The failed attempts before the one that the fields above tell of, in order; at most as many as the plan allows
    /// retries. When the job stopped before a retry, these are all there were.
    pub tried: Vec<Tried>,
}

impl<I, O> Outcome<I, O> {
    /// An input that ended so and was never started; what else there is to say is assigned to its fields.
    #[must_use]
    pub fn new(index: u64, input: I, status: Status) -> Self {
        Self {
            index,
            input,
            status,
            output: None,
            error: None,
            attempts: 0,
            worker: None,
            started: Duration::ZERO,
            queued: Duration::ZERO,
            run: Duration::ZERO,
            cpu: None,
            planned: None,
            tried: Vec::new(),
        }
    }

    /// How long it took from the moment at which it was planned, where there was one: what a client feels that does not
    /// wait for others to be done. Unlike [`Outcome::run`] it has in it that a slow server holds the next ones up
    /// (coordinated omission: Tene, 2013).
    #[must_use]
    pub fn response(&self) -> Option<Duration> {
        Some((self.started + self.run).saturating_sub(self.planned?))
    }

    /// Whether the input succeeded.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }
}
