//! Who steers a job through its stretches, how far the present one has come, and what those before came to.

use std::time::Duration;

use tokio::runtime::Handle;
use triway_core::Plan;

use crate::{
    stretch::{Asked, Course, Pilot, Stretch},
    worker_process::Told,
};

/// Who decides, and how far the present stretch has come.
pub(crate) struct Steering {
    pub(super) pilot: Pilot,
    pub(super) stretch: Stretch,
    /// The runtime that the job was awaited on.
    pub(super) callers: Option<Handle>,
    /// Attempts that were started, of this stretch.
    pub(super) started: u64,
    /// Whether lanes had to wait for inputs.
    pub(super) starved: bool,
    pub(super) next_watch: Option<Duration>,
    /// Somebody who watched wanted it to end.
    pub(super) ends: bool,
    /// What came of the stretches before.
    pub(super) past: Past,
}

/// What the stretches before this one add to the summary.
#[derive(Default)]
pub(super) struct Past {
    pub(super) startup: Duration,
    pub(super) began: Option<Duration>,
    pub(super) told: Option<Told>,
    pub(super) lanes_peak: usize,
    pub(super) abandoned: u64,
}

/// What all stretches of a job came to.
pub(super) struct Whole {
    pub(super) startup: Duration,
    pub(super) wall: Duration,
    pub(super) told: Option<Told>,
    pub(super) lanes_peak: usize,
    pub(super) abandoned: u64,
}

impl Steering {
    /// Begins with what the pilot says; gives the plan of the first stretch as well. `None` where it says nothing.
    pub(crate) fn begin(mut pilot: Pilot, callers: Option<Handle>) -> Option<(Self, Plan)> {
        let Course::Next(stretch) = pilot(Asked::First) else {
            return None;
        };
        let plan = stretch.plan.clone();
        let steering = Self {
            pilot,
            stretch: *stretch,
            callers,
            started: 0,
            starved: false,
            next_watch: None,
            ends: false,
            past: Past::default(),
        };
        Some((steering, plan))
    }

    /// How many attempts may still be started.
    pub(super) fn left(&self) -> u64 {
        match self.stretch.most_inputs {
            _ if self.ends => 0,
            Some(most) => most.saturating_sub(self.started),
            None => u64::MAX,
        }
    }
}

/// What workers of both have told.
pub(super) fn joined(one: Option<Told>, other: Option<Told>) -> Option<Told> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.and(other)),
        (one, other) => one.or(other),
    }
}
