//! The changes of a job's model on the way: when a stretch is over, and how the next one begins.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    },
    time::Duration,
};

use triway_core::{StopReason, Task};

use super::{
    Dispatcher, Progress,
    steering::{Past, Whole, joined},
};
use crate::{
    ahead::Ahead,
    hand_over::HandOver,
    lane::{Closing, Shared},
    lanes::{Kind, Lanes},
    refusal::Refusal,
    sink::Sink,
    source::Supply,
    stretch::{Asked, Course, Ran, Stretch},
    worker_process::Told,
};

/// Among how many inputs those that begin are chosen, where they begin in any order.
const MIXED: usize = 4096;
/// Whoever watches is told that lanes starve from this part of the time on: a pause of the reader now and then is none.
const STARVED: u32 = 10;

impl<T: Task, S: Sink<T>> Dispatcher<T, S> {
    /// Among how many inputs those that begin are chosen, where they begin in any order.
    pub(super) fn mixed(&self) -> usize {
        let shuffled = self.steering.as_ref().is_some_and(|it| it.stretch.shuffled);
        if shuffled { MIXED } else { 0 }
    }

    /// Whether another attempt may be started, as far as the stretch goes.
    pub(super) fn may_start(&self) -> bool {
        self.steering.as_ref().is_none_or(|it| it.left() > 0)
    }

    /// Counts attempts that were handed out, or were put back.
    pub(super) fn note_started(&mut self, more: usize, fewer: usize) {
        if let Some(steering) = &mut self.steering {
            steering.started += more as u64;
            steering.started = steering.started.saturating_sub(fewer as u64);
        }
    }

    /// How many inputs are to run at once.
    pub(super) fn wanted_at_once(&self) -> NonZeroUsize {
        let lanes = self.plan.concurrency;
        self.fewer_at_once().map_or(lanes, |fewer| fewer.min(lanes))
    }

    /// How many may at most be handed out, running or not, where something else than lanes says that: this stretch, or that this
    /// machine did not give enough.
    pub(super) fn most_handed_out(&self) -> usize {
        let fewer = self.fewer_at_once().map_or(usize::MAX, NonZeroUsize::get);
        self.most_at_once.min(fewer)
    }

    fn fewer_at_once(&self) -> Option<NonZeroUsize> {
        self.steering.as_ref().and_then(|it| it.stretch.at_once)
    }

    /// When the stretch wants to be looked at: not any more where the job was stopped, and only ends what has begun.
    pub(super) fn next_look(&self) -> Option<Duration> {
        let steering = self.steering.as_ref().filter(|it| !it.ends)?;
        if self.progress.stopped.is_some() {
            return None;
        }
        // All that may begin may have been handed out, and not all of that have begun.
        let began = steering.since.or(self.progress.ready);
        let end = began.zip(steering.stretch.most_time);
        let end = end.map(|(began, most)| began + most);
        let watch = steering.next_watch.filter(|_| steering.left() > 0);
        end.into_iter().chain(watch).min()
    }

    /// Sees to it that the stretch ends when it is time, and that the next one begins. Says whether anything changed.
    pub(super) fn steer(&mut self) -> bool {
        if self.steering.is_none() || self.progress.stopped.is_some() {
            return false;
        }
        self.notice_starving();
        self.watch_stretch();
        let over = self.steering.as_ref().is_some_and(|it| it.left() == 0);
        if !over || self.ledger.running() > 0 || self.is_finished() {
            return false;
        }
        self.change();
        true
    }

    fn notice_starving(&mut self) {
        let starves = self.progress.ready.is_some()
            && self.supply == Supply::Pending
            && self.ledger.running() < self.lanes.len().min(self.most_handed_out())
            && self.ledger.ready() == 0;
        if let Some(steering) = &mut self.steering {
            let starves = starves && steering.left() > 0;
            steering.starving.note(|| self.shared.clock.now(), starves);
        }
    }

    /// Ends the stretch if its time is up, or if whoever watches it wants that.
    fn watch_stretch(&mut self) {
        let Some(ready) = self.progress.ready else {
            return;
        };
        let now = self.shared.clock.now();
        let nothing_to_begin = self.supply == Supply::Exhausted && self.ledger.ready() == 0;
        let Some(steering) = self.steering.as_mut().filter(|it| !it.ends) else {
            return;
        };
        let began = steering.since.unwrap_or(ready);
        let mut ends = steering
            .stretch
            .most_time
            .is_some_and(|most| now >= began + most);
        if let Some(every) = steering.stretch.watch {
            let at = *steering.next_watch.get_or_insert(began + every);
            if now >= at {
                steering.next_watch = Some(now + every);
                let starved = steering.starving.so_far(now) - steering.starved_before;
                steering.starved_before += starved;
                let starved = starved > every / STARVED || nothing_to_begin;
                ends |= (steering.pilot)(Asked::Watching { starved }) != Course::Stay;
            }
        }
        if ends {
            steering.ends = true;
            // What no lane has begun is for the next stretch.
            self.take_back(now);
        }
    }

    /// The last lane is gone, or none could be had.
    pub(super) fn lose_all_lanes(&mut self, reason: String) {
        let dispensable = self.steering.as_mut();
        match dispensable.filter(|it| it.stretch.dispensable) {
            None => {
                self.stop(StopReason::NoLanes(reason));
            }
            Some(steering) => {
                steering.refused = Some(reason);
                steering.ends = true;
                self.take_back(self.shared.clock.now());
            }
        }
    }

    /// Asks how to go on, and begins that; lets the lanes go before, unless the next stretch has the same.
    fn change(&mut self) {
        if self.keeps_lanes() {
            return;
        }
        let mut ran = self.end_stretch();
        loop {
            let Some(steering) = &mut self.steering else {
                return;
            };
            match (steering.pilot)(Asked::Ended(&ran)) {
                // Nothing is there that could stay as it is.
                Course::End | Course::Stay => {
                    self.stop(StopReason::Enough);
                    return;
                }
                Course::Next(stretch) => match self.begin_stretch(*stretch) {
                    Ok(()) => return,
                    Err(refusal) => {
                        ran = Ran {
                            refused: Some(refusal.to_string()),
                            ..self.nothing()
                        }
                    }
                },
            }
        }
    }

    /// Goes on with the lanes that there are, where these are what is wanted: it may take seconds to start others.
    fn keeps_lanes(&mut self) -> bool {
        // With none left there is nothing to go on with, and why is told at the end.
        let wanted = self.most_lanes.min(self.most_handed_out()).max(1);
        if self.progress.ready.is_none() || self.lanes.len() < wanted {
            return false;
        }
        let ran = self.ran(None);
        let now = self.shared.clock.now();
        let Some(steering) = &mut self.steering else {
            return false;
        };
        let Course::Next(stretch) = (steering.pilot)(Asked::Idle(&ran)) else {
            return false;
        };
        if self.plan.shaped_as(&stretch.plan) != self.plan {
            return false;
        }
        self.ledger.shuffle(stretch.shuffled);
        steering.past.startup += ran.startup;
        steering.begin_next(*stretch, Some(now));
        self.keep_room();
        true
    }

    /// Closes the lanes, which reaps worker processes, and tells what came of the stretch.
    fn end_stretch(&mut self) -> Ran {
        let none = Lanes::none(Arc::clone(&self.shared));
        let told = std::mem::replace(&mut self.lanes, none).close();
        let ran = self.ran(told);
        let progress = &mut self.progress;
        let fresh = Progress {
            last_end: progress.last_end,
            stopped: progress.stopped.take(),
            unreadable: progress.unreadable.take(),
            ..Progress::default()
        };
        let ended = std::mem::replace(progress, fresh);
        if let Some(steering) = &mut self.steering {
            let past = &mut steering.past;
            past.startup += ran.startup;
            past.began = past.began.or(ended.lanes_began);
            past.told = joined(past.told, told);
            past.lanes_peak = past.lanes_peak.max(ended.lanes_peak);
            past.abandoned += ended.abandoned;
        }
        ran
    }

    fn ran(&mut self, told: Option<Told>) -> Ran {
        let refused = self.steering.as_mut().and_then(|it| it.refused.take());
        let progress = &self.progress;
        let kept = self.steering.as_ref().and_then(|it| it.since);
        let ready = kept.or(progress.ready).unwrap_or_default();
        let began = kept.or(progress.lanes_began).unwrap_or(ready);
        Ran {
            ready,
            startup: ready.saturating_sub(began),
            wall: progress.last_end.saturating_sub(ready),
            started: self.steering.as_ref().map_or(0, |it| it.started),
            at_once: self.most_lanes.min(self.most_handed_out()),
            starved: self.steering.as_ref().map_or(Duration::ZERO, |it| {
                it.starving.so_far(self.shared.clock.now())
            }),
            refused,
            worker_peak_memory_bytes: told.map(|told| told.peak_bytes),
            inside: told.and_then(|told| told.inside),
            ..self.nothing()
        }
    }

    /// A stretch of which nothing came.
    fn nothing(&self) -> Ran {
        Ran {
            refused: None,
            ready: Duration::ZERO,
            startup: Duration::ZERO,
            wall: Duration::ZERO,
            started: 0,
            at_once: 0,
            starved: Duration::ZERO,
            exhausted: self.supply == Supply::Exhausted && self.ledger.open() == 0,
            stopped: self.progress.stopped.is_some(),
            worker_peak_memory_bytes: None,
            inside: None,
        }
    }

    /// Tells the pilot of the last stretch; gives what all of them add up to.
    pub(super) fn conclude(&mut self, told: Option<Told>) -> Whole {
        let ran = self.ran(told);
        let began = self.progress.lanes_began;
        let mut past = Past::default();
        if let Some(mut steering) = self.steering.take() {
            (steering.pilot)(Asked::Ended(&ran));
            steering.shut_down();
            past = steering.past;
        }
        let startup = past.startup + ran.startup;
        let began = past.began.or(began).unwrap_or_default();
        let end = self.progress.last_end;
        Whole {
            startup,
            wall: end.saturating_sub(began).saturating_sub(startup),
            told: joined(past.told, told),
            lanes_peak: past.lanes_peak.max(self.progress.lanes_peak),
            abandoned: past.abandoned + self.progress.abandoned,
        }
    }

    fn begin_stretch(&mut self, stretch: Stretch) -> Result<(), Refusal> {
        let plan = self.plan.shaped_as(&stretch.plan);
        plan.check()?;
        let kind = Kind::for_task(&plan, &*self.shared.task)?;
        let shared = Arc::new(Shared {
            task: Arc::clone(&self.shared.task),
            hand_over: HandOver::new(
                kind.takers(&plan),
                kind.waking(),
                self.parker.unparker().clone(),
            ),
            clock: self.shared.clock.clone(),
            control: self.shared.control.clone(),
            at_most_once: plan.at_most_once,
            timeout: plan.timeout,
            grace: plan.grace,
            cancelled: AtomicBool::new(false),
            lanes: AtomicUsize::new(0),
        });
        let host = match &mut self.steering {
            Some(steering) => steering.host(kind, &plan)?,
            None => None,
        };
        self.lanes = Lanes::new(kind, &plan, Arc::clone(&shared), host)?;
        self.closing = Closing::of(&shared);
        self.shared = shared;
        self.most_lanes = plan.concurrency.get();
        self.most_at_once = usize::MAX;
        self.ahead = Ahead::new();
        self.plan = plan;
        self.ledger.shuffle(stretch.shuffled);
        if let Some(steering) = &mut self.steering {
            steering.begin_next(stretch, None);
        }
        // Far more may run at once than before.
        self.keep_room();
        Ok(())
    }
}
