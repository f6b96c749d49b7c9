//! What all connections of a process have in common.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    counters::{Counters, Counts},
    limits::Limits,
    places::Own,
};

/// What all connections of a process have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) counters: Counters,
    /// What worker processes have told.
    workers: Mutex<Vec<Counts>>,
    /// In a worker process: the places that it shares with the others.
    pub(super) places: Option<Arc<Own>>,
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            counters: Counters::new(),
            workers: Mutex::default(),
            places: None,
        }
    }

    /// What a worker process has counted.
    pub(super) fn tell(&self, worker: usize, counts: Counts) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if workers.len() <= worker {
            workers.resize(worker + 1, Counts::default());
        }
        // The longest time stands until somebody looks.
        let longest = workers[worker].longest.max(counts.longest);
        workers[worker] = Counts { longest, ..counts };
    }

    /// What was counted so far, here and by worker processes.
    pub(super) fn look(&self) -> Counts {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let all = workers
            .iter()
            .fold(self.counters.look(), |all, worker| all.and(*worker));
        for worker in &mut *workers {
            worker.longest = Duration::ZERO;
        }
        all
    }
}
