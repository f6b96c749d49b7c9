//! The lanes of a job, whatever they are: adds more, looks for those that are overdue, gives up and replaces them.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use tokio::{runtime::Runtime, task::AbortHandle};
use triway_core::{Forms, Inner, Model, Plan, Task};

use crate::{
    cell::{Cell, Running},
    hand_over::Waking,
    lane::{Lane, Shared},
    processes::{Shape, Workers},
    refusal::Refusal,
    runtime::{self, Host},
    worker_process::{Told, WorkerProcess},
};

/// What a model's lanes are. This is the one place where models differ in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Threads,
    Tasks,
    Processes,
    /// Workers that are no processes of this program.
    Outside,
}

impl Kind {
    /// What lanes a model has for a task, if it can have any.
    pub(crate) fn for_task<T: Task>(plan: &Plan, task: &T) -> Result<Self, Refusal> {
        let kind = Self::of(plan.model, plan.pool.inner, task.forms())?;
        Ok(match task.outside() {
            Some(_) => Self::Outside,
            None => kind,
        })
    }

    /// What lanes a model has for a task with these forms, if it can have any.
    pub(crate) fn of(model: Model, inner: Option<Inner>, forms: Forms) -> Result<Self, Refusal> {
        let lacks = |form| Err(Refusal::NoForm { model, form });
        match model {
            Model::Hybrid if inner == Some(Inner::Threads) && !forms.has_blocking() => {
                lacks("blocking")
            }
            Model::Hybrid if inner == Some(Inner::Async) && !forms.has_async() => lacks("async"),
            Model::Processes | Model::Hybrid => Ok(Self::Processes),
            Model::Threads if !forms.has_blocking() => lacks("blocking"),
            Model::Async if !forms.has_async() => lacks("async"),
            Model::Async => Ok(Self::Tasks),
            _ if forms.has_blocking() => Ok(Self::Threads),
            _ => Ok(Self::Tasks),
        }
    }

    /// How many take inputs: each lane for itself, or each worker process for its slots.
    pub(crate) fn takers(self, plan: &Plan) -> usize {
        match self {
            Self::Processes => Shape::of(plan).processes,
            Self::Outside => Shape::outside(plan).processes,
            Self::Threads | Self::Tasks => plan.concurrency.get(),
        }
    }

    pub(crate) fn waking(self) -> Waking {
        match self {
            Self::Tasks => Waking::Direct,
            Self::Threads | Self::Processes | Self::Outside => Waking::Chained,
        }
    }
}

/// Whether a model can run a task that has these forms. Sequential and processes take either form, and prefer the
/// blocking one.
///
/// # Errors
/// [`Refusal::NoForm`], with the form that is missing.
pub fn can_run(model: Model, forms: Forms) -> Result<(), Refusal> {
    Kind::of(model, None, forms).map(|_| ())
}

/// What the lanes of a job live on.
enum Made<T: Task> {
    Threads,
    Tasks(Host),
    Processes(Workers<T>),
}

/// All lanes of one job.
pub(crate) struct Lanes<T: Task> {
    shared: Arc<Shared<T>>,
    made: Made<T>,
    slots: Vec<Slot>,
    /// Further runtimes, for lanes that replace those which hold the threads of the ones before. Those before are kept:
    /// other lanes live on them.
    spares: Vec<Runtime>,
    next_worker: u32,
}

struct Slot {
    worker: u32,
    cell: Arc<Cell>,
    hold: Hold,
}

/// What can be done about a lane from outside.
enum Hold {
    Thread,
    Task(AbortHandle),
    Process(Arc<WorkerProcess>),
}

impl<T: Task> Lanes<T> {
    /// No lanes yet, but what they live on.
    pub(crate) fn new(
        kind: Kind,
        plan: &Plan,
        shared: Arc<Shared<T>>,
        host: Option<Host>,
    ) -> Result<Self, Refusal> {
        let made = match kind {
            Kind::Threads => Made::Threads,
            Kind::Processes | Kind::Outside => Made::Processes(Workers::new(&shared, plan)?),
            Kind::Tasks => match host {
                Some(host) => Made::Tasks(host),
                None => Made::Tasks(Host::start(plan)?),
            },
        };
        Ok(Self {
            shared,
            made,
            slots: Vec::new(),
            spares: Vec::new(),
            next_worker: 0,
        })
    }

    /// No lanes, and nothing for any to live on: between two stretches of a job, and after its end.
    pub(crate) fn none(shared: Arc<Shared<T>>) -> Self {
        Self {
            shared,
            made: Made::Threads,
            slots: Vec::new(),
            spares: Vec::new(),
            next_worker: 0,
        }
    }

    /// How many lanes there are; a worker process has as many as it has slots.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() * self.each()
    }

    /// How many say that they stand ready: each lane, or each worker process for all of its slots.
    pub(crate) fn announced(&self) -> usize {
        self.slots.len()
    }

    fn each(&self) -> usize {
        match &self.made {
            Made::Processes(workers) => workers.slots(),
            _ => 1,
        }
    }

    /// Starts one more lane, or one more worker process with all its slots.
    pub(crate) fn add(&mut self) -> std::io::Result<()> {
        let worker = self.next_worker;
        let cell = Arc::new(Cell::default());
        let lane = || Lane::new(worker, Arc::clone(&cell), Arc::clone(&self.shared));
        let hold = match &mut self.made {
            Made::Threads => {
                let name = format!("triway-{worker}");
                let lane = lane();
                thread::Builder::new()
                    .name(name)
                    .spawn(move || lane.work_blocking())?;
                Hold::Thread
            }
            Made::Tasks(host) => {
                let handle = match self.spares.last() {
                    Some(spare) => spare.handle(),
                    None => host.handle(),
                };
                Hold::Task(handle.spawn(lane().work_async()).abort_handle())
            }
            Made::Processes(workers) => Hold::Process(workers.add(worker)?),
        };
        self.slots.push(Slot { worker, cell, hold });
        self.shared.lanes.fetch_add(1, Ordering::Relaxed);
        self.next_worker += u32::try_from(self.each()).unwrap_or(1);
        Ok(())
    }

    /// What has been running for longer than its time limit and the grace, with what is known of why.
    pub(crate) fn overdue(&self, now: Duration, limit: Duration) -> Vec<(u32, Running)> {
        if matches!(self.made, Made::Processes(_)) {
            // A worker process is killed by the lane that speaks to it.
            return Vec::new();
        }
        self.slots
            .iter()
            .filter_map(|slot| Some((slot.worker, slot.cell.running()?)))
            .filter(|(_, running)| running.since + limit + self.shared.grace <= now)
            .collect()
    }

    /// When the attempt that has run longest will be overdue.
    pub(crate) fn next_overdue(&self, limit: Duration) -> Option<Duration> {
        if matches!(self.made, Made::Processes(_)) {
            return None;
        }
        self.slots
            .iter()
            .filter_map(|slot| Some(slot.cell.running()?.since + limit + self.shared.grace))
            .min()
    }

    /// Gives an attempt up and its lane with it; `false` if it ended just now.
    pub(crate) fn abandon(&mut self, worker: u32, running: Running) -> bool {
        let Some(place) = self.slots.iter().position(|slot| slot.worker == worker) else {
            return false;
        };
        if !self.slots[place].cell.abandon(running) {
            return false;
        }
        self.shared.lanes.fetch_sub(1, Ordering::Relaxed);
        match self.slots.swap_remove(place).hold {
            Hold::Thread => {}
            Hold::Task(task) => task.abort(),
            Hold::Process(process) => process.kill(),
        }
        true
    }

    /// Lanes that replace abandoned async ones need threads that nobody holds.
    pub(crate) fn use_spare_runtime(&mut self, plan: &Plan) {
        if matches!(self.made, Made::Tasks(_)) {
            // Without one, the replacements share what threads are left.
            self.spares.extend(runtime::build(plan));
        }
    }

    /// Why an async attempt could not be stopped, or that a thread cannot be.
    pub(crate) fn held_by(&self, running: Running) -> String {
        match &self.made {
            Made::Tasks(_) if running.polled => {
                "it holds its runtime thread without awaiting anything".to_owned()
            }
            Made::Tasks(_) => "other inputs held all runtime threads".to_owned(),
            _ => "its thread does not return".to_owned(),
        }
    }

    /// All that is running now.
    pub(crate) fn running(&self) -> Vec<(u32, Running)> {
        self.slots
            .iter()
            .filter_map(|slot| Some((slot.worker, slot.cell.running()?)))
            .collect()
    }

    /// Ends every worker process, also those that are idle or just being started.
    pub(crate) fn kill_processes(&self) {
        kill_all(&self.slots);
    }

    /// A lane ended by itself.
    pub(crate) fn remove(&mut self, worker: u32) {
        if self.forget(worker) {
            self.shared.lanes.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A lane left, and counted itself out before; `false` if it was known to be gone.
    pub(crate) fn forget(&mut self, worker: u32) -> bool {
        let before = self.slots.len();
        self.slots.retain(|slot| slot.worker != worker);
        self.slots.len() < before
    }

    /// Ends the lanes; waits for worker processes to leave, and ends them after the grace. Gives what they have told,
    /// where there were worker processes.
    pub(crate) fn close(self) -> Option<Told> {
        self.shared.hand_over.close();
        let force = || {
            // Or lanes that are just being started would try once more.
            self.shared.cancelled.store(true, Ordering::Relaxed);
            kill_all(&self.slots);
        };
        let told = match self.made {
            Made::Processes(workers) => Some(workers.join(self.shared.grace, force)),
            Made::Tasks(host) => {
                host.shut_down();
                None
            }
            Made::Threads => None,
        };
        for spare in self.spares {
            spare.shutdown_background();
        }
        told
    }
}

fn kill_all(slots: &[Slot]) {
    for slot in slots {
        if let Hold::Process(process) = &slot.hold {
            process.kill();
        }
    }
}
