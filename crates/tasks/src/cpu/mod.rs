//! The task `cpu`: reference loads for the processor, whose cost is known beforehand.
//!
//! They scale differently, which is what they are for: arithmetic and hashing with the cores, pure time whatever else
//! there is, memory as far as its bandwidth goes.

mod bulk;
mod command;
mod spin;
mod sum;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Task};

pub use bulk::MAX_MEBIBYTES;
pub use spin::MAX_MILLIS;
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
    /// Reads n mebibytes of a table that no cache holds; the first input of a process makes it, which takes a moment and
    /// 128 MiB.
    Memory,
    /// The SHA-256 of n mebibytes of zero bytes.
    Sha256,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Load {
    /// The sum of the square roots.
    Sum(f64),
    /// The milliseconds of processor time that were asked for.
    SpunMs(f64),
    /// The sum of the words that were read, modulo 2^64.
    WordSum(u64),
    /// The hash, in hexadecimal.
    Sha256(String),
    /// The number itself.
    N(u64),
}

impl Cpu {
    /// The task for this load.
    #[must_use]
    pub fn new(work: Work) -> Self {
        Self { work, stretch: 1.0 }
    }

    fn run(&self, amount: Amount, context: &Context<'_>) -> Result<Load, Failure> {
        let look = || look(context);
        let spin = |millis| spin::spin(millis, self.stretch, look).map(|()| Load::SpunMs(millis));
        match (self.work, amount) {
            (Work::None, Amount::Number(n)) => Ok(Load::N(n)),
            (Work::Sqrt, Amount::Number(n)) => sum::square_roots(n, look).map(Load::Sum),
            (Work::Spin, Amount::Number(n)) => spin(sum::as_float(n)),
            (Work::Spin, Amount::Millis(millis)) => spin(millis),
            (Work::Memory, Amount::Number(n)) => {
                bulk::read(n, context.index(), look).map(Load::WordSum)
            }
            (Work::Sha256, Amount::Number(n)) => bulk::hash(n, look).map(Load::Sha256),
            (_, Amount::Millis(millis)) => Err(Failure::bad_input(format!(
                "`{millis}` is no whole number of at least 0, which this load needs"
            ))),
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
