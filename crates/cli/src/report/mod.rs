//! A finding as one page that needs nothing else: no script, no style sheet, no font and no picture from elsewhere.

mod bars;
mod curves;
mod distributions;
mod page;
mod scale;
mod timeline;

use std::{
    fs::{File, Metadata},
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;

use crate::{arguments::ReportArguments, beside, exit::Fault, findings::Found, people::Screen};

/// Refuses a page that cannot be written, before anything is measured: `others` are files that are written besides, and
/// `taken` says of a file that it is read.
///
/// # Errors
/// The file cannot be made, or is one of these.
pub(crate) fn check(
    wanted: &ReportArguments,
    others: &[Option<&Path>],
    taken: &dyn Fn(&Metadata) -> bool,
) -> Result<(), Fault> {
    let opened = wanted
        .report
        .as_deref()
        .map(|path| beside::open("--report", path, others, taken));
    opened.transpose().map(|_| ())
}

/// Writes the page, if one is wanted, and says so.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(
    found: &dyn Found,
    wanted: &ReportArguments,
    screen: &Screen,
) -> Result<(), Fault> {
    let Some(path) = &wanted.report else {
        return Ok(());
    };
    put(found, path)
        .with_context(|| format!("the report could not be written to {}", path.display()))
        .map_err(Fault::could_not_run)?;
    screen.say(&format!("the report is in {}", path.display()));
    Ok(())
}

fn put(found: &dyn Found, path: &Path) -> io::Result<()> {
    let page = page::page(found)?;
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    beside::empty(&file)?;
    file.write_all(page.as_bytes())
}
