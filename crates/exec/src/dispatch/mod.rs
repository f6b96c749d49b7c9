//! Drives one job: pulls inputs, hands them to lanes, books what the lanes report, delivers outcomes.
//!
//! All of it happens on one thread, round after round; between rounds it sleeps until a lane, the source, the control
//! or a timer wakes it. What to do with an input next is the ledger's decision alone.

mod changing;
mod intake;
mod recording;
mod shortage;
mod steering;
mod stopping;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

pub(crate) use self::steering::Steering;
use self::steering::Whole;
use crossbeam_utils::sync::Parker;
use triway_core::{Event, Failure, FailureKind, Outcome, Plan, StopReason, Task, Tried};

use crate::{
    ahead::Ahead,
    control::Control,
    delivery::Delivery,
    hand_over::{Assignment, End, Notice, Report, Sleep},
    journal::Recorder,
    lane::{Closing, Shared},
    lanes::Lanes,
    ledger::{Closed, Ended, Ledger, Settled, Start},
    sink::Sink,
    source::{Source, Supply, Wake},
    summary::Summary,
};

/// Inputs that wait for a retry or for their key, at most, besides those that wait for a lane.
const WAITING: usize = 16_384;
/// Inputs pulled in one go.
const PULL: usize = 1024;
/// How long a sleep stays light: less than the lanes' stock lasts ([`crate::ahead`]), and no delay that anybody sees.
/// Each waking takes a processor from a lane for some microseconds.
const NAP: Duration = Duration::from_millis(2);
/// How often a cancellation token is looked at, and an aborted job cleaned up after.
const TICK: Duration = Duration::from_millis(10);

pub(crate) struct Dispatcher<T: Task, S> {
    plan: Plan,
    shared: Arc<Shared<T>>,
    lanes: Lanes<T>,
    ledger: Ledger<Held<T::Input>>,
    source: Box<dyn Source<T::Input>>,
    delivery: Delivery<T, S>,
    control: Control,
    recorder: Option<Recorder<T>>,
    parker: Parker,
    ahead: Ahead,
    steering: Option<Steering>,
    /// Lets the lanes go when the job ends, also when it ends by a panic of the caller's own code.
    closing: Closing<T>,

    supply: Supply,
    next_index: u64,
    held_bytes: usize,
    seen_bytes: u64,
    most_lanes: usize,
    /// How many inputs may run at once where this machine did not give enough for all lanes.
    most_at_once: usize,
    progress: Progress,
    next_watch: Duration,
    drain_until: Option<Duration>,
    napped: bool,

    pulled: Vec<T::Input>,
    reports: Vec<Report<T::Output>>,
    assignments: Vec<Assignment<T::Input>>,
}

/// How far the job has come.
#[derive(Default)]
struct Progress {
    lanes_began: Option<Duration>,
    lanes_ready: usize,
    lanes_peak: usize,
    ready: Option<Duration>,
    last_end: Duration,
    abandoned: u64,
    stopped: Option<StopReason>,
    unreadable: Option<StopReason>,
}

/// What a dispatcher is made of.
pub(crate) struct Parts<T: Task, S> {
    pub plan: Plan,
    pub shared: Arc<Shared<T>>,
    pub lanes: Lanes<T>,
    pub source: Box<dyn Source<T::Input>>,
    pub sink: S,
    pub control: Control,
    pub recorder: Option<Recorder<T>>,
    pub parker: Parker,
    pub steering: Option<Steering>,
}

impl<T: Task, S: Sink<T>> Dispatcher<T, S> {
    pub(crate) fn new(parts: Parts<T, S>) -> Self {
        let Parts {
            plan,
            shared,
            lanes,
            mut source,
            sink,
            control,
            recorder,
            parker,
            steering,
        } = parts;
        source.attach(Wake::new(parker.unparker().clone()));
        control.attach(parker.unparker().clone());
        let task = Arc::clone(&shared.task);
        let key_of = move |held: &Held<T::Input>| task.key(&held.input);
        Self {
            ledger: Ledger::new(&plan, fastrand::u64(..), Box::new(key_of)),
            delivery: Delivery::new(Arc::clone(&shared.task), sink, &plan),
            most_lanes: plan.concurrency.get(),
            most_at_once: usize::MAX,
            plan,
            closing: Closing::of(&shared),
            shared,
            lanes,
            steering,
            source,
            control,
            recorder,
            parker,
            ahead: Ahead::new(),
            supply: Supply::Ready,
            next_index: 0,
            held_bytes: 0,
            seen_bytes: 0,
            progress: Progress::default(),
            next_watch: Duration::ZERO,
            drain_until: None,
            napped: false,
            pulled: Vec::new(),
            reports: Vec::new(),
            assignments: Vec::new(),
        }
    }

    /// Runs the job to its end. Blocks.
    pub(crate) fn run(mut self) -> (S, Summary) {
        self.ledger.shuffle(self.mixed() > 0);
        self.keep_room();
        loop {
            let mut busy = self.round();
            if self.is_finished() {
                return self.close();
            }
            busy |= self.steer();
            if busy {
                self.napped = false;
                self.shared.hand_over.set_sleep(Sleep::None);
            } else {
                self.rest();
            }
        }
    }

    fn round(&mut self) -> bool {
        let heard = self.hear_notices();
        let settled = self.settle_reports();
        let heeded = self.heed();
        let refilled = self.refill();
        let grown = self.grow();
        let handed = self.hand_out();
        self.watch();
        self.commit();
        heard || settled || heeded || refilled || grown || handed
    }

    fn is_finished(&self) -> bool {
        let no_more = self.supply == Supply::Exhausted || self.progress.stopped.is_some();
        no_more && self.ledger.open() == 0
    }

    // What the lanes say.

    fn hear_notices(&mut self) -> bool {
        let notices = self.shared.hand_over.notices();
        let heard = !notices.is_empty();
        let mut short = Vec::new();
        for notice in notices {
            match notice {
                Notice::Ready => self.progress.lanes_ready += 1,
                Notice::WorkerDied { worker, reason } => {
                    self.delivery.event(&Event::WorkerDied { worker, reason });
                }
                Notice::LeftBehind {
                    worker,
                    index,
                    reason,
                } => self.note_left_behind(worker, index, reason),
                Notice::Gone { worker, reason } => self.lose_lane(worker, reason),
                // Another takes its place when there is something to do for it.
                Notice::Unwound { worker } => self.lanes.remove(worker),
                Notice::Short { worker, reason } => short.push((worker, reason)),
            }
        }
        self.lose_short_lanes(short);
        heard
    }

    fn lose_lane(&mut self, worker: u32, reason: String) {
        self.lanes.remove(worker);
        self.most_lanes = self.lanes.len();
        if self.lanes.len() == 0 {
            self.lose_all_lanes(reason);
        } else {
            self.say_fewer_lanes(self.lanes.len(), reason);
        }
    }

    fn settle_reports(&mut self) -> bool {
        self.shared.hand_over.collect(&mut self.reports);
        if self.reports.is_empty() {
            return false;
        }
        let reports = std::mem::take(&mut self.reports);
        let now = self.shared.clock.now();
        self.ahead.ended(reports.len(), now);
        let ahead = !self.ledger.is_metered();
        self.settle_all(now, reports);
        if ahead && self.ledger.is_metered() {
            // Somebody asked to be left alone, for the first time: what was handed out ahead may be for the same side.
            self.take_back(now);
        }
        true
    }

    fn settle(&mut self, now: Duration, report: Report<T::Output>) {
        let (ended, output) = match report.end {
            End::Ok(output) => (Ended::Ok, Some(output)),
            // A task that looks whether its job was aborted may say so before it is given up.
            End::Failed(failed)
                if failed.0.kind == FailureKind::CANCELLED
                    && self.shared.cancelled.load(Ordering::Relaxed) =>
            {
                (Ended::Cancelled, None)
            }
            End::Failed(failed) => (Ended::Failed(failed.0), failed.1),
            End::TimedOut(late) => (Ended::TimedOut(late.0), late.1),
            End::WorkerLost(failure) => (Ended::WorkerLost(*failure), None),
            End::Cancelled => (Ended::Cancelled, None),
            End::NotStarted => (Ended::NotStarted, None),
        };
        let times = Times {
            worker: report.worker,
            started: report.started,
            ended: report.ended,
            cpu: report.cpu,
        };
        self.book(now, report.start, ended, output, Some(times));
    }

    fn book(
        &mut self,
        now: Duration,
        start: Start,
        ended: Ended,
        output: Option<T::Output>,
        times: Option<Times>,
    ) {
        match self.ledger.settle(now, start, ended) {
            Settled::Stale => {}
            Settled::Done(closed) => self.finish(closed, output, times),
            Settled::Again { index, retry } => {
                if let Some(retry) = retry {
                    self.note_tried(start, &retry.failure, times);
                    self.delivery.event(&Event::Retrying {
                        index,
                        attempt: retry.attempt,
                        delay: retry.delay,
                        failure: retry.failure,
                    });
                }
            }
        }
    }

    /// Keeps a failed attempt with its input, for the outcome.
    fn note_tried(&mut self, start: Start, failure: &Failure, times: Option<Times>) {
        if let (Some(times), Some(held)) = (times, self.ledger.payload_mut(start.ticket)) {
            let run = times.ended.saturating_sub(times.started);
            let tried = Tried::new(failure.clone(), times.worker, times.started, run);
            held.tried.push(tried);
        }
    }

    fn finish(
        &mut self,
        closed: Closed<Held<T::Input>>,
        output: Option<T::Output>,
        times: Option<Times>,
    ) {
        let Held {
            input,
            bytes,
            tried,
        } = closed.payload;
        self.held_bytes -= bytes;
        let started = times.map_or(Duration::ZERO, |times| times.started);
        let ended = times.map_or(Duration::ZERO, |times| times.ended);
        self.progress.last_end = self.progress.last_end.max(ended);
        let mut outcome = Outcome::new(closed.index, input, closed.status);
        outcome.output = output;
        outcome.error = closed.failure;
        outcome.attempts = closed.attempts;
        outcome.worker = times.map(|times| times.worker);
        outcome.started = started;
        outcome.queued = started.saturating_sub(closed.waiting_since);
        outcome.run = ended.saturating_sub(started);
        outcome.cpu = times.and_then(|times| times.cpu);
        outcome.planned = closed.planned;
        outcome.tried = tried;
        self.delivery.settled(&outcome);
        self.deliver(outcome);
    }

    // What the lanes get.

    /// As many lanes as there is something to do for, up to the plan's concurrency.
    fn grow(&mut self) -> bool {
        if self.lanes.len() == 0 {
            // All that there is may have waited since the stretch before this one, and no lane asks whether it still has to.
            self.ledger.wake(self.shared.clock.now());
        }
        let wanted = self
            .most_lanes
            .min(self.most_handed_out())
            .min(self.ledger.running() + self.ledger.ready());
        if self.lanes.len() >= wanted || self.progress.stopped.is_some() {
            return false;
        }
        self.progress
            .lanes_began
            .get_or_insert(self.shared.clock.now());
        while self.lanes.len() < wanted {
            if let Err(error) = self.lanes.add() {
                self.most_lanes = self.lanes.len();
                if self.most_lanes == 0 {
                    self.lose_all_lanes(error.to_string());
                } else {
                    self.say_fewer_lanes(self.lanes.len(), error.to_string());
                }
                break;
            }
        }
        self.progress.lanes_peak = self.progress.lanes_peak.max(self.lanes.len());
        true
    }

    fn say_fewer_lanes(&mut self, got: usize, reason: String) {
        self.delivery.event(&Event::FewerLanes {
            wanted: self.wanted_at_once().get(),
            got,
            reason,
        });
    }

    fn hand_out(&mut self) -> bool {
        if !self.lanes_are_ready() {
            return false;
        }
        let now = self.shared.clock.now();
        let limit = self.most_running();
        while self.ledger.running() < limit
            && self.may_start()
            && let Some(start) = self.ledger.start(now)
        {
            self.note_started(1, 0);
            if let Some(held) = self.ledger.payload(start.ticket) {
                let input = held.input.clone();
                self.assignments.push(Assignment { start, input });
            }
        }
        let any = !self.assignments.is_empty();
        if any {
            self.shared.hand_over.push(&mut self.assignments);
        }
        any
    }

    /// Puts what no lane has begun back among those that wait.
    fn take_back(&mut self, now: Duration) {
        let taken_back = self.shared.hand_over.take_back();
        self.note_started(0, taken_back.len());
        for assignment in taken_back.into_iter().rev() {
            self.book(now, assignment.start, Ended::NotStarted, None, None);
        }
    }

    /// How many inputs may be handed out and unfinished. Nothing is handed out ahead where more than free lanes decide
    /// what may start.
    fn most_running(&self) -> usize {
        let most = match self.ledger.is_metered() {
            true => self.lanes.len(),
            false => self.aim(),
        };
        most.min(self.most_handed_out())
    }

    /// The first inputs wait until all lanes that they need are there, so that steady work begins at one moment.
    fn lanes_are_ready(&mut self) -> bool {
        if self.progress.ready.is_some() {
            return true;
        }
        let Some(began) = self.progress.lanes_began else {
            return false;
        };
        if self.lanes.len() == 0 || self.progress.lanes_ready < self.lanes.announced() {
            return false;
        }
        let now = self.shared.clock.now();
        self.progress.ready = Some(now);
        self.delivery.event(&Event::Ready {
            lanes: self.lanes.len(),
            startup: now - began,
        });
        true
    }

    // What outlasts its time limit.

    fn watch(&mut self) {
        let Some(limit) = self.plan.timeout else {
            return;
        };
        let now = self.shared.clock.now();
        if now < self.next_watch {
            return;
        }
        let overdue = self.lanes.overdue(now, limit);
        let mut any = false;
        for (worker, running) in overdue {
            let reason = self.lanes.held_by(running);
            if !self.lanes.abandon(worker, running) {
                continue;
            }
            any = true;
            let mut failure = self.shared.overdue();
            failure.message = format!("{}; {reason}, so it was left behind", failure.message);
            self.note_left_behind(worker, running.index, reason);
            self.give_up(worker, running, Ended::TimedOut(failure));
        }
        if any {
            self.lanes.use_spare_runtime(&self.plan);
        }
        let latest = now + limit + self.plan.grace;
        self.next_watch = self.lanes.next_overdue(limit).unwrap_or(latest).min(latest);
    }

    fn note_left_behind(&mut self, worker: u32, index: u64, reason: String) {
        self.progress.abandoned += 1;
        self.delivery.event(&Event::Abandoned {
            index,
            worker,
            reason,
        });
    }

    // Between the rounds.

    fn rest(&mut self) {
        let sleep = if self.napped {
            Sleep::Deep
        } else {
            Sleep::Light
        };
        self.shared.hand_over.set_sleep(sleep);
        self.shared.hand_over.collect(&mut self.reports);
        if !self.reports.is_empty() {
            return;
        }
        let now = self.shared.clock.now();
        let nap = (!self.napped).then_some(now + NAP);
        let stirring =
            self.drain_until.is_some() || self.progress.stopped == Some(StopReason::Aborted);
        let tick = (stirring || self.control.must_be_polled()).then_some(now + TICK);
        let watch = self.plan.timeout.map(|_| self.next_watch);
        // What is due but finds no lane free is started when one reports; a timer for it would only spin.
        let is_free = self.lanes.len() == 0 || self.ledger.running() < self.most_running();
        let due = match is_free && self.may_start() {
            true => self.ledger.wake_at(),
            false => None,
        };
        let times = [nap, tick, watch, due, self.next_look()];
        self.napped = true;
        match times.into_iter().flatten().min() {
            Some(until) => self.parker.park_timeout(until.saturating_sub(now)),
            None => self.parker.park(),
        }
    }

    fn close(mut self) -> (S, Summary) {
        self.close_journal();
        let none = Lanes::none(Arc::clone(&self.shared));
        let told = std::mem::replace(&mut self.lanes, none).close();
        let at_once = self.most_lanes.min(self.most_handed_out());
        let concurrency = self.wanted_at_once();
        let Whole {
            startup,
            wall,
            told,
            lanes_peak,
            abandoned,
        } = self.conclude(told);
        let progress = self.progress;
        let counts = self.delivery.counts();
        let unread = self.supply != Supply::Exhausted || progress.unreadable.is_some();
        let summary = Summary {
            model: self.plan.model,
            concurrency,
            lanes: lanes_peak,
            at_once,
            admitted: self.next_index,
            succeeded: counts.succeeded,
            failed: counts.failed,
            earlier: counts.earlier,
            cancelled: counts.cancelled,
            undelivered: counts.undelivered,
            startup,
            wall,
            stopped: progress.stopped.or(progress.unreadable),
            unread_from: unread.then_some(self.next_index),
            abandoned,
            worker_peak_memory_bytes: told.map(|told| told.peak_bytes),
            inside: told.and_then(|told| told.inside),
        };
        (self.delivery.into_sink(), summary)
    }
}

/// An admitted input, what it weighed when it came, and its attempts that failed.
struct Held<I> {
    input: I,
    bytes: usize,
    tried: Vec<Tried>,
}

/// When an attempt ran, and where.
#[derive(Clone, Copy)]
struct Times {
    worker: u32,
    started: Duration,
    ended: Duration,
    cpu: Option<Duration>,
}
