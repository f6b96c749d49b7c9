//! Whose turn it is to write.
//!
//! A database file has one writer at a time. Who finds it locked by somebody else can only try again later; among the
//! lanes of one process it is quicker to wait in a queue and be woken.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// A lock that can be waited for until a deadline.
#[derive(Debug, Default)]
pub(super) struct Turn {
    taken: Mutex<bool>,
    free: Condvar,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken<'a>(&'a Turn);

impl Turn {
    /// Waits for the turn; `None` if the deadline passes before. Blocks.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Taken<'_>> {
        let mut taken = self.lock();
        while *taken {
            taken = match deadline {
                None => self
                    .free
                    .wait(taken)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let woken = self.free.wait_timeout(taken, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *taken = true;
        Some(Taken(self))
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.free.notify_one();
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
