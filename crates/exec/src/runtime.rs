//! The async runtime that async lanes live on: the caller's, or one of the job's own.

use std::{
    io,
    sync::{Arc, Mutex, mpsc},
    thread,
};

use tokio::runtime::{Builder, Handle, Runtime};
use triway_core::Plan;

use crate::refusal::Refusal;

/// Where async lanes are spawned.
pub(crate) enum Host {
    /// The runtime that the job was awaited on; clients that are bound to it keep working.
    Callers(Handle),
    /// The job's own.
    Own(Runtime),
}

impl Host {
    pub(crate) fn start(plan: &Plan) -> Result<Self, Refusal> {
        build(plan).map(Self::Own).map_err(Refusal::Start)
    }

    pub(crate) fn handle(&self) -> &Handle {
        match self {
            Self::Callers(handle) => handle,
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

/// The runtime panics, and then hangs, where the system has no thread for it; so more threads than anybody usually asks for
/// are tried out before.
const UNUSUAL: usize = 64;

pub(crate) fn build(plan: &Plan) -> io::Result<Runtime> {
    let threads = threads(plan);
    if threads > UNUSUAL {
        try_out(threads + BLOCKING_THREADS).map_err(|error| {
            let text =
                format!("the system gives no {threads} threads to the async runtime: {error}");
            io::Error::new(error.kind(), text)
        })?;
    }
    Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("triway-async")
        .enable_all()
        .build()
}

/// Whether the system has so many threads to give.
fn try_out(threads: usize) -> io::Result<()> {
    let (held, release) = mpsc::channel::<()>();
    let release = Arc::new(Mutex::new(release));
    let mut tried = Vec::new();
    let mut result = Ok(());
    for _ in 0..threads {
        let release = Arc::clone(&release);
        // Each waits for its turn, and the first for the end of the trial.
        let wait = move || drop(release.lock().map(|release| release.recv()));
        match thread::Builder::new().spawn(wait) {
            Ok(thread) => tried.push(thread),
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    drop(held);
    for thread in tried {
        // It does nothing that could panic.
        let _ended = thread.join();
    }
    result
}
