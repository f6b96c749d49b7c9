//! The parent's side of one worker: starts it, keeps it supplied with inputs, settles what it says, replaces it when it
//! dies. All of it happens on one thread, which sleeps on the worker's socket.

mod bell;
mod blame;
mod lateness;
mod running;
mod size;
mod window;

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    task::Context,
    time::{Duration, Instant},
};

use triway_core::Task;

use self::{
    bell::Bell,
    blame::{Fate, Verdict},
    running::{Answer, Heard, Running},
    size::Size,
};
use super::setup::Setup;
use crate::{
    clock::Moment,
    hand_over::{Assignment, End, Notice, Report, Taken},
    lane::Shared,
    restart::{LinkError, Woken},
    worker_process::{Told, WorkerProcess},
};

/// How often in a row a worker may fail to start, or end without having done anything.
const TRIES: usize = 3;
/// A task that keeps its own deadline may answer that much later before its process is ended.
const ANSWER_SLACK: Duration = Duration::from_millis(50);
/// A worker that says nothing for so long may sit on outcomes, or on inputs that others could do.
const SILENCE: Duration = Duration::from_millis(5);
/// For how long a worker that was stopped from outside is given a look now and then, at most.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What one bridge has of its worker process.
pub(super) struct Bridge<T: Task> {
    shared: Arc<Shared<T>>,
    setup: Arc<Setup<T>>,
    process: Arc<WorkerProcess>,
    /// Which of the job's bridges this is; its slots have the workers' numbers from `first_worker` on.
    desk: u32,
    first_worker: u32,
    /// Made with the first worker, because descriptors may be few.
    bell: Option<Arc<Bell>>,
    size: Size,
    running: Option<Running<T>>,
    /// Inputs that were running when a worker with several slots died; each runs again alone.
    suspects: VecDeque<Assignment<T::Input>>,
    /// How many workers in a row ended and left nothing to show for it.
    barren: usize,
    /// Whether the hand-over would wake this bridge for new work.
    waits: bool,
    taken: Vec<Assignment<T::Input>>,
    reports: Vec<Report<T::Output>>,
}

/// Whether a bridge goes on.
enum Next {
    On,
    /// There will be nothing more to do.
    Done,
    /// There is no worker, and there will be none.
    Gone(String),
}

impl<T: Task> Bridge<T> {
    pub(super) fn new(
        shared: Arc<Shared<T>>,
        setup: Arc<Setup<T>>,
        process: Arc<WorkerProcess>,
        desk: u32,
        first_worker: u32,
    ) -> Self {
        Self {
            shared,
            size: Size::new(setup.pool.batch),
            setup,
            process,
            desk,
            first_worker,
            bell: None,
            running: None,
            suspects: VecDeque::new(),
            barren: 0,
            waits: false,
            taken: Vec::new(),
            reports: Vec::new(),
        }
    }

    /// Works until there is nothing more to do, or no worker to do it. Gives what is known of the processes of
    /// this bridge. Blocks.
    pub(super) fn serve(mut self) -> Told {
        let slots = self.setup.slots;
        let ended = match self.start(slots) {
            Err(reason) => Next::Gone(reason),
            Ok(()) => {
                self.shared.hand_over.notify(Notice::Ready);
                self.work()
            }
        };
        if let Next::Gone(reason) = ended {
            let worker = self.first_worker;
            self.shared
                .hand_over
                .notify(Notice::Gone { worker, reason });
        }
        self.leave(self.shared.grace);
        self.process.told()
    }

    fn work(&mut self) -> Next {
        loop {
            match self.supply() {
                Next::On => {}
                end => return end,
            }
            let woken = self.wait();
            self.listen(woken);
            self.watch();
            self.hand_in();
        }
    }

    // What the worker gets.

    fn supply(&mut self) -> Next {
        let wanted = self.slots_wanted();
        if let Some(running) = &self.running
            && running.is_idle()
            && (running.slots() != wanted || running.is_worn_out(self.setup.pool.recycle))
        {
            self.leave(self.shared.grace);
        }
        self.stop_waiting();
        // Until there is no room, or nothing: only who has found nothing is told when there is more.
        loop {
            let wanted = self.slots_wanted();
            let room = self.room(wanted);
            if room == 0 {
                return Next::On;
            }
            match self.take(room) {
                Taken::Some => match self.give(wanted) {
                    Next::On if !self.shared.cancelled.load(Ordering::Relaxed) => {}
                    next => return next,
                },
                Taken::Nothing => return Next::On,
                Taken::Closed if self.running.as_ref().is_none_or(Running::is_idle) => {
                    return Next::Done;
                }
                Taken::Closed => return Next::On,
            }
        }
    }

    /// A suspect runs alone.
    fn slots_wanted(&self) -> usize {
        match self.suspects.is_empty() {
            true => self.setup.slots,
            false => 1,
        }
    }

    /// How many inputs the worker could have now. A batch is fetched when half of what it may have is done.
    fn room(&self, wanted: usize) -> usize {
        let most = match self.suspects.is_empty() {
            true => wanted * self.size.per_slot(),
            false => 1,
        };
        let recycle = self.setup.pool.recycle;
        let Some(running) = &self.running else {
            return running::left_of(recycle, 0).min(most);
        };
        if running.slots() != wanted || running.is_asked() {
            return 0;
        }
        let room = most.saturating_sub(running.len());
        let room = room.min(running.left(recycle));
        let worthwhile = running.len() * 2 <= most || running.len() < wanted;
        if worthwhile { room } else { 0 }
    }

    fn take(&mut self, room: usize) -> Taken {
        if let Some(suspect) = self.suspects.pop_front() {
            self.taken.push(suspect);
            return Taken::Some;
        }
        let Some(bell) = &self.bell else {
            return Taken::Nothing;
        };
        let waker = bell.waker();
        let context = Context::from_waker(&waker);
        let hand_over = &self.shared.hand_over;
        let taken = hand_over.take_some(self.desk, &context, room, &mut self.taken);
        self.waits = taken == Taken::Nothing;
        taken
    }

    /// A bridge that has all it can use must not be woken in another's place.
    fn stop_waiting(&mut self) {
        if std::mem::take(&mut self.waits) {
            self.shared.hand_over.stop_waiting(self.desk);
        }
    }

    /// Gives the worker what was taken, and starts one first if there is none.
    fn give(&mut self, slots: usize) -> Next {
        if self.shared.cancelled.load(Ordering::Relaxed) {
            return self.hand_back(Next::On);
        }
        if self.running.is_none()
            && let Err(reason) = self.start(slots)
        {
            return self.hand_back(Next::Gone(reason));
        }
        let Some(running) = &mut self.running else {
            return Next::On;
        };
        let mut unsendable = Vec::new();
        let given = running.give(&self.setup, &mut self.taken, &mut unsendable);
        for (assignment, failure) in unsendable {
            let end = End::Failed(Box::new((failure, None)));
            self.report_unrun(&assignment, end);
        }
        if let Err(error) = given {
            self.bury(&error.to_string(), &[]);
        }
        Next::On
    }

    /// Nobody here can do what was taken; somebody else may.
    fn hand_back(&mut self, next: Next) -> Next {
        for assignment in std::mem::take(&mut self.taken) {
            self.report_unrun(&assignment, End::NotStarted);
        }
        for assignment in std::mem::take(&mut self.suspects) {
            self.report_unrun(&assignment, End::NotStarted);
        }
        self.hand_in();
        next
    }

    // What the worker says.

    fn wait(&self) -> Woken {
        if !self.reports.is_empty() {
            return Woken::default();
        }
        let Some(bell) = &self.bell else {
            return Woken::default();
        };
        let patience = self.patience();
        let woken = match &self.running {
            Some(running) => running.wait(bell, patience),
            None => running::wait_for(bell, patience),
        };
        if woken.bell {
            bell.silence();
        }
        woken
    }

    /// How long nothing need be looked at, if nobody says anything.
    fn patience(&self) -> Option<Duration> {
        let running = self.running.as_ref()?;
        if running.is_idle() {
            return None;
        }
        let mut patience = LONGEST_SLEEP;
        if running.may_sit_on_something() {
            patience = SILENCE;
        }
        if let Some(at) = self
            .most_time()
            .and_then(|most| running.look_at(&self.shared.clock, most))
        {
            patience = patience.min(at.saturating_duration_since(Instant::now()));
        }
        Some(patience)
    }

    /// How long an attempt may take before its worker is ended.
    fn most_time(&self) -> Option<Duration> {
        // To end a worker with many slots costs others their attempts, so it has all of the grace.
        let slack = match self.setup.slots {
            1 if !self.shared.task.keeps_deadline() => ANSWER_SLACK,
            _ => self.shared.grace.max(ANSWER_SLACK),
        };
        self.shared.timeout.map(|limit| limit + slack)
    }

    fn listen(&mut self, woken: Woken) {
        let Some(running) = &mut self.running else {
            return;
        };
        let Heard { answers, ended } = running.hear(woken.ended);
        self.settle(answers);
        if let Some(error) = ended {
            let why = match error {
                LinkError::Closed => String::new(),
                other => other.to_string(),
            };
            self.bury(&why, &[]);
        }
    }

    fn settle(&mut self, answers: Vec<Answer<T::Input>>) {
        if answers.is_empty() {
            return;
        }
        self.barren = 0;
        self.size.learn(answers.iter().map(|answer| answer.took));
        for answer in answers {
            if answer.left_behind {
                self.shared.hand_over.notify(Notice::LeftBehind {
                    worker: self.first_worker + answer.slot,
                    index: answer.assignment.start.index,
                    reason: "it does not end".to_owned(),
                });
            }
            let report = self.report(answer);
            self.reports.push(report);
        }
    }

    fn report(&self, answer: Answer<T::Input>) -> Report<T::Output> {
        let clock = &self.shared.clock;
        let started = clock.at(answer.began);
        let ended = clock.at(answer.began.plus(answer.took));
        let took = ended.saturating_sub(started);
        let end = self.setup.end_of(&self.shared, took, answer.ended);
        Report {
            start: answer.assignment.start,
            worker: self.first_worker + answer.slot,
            started,
            ended,
            cpu: answer.cpu,
            end: self.shared.unless_stopped(started, ended, end),
        }
    }

    fn report_unrun(&mut self, assignment: &Assignment<T::Input>, end: End<T::Output>) {
        let now = self.shared.clock.now();
        self.reports.push(Report {
            start: assignment.start,
            worker: self.first_worker,
            started: now,
            ended: now,
            cpu: None,
            end,
        });
    }

    fn hand_in(&mut self) {
        if !self.reports.is_empty() {
            self.shared.hand_over.hand_in(self.desk, &mut self.reports);
        }
    }

    // What the worker does not say.

    fn watch(&mut self) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.sits(SILENCE) {
            let answers = running.peek();
            let recalled = running.recall();
            if !recalled.is_empty() {
                self.size.distrust();
            }
            for assignment in recalled {
                self.report_unrun(&assignment, End::NotStarted);
            }
            self.settle(answers);
        }
        let Some(most) = self.most_time() else {
            return;
        };
        let Some(running) = &self.running else {
            return;
        };
        if let Some(overdue) = running.overdue(&self.shared.clock, most) {
            self.end_by_force(&overdue);
        }
    }

    /// Asks the worker's process group to end, waits for the grace, then ends it. What it still says of inputs that are
    /// not overdue counts.
    fn end_by_force(&mut self, overdue: &[u64]) {
        let grace = self.shared.grace;
        let Some(running) = &mut self.running else {
            return;
        };
        running.note_peak(&self.process);
        let answers = running.terminate(grace, overdue);
        self.settle(answers);
        self.bury("it did not answer in time", overdue);
    }

    /// Kills and reaps the worker, if it still lives, and settles what it had.
    fn bury(&mut self, why: &str, overdue: &[u64]) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        let now = Moment::now();
        let reason = running.bury(&self.setup, &self.process, why);
        let answers = running.hear_last(overdue);
        let did_something = !answers.is_empty();
        self.settle(answers);
        let left = running.left_behind(overdue);
        let alone = running.slots() == 1;
        if did_something || left.iter().any(|(_, fate)| *fate != Fate::Untouched) {
            self.barren = 0;
        } else {
            self.barren += 1;
        }
        for (assignment, fate) in left {
            self.condemn(assignment, fate, alone, &reason, now);
        }
        let worker = self.first_worker;
        if overdue.is_empty() && !self.shared.cancelled.load(Ordering::Relaxed) {
            self.shared
                .hand_over
                .notify(Notice::WorkerDied { worker, reason });
        }
    }

    /// Decides over one input that a dead worker left without an outcome.
    fn condemn(
        &mut self,
        assignment: Assignment<T::Input>,
        fate: Fate,
        alone: bool,
        reason: &str,
        now: Moment,
    ) {
        let shared = Arc::clone(&self.shared);
        // An aborted job has no use for suspects.
        let cancelled = shared.cancelled.load(Ordering::Relaxed);
        let last = self.setup.at_most_once || cancelled;
        let (since, end) = match blame::verdict(fate, alone, last) {
            Verdict::NotStarted => return self.report_unrun(&assignment, End::NotStarted),
            Verdict::Suspect => return self.suspects.push_back(assignment),
            Verdict::Overdue(since) | Verdict::Charged(since) if cancelled => {
                (since, End::Cancelled)
            }
            Verdict::Overdue(since) => (since, shared.late()),
            Verdict::Charged(since) => (since, End::WorkerLost(Box::new(blame::lost(reason)))),
        };
        let started = shared.clock.at(since);
        self.reports.push(Report {
            start: assignment.start,
            worker: self.first_worker,
            started,
            ended: shared.clock.at(now).max(started),
            cpu: None,
            end,
        });
    }

    // The worker itself.

    /// Starts a worker process and waits until it is ready. Gives up early when the job was aborted.
    fn start(&mut self, slots: usize) -> Result<(), String> {
        if self.barren >= TRIES {
            return Err(format!(
                "{TRIES} worker processes in a row ended before they had done anything"
            ));
        }
        let mut reason = "the job was aborted".to_owned();
        for _ in 0..TRIES {
            if self.shared.cancelled.load(Ordering::Relaxed) {
                break;
            }
            match self.try_start(slots) {
                Ok(()) => return Ok(()),
                Err(error) => reason = error,
            }
        }
        Err(format!("a worker process could not be started: {reason}"))
    }

    fn try_start(&mut self, slots: usize) -> Result<(), String> {
        let running = Running::start(&self.setup, &self.process, self.first_worker, slots)?;
        self.running = Some(running);
        if self.bell.is_none() {
            self.bell = Some(Bell::new().map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    /// Lets the worker leave, if there is one; ends it if it takes longer than the grace.
    fn leave(&mut self, grace: Duration) {
        if let Some(running) = self.running.take() {
            running.leave(&self.setup, &self.process, grace);
        }
    }
}
