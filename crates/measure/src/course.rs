//! All trials of one arm, and what they say together.

use std::time::Duration;

use triway_core::{FailureKind, Inside, LockWait, Model};

use crate::{
    arms::Arm,
    inward,
    latency::Latencies,
    machine,
    report::{ArmReport, ContextSwitches, Estimate, InsideReport, ServerReport, Timeline},
    statistics::{median, median_interval},
    trial::Measured,
};

/// How many of an arm's trials may fail before it is given no more.
const MOST_FAILURES: usize = 2;

/// One arm and what became of it.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) arm: Arm,
    /// Why it cannot run at all.
    pub(crate) skipped: Option<String>,
    /// How many inputs each counted trial executes, once that is decided.
    pub(crate) inputs: u64,
    /// The counted trials that gave figures.
    pub(crate) trials: Vec<Measured>,
    /// What they left, where they had copies of something.
    pub(crate) left: Vec<String>,
    /// What their servers spent, where they had some of their own.
    pub(crate) spent: Vec<ServerReport>,
    /// How late threads got the interpreter's lock, in a trial that does not count.
    pub(crate) probed: Option<LockWait>,
    /// Why others, the warm-up included, gave none.
    pub(crate) failures: Vec<String>,
}

impl Course {
    pub(crate) fn new(arm: Arm, skipped: Option<String>) -> Self {
        Self {
            arm,
            skipped,
            inputs: 0,
            trials: Vec::new(),
            left: Vec::new(),
            spent: Vec::new(),
            probed: None,
            failures: Vec::new(),
        }
    }

    /// Whether it is worth another trial.
    pub(crate) fn goes_on(&self) -> bool {
        self.skipped.is_none() && self.failures.len() < MOST_FAILURES
    }

    /// What was measured; how it compares with other arms is left open.
    pub(crate) fn report(&self, runtime_threads: Option<usize>) -> ArmReport {
        let is_async = self.arm.model == Model::Async;
        ArmReport {
            id: self.arm.id.clone(),
            model: self.arm.model,
            concurrency: self.arm.concurrency.get(),
            runtime_threads: is_async.then(|| runtime_threads.unwrap_or_else(machine::cpus)),
            skipped: self.skipped.clone(),
            unranked: None,
            sampled: None,
            succeeded: self.succeeded(),
            failed: self.failed(),
            wall_s: estimate(&self.walls()),
            startup_s: self.startup(),
            total_s: estimate(&self.totals()),
            throughput_per_s: median(&self.throughputs()),
            speedup: None,
            latency_s: self.latencies().percentiles(),
            cpu_s: self.cpu(),
            peak_memory_bytes: self.peak_memory_bytes(),
            context_switches: self.switches(),
            server: self.server(),
            inside: self.inside(),
            latency_distribution: self.latencies().distribution(),
            timeline: self.timeline(),
        }
    }

    pub(crate) fn totals(&self) -> Vec<f64> {
        self.seconds(Measured::total)
    }

    pub(crate) fn walls(&self) -> Vec<f64> {
        self.seconds(|trial| trial.wall)
    }

    fn startup(&self) -> Option<f64> {
        median(&self.seconds(|trial| trial.startup))
    }

    /// Successes in the worst round.
    pub(crate) fn succeeded(&self) -> Option<u64> {
        self.trials
            .iter()
            .map(|trial| trial.tally.succeeded())
            .min()
    }

    /// Failures in the worst round.
    pub(crate) fn failed(&self) -> Option<u64> {
        self.trials.iter().map(|trial| trial.tally.failed()).max()
    }

    /// Failures in the best round and in the worst, where these differ.
    pub(crate) fn failed_unevenly(&self) -> Option<(u64, u64)> {
        let failed = || self.trials.iter().map(|trial| trial.tally.failed());
        let (best, worst) = (failed().min()?, failed().max()?);
        (best < worst).then_some((best, worst))
    }

    /// Whether not one input succeeded in any round.
    pub(crate) fn only_failed(&self) -> bool {
        self.trials.iter().all(|trial| trial.tally.succeeded() == 0)
    }

    /// Kinds of failure over all rounds.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&FailureKind, u64)> {
        self.trials.iter().flat_map(|trial| trial.tally.kinds())
    }

    /// Why some trial ended before its inputs did.
    pub(crate) fn stopped(&self) -> Option<&str> {
        self.trials
            .iter()
            .find_map(|trial| trial.stopped.as_deref())
    }

    /// The fewest lanes that a trial had.
    pub(crate) fn lanes(&self) -> Option<usize> {
        self.trials.iter().map(|trial| trial.lanes).min()
    }

    /// Successes per second of steady work, one figure a round: to fail fast is not to be fast.
    pub(crate) fn throughputs(&self) -> Vec<f64> {
        self.trials.iter().filter_map(throughput).collect()
    }

    fn latencies(&self) -> Latencies {
        let mut all = Latencies::new();
        for trial in &self.trials {
            all.merge(trial.tally.latencies());
        }
        all
    }

    fn cpu(&self) -> Option<f64> {
        let costs = self.trials.iter().filter_map(|trial| trial.cost);
        median(&costs.map(|cost| cost.cpu.as_secs_f64()).collect::<Vec<_>>())
    }

    fn peak_memory_bytes(&self) -> Option<u64> {
        self.trials
            .iter()
            .filter_map(|trial| trial.peak_memory_bytes)
            .max()
    }

    fn switches(&self) -> Option<ContextSwitches> {
        let of = |count: fn(ContextSwitches) -> u64| {
            let costs = self.trials.iter().filter_map(|trial| trial.cost);
            middle(costs.map(|cost| count(cost.switches)).collect())
        };
        Some(ContextSwitches {
            voluntary: of(|switches| switches.voluntary)?,
            involuntary: of(|switches| switches.involuntary)?,
        })
    }

    /// What the servers of its trials spent; medians.
    fn server(&self) -> Option<ServerReport> {
        let count = |of: fn(&ServerReport) -> u64| middle(self.spent.iter().map(of).collect());
        let cpu: Vec<f64> = self.spent.iter().map(|spent| spent.cpu_s).collect();
        Some(ServerReport::new(
            count(|spent| spent.connections)?,
            count(|spent| spent.messages)?,
            median(&cpu)?,
            count(|spent| spent.memory_bytes)?,
        ))
    }

    /// What its workers told of themselves.
    fn inside(&self) -> Option<InsideReport> {
        let told: Vec<Inside> = self
            .trials
            .iter()
            .filter_map(|trial| trial.inside)
            .collect();
        inward::report(&told, self.probed)
    }

    /// Who ran what when in the trial that recorded it.
    fn timeline(&self) -> Option<Timeline> {
        self.trials.iter().find_map(|trial| trial.timeline.clone())
    }

    fn seconds(&self, of: impl Fn(&Measured) -> Duration) -> Vec<f64> {
        self.trials
            .iter()
            .map(|trial| of(trial).as_secs_f64())
            .collect()
    }
}

/// The median with its interval; `None` of nothing.
pub(crate) fn estimate(samples: &[f64]) -> Option<Estimate> {
    Some(Estimate {
        median: median(samples)?,
        ci95: median_interval(samples),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a throughput needs no more digits than a float has"
)]
fn throughput(trial: &Measured) -> Option<f64> {
    let per_second = trial.tally.succeeded() as f64 / trial.wall.as_secs_f64();
    per_second.is_finite().then_some(per_second)
}

/// The middle one; of an even number, the upper of the two in the middle.
fn middle(mut counts: Vec<u64>) -> Option<u64> {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied()
}
