//! Lanes that found nothing to do and wait to be woken.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

/// Who waits, the longest first. Each lane stands in here once at most.
#[derive(Default)]
pub(crate) struct Waiters {
    queue: Mutex<VecDeque<(u32, Waker)>>,
    count: AtomicUsize,
}

impl Waiters {
    /// The lane waits from here on. It must look for work once more after this, or it may miss what came just now.
    pub(crate) fn enter(&self, lane: u32, waker: &Waker) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        match queue.iter_mut().find(|(waiting, _)| *waiting == lane) {
            Some((_, known)) => known.clone_from(waker),
            None => queue.push_back((lane, waker.clone())),
        }
        self.count.store(queue.len(), Ordering::SeqCst);
    }

    /// The lane found work after all. If somebody was about to wake it, that call goes to the next one.
    pub(crate) fn leave(&self, lane: u32) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let place = queue.iter().position(|(waiting, _)| *waiting == lane);
        if let Some(place) = place {
            queue.remove(place);
        }
        self.count.store(queue.len(), Ordering::SeqCst);
        drop(queue);
        if place.is_none() {
            self.wake(1);
        }
    }

    /// Wakes so many lanes at most.
    pub(crate) fn wake(&self, most: usize) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let most = most.min(queue.len());
        let woken: Vec<_> = queue.drain(..most).collect();
        self.count.store(queue.len(), Ordering::SeqCst);
        drop(queue);
        for (_, waker) in woken {
            waker.wake();
        }
    }
}
