//! The options of `sh`.

use std::ffi::OsString;

use clap::Args;
use triway_tasks::sh::MAX_OUTPUT_BYTES;

use super::{inputs::InputArguments, values::size};

/// Options of `sh`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Task")]
pub(crate) struct ShArguments {
    /// The command, such as 'convert {} {.}.png': split as a shell would, and nothing expanded
    #[arg(value_name = "COMMAND", help_heading = "Task")]
    pub(crate) command: Option<OsString>,

    #[command(flatten)]
    pub(crate) inputs: InputArguments,

    /// Let a shell read the command; it gets the inputs quoted, as parameters
    #[arg(long)]
    pub(crate) shell: bool,

    /// Give each command its input on standard input, not as an argument
    #[arg(long)]
    pub(crate) stdin: bool,

    /// How much is kept of what a command writes to standard output, and to standard error
    #[arg(long, value_name = "BYTES", value_parser = size, allow_negative_numbers = true,
          default_value_t = MAX_OUTPUT_BYTES)]
    pub(crate) max_output: u64,

    /// Begin each line that a command writes with its input and a tab
    #[arg(long)]
    pub(crate) tag: bool,
}
