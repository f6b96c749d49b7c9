//! The async runtime that async lanes live on: the caller's, or one of the job's own.

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
        || std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        std::num::NonZero::get,
    )
}

/// Calls that only exist in blocking form (name look-ups) share few threads.
const BLOCKING_THREADS: usize = 4;

pub(crate) fn build(plan: &Plan) -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads(plan))
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("triway-async")
        .enable_all()
        .build()
}
