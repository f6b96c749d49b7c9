//! The options of `py`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use triway_tasks::py::Target;

use super::{inputs::InputArguments, values::time};

/// Options of `py`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Task")]
pub(crate) struct PyArguments {
    /// The function: FILE.py:NAME or PACKAGE.MODULE:NAME; of a class, an instance is called
    #[arg(value_name = "FUNCTION", help_heading = "Task")]
    pub(crate) target: Option<Target>,

    #[command(flatten)]
    pub(crate) inputs: InputArguments,

    /// The interpreter [default: that of the active virtual environment, or python3]
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,

    /// An input is a JSON list or object: the arguments of a call
    #[arg(long, conflicts_with_all = ["lines", "files_wanted"])]
    pub(crate) args: bool,

    /// An input is a line as it stands, given as a str
    #[arg(long, conflicts_with = "files_wanted")]
    pub(crate) lines: bool,

    /// An input names a file, whose bytes are given
    #[arg(long = "files", id = "files_wanted")]
    pub(crate) files: bool,

    /// A file that the function's module has as a read-only memoryview of this name, one mapping for all; may be repeated
    #[arg(long, value_name = "NAME=FILE", value_parser = shared)]
    pub(crate) share: Vec<(String, PathBuf)>,

    /// Hand back what JSON cannot hold as its str() or repr(), instead of failing that input
    #[arg(long, value_enum, value_name = "FUNCTION")]
    pub(crate) default: Option<Convert>,

    /// Whose event loop awaits coroutines
    #[arg(long = "loop", value_enum, value_name = "LOOP", default_value_t = EventLoop::Asyncio)]
    pub(crate) event_loop: EventLoop,

    /// How long the import of the module may take, in each worker
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    pub(crate) import_timeout: Duration,

    /// To compare: one more trial an arm, not timed, tells how late a thread gets the interpreter's lock
    #[arg(long)]
    pub(crate) probe: bool,

    /// With no function given: an embedded one and inputs for it [default: sqrt]
    #[arg(long, value_enum, value_name = "NAME", conflicts_with_all = ["target", "files", "values"])]
    pub(crate) example: Option<Example>,
}

/// What becomes of results that JSON cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Convert {
    /// str()
    Str,
    /// repr()
    Repr,
}

/// Event loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventLoop {
    /// That of the standard library
    Asyncio,
    /// That of the package uvloop, where it is installed
    Uvloop,
}

/// The embedded functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Example {
    /// Sums of square roots: Python code that holds the interpreter's lock
    Sqrt,
    /// Requests to an embedded server
    Fetch,
    /// Lists of a million numbers, filtered and added up
    Batches,
    /// Rows for a SQLite file, each with a commit
    Insert,
    /// SHA-256 of megabytes: C code that lets go of the lock
    Digest,
    /// x + 1, twenty thousand times
    Tiny,
    /// An `async def` that sleeps without awaiting
    FakeAsync,
    /// Waits for a lock that all processes share
    Locked,
}

fn shared(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write NAME=FILE")?;
    let begins = |c: char| c.is_alphabetic() || c == '_';
    if !name.starts_with(begins) || !name.chars().all(|c| begins(c) || c.is_numeric()) {
        return Err(format!("`{name}` is no name that Python knows"));
    }
    let here = std::env::current_dir().unwrap_or_default();
    Ok((name.to_owned(), here.join(path)))
}
