//! What a server has done and what it cost, counted while it does it.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use triway_exec::restart::own_peak_bytes;

/// The counts of one server process.
#[derive(Debug)]
pub(crate) struct Counters {
    /// Processor time and peak of memory of this process when it began to count.
    before: (Duration, u64),
    open: AtomicU64,
    accepted: AtomicU64,
    messages: AtomicU64,
    busy_nanos: AtomicU64,
    longest_nanos: AtomicU64,
}

/// What was counted until some moment; those of several processes add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Connections that are open.
    pub open: u64,
    /// Connections there were.
    pub accepted: u64,
    /// Messages that were answered.
    pub messages: u64,
    /// The time from each whole message to its answer, added up.
    pub busy: Duration,
    /// The longest such time since somebody looked last.
    pub longest: Duration,
    /// Processor time, user and system.
    pub cpu: Duration,
    /// How much the peak of memory has grown while it served. What the kernel holds for a connection is not in it.
    pub memory_bytes: u64,
}

/// A connection, as long as it is counted as open.
#[derive(Debug)]
pub(super) struct Open<'a>(&'a Counters);

impl Counters {
    /// Begins to count.
    pub(super) fn new() -> Self {
        Self {
            before: used(),
            open: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            busy_nanos: AtomicU64::new(0),
            longest_nanos: AtomicU64::new(0),
        }
    }

    pub(super) fn open(&self) -> Open<'_> {
        self.open.fetch_add(1, Relaxed);
        self.accepted.fetch_add(1, Relaxed);
        Open(self)
    }

    pub(super) fn answered(&self, messages: u64, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.messages.fetch_add(messages, Relaxed);
        self.busy_nanos
            .fetch_add(nanos.saturating_mul(messages), Relaxed);
        self.longest_nanos.fetch_max(nanos, Relaxed);
    }

    /// What was counted so far.
    pub(super) fn look(&self) -> Counts {
        let (cpu, peak) = used();
        Counts {
            cpu: cpu.saturating_sub(self.before.0),
            memory_bytes: peak.saturating_sub(self.before.1),
            open: self.open.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            messages: self.messages.load(Relaxed),
            busy: Duration::from_nanos(self.busy_nanos.load(Relaxed)),
            longest: Duration::from_nanos(self.longest_nanos.swap(0, Relaxed)),
        }
    }
}

impl Counts {
    /// Those of a process and of the one that took its place.
    #[must_use]
    pub fn then(self, successor: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.max(successor.memory_bytes),
            ..self.and(successor)
        }
    }

    /// Those of two processes together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            open: self.open + other.open,
            accepted: self.accepted + other.accepted,
            messages: self.messages + other.messages,
            busy: self.busy + other.busy,
            longest: self.longest.max(other.longest),
            cpu: self.cpu + other.cpu,
            memory_bytes: self.memory_bytes + other.memory_bytes,
        }
    }
}

/// Processor time of this process, and the most memory that it has had.
fn used() -> (Duration, u64) {
    let cpu = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime));
    (cpu.unwrap_or_default(), own_peak_bytes().unwrap_or(0))
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}
