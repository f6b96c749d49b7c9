//! Decides what happens to an input next, given what happened so far.
//!
//! The ledger is pure: it starts nothing, waits for nothing and has no clock of its own. Whoever drives it says what
//! time it is (as a duration since the job's start) and what became of an attempt; it answers what to start, when to
//! look again, and when an input has come to its one final end.

mod keys;
mod pace;
mod start;

use std::{
    cell::OnceCell,
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use triway_core::{Failure, FailureKind, Plan, Retry, Status};

pub(crate) use self::start::{Start, Ticket};
use self::{
    keys::{Entry as Entered, Keys},
    pace::Pace,
};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Ok,
    Failed(Failure),
    TimedOut(Failure),
    WorkerLost(Failure),
    Cancelled,
    /// It was handed out but never begun, so it may be handed out again free of charge.
    NotStarted,
}

/// What follows from the end of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled<P> {
    /// The attempt was settled before; its end means nothing any more.
    Stale,
    /// The input waits for another attempt.
    Again { index: u64, retry: Option<Retrying> },
    /// The input is done.
    Done(Closed<P>),
}

/// An attempt failed and another follows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Retrying {
    pub attempt: u32,
    pub delay: Duration,
    pub failure: Failure,
}

/// An input at its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed<P> {
    pub payload: P,
    pub index: u64,
    pub attempts: u32,
    pub status: Status,
    pub failure: Option<Failure>,
    /// When it began to wait for its last attempt.
    pub waiting_since: Duration,
    /// When its first attempt was to begin, where there is a schedule.
    pub planned: Option<Duration>,
}

/// The books of one job. `P` is what the driver wants to keep with an input, usually the input itself.
pub(crate) struct Ledger<P> {
    retry: Retry,
    crash_retries: u32,
    at_most_once: bool,
    entries: Vec<Option<Entry<P>>>,
    free: Vec<Ticket>,
    ready: VecDeque<Ticket>,
    delayed: BinaryHeap<Reverse<(Duration, Ticket)>>,
    /// `None` as long as nothing depends on keys: the plan has no limit by key, and nobody asked to be left alone.
    keys: Option<Keys>,
    key_of: KeyOf<P>,
    pace: Option<Pace>,
    /// Those that came to their end because their key rests too long.
    running: usize,
    stopped: bool,
    shuffles: bool,
    random: fastrand::Rng,
}

/// What inputs share limits by.
pub(crate) type KeyOf<P> = Box<dyn Fn(&P) -> Option<String>>;

struct Entry<P> {
    payload: P,
    index: u64,
    attempts: u32,
    /// How many of the attempts ended with the death of their worker.
    crashes: u32,
    running: bool,
    /// Asked for when it first matters, which for most jobs is never.
    key: OnceCell<Option<String>>,
    /// Whether it was counted under its key when it started.
    counted: bool,
    waiting_since: Duration,
    /// When its first attempt was to begin, where there is a schedule.
    planned: Option<Duration>,
    last_failure: Option<Box<Failure>>,
}

impl<P> Ledger<P> {
    /// Empty books that keep the limits of `plan`; `seed` decides the jitter of retries.
    pub(crate) fn new(plan: &Plan, seed: u64, key_of: KeyOf<P>) -> Self {
        Self {
            retry: plan.retry,
            crash_retries: plan.pool.crash_retries,
            at_most_once: plan.at_most_once,
            entries: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            delayed: BinaryHeap::new(),
            keys: Keys::of(plan),
            key_of,
            pace: plan.rate.map(|rate| Pace::new(rate, plan.keep_schedule)),
            running: 0,
            stopped: false,
            shuffles: false,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Takes an input in; it waits to be started.
    pub(crate) fn admit(&mut self, now: Duration, index: u64, payload: P) {
        let entry = Entry {
            payload,
            index,
            attempts: 0,
            crashes: 0,
            running: false,
            key: OnceCell::new(),
            counted: false,
            waiting_since: now,
            planned: None,
            last_failure: None,
        };
        let ticket = if let Some(ticket) = self.free.pop() {
            self.entries[ticket as usize] = Some(entry);
            ticket
        } else {
            self.entries.push(Some(entry));
            Ticket::try_from(self.entries.len() - 1)
                .expect("fewer than 2^32 inputs are admitted at once: each needs memory")
        };
        self.ready.push_back(ticket);
    }

    /// The next attempt that may begin now, if any; it counts as running from here on.
    pub(crate) fn start(&mut self, now: Duration) -> Option<Start> {
        if self.stopped {
            return None;
        }
        self.wake(now);
        if self.pace.as_ref().is_some_and(|pace| !pace.allows(now)) {
            return None;
        }
        loop {
            let ticket = self.next_ready()?;
            if self.keys.is_some() && !self.enter(now, ticket) {
                continue;
            }
            let entry = self.entries[ticket as usize].as_mut()?;
            entry.attempts += 1;
            entry.running = true;
            self.running += 1;
            // What has had its moment of a schedule takes none from the others when it is tried again.
            if let Some(pace) = &mut self.pace
                && entry.planned.is_none()
            {
                entry.planned = pace.started(now);
            }
            return Some(Start {
                ticket,
                index: entry.index,
                attempt: entry.attempts,
            });
        }
    }

    fn next_ready(&mut self) -> Option<Ticket> {
        if self.shuffles && !self.ready.is_empty() {
            let any = self.random.usize(..self.ready.len());
            self.ready.swap(0, any);
        }
        self.ready.pop_front()
    }

    /// Whether those that are ready begin in any order, from here on.
    pub(crate) fn shuffle(&mut self, shuffles: bool) {
        self.shuffles = shuffles;
    }

    /// Books the end of an attempt.
    pub(crate) fn settle(&mut self, now: Duration, start: Start, ended: Ended) -> Settled<P> {
        let ticket = start.ticket;
        let Some(entry) = self
            .entries
            .get_mut(ticket as usize)
            .and_then(Option::as_mut)
        else {
            return Settled::Stale;
        };
        if !entry.running || (entry.index, entry.attempts) != (start.index, start.attempt) {
            return Settled::Stale;
        }
        entry.running = false;
        self.running -= 1;
        if std::mem::take(&mut entry.counted)
            && let (Some(keys), Some(Some(key))) = (&mut self.keys, entry.key.get())
            && let Some(next) = keys.leave(now, key)
        {
            self.ready.push_front(next);
        }
        let (status, failure) = match ended {
            Ended::Ok => return self.close(ticket, Status::Ok, None),
            Ended::Cancelled => return self.close_unfinished(ticket),
            Ended::NotStarted => return self.put_back(ticket),
            Ended::Failed(failure) => (Status::Failed, failure),
            Ended::TimedOut(failure) => (Status::Timeout, failure),
            Ended::WorkerLost(failure) => (Status::WorkerLost, failure),
        };
        self.let_rest(now, ticket, &failure);
        if status == Status::WorkerLost {
            return self.lose_worker(now, ticket, failure);
        }
        let entry = self.entry(ticket);
        let failed = entry.attempts - entry.crashes;
        if !failure.retryable || failed > self.retry.retries || self.at_most_once {
            return self.close(ticket, status, Some(failure));
        }
        match failure.retry_after {
            Some(wait) if wait > self.retry.longest_wait => {
                let failure = no_such_wait(failure, wait, self.retry.longest_wait);
                self.close(ticket, status, Some(failure))
            }
            _ => self.try_again(now, ticket, failure),
        }
    }

    /// Starts nothing from here on; a failed attempt is not repeated either.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// After [`Ledger::stop`]: every input that waits, closed as cancelled.
    pub(crate) fn close_waiting(&mut self) -> Vec<Closed<P>> {
        let waiting: Vec<Ticket> = (0..self.entries.len())
            .filter(|&slot| {
                self.entries[slot]
                    .as_ref()
                    .is_some_and(|entry| !entry.running)
            })
            .filter_map(|slot| Ticket::try_from(slot).ok())
            .collect();
        self.ready.clear();
        self.delayed.clear();
        let mut closed: Vec<_> = waiting
            .into_iter()
            .filter_map(|ticket| match self.close_unfinished(ticket) {
                Settled::Done(closed) => Some(closed),
                _ => None,
            })
            .collect();
        closed.sort_by_key(|closed| closed.index);
        closed
    }

    /// What was kept with an input that has not ended, to be changed.
    pub(crate) fn payload_mut(&mut self, ticket: Ticket) -> Option<&mut P> {
        let entry = self.entries.get_mut(ticket as usize)?.as_mut();
        entry.map(|entry| &mut entry.payload)
    }

    /// What was kept with an input that has not ended.
    pub(crate) fn payload(&self, ticket: Ticket) -> Option<&P> {
        self.entries
            .get(ticket as usize)?
            .as_ref()
            .map(|entry| &entry.payload)
    }

    /// Inputs taken in that have not come to their end.
    pub(crate) fn open(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Attempts begun that have not ended.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Inputs that wait for nothing but a lane or a permit.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Whether more than free lanes decide what may start, so that nothing may be handed out ahead.
    pub(crate) fn is_metered(&self) -> bool {
        self.pace.is_some() || self.keys.is_some()
    }

    /// When something that waits for its time may start, if anything does.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        if self.stopped {
            return None;
        }
        let retry = self.delayed.peek().map(|Reverse((at, _))| *at);
        let paced = match &self.pace {
            Some(pace) if !self.ready.is_empty() => Some(pace.next()),
            _ => None,
        };
        let keyed = self.keys.as_ref().and_then(Keys::wake_at);
        retry.into_iter().chain(paced).chain(keyed).min()
    }

    fn entry(&mut self, ticket: Ticket) -> &mut Entry<P> {
        self.entries[ticket as usize]
            .as_mut()
            .expect("the caller holds a ticket of an open entry")
    }

    /// Lets those become ready that have waited for their time.
    pub(crate) fn wake(&mut self, now: Duration) {
        self.wake_delayed(now);
        if let Some(keys) = &mut self.keys {
            keys.wake(now, &mut self.ready);
        }
    }

    fn wake_delayed(&mut self, now: Duration) {
        while let Some(&Reverse((at, ticket))) = self.delayed.peek()
            && at <= now
        {
            self.delayed.pop();
            self.ready.push_back(ticket);
        }
    }

    /// Whether this input may start as far as its key goes; if not, it waits with its key, or has ended.
    fn enter(&mut self, now: Duration, ticket: Ticket) -> bool {
        let (Some(keys), Some(entry)) = (&mut self.keys, &mut self.entries[ticket as usize]) else {
            return true;
        };
        let Some(key) = entry.key.get_or_init(|| (self.key_of)(&entry.payload)) else {
            return true;
        };
        match keys.enter(now, key, ticket) {
            Entered::Granted => entry.counted = true,
            Entered::Waits => return false,
        }
        true
    }

    /// Leaves the other side alone if it wants that: nobody of this input's key starts meanwhile. Where it asks for more
    /// than an input may wait, that is this input's matter alone: to fail others for it that nobody asked for would be
    /// worse than to ask.
    fn let_rest(&mut self, now: Duration, ticket: Ticket, failure: &Failure) {
        let longest = self.retry.longest_wait;
        let asked = failure.retry_after;
        let Some(wait) = asked.filter(|wait| !wait.is_zero() && *wait <= longest) else {
            return;
        };
        let Some(entry) = &self.entries[ticket as usize] else {
            return;
        };
        let Some(key) = entry.key.get_or_init(|| (self.key_of)(&entry.payload)) else {
            return;
        };
        let keys = self.keys.get_or_insert_with(Keys::unlimited);
        keys.delay(key, now + wait);
    }

    /// An input whose worker died of it may be tried again so often, and at once: a fresh worker knows nothing of it.
    fn lose_worker(&mut self, now: Duration, ticket: Ticket, failure: Failure) -> Settled<P> {
        let (most, once) = (self.crash_retries, self.at_most_once);
        let entry = self.entry(ticket);
        entry.crashes += 1;
        if entry.crashes > most || once {
            return self.close(ticket, Status::WorkerLost, Some(failure));
        }
        entry.last_failure = Some(Box::new(failure.clone()));
        entry.waiting_since = now;
        let (index, attempt) = (entry.index, entry.attempts);
        if self.stopped {
            return self.close_unfinished(ticket);
        }
        self.ready.push_back(ticket);
        let retry = Retrying {
            attempt,
            delay: Duration::ZERO,
            failure,
        };
        Settled::Again {
            index,
            retry: Some(retry),
        }
    }

    fn put_back(&mut self, ticket: Ticket) -> Settled<P> {
        let entry = self.entry(ticket);
        entry.attempts -= 1;
        let index = entry.index;
        if self.stopped {
            return self.close_unfinished(ticket);
        }
        self.ready.push_front(ticket);
        Settled::Again { index, retry: None }
    }

    fn try_again(&mut self, now: Duration, ticket: Ticket, failure: Failure) -> Settled<P> {
        let attempt = self.entry(ticket).attempts;
        let asked = failure.retry_after.unwrap_or_default();
        let delay = self.backoff(attempt).max(asked);
        let entry = self.entry(ticket);
        entry.last_failure = Some(Box::new(failure.clone()));
        entry.waiting_since = now;
        let index = entry.index;
        if self.stopped {
            return self.close_unfinished(ticket);
        }
        self.delayed.push(Reverse((now + delay, ticket)));
        Settled::Again {
            index,
            retry: Some(Retrying {
                attempt,
                delay,
                failure,
            }),
        }
    }

    /// Exponential, capped, and anywhere in its upper half, so that inputs that failed together part.
    fn backoff(&mut self, attempt: u32) -> Duration {
        let doubled = 2u32.saturating_pow(attempt.saturating_sub(1));
        let most = self.retry.base.saturating_mul(doubled).min(self.retry.cap);
        most.mul_f64(0.5 + self.random.f64() / 2.0)
    }

    fn close_unfinished(&mut self, ticket: Ticket) -> Settled<P> {
        let message = match self.entry(ticket).last_failure.take() {
            Some(last) => {
                format!("the job was stopped before another attempt; the last failed with {last}")
            }
            None => "the job was stopped before this input was done".to_owned(),
        };
        let failure = Failure::new(FailureKind::CANCELLED, message);
        self.close(ticket, Status::Cancelled, Some(failure))
    }

    fn close(&mut self, ticket: Ticket, status: Status, failure: Option<Failure>) -> Settled<P> {
        let Some(entry) = self.entries[ticket as usize].take() else {
            return Settled::Stale;
        };
        self.free.push(ticket);
        Settled::Done(Closed {
            payload: entry.payload,
            index: entry.index,
            attempts: entry.attempts,
            status,
            failure,
            waiting_since: entry.waiting_since,
            planned: entry.planned,
        })
    }
}

/// A failure that no other attempt follows, because that would have to wait for too long.
fn no_such_wait(mut failure: Failure, wait: Duration, longest: Duration) -> Failure {
    failure.retryable = false;
    failure.message.push_str(&format!(
        "; another attempt was to wait for {wait:?}, longer than the {longest:?} that it may"
    ));
    failure
}

#[cfg(test)]
mod tests;
