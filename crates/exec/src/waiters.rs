//! Lanes that found nothing to do and wait to be woken.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

/// Who waits, and in which order. A lane that left stays in the order until its turn, and is passed over then, so that
/// nothing here takes longer the more lanes there are.
#[derive(Default)]
struct Waiting {
    wakers: HashMap<u32, Waker>,
    order: VecDeque<u32>,
}

/// Who waits, the longest first. Each lane stands in here once at most.
#[derive(Default)]
pub(crate) struct Waiters {
    waiting: Mutex<Waiting>,
    count: AtomicUsize,
}

impl Waiters {
    /// The lane waits from here on. It must look for work once more after this, or it may miss what came just now.
    pub(crate) fn enter(&self, lane: u32, waker: &Waker) {
        let mut waiting = self.lock();
        if waiting.wakers.insert(lane, waker.clone()).is_none() {
            waiting.order.push_back(lane);
        }
        self.count.store(waiting.wakers.len(), Ordering::SeqCst);
    }

    /// The lane found work after all. If somebody was about to wake it, that call goes to the next one.
    pub(crate) fn leave(&self, lane: u32) {
        if !self.forget(lane) {
            self.wake(1);
        }
    }

    /// The lane waits no more; `false` if it was woken before.
    pub(crate) fn forget(&self, lane: u32) -> bool {
        let mut waiting = self.lock();
        let was_waiting = waiting.wakers.remove(&lane).is_some();
        if waiting.wakers.is_empty() {
            waiting.order.clear();
        }
        self.count.store(waiting.wakers.len(), Ordering::SeqCst);
        was_waiting
    }

    /// Wakes so many lanes at most.
    pub(crate) fn wake(&self, most: usize) {
        if most == 0 || self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let mut waiting = self.lock();
        let mut woken = Vec::new();
        while woken.len() < most
            && let Some(lane) = waiting.order.pop_front()
        {
            woken.extend(waiting.wakers.remove(&lane));
        }
        self.count.store(waiting.wakers.len(), Ordering::SeqCst);
        drop(waiting);
        for waker in woken {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
