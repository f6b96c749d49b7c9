//! A job: a task, its inputs and a plan, submitted once.

use std::{
    future::{Future, IntoFuture},
    io,
    num::NonZeroUsize,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    },
    thread,
    time::Duration,
};

use crossbeam_utils::sync::Parker;
use tokio_util::sync::CancellationToken;
use triway_core::{Model, Outcome, Plan, Rate, Retry, Task};

use crate::{
    clock::Clock,
    control::Control,
    dispatch::{Dispatcher, Parts, Steering},
    hand_over::HandOver,
    journal::{Checked, Journal, Recorder},
    lane::Shared,
    lanes::{Kind, Lanes},
    refusal::Refusal,
    restart::{Codec, Portable},
    runtime::Host,
    sink::{Each, Sink},
    source::{Ready, Source},
    stretch::Pilot,
    summary::Summary,
};

/// A task and its inputs, and how to run them.
///
/// Nothing runs before [`Running::wait`] or `.await`.
#[must_use = "a job does nothing until it is run"]
pub struct Job<T: Task> {
    task: Arc<T>,
    source: Box<dyn Source<T::Input>>,
    plan: Plan,
    control: Control,
    recorder: Option<Recorder<T>>,
    pilot: Option<Pilot>,
}

impl<T: Task> Job<T> {
    /// A job over inputs that are there already, or can be computed without waiting. For an iterator that may block,
    /// see [`Feed`](crate::Feed).
    ///
    /// Unless told otherwise it runs on threads (or as async tasks, if the task has no blocking form), as many as
    /// there are processors.
    pub fn new<I>(task: T, inputs: I) -> Self
    where
        I: IntoIterator<Item = T::Input>,
        I::IntoIter: Send + 'static,
    {
        Self::from_source(task, Ready(inputs.into_iter()))
    }

    /// A job over a source of its own.
    pub fn from_source(task: T, source: impl Source<T::Input> + 'static) -> Self {
        let model = if task.forms().has_blocking() {
            Model::Threads
        } else {
            Model::Async
        };
        Self {
            task: Arc::new(task),
            source: Box::new(source),
            plan: Plan::new(
                model,
                thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            ),
            control: Control::default(),
            recorder: None,
            pilot: None,
        }
    }

    /// Replaces the whole plan.
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = plan;
        self
    }

    /// The concurrency model.
    pub fn model(mut self, model: Model) -> Self {
        self.plan = self.plan.with_model(model, self.plan.concurrency);
        self
    }

    /// How many inputs may be running at once; sequential is always 1.
    pub fn concurrency(mut self, most: NonZeroUsize) -> Self {
        self.plan = self.plan.with_model(self.plan.model, most);
        self
    }

    /// Time limit of an attempt.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.plan.timeout = Some(limit);
        self
    }

    /// How many further attempts an input may have.
    pub fn retries(mut self, retries: u32) -> Self {
        self.plan.retry = Retry::times(retries);
        self
    }

    /// How many inputs a slot of a worker process gets at once; unless given, it follows how long they take.
    pub fn batch(mut self, inputs: NonZeroUsize) -> Self {
        self.plan.pool.batch = Some(inputs);
        self
    }

    /// At most so many attempts are started a second.
    pub fn rate(mut self, rate: Rate) -> Self {
        self.plan.rate = Some(rate);
        self
    }

    /// Outcomes in the order of their inputs.
    pub fn keep_order(mut self) -> Self {
        self.plan.keep_order = true;
        self
    }

    /// Writes every outcome into this journal before it is reported, and executes no input whose outcome it has already:
    /// that one is reported as it stands there.
    ///
    /// No input is executed before all that the journal knows of were compared with those of this job; inputs that
    /// differ are [`StopReason::OtherInputs`](triway_core::StopReason::OtherInputs). Inputs, outputs and how failures are
    /// told are kept in the form in which they also go to worker processes, see [`Task`].
    ///
    /// # Errors
    /// The machine gave no descriptor.
    pub fn journal(mut self, journal: Journal) -> io::Result<Self>
    where
        T: Portable,
    {
        self.source = Box::new(Checked::<T>::new(self.source, Codec::postcard(), &journal));
        self.recorder = Some(Recorder::new(Codec::postcard(), journal)?);
        Ok(self)
    }

    /// Lets the model change on the way, as `pilot` decides; the plan's limits stay. Unless the pilot's first answer is a
    /// stretch, the job runs under its plan as it is.
    pub fn steer(mut self, pilot: Pilot) -> Self {
        self.pilot = Some(pilot);
        self
    }

    /// Aborts the job when `token` is cancelled; noticed within 10 ms. May be called for several tokens.
    pub fn cancel_on(mut self, token: CancellationToken) -> Self {
        self.control = self.control.with_token(token);
        self
    }

    /// A handle to stop the job while it runs.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Collects all outcomes in the order in which they come, unless the plan keeps the inputs' order.
    pub fn run(self) -> Running<T, Outcomes<T>> {
        self.run_into(Vec::new())
    }

    /// Calls `each` with every outcome as it comes.
    pub fn run_each<F>(self, each: F) -> Running<T, Each<F>>
    where
        F: FnMut(Outcome<T::Input, T::Output>) -> io::Result<()> + Send + 'static,
    {
        self.run_into(Each(each))
    }

    /// Gives every outcome to `sink` as it comes.
    pub fn run_into<S: Sink<T>>(self, sink: S) -> Running<T, S> {
        Running { job: self, sink }
    }
}

/// The outcomes of a job with task `T`.
pub type Outcomes<T> = Vec<Outcome<<T as Task>::Input, <T as Task>::Output>>;

/// A job that is about to run: call [`Running::wait`], or `.await` it inside a tokio runtime.
#[must_use = "a job does nothing until it is waited for"]
pub struct Running<T: Task, S> {
    job: Job<T>,
    sink: S,
}

/// A job that has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished<S> {
    /// What took the outcomes; for [`Job::run`], the outcomes themselves.
    pub sink: S,
    /// Counts and times.
    pub summary: Summary,
}

impl<S> Finished<S> {
    /// The same with another sink in this one's place.
    pub fn map<R>(self, of: impl FnOnce(S) -> R) -> Finished<R> {
        Finished {
            sink: of(self.sink),
            summary: self.summary,
        }
    }
}

impl<T: Task, S: Sink<T>> Running<T, S> {
    /// Runs the job on this thread until it has ended. Blocks; inside a tokio runtime use `.await` instead.
    ///
    /// Async lanes live on a runtime of the job's own.
    ///
    /// # Errors
    /// The job could not begin. Inputs that fail are no errors: they have outcomes.
    ///
    /// # Panics
    /// When the sink, the source, or the task's `key`, `input_bytes` or `output_bytes` panic.
    pub fn wait(self) -> Result<Finished<S>, Refusal> {
        self.drive(None)
    }

    fn drive(self, host: Option<Host>) -> Result<Finished<S>, Refusal> {
        let Job {
            task,
            source,
            mut plan,
            control,
            recorder,
            pilot,
        } = self.job;
        let callers = match &host {
            Some(Host::Kept(handle)) => Some(handle.clone()),
            _ => None,
        };
        let steering = pilot.and_then(|pilot| Steering::begin(pilot, callers));
        let mut steering = steering.map(|(steering, first)| {
            plan = plan.shaped_as(&first);
            steering
        });
        plan.check()?;
        let kind = Kind::for_task(&plan, &*task)?;
        let parker = Parker::new();
        let dispatcher = parker.unparker().clone();
        let shared = Arc::new(Shared {
            task,
            hand_over: HandOver::new(kind.takers(&plan), kind.waking(), dispatcher),
            clock: Clock::start(control.stops()),
            control: control.clone(),
            at_most_once: plan.at_most_once,
            timeout: plan.timeout,
            grace: plan.grace,
            cancelled: AtomicBool::new(false),
            lanes: AtomicUsize::new(0),
        });
        let host = match &mut steering {
            Some(steering) => steering.host(kind, &plan)?,
            // It has as many threads as it has.
            None => host.filter(|_| plan.runtime_threads.is_none()),
        };
        let lanes = Lanes::new(kind, &plan, Arc::clone(&shared), host)?;
        let dispatcher = Dispatcher::new(Parts {
            plan,
            shared,
            lanes,
            source,
            sink: self.sink,
            control,
            recorder,
            parker,
            steering,
        });
        let (sink, summary) = dispatcher.run();
        Ok(Finished { sink, summary })
    }
}

/// Runs the job from a thread of its own, so that the caller's runtime stays free; async lanes live on that runtime.
/// Dropping the future aborts the job.
impl<T: Task, S: Sink<T>> IntoFuture for Running<T, S> {
    type Output = Result<Finished<S>, Refusal>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let host = Host::Kept(tokio::runtime::Handle::current());
            let mut abort = AbortOnDrop(Some(self.job.control()));
            let (send, receive) = tokio::sync::oneshot::channel();
            thread::Builder::new()
                .name("triway-dispatch".to_owned())
                .spawn(move || send.send(self.drive(Some(host))).is_ok())
                .map_err(Refusal::Start)?;
            let ended = receive.await;
            abort.0 = None;
            ended.unwrap_or(Err(Refusal::Panicked))
        })
    }
}

struct AbortOnDrop(Option<Control>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(control) = &self.0 {
            control.abort();
        }
    }
}
