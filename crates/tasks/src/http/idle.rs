//! Connections that wait to be used again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Resource, getrlimit};

use super::{route::Route, wire::Wire};

/// How many connections may wait, for all hosts together, where descriptors allow it.
const MOST_IDLE: usize = 512;

/// How long a connection may wait; servers commonly close theirs after a minute or less.
const MAX_IDLE_AGE: Duration = Duration::from_secs(15);

/// How many connections may wait, for all hosts together. Lanes that work hold theirs, so this is no limit on them; it
/// keeps many hosts from using up the descriptors of the process, of which there are often but 1024.
fn max_idle() -> usize {
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
    by_route: HashMap<Route, Vec<(Instant, Wire)>>,
    count: usize,
}

impl Idle {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                most: max_idle(),
                by_route: HashMap::new(),
                count: 0,
            }),
        }
    }

    /// The connection on a route that began to wait last, so that those not needed grow old. One that many requests
    /// may share stays where it is, and a further handle on it is given.
    pub(super) fn take(&self, route: &Route) -> Option<Wire> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let wires = waiting.by_route.get_mut(route)?;
            let shared = wires.last().and_then(|(_, wire)| wire.share());
            if shared.is_some() {
                return shared;
            }
            let (since, wire) = wires.pop()?;
            waiting.count -= 1;
            if since.elapsed() < MAX_IDLE_AGE {
                return Some(wire);
            }
        }
    }

    /// A connection on this route that many share turned out to be closed.
    pub(super) fn forget_shared(&self, route: &Route) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting {
            by_route, count, ..
        } = &mut *waiting;
        if let Some(wires) = by_route.get_mut(route) {
            let before = wires.len();
            wires.retain(|(_, wire)| wire.share().is_none());
            *count -= before - wires.len();
        }
    }

    /// Lets a connection wait. If too many do, those of some other route are closed for it.
    pub(super) fn put(&self, route: Route, wire: Wire) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.count >= waiting.most {
            waiting.close_some();
        }
        let Waiting {
            by_route, count, ..
        } = &mut *waiting;
        let wires = by_route.entry(route).or_default();
        if wire.share().is_some() {
            // One of these is enough.
            *count -= wires.len();
            wires.clear();
        }
        *count += 1;
        wires.push((Instant::now(), wire));
    }
}

impl Waiting {
    /// Closes those that have waited too long, or else all of one route.
    fn close_some(&mut self) {
        self.by_route.retain(|_, wires| {
            wires.retain(|(since, _)| since.elapsed() < MAX_IDLE_AGE);
            !wires.is_empty()
        });
        self.count = self.by_route.values().map(Vec::len).sum();
        if self.count >= self.most
            && let Some(route) = self.by_route.keys().next().cloned()
        {
            let closed = self.by_route.remove(&route);
            self.count -= closed.map_or(0, |wires| wires.len());
        }
    }
}
