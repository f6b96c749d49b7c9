//! Where the dispatcher and the lanes meet: inputs go one way, reports the other.
//!
//! The queue is split into a few shards, so that lanes with tiny inputs do not fight over one lock. A lane works from
//! its own shard and takes from the others when that is empty, so no input waits while a lane is idle. One lock
//! serves a lane to hand in a report and to take its next input.
//!
//! The dispatcher sleeps between its rounds, lightly at first: for one nap it wants to be woken only when a shard runs
//! low or reports pile up; after that, by any report. So tiny inputs do not cost a wake-up each, and slow ones are
//! reported at once. Before each sleep the dispatcher says how deep it will be and then collects once more: a lane
//! either had its report collected, or sees that it must wake.

use std::{
    collections::VecDeque,
    num::NonZero,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use crossbeam_utils::{CachePadded, sync::Unparker};
use triway_core::{Failure, FailureKind};

use crate::{ledger::Start, waiters::Waiters};

/// An attempt on its way to a lane.
#[derive(Debug)]
pub(crate) struct Assignment<I> {
    pub start: Start,
    pub input: I,
}

/// What a lane says of an attempt.
#[derive(Debug)]
pub(crate) struct Report<O> {
    pub start: Start,
    pub worker: u32,
    pub started: Duration,
    pub ended: Duration,
    /// Processor time, where the worker can tell.
    pub cpu: Option<Duration>,
    pub end: End<O>,
}

/// How an attempt ended. What is rare is boxed, to keep the common report small.
#[derive(Debug)]
pub(crate) enum End<O> {
    Ok(O),
    Failed(Box<(Failure, Option<O>)>),
    TimedOut(Box<(Failure, Option<O>)>),
    WorkerLost(Box<Failure>),
    /// The job was aborted while it ran.
    Cancelled,
    NotStarted,
}

impl<O> End<O> {
    /// What this machine had too little of, where that is why the attempt failed.
    pub(crate) fn shortage(&mut self) -> Option<&mut String> {
        match self {
            Self::Failed(failed) if failed.0.kind == FailureKind::LOCAL_LIMIT => {
                Some(&mut failed.0.message)
            }
            _ => None,
        }
    }
}

/// What became of the wish for some inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Some,
    /// The lane is woken when there are some.
    Nothing,
    /// There will be none.
    Closed,
}

/// What happens to a lane itself.
#[derive(Debug)]
pub(crate) enum Notice {
    Ready,
    /// The lane could not be started, or not be restarted; it is gone.
    Gone {
        worker: u32,
        reason: String,
    },
    /// A panic that was no attempt's own, such as one of a destructor, ended the lane.
    Unwound {
        worker: u32,
    },
    /// This machine had nothing left for the lane, which is gone; others have what they need.
    Short {
        worker: u32,
        reason: String,
    },
    /// An attempt does not end, and its worker goes on without it.
    LeftBehind {
        worker: u32,
        index: u64,
        reason: String,
    },
    /// A worker process died; the lane starts another.
    WorkerDied {
        worker: u32,
        reason: String,
    },
}

/// Shards a processor: enough to part those that run at once. More would each hold so little that one of them would
/// always be running low, and wake the dispatcher.
const SHARDS_EACH: usize = 2;
/// So many reports in a shard wake the dispatcher.
const REPORTS_WAKE: usize = 256;

/// Who wakes lanes that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waking {
    /// The dispatcher wakes as many as there are new inputs. Right for async tasks: one that woke another from its own
    /// runtime thread would keep it waiting behind itself.
    Direct,
    /// The dispatcher wakes one, which wakes others if there is more to do. Right for threads: several woken at once
    /// from one processor tend to be put onto the same other one, and to share it for many milliseconds while the
    /// first falls idle.
    Chained,
}

/// So many lanes at most are woken by one that found work, so that many are woken in few steps.
const CHAINED: usize = 2;

/// How deep the dispatcher sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Sleep {
    /// It is at work and will look.
    None,
    /// It wants to be woken by what is urgent.
    Light,
    /// It wants to be woken by anything.
    Deep,
}

/// The meeting place of one job.
pub(crate) struct HandOver<I, O> {
    shards: Vec<PaddedShard<I, O>>,
    next_shard: AtomicUsize,
    waiters: Waiters,
    waking: Waking,
    closed: AtomicBool,
    notices: Mutex<Vec<Notice>>,
    noticed: AtomicBool,
    /// A [`Sleep`].
    sleep: CachePadded<AtomicU8>,
    dispatcher: Unparker,
}

/// On a cache line of its own, so that lanes at different shards do not slow each other down.
type PaddedShard<I, O> = CachePadded<Mutex<Shard<I, O>>>;

struct Shard<I, O> {
    todo: VecDeque<Assignment<I>>,
    done: Vec<Report<O>>,
    /// When no more than so many are left to do, the dispatcher should come.
    low: usize,
}

impl<I, O> HandOver<I, O> {
    pub(crate) fn new(lanes: usize, waking: Waking, dispatcher: Unparker) -> Self {
        let shard = || Shard {
            todo: VecDeque::new(),
            done: Vec::new(),
            low: 0,
        };
        Self {
            shards: (0..lanes.clamp(1, most_shards()))
                .map(|_| CachePadded::new(Mutex::new(shard())))
                .collect(),
            next_shard: AtomicUsize::new(0),
            waiters: Waiters::default(),
            waking,
            closed: AtomicBool::new(false),
            notices: Mutex::new(Vec::new()),
            noticed: AtomicBool::new(false),
            sleep: CachePadded::new(AtomicU8::new(Sleep::None as u8)),
            dispatcher,
        }
    }

    // The dispatcher's side.

    /// Spreads assignments over the shards, in order, and wakes lanes for them.
    pub(crate) fn push(&self, assignments: &mut Vec<Assignment<I>>) {
        let count = assignments.len();
        let each = count.div_ceil(self.shards.len()).max(1);
        let mut assignments = assignments.drain(..);
        while assignments.len() > 0 {
            let at = self.next_shard.fetch_add(1, Ordering::Relaxed) % self.shards.len();
            let mut shard = lock(&self.shards[at]);
            shard.todo.extend(assignments.by_ref().take(each));
            shard.low = shard.todo.len() / 4;
        }
        self.waiters.wake(match self.waking {
            Waking::Direct => count,
            Waking::Chained => 1,
        });
    }

    /// Moves all reports out of the shards.
    pub(crate) fn collect(&self, into: &mut Vec<Report<O>>) {
        for shard in &self.shards {
            into.append(&mut lock(shard).done);
        }
    }

    /// Takes back what no lane has begun.
    pub(crate) fn take_back(&self) -> Vec<Assignment<I>> {
        self.shards
            .iter()
            .flat_map(|shard| std::mem::take(&mut lock(shard).todo))
            .collect()
    }

    pub(crate) fn notices(&self) -> Vec<Notice> {
        if !self.noticed.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The dispatcher is about to sleep, or has woken. Before it sleeps it must collect once more after this.
    pub(crate) fn set_sleep(&self, sleep: Sleep) {
        self.sleep.store(sleep as u8, Ordering::SeqCst);
    }

    /// There will be nothing more to do; lanes end when they have done what they hold.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.waiters.wake(usize::MAX);
    }

    // The lanes' side.

    /// Hands in a report and takes the next input in one go, if there is one.
    pub(crate) fn exchange(&self, lane: u32, report: Report<O>) -> Option<Assignment<I>> {
        let mut shard = lock(self.own(lane));
        shard.done.push(report);
        let next = shard.todo.pop_front();
        let urgent = shard.todo.len() <= shard.low || shard.done.len() >= REPORTS_WAKE;
        drop(shard);
        self.wake_dispatcher(urgent);
        next
    }

    /// Hands in several reports at once.
    pub(crate) fn hand_in(&self, lane: u32, reports: &mut Vec<Report<O>>) {
        let mut shard = lock(self.own(lane));
        shard.done.append(reports);
        let urgent = shard.todo.len() <= shard.low || shard.done.len() >= REPORTS_WAKE;
        drop(shard);
        self.wake_dispatcher(urgent);
    }

    /// Takes up to so many inputs, and leaves as many to others as it takes from them. Does not wait; a lane that gets
    /// nothing is woken through `context` when there is something.
    pub(crate) fn take_some(
        &self,
        lane: u32,
        context: &Context<'_>,
        most: usize,
        into: &mut Vec<Assignment<I>>,
    ) -> Taken {
        if self.find_some(lane, most, into) {
            self.wake_next();
            return Taken::Some;
        }
        match self.poll_take(lane, context) {
            Poll::Ready(Some(assignment)) => {
                into.push(assignment);
                Taken::Some
            }
            Poll::Ready(None) => Taken::Closed,
            Poll::Pending => Taken::Nothing,
        }
    }

    /// The lane does not wait any more. If it was woken meanwhile, that goes on to those who do.
    pub(crate) fn stop_waiting(&self, lane: u32) {
        if !self.waiters.forget(lane) {
            self.wake_next();
        }
    }

    fn find_some(&self, lane: u32, most: usize, into: &mut Vec<Assignment<I>>) -> bool {
        let mut own = lock(self.own(lane));
        let count = own.todo.len().min(most);
        into.extend(own.todo.drain(..count));
        let urgent = own.todo.len() <= own.low;
        drop(own);
        if count > 0 {
            self.wake_dispatcher(urgent);
            return true;
        }
        let shards = self.shards.len();
        let at = lane as usize % shards;
        (at + 1..at + shards).any(|at| {
            let mut other = lock(&self.shards[at % shards]);
            let count = other.todo.len().div_ceil(2).min(most);
            into.extend(other.todo.drain(..count));
            count > 0
        })
    }

    /// Hands in a report from a lane that takes nothing more.
    pub(crate) fn hand_in_last(&self, report: Report<O>) {
        lock(self.own(report.worker)).done.push(report);
        self.wake_dispatcher(true);
    }

    /// Waits for an input; `None` when there will be none.
    pub(crate) async fn take(&self, lane: u32) -> Option<Assignment<I>> {
        std::future::poll_fn(|context| self.poll_take(lane, context)).await
    }

    pub(crate) fn notify(&self, notice: Notice) {
        self.notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(notice);
        self.noticed.store(true, Ordering::Release);
        self.dispatcher.unpark();
    }

    fn poll_take(&self, lane: u32, context: &Context<'_>) -> Poll<Option<Assignment<I>>> {
        if let Some(assignment) = self.find(lane) {
            self.wake_next();
            return Poll::Ready(Some(assignment));
        }
        self.waiters.enter(lane, context.waker());
        let found = self.find(lane);
        if found.is_some() || self.closed.load(Ordering::SeqCst) {
            self.waiters.leave(lane);
            self.wake_next();
            return Poll::Ready(found);
        }
        Poll::Pending
    }

    fn wake_next(&self) {
        if self.waking == Waking::Chained {
            let waiting: usize = self.shards.iter().map(|shard| lock(shard).todo.len()).sum();
            self.waiters.wake(waiting.min(CHAINED));
        }
    }

    fn find(&self, lane: u32) -> Option<Assignment<I>> {
        let count = self.shards.len();
        let own = lane as usize % count;
        (own..own + count).find_map(|at| lock(&self.shards[at % count]).todo.pop_front())
    }

    fn own(&self, lane: u32) -> &Mutex<Shard<I, O>> {
        &self.shards[lane as usize % self.shards.len()]
    }

    fn wake_dispatcher(&self, urgent: bool) {
        // The shard's lock, which was held just before, orders this after the dispatcher's last look at the shard.
        let sleep = self.sleep.load(Ordering::Relaxed);
        let wanted = sleep == Sleep::Deep as u8 || (urgent && sleep == Sleep::Light as u8);
        let awake = Sleep::None as u8;
        if wanted && self.sleep.swap(awake, Ordering::AcqRel) != awake {
            self.dispatcher.unpark();
        }
    }
}

fn most_shards() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get) * SHARDS_EACH
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that can panic runs under these locks; a poisoned one still holds whole values.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
