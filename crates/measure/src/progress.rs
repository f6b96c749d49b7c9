//! What a comparison tells while it runs, for whoever wants to show it.

use std::time::Duration;

use crate::schedule::Rounds;

/// Something that a person who waits may want to know.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// What is about to happen. Nothing was executed yet.
    Announced {
        /// How many inputs the job has.
        inputs: u64,
        /// How many arms can run it.
        arms: usize,
        /// Counted rounds; how many exactly depends on how long the warm-up takes.
        rounds: Rounds,
    },
    /// A trial begins.
    TrialStarted {
        /// The arm.
        arm: &'a str,
        /// The round, from 1; `None` in the warm-up.
        round: Option<usize>,
    },
    /// A trial has ended.
    TrialEnded {
        /// The arm.
        arm: &'a str,
        /// The round, from 1; `None` in the warm-up.
        round: Option<usize>,
        /// Start-up and work, as measured; `None` if it failed.
        total: Option<Duration>,
        /// Why it gave no figures.
        failure: Option<&'a str>,
    },
    /// The warm-up is over and tells how long the counted rounds will take.
    Estimated {
        /// All of them together.
        duration: Duration,
        /// How many inputs a trial gets, of the arm that gets most.
        inputs: u64,
        /// How many inputs a trial gets, of the arm that gets fewest.
        fewest: u64,
        /// How many rounds there will be.
        rounds: usize,
        /// How many trials that makes.
        trials: usize,
    },
}
