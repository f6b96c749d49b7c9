//! What a task is applied to.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::values::some_bytes;

/// Under which heading the help lists them.
const INPUTS: &str = "Inputs";

/// What a task is applied to.
#[derive(Debug, Default, Args)]
pub(crate) struct InputArguments {
    /// Files with one input a line, blank lines included; `-` is standard input
    #[arg(value_name = "FILE", help_heading = INPUTS)]
    pub(crate) files: Vec<PathBuf>,

    /// Inputs themselves
    #[arg(last = true, value_name = "INPUT", help_heading = INPUTS)]
    pub(crate) values: Vec<OsString>,

    /// How long a line may be; a longer one fails, alone
    #[arg(
        long,
        value_name = "BYTES",
        help_heading = INPUTS,
        default_value_t = 16 << 20,
        value_parser = some_bytes,
        allow_negative_numbers = true,
    )]
    pub(crate) max_input_bytes: u64,
}
