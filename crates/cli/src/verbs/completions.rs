//! `triway completions`: a completion script for a shell.

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::{
    arguments::Arguments,
    exit::{Exit, Fault},
    standard_output,
};

/// Writes the script to standard output.
pub(crate) fn run(shell: Shell) -> Result<Exit, Fault> {
    let mut script = Vec::new();
    let mut shown = shown_of(&Arguments::command());
    clap_complete::generate(shell, &mut shown, "triway", &mut script);
    standard_output::write(&script)
}

/// The command as its help shows it: the scripts would complete hidden arguments as well.
fn shown_of(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|one| !one.is_hide_set());
    let inner = command.get_subcommands().filter(|one| !one.is_hide_set());
    let shown = Command::new(command.get_name().to_owned())
        .about(command.get_about().cloned().unwrap_or_default())
        .args(arguments)
        .subcommands(inner.map(shown_of));
    match command.get_version() {
        Some(version) => shown.version(version.to_owned()),
        None => shown,
    }
}
