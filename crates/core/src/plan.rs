//! How a job is to be run: model, concurrency, limits. Data alone; executors read it.

use std::{num::NonZeroUsize, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Model, Pool};

/// Memory for outcomes that wait for an earlier one, unless the plan says otherwise: 64 MiB.
pub const DEFAULT_ORDER_WINDOW_BYTES: usize = 64 << 20;

/// The most lanes a model may have.
///
/// Beyond these a machine fails in ways that no message explains well: a thread has a stack and a kernel task each, a
/// process far more. An async task is a few hundred bytes.
pub const MAX_LANES: [(Model, usize); 5] = [
    (Model::Sequential, 1),
    (Model::Threads, 16_384),
    (Model::Processes, 1_024),
    (Model::Async, 1_048_576),
    (Model::Hybrid, 1_048_576),
];

/// As many worker processes as [`MAX_LANES`] says.
const MOST_PROCESSES: usize = 1_024;

/// The most threads that an async runtime may have. It has use for as many as there are processors.
const MOST_RUNTIME_THREADS: usize = 1_024;

/// The longest time that a plan may have anywhere: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How a job is to be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The concurrency model.
    pub model: Model,
    /// How many inputs may be running at once; sequential is always 1.
    pub concurrency: NonZeroUsize,
    /// Time limit of an attempt. Under processes it covers the input's way to the worker.
    pub timeout: Option<Duration>,
    /// How long what was told to end may take before it is ended by force.
    pub grace: Duration,
    /// How long what is in flight may take once the job stops early, for whatever reason; then it is aborted.
    pub drain_limit: Duration,
    /// Whether and how a failed attempt is followed by another.
    pub retry: Retry,
    /// At most so many attempts are started a second.
    pub rate: Option<Rate>,
    /// With a rate: it is a schedule to be kept and not only a limit. What begins late, because all lanes were taken, is
    /// made up for as soon as there are lanes, and [`crate::Outcome::planned`] tells when it was to begin.
    pub keep_schedule: bool,
    /// At most so many inputs with the same [`crate::Task::key`] run at once.
    pub per_key: Option<NonZeroUsize>,
    /// At least so long between the starts of two attempts with the same [`crate::Task::key`].
    pub key_interval: Option<Duration>,
    /// Deliver outcomes in the order of their inputs.
    pub keep_order: bool,
    /// Memory for outcomes that wait for an earlier one; when it is full, no new input is admitted.
    pub order_window_bytes: usize,
    /// Stop when more inputs have failed than this.
    pub max_failures: Option<FailureLimit>,
    /// Threads of the async runtime; the number of processors when `None`.
    pub runtime_threads: Option<NonZeroUsize>,
    /// Bytes that admitted, unfinished inputs may occupy together.
    pub input_window_bytes: usize,
    /// How worker processes are used, where there are any.
    pub pool: Pool,
    /// No input is ever begun twice: what was running when its worker died, or failed in any other way, is not tried
    /// again, whatever the retries are.
    pub at_most_once: bool,
}

impl Plan {
    /// A plan with no limits but the concurrency: no time limit, no retries, outcomes as they come.
    #[must_use]
    pub fn new(model: Model, concurrency: NonZeroUsize) -> Self {
        Self {
            model,
            concurrency: if model == Model::Sequential {
                NonZeroUsize::MIN
            } else {
                concurrency
            },
            timeout: None,
            grace: Duration::from_secs(1),
            drain_limit: Duration::from_secs(10),
            retry: Retry::NEVER,
            rate: None,
            keep_schedule: false,
            per_key: None,
            key_interval: None,
            keep_order: false,
            order_window_bytes: DEFAULT_ORDER_WINDOW_BYTES,
            max_failures: None,
            runtime_threads: None,
            input_window_bytes: 64 << 20,
            pool: Pool::default(),
            at_most_once: false,
        }
    }

    /// The same plan for another model and concurrency, as an arm of a comparison needs it.
    #[must_use]
    pub fn with_model(&self, model: Model, concurrency: NonZeroUsize) -> Self {
        let fresh = Self::new(model, concurrency);
        Self {
            model: fresh.model,
            concurrency: fresh.concurrency,
            ..self.clone()
        }
    }

    /// The same limits with the model of another plan, its concurrency, and what its worker processes and its runtime are.
    #[must_use]
    pub fn shaped_as(&self, other: &Self) -> Self {
        Self {
            pool: other.pool.clone(),
            runtime_threads: other.runtime_threads,
            ..self.with_model(other.model, other.concurrency)
        }
    }

    /// Checks what the types cannot hold.
    ///
    /// # Errors
    /// A concurrency that no machine can give, or a limit of zero that nothing could keep.
    pub fn check(&self) -> Result<(), PlanError> {
        let most = MAX_LANES
            .iter()
            .find(|(model, _)| *model == self.model)
            .map_or(1, |(_, most)| *most);
        if self.concurrency.get() > most {
            return Err(PlanError::TooManyLanes {
                model: self.model,
                asked: self.concurrency.get(),
                most,
            });
        }
        let processes = self.pool.processes.map_or(0, NonZeroUsize::get);
        if processes > MOST_PROCESSES {
            return Err(PlanError::TooManyProcesses {
                asked: processes,
                most: MOST_PROCESSES,
            });
        }
        let threads = self.runtime_threads.map_or(0, NonZeroUsize::get);
        if threads > MOST_RUNTIME_THREADS {
            return Err(PlanError::TooManyRuntimeThreads {
                asked: threads,
                most: MOST_RUNTIME_THREADS,
            });
        }
        if self.timeout == Some(Duration::ZERO) {
            return Err(PlanError::ZeroTimeout);
        }
        let times = [
            self.timeout,
            Some(self.grace),
            Some(self.drain_limit),
            self.key_interval,
            Some(self.retry.base),
            Some(self.retry.cap),
            Some(self.retry.longest_wait),
        ];
        if times.into_iter().flatten().any(|time| time > LONGEST) {
            return Err(PlanError::TooLong);
        }
        Ok(())
    }
}

/// A plan that nothing could carry out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// No machine has that many worker processes.
    #[error("{asked} worker processes are more than a job can have (at most {most})")]
    TooManyProcesses {
        /// What the plan says.
        asked: usize,
        /// What it may say.
        most: usize,
    },
    /// No async runtime has use for that many threads.
    #[error(
        "{asked} threads are more than an async runtime can have (at most {most}); as many as there are processors do"
    )]
    TooManyRuntimeThreads {
        /// What the plan says.
        asked: usize,
        /// What it may say.
        most: usize,
    },
    /// More lanes than the model can have.
    #[error("a concurrency of {asked} is more than {model} can have (at most {most}){}", hint(*.model))]
    TooManyLanes {
        /// The model.
        model: Model,
        /// What was asked for.
        asked: usize,
        /// What it can have.
        most: usize,
    },
    /// A time limit of zero, which no attempt can keep.
    #[error(
        "a time limit of zero would fail every input; give a duration such as 5s, or none at all"
    )]
    ZeroTimeout,
    /// A time that would overflow a clock.
    #[error(
        "a time limit, grace, interval or wait may be at most ten years; leave it out for none"
    )]
    TooLong,
}

fn hint(model: Model) -> &'static str {
    match model {
        Model::Threads | Model::Processes => "; async can hold more, if the task has an async form",
        _ => "",
    }
}

/// Whether and how a failed attempt is followed by another: exponential backoff with jitter.
///
/// Before attempt n+1 an input waits between half and all of `min(cap, base × 2^(n-1))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Retry {
    /// How many further attempts an input may have.
    pub retries: u32,
    /// The longest wait before the second attempt.
    pub base: Duration,
    /// The longest wait before any attempt, unless the other side asks for a longer one.
    pub cap: Duration,
    /// How long [`crate::Failure::retry_after`] may be; an input that is to wait longer fails for good, and only that one.
    pub longest_wait: Duration,
}

impl Retry {
    /// One attempt and no other.
    pub const NEVER: Self = Self::times(0);

    /// So many further attempts, waiting 0.2 s at first and 10 s at most, or as long as the other side asks for up to
    /// five minutes.
    #[must_use]
    pub const fn times(retries: u32) -> Self {
        Self {
            retries,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(10),
            longest_wait: Duration::from_secs(5 * 60),
        }
    }
}

/// So many attempts in a time, such as `100/s`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    interval: Duration,
}

impl Rate {
    /// `count` attempts in `period`.
    ///
    /// # Errors
    /// A count that is not a positive number, or an interval that a clock cannot count (under a nanosecond, over a
    /// century).
    pub fn new(count: f64, period: Duration) -> Result<Self, RateError> {
        let seconds = period.as_secs_f64() / count;
        if !(count > 0.0 && (1e-9..=3e9).contains(&seconds)) {
            return Err(RateError(format!("{count}")));
        }
        Ok(Self {
            interval: Duration::from_secs_f64(seconds),
        })
    }

    /// The time from one start to the next.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.interval
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let bad = || RateError(text.to_owned());
        let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
        let period = match unit.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            _ => return Err(bad()),
        };
        let count = count.trim().parse().map_err(|_| bad())?;
        Self::new(count, Duration::from_secs(period)).map_err(|_| bad())
    }
}

/// A text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rate; write a positive number and a unit, such as 100/s, 30/m or 5/h")]
pub struct RateError(String);

/// When to stop because too many inputs failed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailureLimit {
    /// When more than so many have failed.
    Count(u64),
    /// When more than this share (0 to 1) of those that ended have failed, looked at once 20 have ended.
    Share(f64),
}

impl FailureLimit {
    /// How many inputs must have ended before a share is looked at.
    pub const SHARE_NEEDS: u64 = 20;

    /// Whether `failed` of `ended` inputs are too many.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more digits than a float has"
    )]
    pub fn exceeded(self, failed: u64, ended: u64) -> bool {
        match self {
            Self::Count(limit) => failed > limit,
            Self::Share(limit) => {
                ended >= Self::SHARE_NEEDS && failed as f64 > limit * ended as f64
            }
        }
    }
}

impl FromStr for FailureLimit {
    type Err = FailureLimitError;

    fn from_str(text: &str) -> Result<Self, FailureLimitError> {
        let bad = || FailureLimitError(text.to_owned());
        match text.strip_suffix('%') {
            None => text.parse().map(Self::Count).map_err(|_| bad()),
            Some(percent) => match percent.trim().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Share(percent / 100.0)),
                _ => Err(bad()),
            },
        }
    }
}

/// A text that is no limit of failures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a number of inputs nor a percentage such as 5%")]
pub struct FailureLimitError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_as_people_write_them() {
        let interval = |text: &str| text.parse::<Rate>().map(Rate::interval).ok();
        assert_eq!(interval("100/s"), Some(Duration::from_millis(10)));
        assert_eq!(interval("30/m"), Some(Duration::from_secs(2)));
        assert_eq!(interval("0.5"), Some(Duration::from_secs(2)));
        for bad in ["0/s", "-1/s", "5/day", "x", "", "nan/s", "inf/s", "1e12/s"] {
            assert_eq!(interval(bad), None, "{bad}");
        }
    }

    #[test]
    fn failure_limits_read_and_judge() {
        assert_eq!("0".parse(), Ok(FailureLimit::Count(0)));
        assert!(!FailureLimit::Count(2).exceeded(2, 2));
        assert!(FailureLimit::Count(2).exceeded(3, 3));
        let share: FailureLimit = "5%".parse().unwrap();
        assert!(!share.exceeded(19, 19), "too few have ended to tell");
        assert!(share.exceeded(2, 20));
        for bad in ["101%", "-1", "x", "", "%"] {
            assert!(bad.parse::<FailureLimit>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sequential_is_always_one_lane() {
        let many = NonZeroUsize::new(50).unwrap();
        assert_eq!(
            Plan::new(Model::Sequential, many).concurrency,
            NonZeroUsize::MIN
        );
        let plan = Plan::new(Model::Threads, many).with_model(Model::Sequential, many);
        assert_eq!(plan.concurrency.get(), 1);
    }

    #[test]
    fn absurd_plans_are_refused() {
        let million = NonZeroUsize::new(1_000_000).unwrap();
        assert!(Plan::new(Model::Threads, million).check().is_err());
        assert!(Plan::new(Model::Async, million).check().is_ok());
        let mut plan = Plan::new(Model::Async, million);
        plan.timeout = Some(Duration::ZERO);
        assert_eq!(plan.check(), Err(PlanError::ZeroTimeout));
        plan.timeout = Some(Duration::MAX);
        assert_eq!(plan.check(), Err(PlanError::TooLong));
        plan.timeout = None;
        plan.runtime_threads = Some(million);
        let refused = plan.check();
        assert!(matches!(
            refused,
            Err(PlanError::TooManyRuntimeThreads { .. })
        ));
        plan.runtime_threads = NonZeroUsize::new(MOST_RUNTIME_THREADS);
        assert_eq!(plan.check(), Ok(()));
        plan.key_interval = Some(Duration::MAX);
        assert_eq!(plan.check(), Err(PlanError::TooLong));
    }
}
