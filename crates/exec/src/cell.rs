//! What a lane is running just now, for the dispatcher to see from outside.
//!
//! The lane writes, the dispatcher reads. At the end of an attempt both may want it: the lane to report, the
//! dispatcher to give it up as overdue. One atomic exchange decides, so an attempt ends once.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering, fence},
    time::Duration,
};

const IDLE: u64 = 0;
const ABANDONED: u64 = u64::MAX;

/// One lane's cell.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// `IDLE`, `ABANDONED`, or the ticket and attempt that are running.
    holder: AtomicU64,
    index: AtomicU64,
    since_ns: AtomicU64,
    /// Whether an async task is being polled, that is, whether it holds its thread.
    polled: AtomicBool,
}

/// What a cell said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Running {
    pub ticket: u32,
    pub index: u64,
    pub attempt: u32,
    pub since: Duration,
    pub polled: bool,
}

impl Cell {
    /// The lane begins an attempt.
    pub(crate) fn begin(&self, ticket: u32, index: u64, attempt: u32, now: Duration) {
        // Pairs with the fence of `running`: whoever sees one of these sees also that the attempt before has ended.
        fence(Ordering::Release);
        self.index.store(index, Ordering::Relaxed);
        self.since_ns.store(nanos(now), Ordering::Relaxed);
        self.holder.store(pack(ticket, attempt), Ordering::Release);
    }

    /// The lane ends its attempt; `false` if it was given up meanwhile, and the lane with it.
    pub(crate) fn end(&self) -> bool {
        self.holder.swap(IDLE, Ordering::AcqRel) != ABANDONED
    }

    /// Whether nothing was begun that has not ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.holder.load(Ordering::Acquire) == IDLE
    }

    /// Notes whether the attempt's future is being polled.
    pub(crate) fn set_polled(&self, polled: bool) {
        self.polled.store(polled, Ordering::Relaxed);
    }

    /// What is running, if anything is.
    pub(crate) fn running(&self) -> Option<Running> {
        let holder = self.holder.load(Ordering::Acquire);
        if holder == IDLE || holder == ABANDONED {
            return None;
        }
        let running = Running {
            ticket: ticket_of(holder),
            index: self.index.load(Ordering::Relaxed),
            attempt: attempt_of(holder),
            since: Duration::from_nanos(self.since_ns.load(Ordering::Relaxed)),
            polled: self.polled.load(Ordering::Relaxed),
        };
        // The lane may have gone on to its next attempt between the reads.
        fence(Ordering::Acquire);
        (self.holder.load(Ordering::Relaxed) == holder).then_some(running)
    }

    /// Gives the attempt up; `false` if the lane ended it first.
    pub(crate) fn abandon(&self, running: Running) -> bool {
        let holder = pack(running.ticket, running.attempt);
        self.holder
            .compare_exchange(holder, ABANDONED, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

/// Never `IDLE`, because attempts count from 1; never `ABANDONED`, because nobody makes 2^32 attempts.
fn pack(ticket: u32, attempt: u32) -> u64 {
    (u64::from(ticket) << 32) | u64::from(attempt)
}

fn ticket_of(holder: u64) -> u32 {
    (holder >> 32) as u32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what `pack` put there"
)]
fn attempt_of(holder: u64) -> u32 {
    holder as u32
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_ends_once() {
        let cell = Cell::default();
        assert_eq!(cell.running(), None);
        cell.begin(3, 40, 2, Duration::from_millis(5));
        let running = cell.running().unwrap();
        assert_eq!((running.ticket, running.index, running.attempt), (3, 40, 2));
        assert!(cell.abandon(running));
        assert!(!cell.abandon(running), "only once");
        assert!(!cell.end(), "the lane learns that it was given up");

        cell.begin(3, 40, 3, Duration::ZERO);
        assert!(
            !cell.abandon(running),
            "an earlier attempt cannot be given up any more"
        );
        assert!(cell.end());
    }
}
