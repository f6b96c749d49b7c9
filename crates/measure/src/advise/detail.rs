//! What a page shows of settings that were probed, and advice is not made from: how long attempts took, who ran what when.

use serde::{Deserialize, Serialize};
use triway_core::{Model, Outcome};
use triway_exec::stretch::Ran;

use crate::{
    latency::Latencies,
    report::{Latency, LatencyCount, Timeline},
    timeline::Recording,
};

/// What the attempts of a setting were like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Detail {
    /// The model.
    pub model: Model,
    /// How many inputs in flight.
    pub concurrency: usize,
    /// How long the attempts of all its slices took.
    pub latency_s: Latency,
    /// How many took how long.
    pub latency_distribution: Vec<LatencyCount>,
    /// What the lanes of its last slice did.
    pub timeline: Timeline,
}

/// Looks closely at a stretch.
#[derive(Debug)]
pub(super) struct Closely {
    latencies: Latencies,
    recording: Recording,
}

/// What was seen of a setting so far.
#[derive(Debug)]
pub(super) struct Seen {
    model: Model,
    concurrency: usize,
    latencies: Latencies,
    timeline: Timeline,
}

impl Closely {
    pub(super) fn new() -> Self {
        Self {
            latencies: Latencies::new(),
            recording: Recording::default(),
        }
    }

    pub(super) fn record<I, O>(&mut self, outcome: &Outcome<I, O>) {
        self.latencies.record(outcome.run);
        self.recording.record(outcome);
    }

    /// What it has seen of a stretch, beside what was seen of others.
    pub(super) fn add_to(self, all: &mut Vec<Seen>, setting: (Model, usize), ran: &Ran) {
        let (model, concurrency) = setting;
        let began = ran.ready.saturating_sub(ran.startup);
        let timeline = self.recording.finish(ran.startup, ran.wall).since(began);
        let known = all
            .iter_mut()
            .find(|it| (it.model, it.concurrency) == setting);
        match known {
            Some(known) => {
                known.latencies.merge(&self.latencies);
                known.timeline = timeline;
            }
            None => all.push(Seen {
                model,
                concurrency,
                latencies: self.latencies,
                timeline,
            }),
        }
    }
}

/// Of these settings those that were looked at.
pub(super) fn of(settings: &[(Model, usize)], seen: &[Seen]) -> Vec<Detail> {
    let seen = |setting: &(Model, usize)| {
        seen.iter()
            .find(|it| (it.model, it.concurrency) == *setting)?
            .detail()
    };
    settings.iter().filter_map(seen).collect()
}

impl Seen {
    fn detail(&self) -> Option<Detail> {
        Some(Detail {
            model: self.model,
            concurrency: self.concurrency,
            latency_s: self.latencies.percentiles()?,
            latency_distribution: self.latencies.distribution()?,
            timeline: self.timeline.clone(),
        })
    }
}
