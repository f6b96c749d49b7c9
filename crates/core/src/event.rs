//! What happens to a job besides outcomes, for whoever wants to show or record it.

use std::time::Duration;

use crate::Failure;

/// Something that a person who watches the job may want to know.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The first lanes stand ready; inputs begin.
    Ready {
        /// How many lanes there are.
        lanes: usize,
        /// From where the first lane was started to here.
        startup: Duration,
    },
    /// An attempt failed and the input will be tried again.
    Retrying {
        /// Which input.
        index: u64,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// How long until the next attempt may begin.
        delay: Duration,
        /// Why it failed.
        failure: Failure,
    },
    /// An attempt outlasted its time limit and could not be stopped: its thread or async task was left behind, and
    /// another lane took its place.
    Abandoned {
        /// Which input.
        index: u64,
        /// The lane that was given up.
        worker: u32,
        /// What held the lane, as far as can be told.
        reason: String,
    },
    /// A worker process ended although it should not have.
    WorkerDied {
        /// The lane it served.
        worker: u32,
        /// Signal or exit code.
        reason: String,
    },
    /// The machine gave fewer lanes than asked for.
    FewerLanes {
        /// How many the plan asked for.
        wanted: usize,
        /// How many there are.
        got: usize,
        /// Why.
        reason: String,
    },
    /// No further inputs are handed out.
    Stopping {
        /// Why.
        reason: StopReason,
        /// The first input that was not read from the source.
        unread_from: u64,
    },
}

/// Why a job ended before its inputs did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// Somebody asked for it; what is in flight may finish.
    Drained,
    /// Somebody asked twice; what is in flight is cancelled.
    Aborted,
    /// More inputs failed than the plan allows.
    FailureLimit,
    /// The outcomes could not be delivered.
    Undeliverable(String),
    /// The inputs could not be read any further.
    Unreadable(String),
    /// The inputs are not those of the journal that the job was to go on from; none was executed.
    OtherInputs(String),
    /// There was no lane left to run them.
    NoLanes(String),
    /// Whoever decides about the job's stretches has seen enough.
    Enough,
}
