//! What inputs that share a key, such as a host, owe each other: a limit on how many run, a time between two starts, and
//! rest for a side that asked for it.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    num::NonZeroUsize,
    time::Duration,
};

use triway_core::Plan;

use super::start::Ticket;

/// Who runs and who waits, by key. A key that nobody holds and that rests no longer is forgotten, so memory follows what
/// is in flight.
pub(super) struct Keys {
    limit: Option<NonZeroUsize>,
    interval: Duration,
    held: HashMap<String, Key>,
    /// When to look at a key again; every key that may not start yet is in here once.
    due: BinaryHeap<Reverse<(Duration, String)>>,
}

#[derive(Default)]
struct Key {
    running: usize,
    waiting: VecDeque<Ticket>,
    not_before: Duration,
    timed: bool,
}

/// Whether an input may start as far as its key goes.
pub(super) enum Entry {
    Granted,
    /// The ticket waits here until [`Keys::leave`] or [`Keys::wake`] gives it back.
    Waits,
}

impl Keys {
    /// The limits of a plan, if it has any.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let mut keys = Self::unlimited();
        keys.limit = plan.per_key;
        keys.interval = plan.key_interval.unwrap_or_default();
        (keys.limit.is_some() || !keys.interval.is_zero()).then_some(keys)
    }

    /// No limits but the rest that is asked for.
    pub(super) fn unlimited() -> Self {
        Self {
            limit: None,
            interval: Duration::ZERO,
            held: HashMap::new(),
            due: BinaryHeap::new(),
        }
    }

    /// Whether one more may run under this key.
    pub(super) fn enter(&mut self, now: Duration, key: &str, ticket: Ticket) -> Entry {
        let held = hold(&mut self.held, key);
        let full = self.limit.is_some_and(|most| held.running >= most.get());
        if full || now < held.not_before {
            held.waiting.push_back(ticket);
            return Entry::Waits;
        }
        held.running += 1;
        if !self.interval.is_zero() {
            self.delay(key, now + self.interval);
        }
        Entry::Granted
    }

    /// One that ran has ended; gives the one that waited longest, if it may start now.
    pub(super) fn leave(&mut self, now: Duration, key: &str) -> Option<Ticket> {
        let held = self.held.get_mut(key)?;
        held.running -= 1;
        let next = match now < held.not_before {
            true => None,
            false => held.waiting.pop_front(),
        };
        if held.is_idle() {
            self.held.remove(key);
        }
        next
    }

    /// Puts those that waited for this moment at the head of what is ready, those that waited longest first.
    pub(super) fn wake(&mut self, now: Duration, ready: &mut VecDeque<Ticket>) {
        while self.due.peek().is_some_and(|Reverse((at, _))| *at <= now)
            && let Some(Reverse((_, key))) = self.due.pop()
        {
            let Some(held) = self.held.get_mut(&key) else {
                continue;
            };
            if now < held.not_before {
                self.due.push(Reverse((held.not_before, key)));
                continue;
            }
            held.timed = false;
            let free = self
                .limit
                .map_or(usize::MAX, |most| most.get().saturating_sub(held.running));
            let most = if self.interval.is_zero() {
                free
            } else {
                free.min(1)
            };
            let woken = most.min(held.waiting.len());
            for ticket in held.waiting.drain(..woken).rev() {
                ready.push_front(ticket);
            }
            if held.is_idle() {
                self.held.remove(&key);
            }
        }
    }

    /// When to look again.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.held.len().max(self.due.len())
    }

    /// Lets nothing start under this key until then.
    pub(super) fn delay(&mut self, key: &str, until: Duration) {
        let held = hold(&mut self.held, key);
        held.not_before = held.not_before.max(until);
        if !held.timed {
            held.timed = true;
            self.due.push(Reverse((held.not_before, key.to_owned())));
        }
    }
}

impl Key {
    fn is_idle(&self) -> bool {
        self.running == 0 && self.waiting.is_empty() && !self.timed
    }
}

/// The books of this key, new if there are none.
fn hold<'a>(held: &'a mut HashMap<String, Key>, key: &str) -> &'a mut Key {
    if !held.contains_key(key) {
        held.insert(key.to_owned(), Key::default());
    }
    held.get_mut(key).expect("it was put there just now")
}
