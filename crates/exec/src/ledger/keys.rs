//! At most so many running inputs that share a key, such as a host.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroUsize,
};

use super::start::Ticket;

/// Who runs and who waits, by key. A key that nobody holds is forgotten, so memory follows what is in flight.
pub(super) struct Keys {
    limit: NonZeroUsize,
    held: HashMap<String, Key>,
}

#[derive(Default)]
struct Key {
    running: usize,
    waiting: VecDeque<Ticket>,
}

impl Keys {
    pub(super) fn new(limit: NonZeroUsize) -> Self {
        Self {
            limit,
            held: HashMap::new(),
        }
    }

    /// Whether one more may run under this key; if not, `ticket` waits here until [`Keys::leave`] gives it back.
    pub(super) fn enter(&mut self, key: &str, ticket: Ticket) -> bool {
        if !self.held.contains_key(key) {
            self.held.insert(key.to_owned(), Key::default());
        }
        let Some(held) = self.held.get_mut(key) else {
            return true;
        };
        if held.running >= self.limit.get() {
            held.waiting.push_back(ticket);
            return false;
        }
        held.running += 1;
        true
    }

    /// One that ran has ended; gives the one that waited longest.
    pub(super) fn leave(&mut self, key: &str) -> Option<Ticket> {
        let held = self.held.get_mut(key)?;
        held.running -= 1;
        let next = held.waiting.pop_front();
        if held.running == 0 && next.is_none() {
            self.held.remove(key);
        }
        next
    }
}
