//! Where outcomes and comparisons go: standard output, a file, or the screen above the progress bar.

use std::{
    fs::{self, File},
    io::{self, IsTerminal as _},
    os::{fd::AsFd as _, unix::fs::FileTypeExt as _},
    path::Path,
};

use anyhow::{Context as _, anyhow};
use triway_measure::report::Comparison;

use super::{
    csv,
    format::Format,
    github, json, jsonl, junit, md,
    paced::{Paced, Written},
    record::Record,
    table,
    target::Target,
};
use crate::{
    arguments::{FormatName, JobArguments},
    exit::Fault,
    inputs::Inputs,
    people::{Interest, Screen},
    standard_output,
};

/// A format and where its text goes.
pub(crate) struct Destination {
    format: Box<dyn Format>,
    paced: Paced,
    name: String,
    for_people: bool,
    /// Whether it is standard output, which a reader may leave without any harm.
    standard: bool,
    piped: bool,
    /// The file, whose earlier content goes when there is something to put in its place.
    file: Option<File>,
}

impl Destination {
    /// What the options ask for: a file or standard output, and the format that suits it.
    ///
    /// # Errors
    /// The file cannot be made, or is one of the inputs.
    pub(crate) fn open(
        job: &JobArguments,
        inputs: &Inputs,
        screen: &Screen,
        interest: Interest,
    ) -> Result<Self, Fault> {
        match &job.output {
            Some(path) => {
                refuse_input(path, inputs)?;
                let file = create(path).map_err(Fault::usage)?;
                let named = job.format.or_else(|| FormatName::of_file(path));
                let named = named.unwrap_or(FormatName::Jsonl);
                let name = path.display().to_string();
                let kept = file.try_clone().map_err(Fault::could_not_run)?;
                Ok(Self {
                    file: Some(kept),
                    ..Self::new((named, false, interest), name, Target::File(file))?
                })
            }
            None => {
                standard_output::ensure_open()?;
                refuse_input(Path::new("/dev/stdout"), inputs)?;
                let terminal = io::stdout().is_terminal();
                let usual = if terminal {
                    FormatName::Table
                } else {
                    FormatName::Jsonl
                };
                let named = job.format.unwrap_or(usual);
                let colour = anstream::AutoStream::choice(&io::stdout());
                let colour = colour != anstream::ColorChoice::Never;
                let name = "standard output".to_owned();
                let metadata = fs::metadata("/dev/stdout");
                Ok(Self {
                    standard: true,
                    piped: metadata.is_ok_and(|it| it.file_type().is_fifo()),
                    ..Self::new((named, colour, interest), name, stdout(terminal, screen)?)?
                })
            }
        }
    }

    /// The screen, for people who wait while the outcomes go to a file.
    pub(crate) fn screen(screen: &Screen, interest: Interest) -> Result<Self, Fault> {
        let name = "standard error".to_owned();
        let above = Target::Above(screen.clone());
        let format = (FormatName::Table, screen.has_colour(), interest);
        Self::new(format, name, above)
    }

    /// What to call it in a message.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether what it is given is for people, so that they need not be told twice.
    pub(crate) fn is_for_people(&self) -> bool {
        self.for_people
    }

    /// Whether it is this program's standard output.
    pub(crate) fn is_standard_output(&self) -> bool {
        self.standard
    }

    /// Whether another program reads it that may write to the same terminal, such as a pager.
    pub(crate) fn is_piped(&self) -> bool {
        self.piped
    }

    /// Writes what stands before the first outcome of a task.
    pub(crate) fn begin(&mut self, task: &str) -> io::Result<()> {
        self.empty_file()?;
        self.paced.begin(|buffer| self.format.begin(task, buffer))
    }

    /// Takes an outcome to be written soon, and says of how many before it that has been done to the end.
    pub(crate) fn outcome(&mut self, record: &Record<'_>) -> io::Result<u64> {
        self.paced.put(|buffer| self.format.outcome(record, buffer))
    }

    /// Writes all that is left, and what stands after the last outcome.
    pub(crate) fn end(mut self) -> Written {
        self.paced.finish(|buffer| self.format.end(buffer))
    }

    /// Writes a comparison and nothing else.
    pub(crate) fn comparison(mut self, comparison: &Comparison) -> io::Result<()> {
        self.empty_file()?;
        let put = |buffer: &mut Vec<u8>| self.format.comparison(comparison, buffer);
        let told = self.paced.put(put);
        let written = self.paced.finish(|_| Ok(()));
        written.broken.map_or(told.map(|_| ()), Err)
    }

    fn new(
        (named, colour, interest): (FormatName, bool, Interest),
        name: String,
        target: Target,
    ) -> Result<Self, Fault> {
        Ok(Self {
            format: format(named, colour, interest),
            for_people: named == FormatName::Table,
            paced: Paced::new(target).map_err(Fault::could_not_run)?,
            name,
            standard: false,
            piped: false,
            file: None,
        })
    }

    /// A report of yesterday must survive a comparison of today that never came to an end.
    fn empty_file(&self) -> io::Result<()> {
        match &self.file {
            // What is no plain file (a pipe, a device) has no earlier content.
            Some(file) if file.metadata()?.is_file() => file.set_len(0),
            _ => Ok(()),
        }
    }
}

/// A file that is read and written at once grows for ever, or is gone before it was read.
fn refuse_input(path: &Path, inputs: &Inputs) -> Result<(), Fault> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && inputs.include(&metadata) => {
            Err(Fault::usage(anyhow!(
                "{} is an input; write the outcomes elsewhere",
                path.display()
            )))
        }
        _ => Ok(()),
    }
}

fn create(path: &Path) -> anyhow::Result<File> {
    let mut options = File::options();
    let opened = options.write(true).create(true).truncate(false).open(path);
    opened.with_context(|| format!("--output: cannot write {}", path.display()))
}

/// Standard output without the buffer of its own that the standard library gives it: nobody could say what is in that.
fn stdout(terminal: bool, screen: &Screen) -> Result<Target, Fault> {
    let own = io::stdout().as_fd().try_clone_to_owned();
    let file = File::from(own.map_err(Fault::could_not_run)?);
    Ok(match terminal {
        true => Target::Terminal(file, screen.clone()),
        false => Target::File(file),
    })
}

/// The format of this name; `colour` is for formats that people read.
fn format(name: FormatName, colour: bool, interest: Interest) -> Box<dyn Format> {
    match name {
        FormatName::Table => Box::new(table::Table { colour, interest }),
        FormatName::Jsonl => Box::new(jsonl::Jsonl),
        FormatName::Json => Box::new(json::Json::default()),
        FormatName::Csv => Box::new(csv::Csv),
        FormatName::Md => Box::new(md::Markdown),
        FormatName::Junit => Box::new(junit::Junit::default()),
        FormatName::Github => Box::new(github::Github),
    }
}
