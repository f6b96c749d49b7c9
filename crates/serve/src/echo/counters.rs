//! What a server has done, counted while it does it.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// The counts of one server process.
#[derive(Debug, Default)]
pub(crate) struct Counters {
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
}

/// A connection, as long as it is counted as open.
#[derive(Debug)]
pub(super) struct Open<'a>(&'a Counters);

impl Counters {
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
        Counts {
            open: self.open.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            messages: self.messages.load(Relaxed),
            busy: Duration::from_nanos(self.busy_nanos.load(Relaxed)),
            longest: Duration::from_nanos(self.longest_nanos.swap(0, Relaxed)),
        }
    }
}

impl Counts {
    /// Those of two processes together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            open: self.open + other.open,
            accepted: self.accepted + other.accepted,
            messages: self.messages + other.messages,
            busy: self.busy + other.busy,
            longest: self.longest.max(other.longest),
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}
