//! The worker process of a lane, for those who must reach it from elsewhere.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use rustix::process::{Pid, Signal, kill_process_group};
use triway_core::Inside;

use crate::restart::peak_bytes_of;

/// The worker process of one lane, as far as it can be reached from other threads than its own.
#[derive(Debug, Default)]
pub(crate) struct WorkerProcess {
    /// Its process group, while it has not been reaped.
    group: Mutex<Option<Pid>>,
    /// The largest peak of memory among the processes of this lane, where it was seen: a process that says goodbye
    /// tells it, and one that is killed is looked at before. One that ended by itself took it along.
    peak_bytes: AtomicU64,
    /// What its processes have told of themselves.
    inside: Mutex<Option<Inside>>,
}

/// What is known of the processes of a lane when it has left.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Told {
    /// The largest of their peaks of memory.
    pub(crate) peak_bytes: u64,
    pub(crate) inside: Option<Inside>,
}

impl Told {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            peak_bytes: self.peak_bytes + other.peak_bytes,
            inside: match (self.inside, other.inside) {
                (Some(one), Some(other)) => Some(one.and(other)),
                (one, other) => one.or(other),
            },
        }
    }
}

impl WorkerProcess {
    /// Ends the process and its group at once, if it runs. Does not block.
    pub(crate) fn kill(&self) {
        if let Some(group) = *self.group.lock().unwrap_or_else(PoisonError::into_inner) {
            self.note_peak(peak_bytes_of(group));
            // It may have ended just now.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }

    /// Sends a signal to the process and its group, if it runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(group) = *self.group.lock().unwrap_or_else(PoisonError::into_inner) {
            // It may have ended just now.
            let _gone = kill_process_group(group, signal);
        }
    }

    pub(crate) fn note_peak(&self, bytes: Option<u64>) {
        self.peak_bytes
            .fetch_max(bytes.unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn note_inside(&self, told: Inside) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        *inside = Some(inside.unwrap_or_default().and(told));
    }

    pub(crate) fn told(&self) -> Told {
        Told {
            peak_bytes: self.peak_bytes.load(Ordering::Relaxed),
            inside: *self.inside.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    pub(crate) fn set(&self, group: Option<Pid>) {
        *self.group.lock().unwrap_or_else(PoisonError::into_inner) = group;
    }
}
