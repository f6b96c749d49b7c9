//! Whose turn it is to write.
//!
//! A database file has one writer at a time. Who finds it locked by somebody else can only try again later; among the
//! lanes of one process it is quicker to wait and be woken. Waking takes a good part of the time that a commit takes,
//! though, and whoever writes after somebody else has to read first what that one changed. So a lane that has just
//! written and already has its next row goes first, for a while.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long one lane may take one turn after the other before somebody else is woken.
const WHILE: Duration = Duration::from_millis(50);
/// Who waits looks that often whether nobody takes the turn any more.
const GLANCE: Duration = Duration::from_millis(2);

/// A lock that can be waited for until a deadline.
#[derive(Debug, Default)]
pub(super) struct Turn {
    state: Mutex<State>,
    free: Condvar,
}

#[derive(Debug, Default)]
struct State {
    taken: bool,
    /// When somebody was woken last.
    woken: Option<Instant>,
    /// How many wait.
    waiting: u32,
    /// It is kept for one of those that wait.
    kept: bool,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken<'a>(&'a Turn);

impl Turn {
    /// Waits for the turn; `None` if the deadline passes before. Blocks.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Taken<'_>> {
        let mut state = self.lock();
        if !state.taken && !state.kept {
            state.taken = true;
            return Some(Taken(self));
        }
        state.waiting += 1;
        let taken = loop {
            if !state.taken {
                break true;
            }
            let glance = Instant::now() + GLANCE;
            let until = deadline.map_or(glance, |deadline| deadline.min(glance));
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() && deadline.is_some_and(|deadline| deadline <= until) {
                break false;
            }
            let woken = self.free.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.waiting -= 1;
        state.kept = false;
        state.taken |= taken;
        taken.then(|| Taken(self))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.taken = false;
        if state.waiting == 0 {
            return;
        }
        let now = Instant::now();
        if state.woken.is_none_or(|woken| now - woken >= WHILE) {
            state.woken = Some(now);
            state.kept = true;
            drop(state);
            self.0.free.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn one_has_it_at_a_time_and_nobody_waits_for_ever() {
        let turn = Turn::default();
        let count = Mutex::new((0, 0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let _taken = turn.wait(None).unwrap();
                        let mut count = count.try_lock().expect("somebody else has it, too");
                        count.0 += 1;
                        count.1 += count.0;
                    }
                });
            }
        });
        assert_eq!(count.into_inner().unwrap().0, 2000);
        let taken = turn.wait(None).unwrap();
        let soon = Instant::now() + Duration::from_millis(5);
        assert!(turn.wait(Some(soon)).is_none());
        drop(taken);
        assert!(turn.wait(Some(soon)).is_some(), "nobody has it");
    }
}
