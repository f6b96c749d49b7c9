//! The tasks by name: one adapter over raw bytes for all of them, so that whoever reads inputs and writes outcomes needs
//! to know none.

mod digest;
mod erased;
mod named;
mod raw;

pub use named::{Configured, Named, NamedLane};
pub use raw::{INPUT_TOO_LARGE, RawInput, RawOutput};

#[cfg(feature = "columns")]
use crate::columns::Columns;
#[cfg(feature = "sql")]
use crate::sql::Sql;
use crate::{
    command::{CommandTask, Preferred},
    cpu::Cpu,
    echo::Echo,
    http::Http,
    py::Py,
    sh::Sh,
};

/// What a help text says about a task.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name that chooses it.
    pub name: &'static str,
    /// What one input is.
    pub input: &'static str,
    /// What it does with one, in a line.
    pub does: &'static str,
    /// How it is run unless somebody says otherwise.
    pub preferred: fn() -> Preferred,
}

/// All tasks, in the order in which a help text lists them.
pub const TASKS: &[Entry] = &[
    entry::<Http>(),
    entry::<Echo>(),
    entry::<Cpu>(),
    #[cfg(feature = "columns")]
    entry::<Columns>(),
    entry::<Py>(),
    entry::<Sh>(),
    #[cfg(feature = "sql")]
    entry::<Sql>(),
];

const fn entry<T: CommandTask>() -> Entry {
    Entry {
        name: T::NAME,
        input: T::INPUT,
        does: T::DOES,
        preferred: T::preferred,
    }
}
