//! Advice on a job: a few probes of it, each input executed once, and what follows from them.
//!
//! What to probe next ([`strategy`]) and what follows ([`recommend()`]) are pure functions of what was measured. A pilot
//! carries it out on a running job ([`triway_exec::stretch`]), which either ends there or goes on as advised.

pub mod advice;
mod allowance;
mod alone;
mod character;
pub mod cores;
pub mod detail;
mod durations;
mod interval;
mod judged;
mod likeness;
mod observe;
mod pilot;
mod progress;
mod recommend;
mod room;
mod rule;
mod setting;
pub mod slice;
pub mod strategy;
mod watch;
mod widest;
mod words;

use triway_core::{Forms, Model, Plan, Task};
use triway_exec::{Job, can_run};

pub use self::{
    advice::{Advice, Advised, Character},
    observe::{Observed, Sizes},
    pilot::Gathered,
    progress::{Progress, Tell},
    recommend::recommend,
    slice::{Candidate, Interpreter, Situation, Slice},
};
use self::{
    cores::Cores,
    pilot::{Steers, Then},
};
use crate::machine;

/// How long probing may take, unless told otherwise.
pub const DEFAULT_BUDGET_S: f64 = 10.0;

/// How long a job is probed that is to be done and not only advised on.
const QUICK_BUDGET_S: f64 = 2.0;

/// No more inputs at once than this, out of care for the other side.
pub const DEFAULT_MOST_CONCURRENCY: usize = 256;

impl Situation {
    /// Nothing known but how many processors there are.
    #[must_use]
    pub fn bare(cpus: usize) -> Self {
        Self {
            cpus,
            two_threads: None,
            noise: 0.0,
            models: Vec::new(),
            interpreter: None,
            inputs: None,
            most_concurrency: DEFAULT_MOST_CONCURRENCY,
            fixed_concurrency: None,
            budget_s: DEFAULT_BUDGET_S,
            thorough: true,
        }
    }

    /// This machine, and a task with these forms, of which some models are refused. Looks at the processors for about a
    /// tenth of a second.
    #[must_use]
    pub fn of(forms: Forms, refused: &[(Model, String)]) -> Self {
        let Cores { two_threads, noise } = cores::look();
        let bare = Self::unlooked(forms, refused);
        Self {
            // With one processor there are no two to be told of.
            two_threads: two_threads.filter(|_| bare.cpus > 1),
            noise,
            ..bare
        }
    }

    /// The same for a job that is to be done: it is probed for a moment, and nothing is looked at before.
    #[must_use]
    pub fn of_work(forms: Forms, refused: &[(Model, String)]) -> Self {
        Self {
            budget_s: QUICK_BUDGET_S,
            thorough: false,
            ..Self::unlooked(forms, refused)
        }
    }

    /// One part in so many of the inputs that are left may be tried at once. Whoever goes on afterwards needs inputs to go on with;
    /// of what waits, the more are tried the sooner all is done.
    pub(crate) fn one_part_in(&self, waits: bool) -> u64 {
        match (self.thorough, waits) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 4,
        }
    }

    fn unlooked(forms: Forms, refused: &[(Model, String)]) -> Self {
        let candidate = |model| {
            let refused = refused.iter().find(|(it, _)| *it == model);
            let refused = refused.map(|(_, why)| why.clone());
            let lacks = || can_run(model, forms).err().map(|it| it.to_string());
            Candidate {
                model,
                refused: refused.or_else(lacks),
            }
        };
        Self {
            models: Model::PLAIN.into_iter().map(candidate).collect(),
            ..Self::bare(machine::cpus())
        }
    }
}

/// A job that is steered through probes, its sink that is looked at, and what they leave.
pub struct Steered<T: Task, S> {
    /// The job.
    pub job: Job<T>,
    /// Where its outcomes go.
    pub sink: Observed<T, S>,
    /// What was measured so far.
    pub gathered: Gathered,
}

/// Lets a job be probed and end there. Its sink gets the outcome of every input that was executed, and `cancelled` for
/// those that were read ahead.
pub fn probe<T: Task, S>(
    job: Job<T>,
    sink: (S, Sizes<T>),
    (situation, plan): (Situation, Plan),
    tell: Tell,
) -> Steered<T, S> {
    steered(job, sink, (situation, plan), Then::End, tell)
}

/// Lets a job be probed and go on under what follows.
pub fn choose<T: Task, S>(
    job: Job<T>,
    sink: (S, Sizes<T>),
    (situation, plan): (Situation, Plan),
    tell: Tell,
) -> Steered<T, S> {
    steered(job, sink, (situation, plan), Then::GoOn, tell)
}

impl<T: Task, S> Steered<T, S> {
    /// Has attempts looked at closely, for a page ([`Gathered::details`]): that costs time and memory.
    #[must_use]
    pub fn closely(self) -> Self {
        self.sink.look_closely();
        self
    }
}

fn steered<T: Task, S>(
    job: Job<T>,
    (sink, sizes): (S, Sizes<T>),
    basis: (Situation, Plan),
    then: Then,
    tell: Tell,
) -> Steered<T, S> {
    let (sink, view) = Observed::new(sink, sizes);
    let gathered = Gathered::default();
    let mut steers = Steers::new(basis, then, (view, gathered.clone()), tell);
    Steered {
        job: job.steer(Box::new(move |asked| steers.answer(asked))),
        sink,
        gathered,
    }
}

#[cfg(test)]
mod conclusions;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod tests;
