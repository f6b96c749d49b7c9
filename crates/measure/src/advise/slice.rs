//! What advice stands on: what is known of the job before it runs, and what each probe of it measured. All of it is data,
//! so that advice can be asked for again from what was recorded.

use serde::{Deserialize, Serialize};
use triway_core::Model;

/// With so many attempts a lane, there is a time in which all lanes were busy, and it is long enough to count in.
pub(super) const ENOUGH_A_LANE: u64 = 4;

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
    /// Whether it is one of several that were run in turn, to be compared with each other.
    pub in_turn: bool,
    /// Inputs that came to their end.
    pub inputs: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Attempts that failed as well, of inputs that were to be tried again.
    pub retried: u64,
    /// Of what kind most failures were.
    pub failure: Option<String>,
    /// How many attempts failed with a word of how long the other side wants to be left alone.
    pub told_to_wait: u64,
    /// Seconds until the lanes stood ready.
    pub startup_s: f64,
    /// Whether the lanes were those of the slice before, which stood ready still: they were started once for both.
    pub on_same_lanes: bool,
    /// Seconds from there to the end of the last attempt.
    pub wall_s: f64,
    /// Successful outcomes a second while all lanes were busy.
    pub rate_per_s: f64,
    /// Seconds that a lane was at work, from where all stood ready to the end of its last attempt: the mean of all lanes. 0
    /// where nobody looked.
    pub lanes_s: f64,
    /// Seconds of an attempt: the mean.
    pub run_s: f64,
    /// Their standard deviation.
    pub run_sd_s: f64,
    /// The middle one; 0 where nobody looked.
    pub run_median_s: f64,
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
    /// Whether lanes had to wait for inputs for more than a tenth of the time.
    pub starved: bool,
}

impl Slice {
    /// Whether it is one of this setting, whatever came of it.
    pub(super) fn is_of(&self, (model, concurrency): (Model, usize)) -> bool {
        self.model == Some(model) && self.concurrency == concurrency
    }

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

    /// Less what workers tell when they leave, where that is not of this slice alone.
    #[must_use]
    pub(super) fn without_what_workers_tell(self) -> Self {
        Self {
            run_queue_s: None,
            serialising_s: None,
            longest_hold_s: None,
            ..self
        }
    }

    /// Attempts that came to an end, and how many of them failed.
    #[must_use]
    pub fn attempts(&self) -> (u64, u64) {
        (self.inputs + self.retried, self.failed + self.retried)
    }

    /// How many of its inputs succeeded.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of probed inputs is far below 2^53"
    )]
    pub fn successes(&self) -> f64 {
        self.inputs.saturating_sub(self.failed) as f64
    }

    /// Seconds that its inputs would take with all lanes busy; from its start to its end where none succeeded.
    ///
    /// Where attempts do not wait for each other, each lane is as quick as it would be alone: then the time for which lanes were at work tells more than what
    /// had ended by some moment, by which the longest of a heavy tail have not ended, or than the wall time, for most of which
    /// most lanes had nothing left to do. Coroutines do not know how long they waited for their event loop, so of these there
    /// have to be some a lane.
    #[must_use]
    pub fn busy_s(&self, waits_for_others: bool) -> f64 {
        let counted = match self.rate_per_s > 0.0 {
            true => self.successes() / self.rate_per_s,
            false => return self.wall_s,
        };
        let each = self.inputs / (self.concurrency as u64).max(1);
        let untold = self.lanes_s <= 0.0 || (self.model == Some(Model::Async) && each < 3);
        match waits_for_others || untold || self.concurrency < 2 {
            true => counted,
            false if each < ENOUGH_A_LANE => self.lanes_s,
            false => self.lanes_s.max(counted),
        }
    }

    /// Whether it says anything about how quick its model is.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.model.is_some() && self.refused.is_none() && self.inputs > 0 && self.run_s.is_finite()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_that_wait_for_nobody_count_while_they_work() {
        let slice = |model, inputs, (lanes_s, rate_per_s)| Slice {
            model: Some(model),
            concurrency: 10,
            inputs,
            wall_s: 3.0,
            rate_per_s,
            lanes_s,
            ..Slice::default()
        };
        for (what, slice, waits_for_others, expected) in [
            (
                "few a lane, each as quick as alone",
                slice(Model::Threads, 10, (1.1, 10.0 / 3.0)),
                false,
                1.1,
            ),
            (
                "few a lane, which wait for each other",
                slice(Model::Threads, 10, (1.6, 10.0 / 3.0)),
                true,
                3.0,
            ),
            (
                "few coroutines, which may have waited for their loop",
                slice(Model::Async, 10, (1.1, 10.0 / 3.0)),
                false,
                3.0,
            ),
            (
                "many a lane, of which the longest had not ended when it was counted",
                slice(Model::Async, 100, (10.5, 15.0)),
                false,
                10.5,
            ),
            (
                "many a lane, which began late",
                slice(Model::Async, 100, (10.5, 5.0)),
                false,
                20.0,
            ),
            (
                "nobody looked",
                slice(Model::Threads, 10, (0.0, 10.0 / 3.0)),
                false,
                3.0,
            ),
        ] {
            let found = slice.busy_s(waits_for_others);
            assert!((found - expected).abs() < 1e-9, "{what}: {found}");
        }
    }
}
