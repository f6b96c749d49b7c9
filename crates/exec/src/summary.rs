//! What a whole job came to.

use std::{num::NonZeroUsize, time::Duration};

use triway_core::{Inside, Model, StopReason};

/// The counts and times of a job that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The model it ran under.
    pub model: Model,
    /// How many inputs it might run at once, as the plan or the pilot said last.
    pub concurrency: NonZeroUsize,
    /// The most lanes there were at once.
    pub lanes: usize,
    /// The most inputs that might run at once in the end: fewer than the plan says where this machine did not give what
    /// more of them needed.
    pub at_once: usize,
    /// Inputs read; each has come to its end.
    pub admitted: u64,
    /// Inputs that succeeded.
    pub succeeded: u64,
    /// Inputs that failed, ran out of time, or lost their worker.
    pub failed: u64,
    /// How many of those that succeeded or failed did so in an earlier run, as the journal says.
    pub earlier: u64,
    /// Inputs that were given up because the job was stopped.
    pub cancelled: u64,
    /// How many of these the sink did not take, because it or the journal had failed.
    pub undelivered: u64,
    /// Until the lanes that the first inputs needed stood ready.
    pub startup: Duration,
    /// From there to the end of the last attempt.
    pub wall: Duration,
    /// Why the job ended before its inputs did, if so.
    pub stopped: Option<StopReason>,
    /// The first input that was not read, where there may be more.
    pub unread_from: Option<u64>,
    /// Attempts that could not be stopped and were left behind.
    pub abandoned: u64,
    /// Sum of the worker processes' own peaks of memory, of each lane its largest; `None` where there were none.
    ///
    /// A worker that ended by itself (a crash, the system's out-of-memory killer) is not in it: the kernel keeps no
    /// figure for it that is not mixed with its parent's.
    pub worker_peak_memory_bytes: Option<u64>,
    /// What workers have told of themselves, where they do. Of those that were ended by force nothing is in it.
    pub inside: Option<Inside>,
}
