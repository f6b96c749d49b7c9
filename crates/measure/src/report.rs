//! What a comparison found, as scripts may rely on it: this is schema 1 of `compare --format json`.

use serde::{Deserialize, Serialize};

/// A figure with an interval that holds the true one in 95 of 100 cases: between two of the rounds, unless said
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Estimate {
    /// The median over the rounds.
    pub median: f64,
    /// Lower and upper end; `None` with too few rounds to tell.
    pub ci95: Option<[f64; 2]>,
}

impl Estimate {
    /// A figure and where the true one may be.
    #[must_use]
    pub const fn new(median: f64, ci95: Option<[f64; 2]>) -> Self {
        Self { median, ci95 }
    }

    /// How many times the median an interval may reach, up or down, and still tell something.
    const TELLING: f64 = 10.0;

    /// The interval, unless it is so wide that it tells a reader nothing, as two rounds may leave it.
    #[must_use]
    pub fn telling_interval(&self) -> Option<[f64; 2]> {
        let [least, most] = [self.median / Self::TELLING, self.median * Self::TELLING];
        self.ci95
            .filter(|[low, high]| *low >= least && *high <= most)
    }
}

/// One job under several models, side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparison {
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
    /// The options that all arms share.
    pub options: serde_json::Value,
    /// Whether every arm gave the same outcomes.
    pub results_equal: bool,
    /// The first ten differences.
    pub differences: Vec<Difference>,
    /// Id of the arm that speedups refer to.
    pub baseline: Option<String>,
    /// Id of the winning arm, where the figures carry one.
    pub winner: Option<String>,
    /// One sentence.
    pub verdict: String,
    /// What a reader should know besides: that a sample was used, that an arm had fewer lanes than asked for.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The arms, ranked ones first, fastest first.
    pub models: Vec<ArmReport>,
}

/// The machine a comparison ran on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Machine {
    /// Processors this process may use.
    pub cpus: usize,
    /// The processor's name.
    pub cpu_model: Option<String>,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The operating system and its version.
    pub os: Option<String>,
}

/// One input that ended differently in two arms (or in two rounds of one).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// Which input.
    pub index: u64,
    /// The arm that the others agree with, and what it gave.
    pub reference: Shown,
    /// The arm that differs, and what it gave.
    pub differing: Shown,
}

/// What one arm gave for an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Shown {
    /// Id of the arm.
    pub id: String,
    /// Status and the beginning of the output or of the error.
    pub outcome: String,
}

/// What was measured of one arm. What could not be measured is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ArmReport {
    /// The arm's name: its model, with `@CONCURRENCY` or a number where that alone is ambiguous.
    pub id: String,
    /// The model.
    pub model: triway_core::Model,
    /// How many inputs were in flight at most.
    pub concurrency: usize,
    /// Threads of the async runtime, for async arms.
    pub runtime_threads: Option<usize>,
    /// Why the arm did not run.
    pub skipped: Option<String>,
    /// Why the arm ran but is not ranked.
    pub unranked: Option<String>,
    /// How many inputs this arm executed, where fewer than the others.
    pub sampled: Option<u64>,
    /// Inputs that succeeded, in the worst round.
    pub succeeded: Option<u64>,
    /// Inputs that did not, in the worst round.
    pub failed: Option<u64>,
    /// Seconds of steady work.
    pub wall_s: Option<Estimate>,
    /// Seconds until the lanes stood ready; the median.
    pub startup_s: Option<f64>,
    /// Start-up and work together: what the ranking goes by.
    pub total_s: Option<Estimate>,
    /// Successes per second of steady work; the median.
    pub throughput_per_s: Option<f64>,
    /// How many times faster than the baseline, in `total_s`: the median of the paired ratios, with a t-interval on
    /// their logarithms that is wide enough for all pairs of arms to hold together. Only where both arms are ranked.
    pub speedup: Option<Estimate>,
    /// Seconds from the start of an attempt to its end, over all rounds; queueing not included.
    pub latency_s: Option<Latency>,
    /// Processor seconds, user and system, workers included; the median.
    pub cpu_s: Option<f64>,
    /// Sum of each process's own peak: an upper bound of what was held at once; the largest round.
    pub peak_memory_bytes: Option<u64>,
    /// Context switches, workers included; the median.
    pub context_switches: Option<ContextSwitches>,
    /// What the server spent that this arm spoke to, where it had one of its own; medians.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerReport>,
    /// What its workers told of themselves, where they do: interpreters of the task `py`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<InsideReport>,
    /// How many attempts took how long, over all rounds: what `latency_s` summarises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_distribution: Option<Vec<LatencyCount>>,
    /// Who ran what when in its first counted round; only where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
}

/// How many attempts took between two times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LatencyCount {
    /// Longer than this, in seconds.
    pub from_s: f64,
    /// And at most so long.
    pub to_s: f64,
    /// How many.
    pub count: u64,
}

/// What one trial's lanes did, in seconds from the beginning of its start-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Timeline {
    /// Until the lanes stood ready.
    pub startup_s: f64,
    /// From there to the end of the last attempt.
    pub wall_s: f64,
    /// How many attempts there were.
    pub attempts: u64,
    /// An even choice of them, all if they are few, and those that took longest, in the order in which they began.
    pub spans: Vec<Span>,
}

/// One attempt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Span {
    /// The lane that made it, from 0.
    pub worker: u32,
    /// The input.
    pub index: u64,
    /// When it began.
    pub started_s: f64,
    /// How long it took.
    pub run_s: f64,
    /// How it ended.
    pub status: triway_core::Status,
}

/// What the workers of an arm told of themselves, added up over them; medians over the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InsideReport {
    /// Processor seconds of the threads that made attempts, while they made them.
    pub cpu_s: f64,
    /// Seconds for which those threads were ready to run and had no processor.
    pub run_queue_s: f64,
    /// Seconds for making values of inputs, and bytes of results.
    pub serialising_s: f64,
    /// The longest that a coroutine held its event loop, in any round.
    pub longest_hold: Option<LoopHold>,
    /// How late a thread came to run that woke up, in a trial that was not timed; only where it was asked for.
    pub lock_wait_s: Option<LockWaitReport>,
}

/// A coroutine that held its event loop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LoopHold {
    /// For how long, at a stretch.
    pub seconds: f64,
    /// The input that it was for.
    pub index: u64,
}

/// How late a thread came to run that woke up, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LockWaitReport {
    /// Half of the times it was less.
    pub p50: f64,
    /// The longest.
    pub max: f64,
}

/// What a server spent on its clients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ServerReport {
    /// Connections that it accepted.
    pub connections: u64,
    /// Messages that it answered.
    pub messages: u64,
    /// Processor seconds, user and system, workers included.
    pub cpu_s: f64,
    /// The same for a message.
    pub cpu_per_message_s: f64,
    /// How much the peaks of its processes' memory have grown while it served; what the kernel holds is not in it.
    pub memory_bytes: u64,
    /// The same for a connection.
    pub memory_per_connection_bytes: u64,
}

impl ServerReport {
    /// What so many connections and messages have cost in all.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a quotient needs no more digits than a float has"
    )]
    pub fn new(connections: u64, messages: u64, cpu_s: f64, memory_bytes: u64) -> Self {
        Self {
            connections,
            messages,
            cpu_s,
            cpu_per_message_s: cpu_s / messages.max(1) as f64,
            memory_bytes,
            memory_per_connection_bytes: memory_bytes / connections.max(1),
        }
    }
}

/// Percentiles of latency, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Latency {
    /// Half were faster.
    pub p50: f64,
    /// Nine of ten were faster.
    pub p90: f64,
    /// All but one in a hundred were faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// How often the kernel switched away from the job's threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ContextSwitches {
    /// Because a thread waited.
    pub voluntary: u64,
    /// Because its time was up.
    pub involuntary: u64,
}
