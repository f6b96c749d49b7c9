//! A job that changes its model on the way: stretches, and who decides about them.
//!
//! All stretches are one job, with one ledger, one journal and one sink. So no input is executed twice for having been in
//! two of them, and none is lost between them.

use std::{num::NonZeroUsize, time::Duration};

use triway_core::{Inside, Plan};

/// A part of a job under one model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stretch {
    /// How it runs. Of the plan count model, concurrency and what worker processes are; all limits are the job's own.
    pub plan: Plan,
    /// No more inputs than this run at once, where there are to be more lanes than that: a later stretch may want them all, and
    /// they may be slow to start. Then no input is handed out ahead.
    pub at_once: Option<NonZeroUsize>,
    /// It ends when so many attempts were started.
    pub most_inputs: Option<u64>,
    /// It starts no further attempt after so long, from where its lanes stood ready.
    pub most_time: Option<Duration>,
    /// Inputs are taken in any order, of as many as may be read ahead, so that those that stand together (the slow ones at
    /// the end) are not all found in one stretch.
    pub shuffled: bool,
    /// Whether the job goes on without it where it loses all its lanes, as where it cannot begin. Otherwise the job stops.
    pub dispensable: bool,
    /// How often the pilot is asked whether it goes on; never unless given.
    pub watch: Option<Duration>,
}

impl Stretch {
    /// To the end of the job.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            plan,
            at_once: None,
            most_inputs: None,
            most_time: None,
            shuffled: false,
            dispensable: false,
            watch: None,
        }
    }
}

/// What a pilot is asked.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Asked<'a> {
    /// How the job begins.
    First,
    /// Whether its lanes go on as they are: all attempts of a stretch have ended, and its lanes stand ready. They do where
    /// the answer is a stretch of the same model, concurrency and pool, however many of them it has at work; whatever else is
    /// answered, they are let go, and then it is asked how the job goes on. What workers tell when they leave is not known yet.
    Idle(&'a Ran),
    /// How it goes on: all attempts of a stretch have ended, and its lanes are gone.
    Ended(&'a Ran),
    /// Whether a stretch goes on.
    Watching {
        /// Whether lanes had to wait for inputs for a tenth of the time since the last look, or none are left to begin.
        starved: bool,
    },
}

/// What a pilot answers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Course {
    /// The next stretch; where one was only watched, that ends, and the pilot is asked again.
    Next(Box<Stretch>),
    /// The stretch goes on as it is.
    Stay,
    /// The job ends here, whatever inputs there are.
    End,
}

/// A stretch that has ended.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Ran {
    /// Why it never began, or had no lane left to go on with.
    pub refused: Option<String>,
    /// When its lanes stood ready, from the job's start.
    pub ready: Duration,
    /// Until then.
    pub startup: Duration,
    /// From there to the end of its last attempt.
    pub wall: Duration,
    /// Attempts that it started.
    pub started: u64,
    /// The most inputs that might run at once in the end.
    pub at_once: usize,
    /// For how long some lane had nothing to do because inputs were still to come.
    pub starved: Duration,
    /// Whether no inputs are left.
    pub exhausted: bool,
    /// Whether the job was stopped meanwhile, so that it ends whatever is answered.
    pub stopped: bool,
    /// Sum of its worker processes' own peaks of memory, where there were any.
    pub worker_peak_memory_bytes: Option<u64>,
    /// What its workers have told of themselves.
    pub inside: Option<Inside>,
}

/// Decides about the stretches of a job. Called on the job's own thread, which it holds up.
pub type Pilot = Box<dyn FnMut(Asked<'_>) -> Course + Send>;
