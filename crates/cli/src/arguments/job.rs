//! The options that every job has, whatever its task and verb.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use triway_core::{FailureLimit, Model, Rate};

pub(super) use super::values::{positive, time, whole};
use super::{format::FormatName, pool::PoolArguments};

/// Under which heading the help lists them.
pub(super) const HEADING: &str = "Job";

/// How many inputs at once, for verbs that run each model at one concurrency.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct LanesArguments {
    /// How many inputs at once; what the task prefers unless given
    #[arg(short, long, global = true, value_name = "N", value_parser = positive::<NonZeroUsize>, allow_negative_numbers = true)]
    pub(crate) concurrency: Option<NonZeroUsize>,
}

/// Options of every job.
///
/// Those that take a number or a time take what looks like an option as well: a negative one is then refused by their
/// own name and with their own reason, not as an option that nobody knows.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct JobArguments {
    /// Time limit of an attempt, such as 5s or 300ms; for sh also 200% of the median so far; a minute for http and
    /// check, and none for cpu and sh, unless given
    #[arg(long, global = true, value_name = "TIME", value_parser = time_limit, allow_hyphen_values = true)]
    pub(crate) timeout: Option<TimeLimit>,

    /// How often a failed input is tried again, waiting longer each time [default: 0; 2 for check]
    #[arg(long, global = true, value_name = "N", value_parser = whole::<u32>, allow_negative_numbers = true)]
    pub(crate) retries: Option<u32>,

    /// Start at most so many attempts in a time, such as 100/s, 30/m or 5/h
    #[arg(long, global = true, value_name = "RATE", allow_hyphen_values = true)]
    pub(crate) rate: Option<Rate>,

    /// At most so many inputs of one host (and port) at once
    #[arg(long, global = true, value_name = "N", value_parser = positive::<NonZeroUsize>, allow_negative_numbers = true)]
    pub(crate) per_host: Option<NonZeroUsize>,

    /// At least so long between the starts of two attempts at one host (and port), such as 50ms
    #[arg(long, global = true, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    pub(crate) host_interval: Option<Duration>,

    /// Write outcomes in the order of their inputs
    #[arg(long, global = true)]
    pub(crate) keep_order: bool,

    /// Stop when more than so many inputs, or more than that share of them, have failed
    #[arg(long, global = true, value_name = "N|N%", allow_hyphen_values = true)]
    pub(crate) max_failures: Option<FailureLimit>,

    /// Threads of the async runtime; one a processor unless given
    #[arg(long, global = true, value_name = "N", value_parser = positive::<NonZeroUsize>, allow_negative_numbers = true)]
    pub(crate) runtime_threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) pool: PoolArguments,

    /// How long what was told to end may take before it is ended by force
    #[arg(long, global = true, value_name = "TIME", default_value = "1s", value_parser = time, allow_hyphen_values = true)]
    pub(crate) grace: Duration,

    /// How long what is in flight may take after the first Ctrl-C
    #[arg(long, global = true, value_name = "TIME", default_value = "10s", value_parser = time, allow_hyphen_values = true)]
    pub(crate) drain_limit: Duration,

    /// Write to this file instead of standard output
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Output"
    )]
    pub(crate) output: Option<PathBuf>,

    /// In which form; by the file's extension, or table on a terminal and jsonl elsewhere, unless given
    #[arg(long, global = true, value_enum, help_heading = "Output")]
    pub(crate) format: Option<FormatName>,

    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
}

/// A time limit as it may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeLimit {
    /// So long.
    Time(Duration),
    /// So many per cent of what other inputs take.
    Percent(NonZeroU32),
}

/// How long a comparison may take; `None` for as long as it takes. A type of its own, because clap would read an
/// `Option` as an option that may be missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget(pub(crate) Option<Duration>);

/// A model by its name; the help lists the names.
pub(super) fn model() -> impl TypedValueParser<Value = Model> {
    PossibleValuesParser::new(Model::ALL.map(Model::name)).try_map(|name| name.parse::<Model>())
}

pub(super) fn budget(text: &str) -> Result<Budget, String> {
    match text {
        "none" => Ok(Budget(None)),
        limit => match time(limit)? {
            Duration::ZERO => {
                Err("no comparison takes no time; give a duration such as 60s, or none".to_owned())
            }
            limit => Ok(Budget(Some(limit))),
        },
    }
}

fn time_limit(text: &str) -> Result<TimeLimit, String> {
    match text.strip_suffix('%') {
        None => time(text).map(TimeLimit::Time),
        Some(percent) => percent
            .parse()
            .map(TimeLimit::Percent)
            .map_err(|_| "write a whole number from 1 before the %, such as 200%".to_owned()),
    }
}
