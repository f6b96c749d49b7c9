//! The async runtime that async lanes live on: the caller's, or one of the job's own.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use tokio::runtime::{Builder, Handle, Runtime};
use triway_core::Plan;

use crate::refusal::Refusal;

/// Where async lanes are spawned.
pub(crate) enum Host {
    /// One that outlives these lanes: the one that the job was awaited on, or that of all its stretches. Clients that are
    /// bound to it keep working.
    Kept(Handle),
    /// The job's own.
    Own(Runtime),
}

impl Host {
    pub(crate) fn start(plan: &Plan) -> Result<Self, Refusal> {
        build(plan).map(Self::Own).map_err(Refusal::Start)
    }

    pub(crate) fn handle(&self) -> &Handle {
        match self {
            Self::Kept(handle) => handle,
            Self::Own(runtime) => runtime.handle(),
        }
    }

    /// Does not wait for tasks that never yield.
    pub(crate) fn shut_down(self) {
        if let Self::Own(runtime) = self {
            runtime.shutdown_background();
        }
    }
}

/// How many threads an async runtime of this plan has.
pub(crate) fn threads(plan: &Plan) -> usize {
    plan.runtime_threads.map_or_else(
        || thread::available_parallelism().map_or(1, std::num::NonZero::get),
        std::num::NonZero::get,
    )
}

/// Calls that only exist in blocking form (name look-ups) share few threads.
const BLOCKING_THREADS: usize = 4;

pub(crate) fn build(plan: &Plan) -> io::Result<Runtime> {
    if let Some(threads) = plan.runtime_threads {
        ensure_threads(threads.get())?;
    }
    Builder::new_multi_thread()
        .worker_threads(threads(plan))
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("triway-async")
        .enable_all()
        .build()
}

/// Makes sure that the machine gives so many threads at once, by starting them.
///
/// A runtime that gets too few panics, and while it unwinds it waits for ever for those it got; so there is nothing to
/// catch. The usual number, one a processor, is not asked for in vain, and a job would start later for asking.
///
/// # Errors
/// It does not; no thread is left of those that it gave.
pub fn ensure_threads(threads: usize) -> io::Result<()> {
    let all_there = Arc::new(Latch::default());
    let mut started = Vec::with_capacity(threads);
    let mut refused = None;
    for number in 1..=threads {
        let all_there = Arc::clone(&all_there);
        match thread::Builder::new().spawn(move || all_there.wait()) {
            Ok(thread) => started.push(thread),
            Err(error) => {
                refused = Some((number, error));
                break;
            }
        }
    }
    all_there.open();
    for thread in started {
        // It does nothing that panics.
        let _panicked = thread.join();
    }
    match refused {
        None => Ok(()),
        Some((number, error)) => Err(io::Error::new(
            error.kind(),
            format!(
                "this machine gives no thread number {number} of the {threads} for the async runtime ({error}); ask for fewer"
            ),
        )),
    }
}

/// Holds threads until it is opened.
#[derive(Debug, Default)]
struct Latch {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Latch {
    fn wait(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = self.opened.wait_while(open, |open| !*open);
        drop(woken.unwrap_or_else(PoisonError::into_inner));
    }

    fn open(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }
}
