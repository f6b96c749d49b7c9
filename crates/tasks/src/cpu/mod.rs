//! The task `cpu`: reference loads for the processor, whose cost is known beforehand.

mod command;
mod sum;

use std::{hint::black_box, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Task};

pub use sum::MAX_NUMBER;

/// Keeps a processor busy. Its async form does the same and blocks the thread of its lane meanwhile: that is what such
/// work does to an async program.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cpu {
    /// Which load.
    pub work: Work,
    /// How much longer than asked for [`Work::Spin`] takes. Anything but 1 is a lie told on purpose, to see whether a
    /// comparison finds it.
    #[doc(hidden)]
    pub stretch: f64,
}

/// The loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Work {
    /// Sums the square roots of the whole numbers below n.
    Sqrt,
    /// Uses n milliseconds of processor time.
    Spin,
    /// Gives n back.
    None,
}

/// How much of a load one input is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Amount {
    /// The number n.
    Number(u64),
    /// So many milliseconds.
    Millis(f64),
}

/// What a load gave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Load {
    /// The sum of the square roots.
    Sum(f64),
    /// The milliseconds of processor time that were asked for.
    SpunMs(f64),
    /// The number itself.
    N(u64),
}

/// The longest [`Work::Spin`]: a day.
pub const MAX_MILLIS: f64 = 86_400_000.0;

/// How much processor time passes between two looks at the clock of the deadline.
const LOOK_EVERY: Duration = Duration::from_millis(1);

impl Cpu {
    /// The task for this load.
    #[must_use]
    pub fn new(work: Work) -> Self {
        Self { work, stretch: 1.0 }
    }

    fn run(&self, amount: Amount, context: &Context<'_>) -> Result<Load, Failure> {
        match (self.work, amount) {
            (Work::None, Amount::Number(n)) => Ok(Load::N(n)),
            (Work::Sqrt, Amount::Number(n)) => {
                sum::square_roots(n, || look(context)).map(Load::Sum)
            }
            (Work::Spin, Amount::Number(n)) => self.spin(sum::as_float(n), context),
            (Work::Spin, Amount::Millis(millis)) => self.spin(millis, context),
            (_, Amount::Millis(millis)) => Err(Failure::bad_input(format!(
                "`{millis}` is no whole number of at least 0, which this load needs"
            ))),
        }
    }

    fn spin(&self, millis: f64, context: &Context<'_>) -> Result<Load, Failure> {
        let time = Some(millis * self.stretch)
            .filter(|millis| (0.0..=MAX_MILLIS).contains(millis))
            .map(|millis| Duration::from_secs_f64(millis / 1000.0))
            .ok_or_else(|| {
                Failure::bad_input(format!(
                    "`{millis}` is no number of milliseconds from 0 to {MAX_MILLIS}"
                ))
            })?;
        let start = processor_time();
        let mut next_look = LOOK_EVERY;
        loop {
            let used = processor_time().saturating_sub(start);
            if used >= time {
                return Ok(Load::SpunMs(millis));
            }
            if used >= next_look {
                look(context)?;
                next_look = used + LOOK_EVERY;
            }
            burn();
        }
    }
}

impl Default for Cpu {
    fn default() -> Self {
        Self::new(Work::Sqrt)
    }
}

impl From<u64> for Amount {
    fn from(n: u64) -> Self {
        Self::Number(n)
    }
}

impl Task for Cpu {
    type Input = Amount;
    type Output = Load;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        (): &mut (),
        input: &Amount,
        context: &Context<'_>,
    ) -> Result<Load, Failure> {
        self.run(*input, context)
    }

    async fn run_async(
        &self,
        (): &mut (),
        input: &Amount,
        context: &Context<'_>,
    ) -> Result<Load, Failure> {
        self.run(*input, context)
    }
}

/// Whether to go on.
fn look(context: &Context<'_>) -> Result<(), Failure> {
    if context.is_cancelled() {
        return Err(Failure::new(FailureKind::CANCELLED, "the job was aborted"));
    }
    if context.remaining() == Some(Duration::ZERO) {
        return Err(Failure::new(
            FailureKind::TIMEOUT,
            "the load was not done when the attempt's time limit expired",
        ));
    }
    Ok(())
}

/// What the calling thread has used of a processor.
///
/// The wall clock would not do: a hundred threads that share two processors would all be done at the same moment, and
/// every concurrency would look as if it helped.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime)
        .try_into()
        .unwrap_or_default()
}

/// A few microseconds of work.
fn burn() {
    let mut x = black_box(1.0_f64);
    for _ in 0..1000 {
        x = black_box(x * 1.000_000_1);
    }
}
