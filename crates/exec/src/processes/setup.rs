//! What all worker processes of a job have in common.

use std::{
    ffi::OsStr,
    num::NonZeroUsize,
    os::unix::ffi::OsStrExt as _,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use triway_core::{Failure, FailureKind, Forms, Inner, Model, Outside, Plan, Pool, Said, Task};

use super::{
    messages::{Hello, Output, PROTOCOL},
    outside::{self, Launch, Outsiders},
    stderr::Ear,
};
use crate::{
    hand_over::End,
    lane::Shared,
    refusal::Refusal,
    restart::{Codec, CodecError, Guard, Registration},
    unwind,
};

/// What numeric libraries ask how many threads to start. Each worker would start one for every processor otherwise.
const THREAD_COUNTS: [&str; 7] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
];

/// How many processes a plan asks for, and how many slots they have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) processes: usize,
    pub(crate) slots: usize,
}

impl Shape {
    pub(crate) fn of(plan: &Plan) -> Self {
        let slots = plan.concurrency.get();
        let processes = match plan.model {
            Model::Hybrid => {
                let processors = thread::available_parallelism();
                let asked = plan.pool.processes.or(processors.ok());
                asked.map_or(1, NonZeroUsize::get).min(slots)
            }
            _ => slots,
        };
        Self { processes, slots }
    }

    /// The same where no lanes of this process are made, whatever the model.
    pub(crate) fn outside(plan: &Plan) -> Self {
        match plan.model {
            Model::Threads | Model::Async => Self {
                processes: 1,
                slots: plan.concurrency.get(),
            },
            _ => Self::of(plan),
        }
    }

    /// How many slots each process has; the last ones may be idle where the numbers do not divide.
    pub(crate) fn slots_each(self) -> usize {
        self.slots.div_ceil(self.processes)
    }
}

pub(super) struct Setup<T: Task> {
    pub(super) task: Arc<T>,
    /// How workers are started that are no processes of this program.
    pub(super) outsiders: Option<Outsiders>,
    /// How many workers there are.
    pub(super) processes: usize,
    pub(super) registration: &'static Registration,
    pub(super) codec: &'static Codec<T>,
    pub(super) configuration: Vec<u8>,
    pub(super) pool: Pool,
    /// How many slots a worker has.
    pub(super) slots: usize,
    pub(super) at_most_once: bool,
    pub(super) environment: Vec<(&'static str, String)>,
    /// Without one, workers write to this program's error output themselves, and their last words are not known.
    pub(super) ear: Option<Ear>,
    /// Without one, what workers have started may outlive a parent that is killed.
    pub(super) guard: Option<Guard>,
    /// Held while a worker is started. Where descriptors are few, many that start at once would each get some of what
    /// they need, and none enough.
    pub(super) starting: Mutex<()>,
    inner: Inner,
    limit: Option<Duration>,
    grace: Duration,
    runtime_threads: usize,
}

impl<T: Task> Setup<T> {
    pub(super) fn new(
        registration: &'static Registration,
        codec: &'static Codec<T>,
        plan: &Plan,
        task: &Arc<T>,
    ) -> Result<Self, Refusal> {
        let configuration =
            (codec.encode_task)(task).map_err(|error| Refusal::Configuration(error.to_string()))?;
        let outsiders = task.outside().map(Outsiders::new).transpose();
        let outsiders = outsiders.map_err(|error| Refusal::Configuration(error.to_string()))?;
        let shape = match outsiders {
            Some(_) => Shape::outside(plan),
            None => Shape::of(plan),
        };
        Ok(Self {
            inner: inner(plan, task.forms(), outsiders.is_some()),
            task: Arc::clone(task),
            outsiders,
            processes: shape.processes,
            registration,
            codec,
            configuration,
            pool: plan.pool.clone(),
            slots: shape.slots_each(),
            at_most_once: plan.at_most_once,
            environment: thread_counts(shape.slots),
            ear: Ear::start().ok(),
            guard: Guard::start().ok(),
            starting: Mutex::new(()),
            limit: plan.timeout,
            grace: plan.grace,
            runtime_threads: plan.runtime_threads.map_or(1, NonZeroUsize::get),
        })
    }

    /// Which program a launcher becomes.
    pub(super) fn launch(&self, outsiders: &Outsiders) -> Launch {
        let bytes = |text: &OsStr| text.as_bytes().to_vec();
        let Outside {
            program, arguments, ..
        } = &outsiders.outside;
        Launch {
            program: bytes(program.as_os_str()),
            arguments: arguments.iter().map(|text| bytes(text)).collect(),
            memory_bytes: self.pool.memory_bytes,
        }
    }

    /// What a worker from outside is told.
    pub(super) fn hello_outside<'a>(
        &self,
        slots: usize,
        outsiders: &'a Outsiders,
    ) -> outside::Hello<'a> {
        outside::Hello {
            slots,
            inner: self.inner,
            limit_ns: self.limit.map(nanos),
            grace_ns: nanos(self.grace),
            alone: self.processes == 1,
            lazy: self.pool.lazy_slots,
            configuration: outsiders.configuration(),
        }
    }

    pub(super) fn hello(&self, slots: usize) -> Hello {
        Hello {
            protocol: PROTOCOL,
            slots,
            inner: self.inner,
            limit_ns: self.limit.map(nanos),
            runtime_threads: self.runtime_threads,
            memory_bytes: self.pool.memory_bytes,
            only_once: self.at_most_once,
        }
    }

    /// How an attempt ended, from what the worker said of it.
    pub(super) fn end_of(
        &self,
        shared: &Shared<T>,
        took: Duration,
        said: Result<Output, Failure>,
    ) -> End<T::Output> {
        match said {
            Err(failure) if failure.kind.is_timeout() => End::TimedOut(Box::new((failure, None))),
            _ if shared.is_late(took) => shared.late(),
            Err(failure) => End::Failed(Box::new((failure, None))),
            // The task's own code runs here, in its deserialiser and in `judge`; its panics are this input's failure.
            Ok(output) => {
                let read = unwind::catch(|| Ok(shared.judge(self.read(output)?)));
                read.unwrap_or_else(|failure| End::Failed(Box::new((failure, None))))
            }
        }
    }

    fn read(&self, output: Output) -> Result<T::Output, Failure> {
        let own = |bytes: &[u8]| {
            (self.codec.decode_output)(bytes).map_err(|error: CodecError| unreadable(&error))
        };
        let read = match output {
            Output::Own(bytes) => bytes.read(own),
            Output::Json(bytes) => bytes.read(|bytes| self.task.read_outside(Said::Json(bytes))),
            Output::Raw(bytes) => bytes.read(|bytes| self.task.read_outside(Said::Bytes(bytes))),
        };
        read.map_err(|error| unreadable(&error))?
    }
}

/// What the slots of a worker are.
fn inner(plan: &Plan, forms: Forms, is_outside: bool) -> Inner {
    match plan.model {
        Model::Hybrid if plan.pool.inner.is_some() => plan.pool.inner.unwrap_or(Inner::Threads),
        // Whoever wrote an async form for another language has a blocking one by accident.
        Model::Hybrid if is_outside && forms.has_async() => Inner::Async,
        Model::Async if is_outside => Inner::Async,
        _ if forms.has_blocking() => Inner::Threads,
        _ => Inner::Async,
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// As many threads for each worker as there are processors for it, unless the user has said otherwise.
fn thread_counts(workers: usize) -> Vec<(&'static str, String)> {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let each = (processors / workers.max(1)).max(1);
    THREAD_COUNTS
        .into_iter()
        .filter(|name| std::env::var_os(name).is_none())
        .map(|name| (name, each.to_string()))
        .collect()
}

/// The frame was whole, so the worker is to be trusted; it is the output's type that does not survive the journey.
fn unreadable(why: &dyn std::fmt::Display) -> Failure {
    Failure::permanent(
        FailureKind::ERROR,
        format!(
            "the output of the worker process does not read back: {why} (types that describe themselves, such as JSON \
             values, cannot travel in postcard)"
        ),
    )
}

/// What a bridge shares with others of its job.
pub(super) type SharedSetup<T> = Arc<Setup<T>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_spread_over_processes() {
        let count = |n| NonZeroUsize::new(n).unwrap();
        for (model, concurrency, asked, processes, each) in [
            (Model::Processes, 3, None, 3, 1),
            (Model::Processes, 3, Some(1), 3, 1),
            (Model::Hybrid, 100, Some(2), 2, 50),
            (Model::Hybrid, 3, Some(2), 2, 2),
            (Model::Hybrid, 1, Some(4), 1, 1),
        ] {
            let mut plan = Plan::new(model, count(concurrency));
            plan.pool.processes = asked.map(count);
            let shape = Shape::of(&plan);
            assert_eq!(
                (shape.processes, shape.slots_each()),
                (processes, each),
                "{model} {concurrency}"
            );
        }
    }
}
