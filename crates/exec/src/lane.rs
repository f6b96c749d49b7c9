//! One lane: takes an input, makes an attempt, reports it, takes the next. What differs between the models is only
//! how an attempt is made.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use triway_core::{Context, Failure, FailureKind, Task};

use crate::{
    cell::Cell,
    clock::Clock,
    control::Control,
    hand_over::{Assignment, End, HandOver, Notice, Report},
    ledger::Start,
    unwind,
};

/// What all lanes of a job share.
pub(crate) struct Shared<T: Task> {
    pub task: Arc<T>,
    pub hand_over: HandOver<T::Input, T::Output>,
    pub clock: Clock,
    pub timeout: Option<Duration>,
    pub grace: Duration,
    pub control: Control,
    /// No attempt is made again.
    pub at_most_once: bool,
    /// Set when the job is aborted; blocking tasks may look at it.
    pub cancelled: AtomicBool,
    /// Lanes that have not left.
    pub lanes: AtomicUsize,
}

/// Lets lanes go when it is dropped.
pub(crate) struct Closing<T: Task>(Arc<Shared<T>>);

impl<T: Task> Closing<T> {
    pub(crate) fn of(shared: &Arc<Shared<T>>) -> Self {
        Self(Arc::clone(shared))
    }
}

impl<T: Task> Drop for Closing<T> {
    fn drop(&mut self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
        self.0.hand_over.close();
    }
}

/// One lane's own things.
pub(crate) struct Lane<T: Task> {
    pub worker: u32,
    pub cell: Arc<Cell>,
    pub shared: Arc<Shared<T>>,
    state: T::Lane,
}

/// When an attempt ran, and how it ended.
struct Attempt<O> {
    started: Duration,
    ended: Duration,
    end: End<O>,
}

impl<T: Task> Lane<T> {
    pub(crate) fn new(worker: u32, cell: Arc<Cell>, shared: Arc<Shared<T>>) -> Self {
        Self {
            worker,
            cell,
            shared,
            state: T::Lane::default(),
        }
    }

    /// Works off inputs on this thread until there are none left or an attempt was given up.
    pub(crate) fn work_blocking(mut self) {
        let mut guard = Guard::new(&self);
        let mut next = self.wait();
        while let Some(assignment) = next {
            guard.held = Some(assignment.start);
            let made = self.attempt_blocking(&assignment);
            next = match self.hand_in(&assignment, made) {
                Next::Input(assignment) => Some(assignment),
                Next::Wait => self.wait(),
                Next::Leave => None,
            };
            guard.held = next.as_ref().map(|next| next.start);
        }
    }

    /// The same as an async task.
    pub(crate) async fn work_async(mut self) {
        let mut guard = Guard::new(&self);
        let shared = Arc::clone(&self.shared);
        let mut next = shared.hand_over.take(self.worker).await;
        while let Some(assignment) = next {
            guard.held = Some(assignment.start);
            let made = self.attempt_async(&assignment).await;
            next = match self.hand_in(&assignment, made) {
                Next::Input(assignment) => Some(assignment),
                Next::Wait => shared.hand_over.take(self.worker).await,
                Next::Leave => None,
            };
            guard.held = next.as_ref().map(|next| next.start);
            // A lane whose inputs never wait would otherwise keep its thread from all other tasks.
            tokio::task::consume_budget().await;
        }
    }

    /// One attempt by the task's blocking form.
    fn attempt_blocking(&mut self, assignment: &Assignment<T::Input>) -> Attempt<T::Output> {
        let started = self.begin(assignment);
        // Borrowed, not cloned: a count that all lanes touch at each input would cost more than the hand-over.
        let Self { shared, state, .. } = self;
        let context = shared.context(assignment, started);
        let result = unwind::catch(|| {
            let output = shared
                .task
                .run_blocking(state, &assignment.input, &context)?;
            Ok(shared.judge(output))
        });
        self.ended(started, result)
    }

    async fn attempt_async(&mut self, assignment: &Assignment<T::Input>) -> Attempt<T::Output> {
        let started = self.begin(assignment);
        let Self {
            shared,
            state,
            cell,
            ..
        } = self;
        let context = shared.context(assignment, started);
        let call = async {
            let output = shared
                .task
                .run_async(state, &assignment.input, &context)
                .await?;
            Ok(shared.judge(output))
        };
        let watched = unwind::catch_async(call, |polled| cell.set_polled(polled));
        let result = match shared.timeout.filter(|_| !shared.task.keeps_deadline()) {
            None => watched.await,
            Some(limit) => shared
                .within(started + limit, watched)
                .await
                .unwrap_or_else(|| Err(shared.overdue())),
        };
        self.ended(started, result)
    }

    fn begin(&self, assignment: &Assignment<T::Input>) -> Duration {
        let now = self.shared.clock.now();
        let start = assignment.start;
        self.cell
            .begin(start.ticket, start.index, start.attempt, now);
        now
    }

    /// Takes the end's time, and lets a time limit that has expired decide over whatever came after it.
    fn ended(
        &mut self,
        started: Duration,
        result: Result<End<T::Output>, Failure>,
    ) -> Attempt<T::Output> {
        let ended = self.shared.clock.now();
        if unwind::was_panic(&result) {
            self.state = T::Lane::default();
        }
        let late = self.shared.is_late(ended - started);
        let end = match result {
            Err(failure) if failure.kind.is_timeout() => End::TimedOut(Box::new((failure, None))),
            _ if late => self.shared.late(),
            Ok(end) => end,
            Err(failure) => End::Failed(Box::new((failure, None))),
        };
        let end = self.shared.unless_stopped(started, ended, end);
        Attempt {
            started,
            ended,
            end,
        }
    }

    fn wait(&self) -> Option<Assignment<T::Input>> {
        pollster::block_on(self.shared.hand_over.take(self.worker))
    }

    fn hand_in(
        &self,
        assignment: &Assignment<T::Input>,
        made: Attempt<T::Output>,
    ) -> Next<T::Input> {
        if !self.cell.end() {
            return Next::Leave;
        }
        let mut report = Report {
            start: assignment.start,
            worker: self.worker,
            started: made.started,
            ended: made.ended,
            cpu: None,
            end: made.end,
        };
        if let Some(shortage) = report.end.shortage()
            && self.shared.may_leave()
        {
            let reason = std::mem::take(shortage);
            let worker = self.worker;
            report.end = End::NotStarted;
            self.shared.hand_over.hand_in_last(report);
            self.shared
                .hand_over
                .notify(Notice::Short { worker, reason });
            return Next::Leave;
        }
        match self.shared.hand_over.exchange(self.worker, report) {
            Some(assignment) => Next::Input(assignment),
            None => Next::Wait,
        }
    }
}

/// Watches a lane: if a panic that is no attempt's own (one of a destructor, say) ends it, the input that it holds is
/// reported and the lane replaced. Without it such an input would be waited for in vain.
struct Guard<T: Task> {
    worker: u32,
    cell: Arc<Cell>,
    shared: Arc<Shared<T>>,
    held: Option<Start>,
}

impl<T: Task> Guard<T> {
    /// The lane stands ready from here on.
    fn new(lane: &Lane<T>) -> Self {
        lane.shared.hand_over.notify(Notice::Ready);
        Self {
            worker: lane.worker,
            cell: Arc::clone(&lane.cell),
            shared: Arc::clone(&lane.shared),
            held: None,
        }
    }

    /// `None` if the attempt was given up, and settled, from outside.
    fn end_of_held(&self) -> Option<End<T::Output>> {
        if self.cell.is_idle() {
            return Some(End::NotStarted);
        }
        let failure = Failure::new(
            FailureKind::PANIC,
            "something that belongs to this input panicked when it was dropped",
        );
        self.cell
            .end()
            .then(|| End::Failed(Box::new((failure, None))))
    }
}

impl<T: Task> Drop for Guard<T> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        if let Some(start) = self.held
            && let Some(end) = self.end_of_held()
        {
            let now = self.shared.clock.now();
            self.shared.hand_over.hand_in_last(Report {
                start,
                worker: self.worker,
                started: now,
                ended: now,
                cpu: None,
                end,
            });
        }
        let worker = self.worker;
        self.shared.hand_over.notify(Notice::Unwound { worker });
    }
}

enum Next<I> {
    Input(Assignment<I>),
    Wait,
    /// The attempt was given up from outside and this lane replaced, or there are too many lanes for this machine.
    Leave,
}

impl<T: Task> Shared<T> {
    /// Lets the task say whether its output is a success.
    pub(crate) fn judge(&self, output: T::Output) -> End<T::Output> {
        match self.task.judge(&output) {
            Ok(()) => End::Ok(output),
            // A task that keeps a limit of its own may have an output all the same: what there was by then.
            Err(failure) if failure.kind.is_timeout() => {
                End::TimedOut(Box::new((failure, Some(output))))
            }
            Err(failure) => End::Failed(Box::new((failure, Some(output)))),
        }
    }

    /// Whether an attempt that took so long has nothing to say any more.
    pub(crate) fn is_late(&self, took: Duration) -> bool {
        self.timeout.is_some_and(|limit| took > limit) && !self.task.keeps_deadline()
    }

    /// The end of an attempt that outlasted the plan's limit.
    pub(crate) fn late(&self) -> End<T::Output> {
        End::TimedOut(Box::new((self.overdue(), None)))
    }

    /// Waits for a future until this time of the job's clock, which stands still while the program does.
    async fn within<O>(&self, until: Duration, future: impl Future<Output = O>) -> Option<O> {
        let mut future = std::pin::pin!(future);
        loop {
            let at = self.clock.instant(until);
            if let Ok(output) = tokio::time::timeout_at(at.into(), &mut future).await {
                return Some(output);
            }
            if self.clock.now() >= until {
                return None;
            }
        }
    }

    /// An attempt that ran out of time while the whole program was stopped is none, and is made again.
    pub(crate) fn unless_stopped(
        &self,
        started: Duration,
        ended: Duration,
        end: End<T::Output>,
    ) -> End<T::Output> {
        let in_time = self
            .timeout
            .is_none_or(|limit| ended.saturating_sub(started) <= limit);
        match end {
            End::TimedOut(_)
                if in_time && !self.at_most_once && self.clock.stopped_since(started) =>
            {
                End::NotStarted
            }
            end => end,
        }
    }

    /// A lane that this machine had nothing left for leaves, unless it is the last. Those that have what they need
    /// (an open connection, say) stay.
    fn may_leave(&self) -> bool {
        let leave = |lanes: usize| (lanes > 1).then(|| lanes - 1);
        self.lanes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, leave)
            .is_ok()
    }

    pub(crate) fn overdue(&self) -> Failure {
        overdue(&*self.task, self.timeout.unwrap_or_default())
    }

    fn context(&self, assignment: &Assignment<T::Input>, started: Duration) -> Context<'_> {
        let deadline = self
            .timeout
            .map(|limit| self.clock.instant(started + limit));
        let start = assignment.start;
        Context::new(start.index, start.attempt, deadline, &self.cancelled)
            .only_once(self.at_most_once)
    }
}

/// What becomes of an attempt that outlasted its time limit, in this process or in a worker.
pub(crate) fn overdue<T: Task>(task: &T, limit: Duration) -> Failure {
    let (kind, message) = (
        task.timeout_kind(),
        format!("not done within its time limit of {limit:?}"),
    );
    match task.keeps_deadline() {
        // It did not say what became of it, and may have done what it was to do.
        true => Failure::permanent(kind, message),
        false => Failure::new(kind, message),
    }
}
