//! The tasks with their own options, the same for every verb that takes a task.

use clap::{Args, Subcommand, ValueEnum};
use triway_tasks::http::Accept;

use super::{
    check::CheckArguments,
    columns::ColumnsArguments,
    echo::EchoArguments,
    help,
    http::{ExampleUrls, RequestArguments},
    inputs::InputArguments,
    job::whole,
    py::PyArguments,
    sh::ShArguments,
    sql::SqlArguments,
};

/// Which task, and what it is applied to.
#[derive(Debug, Subcommand)]
#[command(subcommand_value_name = "TASK", subcommand_help_heading = "Tasks")]
pub(crate) enum TaskArguments {
    /// Request URLs; status, size, time spent on DNS, connect, TLS, first byte, body
    #[command(after_help = help::HTTP)]
    Http(Box<HttpArguments>),
    /// Request URLs and examine the answers by rules
    #[command(after_help = help::CHECK_TASK)]
    Check(Box<CheckArguments>),
    /// Send lines to a TCP server and wait for the lines that it answers
    #[command(after_help = help::ECHO)]
    Echo(EchoArguments),
    /// Keep the processors busy: sum the square roots below n, or another reference load
    #[command(after_help = help::CPU)]
    Cpu(CpuArguments),
    /// Filter the rows of CSV, Parquet and Arrow files and give the figures of a column
    #[command(after_help = help::COLUMNS)]
    Columns(Box<ColumnsArguments>),
    /// Execute a statement for each row, on SQLite or PostgreSQL
    #[command(after_help = help::SQL)]
    Sql(Box<SqlArguments>),
    /// Call a Python function of yours for each input, in CPython
    #[command(after_help = help::PY)]
    Py(Box<PyArguments>),
    /// Run a command for each input, as xargs and GNU parallel do
    #[command(after_help = help::SH)]
    Sh(ShArguments),
}

/// Options of `http`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Task")]
pub(crate) struct HttpArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,

    /// The statuses that count as a success, such as 200..=299,404
    #[arg(long, value_name = "STATUSES", default_value_t)]
    pub(crate) accept: Accept,

    #[command(flatten)]
    pub(crate) example: ExampleUrls,

    #[command(flatten)]
    pub(crate) request: RequestArguments,
}

/// Options of `cpu`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Task")]
pub(crate) struct CpuArguments {
    #[command(flatten)]
    pub(crate) inputs: InputArguments,

    /// Which load an input is
    #[arg(long, value_enum, default_value_t = Work::Sqrt)]
    pub(crate) work: Work,

    /// With no inputs given: the n of each [default: 100000000; for spin 100, memory 1000, sha256 100, none 0]
    #[arg(long, allow_hyphen_values = true, conflicts_with_all = ["files", "values"])]
    pub(crate) n: Option<String>,

    /// With no inputs given: how many there are [default: 4]
    #[arg(
        long = "inputs",
        value_name = "N",
        value_parser = whole::<u64>,
        allow_negative_numbers = true,
        conflicts_with_all = ["files", "values"]
    )]
    pub(crate) inputs_wanted: Option<u64>,
}

/// The loads of `cpu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Sum the square roots of the numbers below n
    Sqrt,
    /// Use n milliseconds of processor time
    Spin,
    /// Read n MiB of memory that no cache holds
    Memory,
    /// The SHA-256 of n MiB of zeros
    Sha256,
    /// Give n back
    None,
}
