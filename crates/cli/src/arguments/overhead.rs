//! The options of `overhead`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{format::FormatName, help, report::ReportArguments, values::time};

/// `triway overhead`.
#[derive(Debug, Args)]
#[command(after_help = help::OVERHEAD)]
pub(crate) struct OverheadArguments {
    /// How long it may take; the longer, the more rounds
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = budget, allow_hyphen_values = true)]
    pub(crate) budget: Duration,

    /// The interpreter [default: that of the active virtual environment, or python3]
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// In which form; by the file's extension, or table on a terminal and jsonl elsewhere, unless given
    #[arg(long, value_enum, help_heading = "Output")]
    pub(crate) format: Option<FormatName>,

    #[command(flatten)]
    pub(crate) report: ReportArguments,

    /// Say nothing on standard error but errors
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
}

fn budget(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => {
            Err("nothing is measured in no time; give a duration such as 10s".to_owned())
        }
        budget => Ok(budget),
    }
}
