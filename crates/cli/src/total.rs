//! The total over all inputs, for tasks whose outputs add up.

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use triway_tasks::{catalog::RawOutput, columns::Found};

use crate::{exit::Fault, people::figures::counted};

/// What the outcomes so far add up to.
#[derive(Debug, Default)]
pub(crate) struct Total {
    sum: Option<Found>,
}

/// A file that the total goes to.
#[derive(Debug)]
pub(crate) struct TotalFile {
    path: PathBuf,
    /// `None` is standard output.
    file: Option<File>,
}

impl Total {
    /// Adds an output that succeeded, if it can be added up.
    pub(crate) fn add(&mut self, output: &RawOutput) {
        if let Some(found) = Found::from_bytes(&output.addable) {
            self.sum = Some(self.sum.take().unwrap_or_default().and(found));
        }
    }

    /// The total in a line; `failed` inputs are not in it. `None` where nothing adds up.
    pub(crate) fn line(&self, failed: u64) -> Option<String> {
        let sum = self.sum.as_ref()?;
        let without = match failed {
            0 => String::new(),
            _ => format!(
                "; {} not in it",
                counted(failed, "input failed and is", "inputs failed and are")
            ),
        };
        if sum.is_mixed() {
            return Some(format!(
                "total: count {} of {} rows, of kinds that do not add up{without}",
                sum.count(),
                sum.rows()
            ));
        }
        Some(format!(
            "total: count {} of {} rows, sum {}, avg {}, min {}, max {}{without}",
            sum.count(),
            sum.rows(),
            sum.sum(),
            sum.avg(),
            sum.min(),
            sum.max()
        ))
    }
}

impl TotalFile {
    /// Makes the file, if there is to be one, so that it is known before the job whether that can be done.
    ///
    /// # Errors
    /// It cannot be made, or standard output has the outcomes already.
    pub(crate) fn open(path: Option<&Path>, output: Option<&Path>) -> Result<Option<Self>, Fault> {
        let Some(path) = path else { return Ok(None) };
        let is_output = path == Path::new("-");
        if is_output && output.is_none() {
            return Err(Fault::usage(anyhow!(
                "--total -: standard output has the outcomes; name a file for them with -o, or for the total"
            )));
        }
        if output == Some(path) {
            return Err(Fault::usage(anyhow!(
                "--total: {} is where the outcomes go (--output); name another file",
                path.display()
            )));
        }
        let file = || {
            File::create(path)
                .with_context(|| format!("--total: {} cannot be made", path.display()))
                .map_err(Fault::usage)
        };
        Ok(Some(Self {
            path: path.to_owned(),
            file: if is_output { None } else { Some(file()?) },
        }))
    }

    /// Writes the total.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(self, total: &Total) -> Result<(), Fault> {
        let none = Found::default();
        let found = total.sum.as_ref().unwrap_or(&none);
        let write = || -> io::Result<()> {
            let mut line = serde_json::to_vec(found)?;
            line.push(b'\n');
            match self.file.as_ref() {
                Some(mut file) => file.write_all(&line),
                None => io::stdout().write_all(&line),
            }
        };
        write()
            .with_context(|| format!("the total could not be written to {}", self.path.display()))
            .map_err(Fault::could_not_run)
    }
}
