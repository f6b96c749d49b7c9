//! What a worker and its parent say to each other. Payloads are postcard; what belongs to the task follows at the end.

use serde::{Deserialize, Serialize};
use triway_core::Failure;

/// The role of a worker process.
pub(super) const ROLE: &str = "worker";

/// Raised when a message changes its meaning.
pub(super) const PROTOCOL: u32 = 3;

/// Parent to worker: who you are.
pub(super) const HELLO: u8 = 1;
/// Worker to parent: ready for inputs.
pub(super) const READY: u8 = 2;
/// Parent to worker: an input.
pub(super) const INPUT: u8 = 3;
/// Worker to parent: how it ended.
pub(super) const OUTCOME: u8 = 4;
/// Parent to worker: finish and leave.
pub(super) const DRAIN: u8 = 5;
/// Worker to parent: leaving.
pub(super) const BYE: u8 = 6;

/// Followed by the task's configuration.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub protocol: u32,
}

/// Whether the worker could make the task from its configuration.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub problem: Option<String>,
}

/// Followed by the input.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Input {
    pub index: u64,
    pub attempt: u32,
    /// Time limit of the attempt in nanoseconds, counted from where the worker begins it.
    pub limit_ns: Option<u64>,
}

/// Followed by the output, if there is no failure.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// How long the attempt took. No moments travel: two processes need not agree on when their clocks began.
    pub took_ns: u64,
    pub failure: Option<Failure>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bye {
    pub peak_memory_bytes: Option<u64>,
}
