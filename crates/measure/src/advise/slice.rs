//! What advice stands on: what is known of the job before it runs, and what each probe of it measured. All of it is data,
//! so that advice can be asked for again from what was recorded.

use serde::{Deserialize, Serialize};
use triway_core::Model;

/// What is known of a job before any of it has run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Situation {
    /// Processors that this process may use.
    pub cpus: usize,
    /// How many times as much two threads got done as one, of work that needs nothing but a processor; `None` where there
    /// is only one processor, or nobody looked.
    pub two_threads: Option<f64>,
    /// How much the same work differed from one time to the next: the standard deviation as a share of the mean.
    pub noise: f64,
    /// The models that can run the task, and why others cannot.
    pub models: Vec<Candidate>,
    /// The interpreter, where the task is a function of another language.
    pub interpreter: Option<Interpreter>,
    /// How many inputs there are, where that is known.
    pub inputs: Option<u64>,
    /// No more inputs at once than this.
    pub most_concurrency: usize,
    /// The one concurrency that was asked for, if one was.
    pub fixed_concurrency: Option<usize>,
    /// Seconds that probing may take.
    pub budget_s: f64,
    /// Whether to probe until the figures carry intervals, or only until it is known how to go on.
    pub thorough: bool,
}

/// A model that might be advised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate {
    /// The model.
    pub model: Model,
    /// Why the task cannot run under it.
    pub refused: Option<String>,
}

/// The interpreter that runs the task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interpreter {
    /// Its name and version.
    pub name: String,
    /// Whether one thread at a time runs its code.
    pub has_lock: bool,
    /// Whether the function is a coroutine function.
    pub is_async: bool,
}

impl Interpreter {
    /// One of this name and version.
    #[must_use]
    pub fn new(name: String, has_lock: bool, is_async: bool) -> Self {
        Self {
            name,
            has_lock,
            is_async,
        }
    }
}

/// What one probe measured: some inputs under one model. What could not be measured is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Slice {
    /// The model; none for a slice that was not begun.
    pub model: Option<Model>,
    /// How many inputs were in flight at most.
    pub concurrency: usize,
    /// Why it never began.
    pub refused: Option<String>,
    /// Inputs that came to their end.
    pub inputs: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Of what kind most failures were.
    pub failure: Option<String>,
    /// Seconds until the lanes stood ready.
    pub startup_s: f64,
    /// Seconds from there to the end of the last attempt.
    pub wall_s: f64,
    /// Successful outcomes a second while all lanes were busy.
    pub rate_per_s: f64,
    /// Seconds of an attempt: the mean.
    pub run_s: f64,
    /// Their standard deviation.
    pub run_sd_s: f64,
    /// The longest.
    pub run_max_s: f64,
    /// Processor seconds, worker processes included.
    pub cpu_s: Option<f64>,
    /// Processor seconds of the attempts themselves, where their workers can tell.
    pub attempts_cpu_s: Option<f64>,
    /// Seconds in which the threads of interpreters were ready to run and had no processor.
    pub run_queue_s: Option<f64>,
    /// Seconds that interpreters spent on making values of inputs and bytes of results.
    pub serialising_s: Option<f64>,
    /// The longest, in seconds, that a coroutine held its event loop.
    pub longest_hold_s: Option<f64>,
    /// Bytes of an input, the mean.
    pub input_bytes: f64,
    /// Bytes of an output, the mean.
    pub output_bytes: f64,
    /// Sum of the peaks of its processes.
    pub peak_memory_bytes: Option<u64>,
    /// Whether lanes had to wait for inputs.
    pub starved: bool,
}

impl Slice {
    /// The share of its attempts' time in which they had a processor, from 0 to 1. The time in which they wanted one and got
    /// none, because something else had it, is left out where interpreters tell it.
    #[must_use]
    pub fn cpu_share(&self) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share needs no more digits than a float has"
        )]
        let busy = self.run_s * self.inputs as f64;
        let cpu = self.attempts_cpu_s.or(self.cpu_s)?;
        let wanted = (busy - self.run_queue_s.unwrap_or(0.0)).max(cpu);
        (wanted > 0.0).then(|| (cpu / wanted).clamp(0.0, 1.0))
    }

    /// The share of its inputs that failed.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more digits than a float has"
    )]
    pub fn failed_share(&self) -> f64 {
        self.failed as f64 / self.inputs.max(1) as f64
    }

    /// Whether it says anything about how quick its model is.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.model.is_some() && self.refused.is_none() && self.inputs > 0 && self.run_s.is_finite()
    }
}
