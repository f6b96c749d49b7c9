//! `triway man`: the manual pages.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::{
    arguments::Arguments,
    exit::{Exit, Fault},
};

/// Writes all pages into `directory`, or the main one to standard output.
pub(crate) fn run(directory: Option<&Path>) -> Result<Exit, Fault> {
    let command = Arguments::command();
    let Some(directory) = directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(Fault::could_not_run)?;
        return unless_closed(io::stdout().lock().write_all(&page));
    };
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory))
        .with_context(|| format!("cannot write manual pages into {}", directory.display()))
        .map_err(Fault::could_not_run)?;
    Ok(Exit::Ok)
}

/// A reader that has seen enough is no error.
pub(super) fn unless_closed(written: io::Result<()>) -> Result<Exit, Fault> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::could_not_run(
            anyhow::Error::from(error).context("cannot write to standard output"),
        )),
        _ => Ok(Exit::Ok),
    }
}
