//! `triway sweep`: one model at rising concurrency.

use clap::Args;
use triway_core::Model;
use triway_measure::sweep::Ladder;

use super::{
    help,
    job::{self, JobArguments},
    report::ReportArguments,
    tasks::TaskArguments,
    trials::TrialArguments,
};

/// `triway sweep`.
#[derive(Debug, Args)]
#[command(after_help = help::SWEEP)]
pub(crate) struct SweepArguments {
    /// Concurrency model; the task's preferred one unless given
    #[arg(short, long, global = true, value_parser = job::model(), help_heading = job::HEADING)]
    pub(crate) model: Option<Model>,

    /// How many inputs at once: a range, doubled from step to step (1..512) or in so many steps (1..512/20), or a list
    /// (1,2,5,10) [default: from 1 to four times what the task prefers, at least 16]
    #[arg(short, long, global = true, value_name = "RANGE", help_heading = job::HEADING, allow_hyphen_values = true)]
    pub(crate) concurrency: Option<Ladder>,

    #[command(flatten)]
    pub(crate) trials: TrialArguments,

    #[command(flatten)]
    pub(crate) job: JobArguments,

    #[command(flatten)]
    pub(crate) report: ReportArguments,

    #[command(subcommand)]
    pub(crate) task: TaskArguments,
}
