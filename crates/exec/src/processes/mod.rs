//! Lanes that are processes of this program, each with a thread here that speaks to it.
//!
//! A worker has its own socket and shares no lock or pipe with others, so one that dies harms none. The thread that
//! started a worker lives as long as the worker: the kernel's "die with your parent" follows that thread.

mod board;
mod bridge;
mod messages;
mod outside;
mod setup;
mod stderr;
mod worker;

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use triway_core::{Plan, Task};

pub(crate) use self::setup::Shape;
use self::{
    bridge::Bridge,
    messages::ROLE,
    setup::{Setup, SharedSetup},
};
use crate::{
    lane::Shared,
    refusal::Refusal,
    restart::{self, Codec, Portable, Registration},
    worker_process::{Told, WorkerProcess},
};

/// How long it may take to reap a worker that was killed.
const REAPING: Duration = Duration::from_millis(500);

/// The worker processes of one job.
pub(crate) struct Workers<T: Task> {
    shared: Arc<Shared<T>>,
    setup: SharedSetup<T>,
    ended: Receiver<Told>,
    end: Sender<Told>,
    bridges: u32,
}

impl<T: Task> Workers<T> {
    pub(crate) fn new(shared: &Arc<Shared<T>>, plan: &Plan) -> Result<Self, Refusal> {
        let (registration, codec) = codec::<T>()?;
        let (end, ended) = channel();
        Ok(Self {
            shared: Arc::clone(shared),
            setup: Arc::new(Setup::new(registration, codec, plan, &shared.task)?),
            ended,
            end,
            bridges: 0,
        })
    }

    /// How many inputs each of them runs at once.
    pub(crate) fn slots(&self) -> usize {
        self.setup.slots
    }

    /// Starts a worker process and the thread that speaks to it. Its slots have the numbers from `first_worker` on.
    pub(crate) fn add(&mut self, first_worker: u32) -> io::Result<Arc<WorkerProcess>> {
        let process = Arc::new(WorkerProcess::default());
        self.shared.control.watch(&process);
        let bridge = Bridge::new(
            Arc::clone(&self.shared),
            Arc::clone(&self.setup),
            Arc::clone(&process),
            self.bridges,
            first_worker,
        );
        let end = self.end.clone();
        let name = format!("triway-{first_worker}");
        thread::Builder::new().name(name).spawn(move || {
            let told = bridge.serve();
            // Nobody listens any more if the job is over.
            let _unheard = end.send(told);
        })?;
        self.bridges += 1;
        Ok(process)
    }

    /// Waits until all workers that there ever were have left, each bounded by its own lane; gives what they
    /// have told, added up. Calls `force` if some are still there once they should have been ended.
    pub(crate) fn join(self, grace: Duration, force: impl FnOnce()) -> Told {
        let Self { ended, end, .. } = self;
        // The receiver now comes to an end with the last of the threads that speak to workers.
        drop(end);
        let mut sum = Told::default();
        if !collect(&ended, grace + REAPING, &mut sum) {
            force();
            collect(&ended, REAPING, &mut sum);
        }
        sum
    }
}

/// Adds up what the lanes say at their end; whether all have, within this time.
fn collect(ended: &Receiver<Told>, limit: Duration, sum: &mut Told) -> bool {
    let until = Instant::now() + limit;
    loop {
        match ended.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(told) => *sum = sum.and(told),
            Err(error) => return error == RecvTimeoutError::Disconnected,
        }
    }
}

/// Registers task type `T` as `name`, so that worker processes can find it; see [`restart::init`].
#[must_use]
pub fn registration<T: Portable>(name: impl Into<String>) -> Registration {
    Registration::of::<T>(name)
        .with_role(ROLE, worker::serve::<T>)
        .with_role(outside::ROLE, worker::launch::serve)
}

/// What is registered for `T`, or the refusal that says what to add.
pub(crate) fn codec<T: Task>() -> Result<(&'static Registration, &'static Codec<T>), Refusal> {
    let registration = restart::lookup::<T>()?;
    let codec = registration
        .codec::<T>()
        .ok_or_else(|| Refusal::Configuration("it was registered with another type".to_owned()))?;
    Ok((registration, codec))
}
