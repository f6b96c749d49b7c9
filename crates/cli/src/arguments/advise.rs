//! What `triway advise` may be asked for.

use std::time::Duration;

use clap::Args;

use super::{
    help,
    job::{JobArguments, LanesArguments},
    model::ProbeArguments,
    report::ReportArguments,
    tasks::TaskArguments,
    values::some_time,
};

const ADVICE: &str = "Advice";

/// `triway advise`.
#[derive(Debug, Args)]
#[command(after_help = help::ADVISE)]
pub(crate) struct AdviseArguments {
    /// How long probing may take
    #[arg(long, global = true, value_name = "TIME", help_heading = ADVICE,
          default_value = "10s", value_parser = some_time, allow_hyphen_values = true)]
    pub(crate) budget: Duration,

    /// Write code that does the job under what is advised: for py with Python's standard library, else in Rust with this
    /// program's, and a place for the function
    #[arg(long, global = true, help_heading = ADVICE)]
    pub(crate) code: bool,

    /// Execute no input; say what can be said without. The module of a Python function is imported all the same
    #[arg(long, global = true, help_heading = ADVICE, conflicts_with = "code")]
    pub(crate) dry_probe: bool,

    #[command(flatten)]
    pub(crate) probing: ProbeArguments,

    #[command(flatten)]
    pub(crate) lanes: LanesArguments,

    #[command(flatten)]
    pub(crate) job: JobArguments,

    #[command(flatten)]
    pub(crate) report: ReportArguments,

    #[command(subcommand)]
    pub(crate) task: TaskArguments,
}
