//! What a sweep found, as scripts may rely on it: this is schema 1 of `sweep --format json`.

use serde::{Deserialize, Serialize};

use crate::report::{
    ContextSwitches, Difference, Estimate, InsideReport, Latency, LatencyCount, Machine,
    ServerReport, Timeline,
};

/// One model at rising concurrency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sweep {
    /// Version of this form.
    pub schema: u32,
    /// Name of the task.
    pub task: String,
    /// How many inputs the job has.
    pub inputs: u64,
    /// How many of them were executed, where not all.
    pub sampled: Option<u64>,
    /// Counted rounds.
    pub rounds: usize,
    /// What it ran on.
    pub machine: Machine,
    /// The options that all points share.
    pub options: serde_json::Value,
    /// The model.
    pub model: triway_core::Model,
    /// Threads of the async runtime, where that is the model.
    pub runtime_threads: Option<usize>,
    /// What was measured, by rising concurrency.
    pub points: Vec<Point>,
    /// The law that fits the throughput.
    pub fit: Option<Fit>,
    /// Why there is none.
    pub no_fit: Option<String>,
    /// Where throughput bends; see [`crate::sweep::knee`].
    pub knee: Option<Knee>,
    /// How many at once are enough, among those that were measured.
    pub recommended: Option<Recommended>,
    /// Whether every point gave the same outcomes for the inputs that it shares with others.
    pub results_equal: bool,
    /// The first ten differences.
    pub differences: Vec<Difference>,
    /// One sentence.
    pub verdict: String,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// What was measured at one concurrency. What could not be measured is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Point {
    /// How many inputs were in flight at most.
    pub concurrency: usize,
    /// How many inputs each trial executed.
    pub inputs: u64,
    /// Whether these are too few for so many at once: the first moments and the last stragglers decide. Such a point is
    /// shown, and nothing is concluded from it.
    pub too_few_inputs: bool,
    /// Why it did not run.
    pub skipped: Option<String>,
    /// Why it ran and nothing is concluded from it.
    pub unranked: Option<String>,
    /// Inputs that succeeded, in the worst round.
    pub succeeded: Option<u64>,
    /// Inputs that did not, in the worst round.
    pub failed: Option<u64>,
    /// Seconds of steady work.
    pub wall_s: Option<Estimate>,
    /// Seconds until the lanes stood ready; the median.
    pub startup_s: Option<f64>,
    /// Successes per second of steady work.
    pub throughput_per_s: Option<Estimate>,
    /// Throughput of a lane, as a part of what a lane had at the smallest concurrency that was measured.
    pub efficiency: Option<f64>,
    /// Seconds from the start of an attempt to its end, over all rounds; queueing not included.
    pub latency_s: Option<Latency>,
    /// How many attempts took how long; only where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_distribution: Option<Vec<LatencyCount>>,
    /// Who ran what when in its first counted round; only where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
    /// Processor seconds, user and system, workers and start-up included; the median.
    pub cpu_s: Option<f64>,
    /// The same for an input.
    pub cpu_per_input_s: Option<f64>,
    /// Sum of each process's own peak: an upper bound of what was held at once; the largest round.
    pub peak_memory_bytes: Option<u64>,
    /// Context switches, workers included; the median.
    pub context_switches: Option<ContextSwitches>,
    /// What the server spent that it spoke to, where it had one of its own; medians.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerReport>,
    /// What its workers told of themselves, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<InsideReport>,
}

impl Point {
    /// The concurrency and the throughput there, if anything is concluded from it.
    #[must_use]
    pub fn figure(&self) -> Option<(usize, f64)> {
        let counts = self.skipped.is_none() && self.unranked.is_none() && !self.too_few_inputs;
        let throughput = self.throughput_per_s.filter(|_| counts)?;
        Some((self.concurrency, throughput.median))
    }
}

/// The Universal Scalability Law that fits the throughput; see [`crate::sweep::usl`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fit {
    /// Throughput of one at a time.
    pub lambda: f64,
    /// Contention, from 0 to 1.
    pub sigma: f64,
    /// Coherency, from 0.
    pub kappa: f64,
    /// The share of the variance of the throughput that it explains.
    pub r2: f64,
    /// How far it is off on average: the root of the mean square of the relative residuals.
    pub residual: f64,
    /// Of how many points it was made.
    pub points: usize,
    /// The concurrency at which it is greatest; only if that lies within what was measured.
    pub peak_concurrency: Option<f64>,
    /// Whether that is so.
    pub within_measured_range: bool,
}

/// Where throughput bends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Knee {
    /// The concurrency, one of those that were measured.
    pub concurrency: usize,
}

/// How many at once are enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recommended {
    /// The concurrency, one of those that were measured.
    pub concurrency: usize,
    /// Whether throughput still rose there, and nothing larger was tried, so that more may gain more.
    #[serde(default)]
    pub is_open: bool,
    /// Why this one.
    pub why: String,
}
