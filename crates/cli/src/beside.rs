//! Files that are written beside the outcomes: a page, a trace.

use std::{
    fs::{self, File, Metadata},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use anyhow::{Context as _, anyhow};

use crate::exit::Fault;

/// Opens such a file before anything takes its time. What stood in it stays until there is something to put in its place.
///
/// # Errors
/// It cannot be written, is one of `others` (what is written besides), or is `taken` (what is read).
pub(crate) fn open(
    option: &str,
    path: &Path,
    others: &[Option<&Path>],
    taken: &dyn Fn(&Metadata) -> bool,
) -> Result<File, Fault> {
    let elsewhere = |what: &str| {
        let path = path.display();
        Fault::usage(anyhow!("{option}: {path} is {what}; write it elsewhere"))
    };
    if fs::metadata(path).is_ok_and(|it| it.is_file() && taken(&it)) {
        return Err(elsewhere("an input"));
    }
    let mut options = File::options();
    let opened = options.write(true).create(true).truncate(false).open(path);
    let file = opened
        .with_context(|| format!("{option}: cannot write {}", path.display()))
        .map_err(Fault::usage)?;
    let own = file.metadata().map_err(Fault::could_not_run)?;
    let same = |other: &&Path| {
        let other = fs::metadata(other);
        other.is_ok_and(|other| (other.dev(), other.ino()) == (own.dev(), own.ino()))
    };
    if own.is_file() && others.iter().flatten().any(same) {
        return Err(elsewhere("written by another option as well"));
    }
    Ok(file)
}

/// Takes away what stood in it. What is no plain file (a pipe, a device) has no earlier content.
pub(crate) fn empty(file: &File) -> std::io::Result<()> {
    match file.metadata()?.is_file() {
        true => file.set_len(0),
        false => Ok(()),
    }
}
