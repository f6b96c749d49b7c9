//! Until when a connection may be busy: what SQLite's callbacks look at while an attempt goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// A deadline that changes from attempt to attempt.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    since: Instant,
    /// Nanoseconds after `since`.
    at: Arc<AtomicU64>,
    /// Whether what goes on now must not be interrupted.
    held: Arc<AtomicBool>,
}

const NEVER: u64 = u64::MAX;

impl Limit {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            at: Arc::new(AtomicU64::new(NEVER)),
            held: Arc::default(),
        }
    }

    /// Sets it for the next attempt.
    pub(super) fn set(&self, deadline: Option<Instant>) {
        let nanos = deadline.map_or(NEVER, |deadline| {
            let after = deadline.saturating_duration_since(self.since);
            u64::try_from(after.as_nanos()).unwrap_or(NEVER)
        });
        self.at.store(nanos, Ordering::Relaxed);
    }

    /// Whether it has passed.
    pub(super) fn is_over(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at != NEVER && self.since.elapsed() >= Duration::from_nanos(at)
    }

    /// Whether what goes on now is to be interrupted.
    pub(super) fn interrupts(&self) -> bool {
        !self.held.load(Ordering::Relaxed) && self.is_over()
    }

    /// Does something that is not interrupted. SQLite interrupts a commit even after it has been done, which nobody could
    /// tell from one that has not.
    pub(super) fn uninterrupted<R>(&self, work: impl FnOnce() -> R) -> R {
        self.held.store(true, Ordering::Relaxed);
        let done = work();
        self.held.store(false, Ordering::Relaxed);
        done
    }

    /// Waits a little because another process has the lock; `false` if there is no time left. A commit takes some tenths
    /// of a millisecond, and who asks more rarely than that leaves the database idle; chance keeps those that wait from
    /// asking together.
    pub(super) fn pause(&self, times: i32) -> bool {
        if self.is_over() {
            return false;
        }
        let most = 50 << times.clamp(0, 6);
        thread::sleep(Duration::from_micros(fastrand::u64(25..most)));
        true
    }
}
