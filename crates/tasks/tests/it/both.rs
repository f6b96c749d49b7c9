//! Runs one attempt in each form of a task, as an executor would.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;
use triway_core::{Context, Failure, Task};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});

/// A runtime that outlives every test.
pub(crate) fn runtime() -> &'static Runtime {
    &RUNTIME
}

pub(crate) fn run_blocking<T: Task>(
    task: &T,
    input: &T::Input,
    limit: Option<Duration>,
) -> Result<T::Output, Failure> {
    let cancelled = AtomicBool::new(false);
    let context = Context::new(0, 1, deadline(limit), &cancelled);
    task.run_blocking(&mut T::Lane::default(), input, &context)
}

pub(crate) fn run_async<T: Task>(
    task: &T,
    input: &T::Input,
    limit: Option<Duration>,
) -> Result<T::Output, Failure> {
    let cancelled = AtomicBool::new(false);
    let context = Context::new(0, 1, deadline(limit), &cancelled);
    let mut lane = T::Lane::default();
    runtime().block_on(task.run_async(&mut lane, input, &context))
}

/// What an attempt ended with in the blocking form and in the async form.
pub(crate) fn both<T: Task>(
    task: &T,
    input: &T::Input,
    limit: Option<Duration>,
) -> [(&'static str, Result<T::Output, Failure>); 2] {
    [
        ("blocking", run_blocking(task, input, limit)),
        ("async", run_async(task, input, limit)),
    ]
}

/// What an attempt ends with when the job is aborted after a while.
pub(crate) fn run_cancelled<T: Task>(
    task: &T,
    input: &T::Input,
    after: Duration,
) -> Result<T::Output, Failure> {
    let cancelled = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(after);
            cancelled.store(true, Ordering::Relaxed);
        });
        let context = Context::new(0, 1, None, &cancelled);
        task.run_blocking(&mut T::Lane::default(), input, &context)
    })
}

fn deadline(limit: Option<Duration>) -> Option<Instant> {
    limit.map(|limit| Instant::now() + limit)
}
