//! `triway completions`: a completion script for a shell.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::man::unless_closed;
use crate::{
    arguments::Arguments,
    exit::{Exit, Fault},
};

/// Writes the script to standard output.
pub(crate) fn run(shell: Shell) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "triway", &mut script);
    unless_closed(io::stdout().lock().write_all(&script))
}
