//! `triway man`: the manual pages.

use std::{fs, path::Path};

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::{
    arguments::Arguments,
    exit::{Exit, Fault},
    standard_output,
};

/// Writes all pages into `directory`, or the main one to standard output.
pub(crate) fn run(directory: Option<&Path>) -> Result<Exit, Fault> {
    let command = Arguments::command();
    let Some(directory) = directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(Fault::could_not_run)?;
        return standard_output::write(&page);
    };
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory))
        .with_context(|| format!("cannot write manual pages into {}", directory.display()))
        .map_err(Fault::could_not_run)?;
    Ok(Exit::Ok)
}
