//! The journal of a run, and what can be done with one afterwards.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{format::FormatName, help};

const HEADING: &str = "Journal";

/// Options of runs alone: a comparison executes every input many times.
#[derive(Debug, Args)]
pub(crate) struct JournalArguments {
    /// Write every outcome into this file before it is reported, so that the run can be resumed
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub(crate) journal: Option<PathBuf>,

    /// Go on where the run that wrote the journal ended; what has an outcome there is not executed again
    #[arg(long, global = true, help_heading = HEADING)]
    pub(crate) resume: bool,

    /// Resume, and execute again what failed
    #[arg(long, global = true, help_heading = HEADING)]
    pub(crate) retry_failed: bool,

    /// What an outcome must survive once it is reported; for sql what it changed, too [default: flush; for sql full]
    #[arg(long, global = true, value_enum, help_heading = HEADING)]
    pub(crate) durability: Option<Survives>,
}

/// How sure a record must be before its outcome is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Survives {
    /// Nothing: if this program is killed, the last outcomes are executed again
    None,
    /// Whatever happens to this program (also called normal)
    #[value(alias = "normal")]
    Flush,
    /// A loss of power: the disk has confirmed it
    Full,
}

/// `triway journal`.
#[derive(Debug, Args)]
#[command(after_help = help::JOURNAL)]
pub(crate) struct JournalVerbArguments {
    /// What to do with a journal.
    #[command(subcommand)]
    pub(crate) action: JournalAction,
}

/// What can be done with a journal.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalAction {
    /// Write the outcomes that a journal holds, also while a run writes it
    #[command(after_help = help::JOURNAL)]
    Show(ShowArguments),
}

/// `triway journal show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The journal
    #[arg(value_name = "FILE")]
    pub(crate) journal: PathBuf,

    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// In which form; by the file's extension, or table on a terminal and jsonl elsewhere, unless given
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatName>,

    /// Say nothing on standard error but errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
