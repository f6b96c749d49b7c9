//! Connections of the async client that wait to be used again, and the bounds on them that both clients share.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Resource, getrlimit};

use super::{journey::Origin, wire::Wire};

/// How many connections may wait, for all hosts together, where descriptors allow it.
const MOST_IDLE: usize = 512;

/// How long a connection may wait; servers commonly close theirs after a minute or less.
pub(super) const MAX_IDLE_AGE: Duration = Duration::from_secs(15);

/// How many connections may wait, for all hosts together. Lanes that work hold theirs, so this is no limit on them; it
/// keeps many hosts from using up the descriptors of the process, of which there are often but 1024.
pub(super) fn max_idle() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current;
    let share = descriptors.map_or(MOST_IDLE, |most| {
        usize::try_from(most / 4).unwrap_or(MOST_IDLE)
    });
    share.clamp(1, MOST_IDLE)
}

/// The waiting connections of one task, by where they lead.
#[derive(Debug)]
pub(super) struct Idle {
    // The lock is held for a few instructions and never across an await.
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    most: usize,
    by_origin: HashMap<Origin, Vec<(Instant, Wire)>>,
    count: usize,
}

impl Idle {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                most: max_idle(),
                by_origin: HashMap::new(),
                count: 0,
            }),
        }
    }

    /// The connection to `origin` that began to wait last, so that those not needed grow old.
    pub(super) fn take(&self, origin: &Origin) -> Option<Wire> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (since, wire) = waiting.by_origin.get_mut(origin)?.pop()?;
            waiting.count -= 1;
            if since.elapsed() < MAX_IDLE_AGE {
                return Some(wire);
            }
        }
    }

    /// Lets a connection wait. If too many do, those of some other origin are closed for it.
    pub(super) fn put(&self, origin: &Origin, wire: Wire) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.count >= waiting.most {
            waiting.close_some();
        }
        waiting.count += 1;
        let entry = (Instant::now(), wire);
        match waiting.by_origin.get_mut(origin) {
            Some(wires) => wires.push(entry),
            None => {
                waiting.by_origin.insert(origin.clone(), vec![entry]);
            }
        }
    }
}

impl Waiting {
    /// Closes those that have waited too long, or else all of one origin.
    fn close_some(&mut self) {
        self.by_origin.retain(|_, wires| {
            wires.retain(|(since, _)| since.elapsed() < MAX_IDLE_AGE);
            !wires.is_empty()
        });
        self.count = self.by_origin.values().map(Vec::len).sum();
        if self.count >= self.most
            && let Some(origin) = self.by_origin.keys().next().cloned()
        {
            let closed = self.by_origin.remove(&origin);
            self.count -= closed.map_or(0, |wires| wires.len());
        }
    }
}
