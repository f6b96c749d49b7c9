//! How a running job is told to stop: drain, then abort.

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicU8, Ordering},
};

use crossbeam_utils::sync::Unparker;
use rustix::process::Signal;
use tokio_util::sync::CancellationToken;

use crate::{clock::Stops, worker_process::WorkerProcess};

/// A handle to stop a job from elsewhere: another thread, a signal handler's thread, an async task.
#[derive(Debug, Clone, Default)]
pub struct Control {
    shared: Arc<Shared>,
    /// Each of them counts.
    tokens: Vec<CancellationToken>,
}

#[derive(Debug, Default)]
struct Shared {
    asked: AtomicU8,
    dispatcher: Mutex<Option<Unparker>>,
    stops: Arc<Stops>,
    /// The worker processes of the job, which have process groups of their own.
    processes: Mutex<Vec<Weak<WorkerProcess>>>,
}

/// What was asked of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    Nothing,
    Drain,
    Abort,
}

impl Control {
    /// Hands out no further input; what is in flight may finish. Does not block.
    pub fn drain(&self) {
        self.ask(1);
    }

    /// Cancels what is in flight: async tasks are dropped, worker processes killed, threads left behind. Does not
    /// block.
    pub fn abort(&self) {
        self.ask(2);
    }

    /// Stops the whole program in the middle of a job, as a shell's Ctrl-Z does: `stop` is to stop this process and to
    /// come back when it goes on. Worker processes stop and go on with it, and its time counts for no time limit.
    ///
    /// Blocks for as long as `stop` does.
    pub fn suspend(&self, stop: impl FnOnce()) {
        let since = self.shared.stops.begin();
        self.signal(Signal::STOP);
        stop();
        self.shared.stops.end(since);
        self.signal(Signal::CONT);
        self.wake();
    }

    fn signal(&self, signal: Signal) {
        let processes = self.shared.processes.lock();
        let mut processes = processes.unwrap_or_else(PoisonError::into_inner);
        processes.retain(|process| process.strong_count() > 0);
        for process in processes.iter().filter_map(Weak::upgrade) {
            process.signal(signal);
        }
    }

    pub(crate) fn stops(&self) -> Arc<Stops> {
        Arc::clone(&self.shared.stops)
    }

    /// This process stops and goes on with the program.
    pub(crate) fn watch(&self, process: &Arc<WorkerProcess>) {
        let processes = self.shared.processes.lock();
        let mut processes = processes.unwrap_or_else(PoisonError::into_inner);
        processes.push(Arc::downgrade(process));
    }

    /// A control that also aborts when `token` is cancelled, besides those it has.
    pub(crate) fn with_token(mut self, token: CancellationToken) -> Self {
        self.tokens.push(token);
        self
    }

    /// Whether tokens must be looked at now and then, because they wake nobody here.
    pub(crate) fn must_be_polled(&self) -> bool {
        !self.tokens.is_empty()
    }

    pub(crate) fn asked(&self) -> Asked {
        if self.tokens.iter().any(CancellationToken::is_cancelled) {
            return Asked::Abort;
        }
        match self.shared.asked.load(Ordering::Acquire) {
            0 => Asked::Nothing,
            1 => Asked::Drain,
            _ => Asked::Abort,
        }
    }

    pub(crate) fn attach(&self, dispatcher: Unparker) {
        *self
            .shared
            .dispatcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(dispatcher);
    }

    fn ask(&self, level: u8) {
        self.shared.asked.fetch_max(level, Ordering::AcqRel);
        self.wake();
    }

    fn wake(&self) {
        let dispatcher = self
            .shared
            .dispatcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(dispatcher) = &*dispatcher {
            dispatcher.unpark();
        }
    }
}
