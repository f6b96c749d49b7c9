//! What workers measure inside themselves that nobody sees from outside.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What the workers of a job have told of themselves, added up: of interpreters, so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// Processor time of the threads that made attempts, while they made them. Of attempts that take microseconds it is
    /// how long they took.
    pub cpu: Duration,
    /// How long those threads were ready to run and had no processor, as the kernel counts it.
    pub run_queue: Duration,
    /// How long it took to make values of inputs, and bytes of results. Where attempts take microseconds, every sixteenth
    /// was measured.
    pub serialising: Duration,
    /// The longest that a step of a coroutine held its event loop, and for which input.
    pub longest_hold: Option<(Duration, u64)>,
    /// How late a thread came to run that wanted nothing but a moment, where that was asked for.
    pub lock_wait: Option<LockWait>,
}

/// How late a thread that woke up came to run: it needs the interpreter's lock for that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockWait {
    /// Half of the times it was less.
    pub median: Duration,
    /// The longest.
    pub max: Duration,
}

impl Inside {
    /// What these and other workers have told.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            run_queue: self.run_queue + other.run_queue,
            serialising: self.serialising + other.serialising,
            longest_hold: self.longest_hold.max(other.longest_hold),
            lock_wait: self.lock_wait.max(other.lock_wait),
        }
    }
}
