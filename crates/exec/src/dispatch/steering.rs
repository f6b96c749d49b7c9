//! Who steers a job through its stretches, how far the present one has come, and what those before came to.

use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use triway_core::Plan;

use crate::{
    lanes::Kind,
    refusal::Refusal,
    runtime::{self, Host},
    stretch::{Asked, Course, Pilot, Stretch},
    worker_process::Told,
};

/// Who decides, and how far the present stretch has come.
pub(crate) struct Steering {
    pub(super) pilot: Pilot,
    pub(super) stretch: Stretch,
    /// When it began, if that is not when its lanes stood ready, because they are those of the one before.
    pub(super) since: Option<Duration>,
    /// The runtime of all async stretches, where the job was not awaited on one: what a task keeps between two inputs, such as
    /// an open connection, lives on it.
    own: Option<Runtime>,
    /// The runtime that the job was awaited on.
    callers: Option<Handle>,
    /// Attempts that were started, of this stretch.
    pub(super) started: u64,
    pub(super) starving: Starving,
    /// Of that, what whoever watches was told of.
    pub(super) starved_before: Duration,
    pub(super) next_watch: Option<Duration>,
    /// Somebody who watched wanted it to end, or it has no lanes.
    pub(super) ends: bool,
    /// Why it has none.
    pub(super) refused: Option<String>,
    /// What came of the stretches before.
    pub(super) past: Past,
}

/// For how long lanes had nothing to do because inputs were still to come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Starving {
    since: Option<Duration>,
    before: Duration,
}

impl Starving {
    /// Whether they have nothing to do at this moment.
    pub(super) fn note(&mut self, now: impl FnOnce() -> Duration, starves: bool) {
        match self.since {
            None if starves => self.since = Some(now()),
            Some(since) if !starves => {
                self.before += now().saturating_sub(since);
                self.since = None;
            }
            _ => {}
        }
    }

    /// Until this moment.
    pub(super) fn so_far(self, now: Duration) -> Duration {
        let present = self.since.map(|since| now.saturating_sub(since));
        self.before + present.unwrap_or_default()
    }
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
            since: None,
            own: None,
            callers,
            started: 0,
            starving: Starving::default(),
            starved_before: Duration::ZERO,
            next_watch: None,
            ends: false,
            refused: None,
            past: Past::default(),
        };
        Some((steering, plan))
    }

    /// A stretch of which nothing has been started; with lanes that stand ready since a while, if it goes on with others'.
    pub(super) fn begin_next(&mut self, stretch: Stretch, since: Option<Duration>) {
        self.stretch = stretch;
        self.since = since;
        self.started = 0;
        self.starving = Starving::default();
        self.starved_before = Duration::ZERO;
        self.next_watch = None;
        self.ends = false;
    }

    /// Where the lanes of a stretch live, if these are async tasks.
    pub(crate) fn host(&mut self, kind: Kind, plan: &Plan) -> Result<Option<Host>, Refusal> {
        if !matches!(kind, Kind::Tasks) {
            return Ok(None);
        }
        if let Some(callers) = self
            .callers
            .as_ref()
            .filter(|_| plan.runtime_threads.is_none())
        {
            return Ok(Some(Host::Kept(callers.clone())));
        }
        let own = match self.own.take() {
            Some(own) => own,
            None => runtime::build(plan).map_err(Refusal::Start)?,
        };
        let handle = own.handle().clone();
        self.own = Some(own);
        Ok(Some(Host::Kept(handle)))
    }

    /// Does not wait for tasks that never yield.
    pub(super) fn shut_down(&mut self) {
        if let Some(runtime) = self.own.take() {
            runtime.shutdown_background();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starving_is_counted_while_it_lasts() {
        let at = Duration::from_millis;
        let mut starving = Starving::default();
        for (now, starves) in [(10, true), (12, true), (15, false), (20, false), (30, true)] {
            starving.note(|| at(now), starves);
        }
        assert_eq!(starving.so_far(at(30)), at(5));
        assert_eq!(starving.so_far(at(37)), at(12));
    }
}
