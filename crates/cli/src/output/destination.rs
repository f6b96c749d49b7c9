//! Where outcomes and comparisons go: standard output, a file, or the screen above the progress bar.

use std::{
    fs::{self, File, Metadata},
    io::{self, IsTerminal as _},
    os::{
        fd::AsFd as _,
        unix::fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::Path,
};

use anyhow::{Context as _, anyhow};

use super::{
    csv,
    format::Format,
    github, joblog, json, jsonl, junit, md,
    paced::{Paced, Written},
    plain,
    record::Record,
    table,
    target::Target,
};
use crate::{
    arguments::{FormatName, JobArguments, ShowArguments},
    exit::Fault,
    findings::Found,
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

/// What is written where nobody says in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usual {
    /// Outcomes: a table on a terminal, JSON Lines elsewhere.
    Outcomes,
    /// What commands wrote, wherever it goes, because a pipe behind a command expects that and nothing else; outcomes
    /// where they go to a file of their own.
    Plain {
        /// Whether each line begins with the input.
        tag: bool,
    },
}

/// A format and what it needs to know.
struct Form<'a> {
    name: FormatName,
    colour: bool,
    interest: Interest,
    usual: Usual,
    terminal: bool,
    screen: &'a Screen,
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
        usual: Usual,
    ) -> Result<Self, Fault> {
        let taken = |other: &Metadata| inputs.include(other);
        let to = (job.output.as_deref(), job.format);
        Self::at(to, taken, "an input", screen, (interest, usual))
    }

    /// Where advice goes, which is standard output: outcomes of what was executed go to the file.
    ///
    /// # Errors
    /// Standard output is closed.
    pub(crate) fn of_advice(
        job: &JobArguments,
        inputs: &Inputs,
        screen: &Screen,
    ) -> Result<Self, Fault> {
        let taken = |other: &Metadata| inputs.include(other);
        let told = (Interest::All, Usual::Outcomes);
        Self::at((None, job.format), taken, "an input", screen, told)
    }

    /// The file that outcomes of probes go to, if they are kept.
    ///
    /// # Errors
    /// The file cannot be made, or is one of the inputs.
    pub(crate) fn of_probes(
        job: &JobArguments,
        inputs: &Inputs,
        screen: &Screen,
    ) -> Result<Option<Self>, Fault> {
        let Some(path) = job.output.as_deref() else {
            return Ok(None);
        };
        let taken = |other: &Metadata| inputs.include(other);
        let told = (Interest::All, Usual::Outcomes);
        Self::at((Some(path), None), taken, "an input", screen, told).map(Some)
    }

    /// What is asked for to show a journal.
    ///
    /// # Errors
    /// The file cannot be made, or is the journal.
    pub(crate) fn of_journal(show: &ShowArguments, screen: &Screen) -> Result<Self, Fault> {
        let journal = fs::metadata(&show.journal).ok();
        let taken = |other: &Metadata| {
            let of = |it: &Metadata| (it.dev(), it.ino());
            journal.as_ref().is_some_and(|it| of(it) == of(other))
        };
        let to = (show.output.as_deref(), show.format);
        let told = (Interest::All, Usual::Outcomes);
        Self::at(to, taken, "the journal", screen, told)
    }

    /// What is asked for to show what was measured without inputs.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(crate) fn of_measured(
        output: Option<&Path>,
        format: Option<FormatName>,
        screen: &Screen,
    ) -> Result<Self, Fault> {
        let told = (Interest::All, Usual::Outcomes);
        Self::at((output, format), |_| false, "an input", screen, told)
    }

    /// A file or standard output, unless that is `taken`.
    fn at(
        (output, format): (Option<&Path>, Option<FormatName>),
        taken: impl Fn(&Metadata) -> bool,
        what: &str,
        screen: &Screen,
        (interest, usual): (Interest, Usual),
    ) -> Result<Self, Fault> {
        let form = |name, colour, terminal| Form {
            name,
            colour,
            interest,
            usual,
            terminal,
            screen,
        };
        refuse(output.unwrap_or(Path::new("/dev/stdout")), taken, what)?;
        match output {
            Some(path) => {
                let file = create(path).map_err(Fault::usage)?;
                let named = format.or_else(|| FormatName::of_file(path));
                let named = named.unwrap_or(FormatName::Jsonl);
                usual.check(named)?;
                let name = path.display().to_string();
                let kept = file.try_clone().map_err(Fault::could_not_run)?;
                Ok(Self {
                    file: Some(kept),
                    ..Self::new(&form(named, false, false), name, Target::File(file))?
                })
            }
            None => {
                let terminal = io::stdout().is_terminal();
                let named = format.unwrap_or(usual.format(terminal));
                usual.check(named)?;
                let colour = anstream::AutoStream::choice(&io::stdout());
                let colour = colour != anstream::ColorChoice::Never;
                let name = "standard output".to_owned();
                let metadata = fs::metadata("/dev/stdout");
                Ok(Self {
                    standard: true,
                    piped: metadata.is_ok_and(|it| it.file_type().is_fifo()),
                    ..Self::new(
                        &form(named, colour, terminal),
                        name,
                        stdout(terminal, screen)?,
                    )?
                })
            }
        }
    }

    /// The screen, for people who wait while the outcomes go to a file.
    pub(crate) fn screen(screen: &Screen, interest: Interest) -> Result<Self, Fault> {
        let name = "standard error".to_owned();
        let above = Target::Above(screen.clone());
        let form = Form {
            name: FormatName::Table,
            colour: screen.has_colour(),
            interest,
            usual: Usual::Outcomes,
            terminal: true,
            screen,
        };
        Self::new(&form, name, above)
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
        let begun = self.paced.begin(|buffer| self.format.begin(task, buffer));
        // Of the outcomes themselves, whoever ends the job says it.
        begun.map_err(|error| {
            let name = &self.name;
            let told = format!("the outcomes could not be written to {name}: {error}");
            io::Error::new(error.kind(), told)
        })
    }

    /// Takes an outcome to be written soon, and says of how many before it that has been done to the end.
    pub(crate) fn outcome(&mut self, record: &Record<'_>) -> io::Result<u64> {
        self.paced.put(|buffer| self.format.outcome(record, buffer))
    }

    /// Writes all that is left, and what stands after the last outcome.
    pub(crate) fn end(mut self) -> Written {
        self.paced.finish(|buffer| self.format.end(buffer))
    }

    /// Writes a text and nothing else.
    pub(crate) fn text(self, text: &str) -> io::Result<()> {
        let told = self.paced.put(|buffer: &mut Vec<u8>| {
            buffer.extend_from_slice(text.as_bytes());
            Ok(())
        });
        let written = self.paced.finish(|_| Ok(()));
        written.broken.map_or(told.map(|_| ()), Err)
    }

    /// Writes findings and nothing else.
    pub(crate) fn found(mut self, found: &dyn Found) -> io::Result<()> {
        self.empty_file()?;
        let put = |buffer: &mut Vec<u8>| self.format.found(found, buffer);
        let told = self.paced.put(put);
        let written = self.paced.finish(|_| Ok(()));
        written.broken.map_or(told.map(|_| ()), Err)
    }

    fn new(form: &Form<'_>, name: String, target: Target) -> Result<Self, Fault> {
        Ok(Self {
            format: format(form),
            for_people: form.name == FormatName::Table,
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
fn refuse(path: &Path, taken: impl Fn(&Metadata) -> bool, what: &str) -> Result<(), Fault> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && taken(&metadata) => Err(Fault::usage(anyhow!(
            "{} is {what}; write the outcomes elsewhere",
            path.display()
        ))),
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
    standard_output::ensure_open()?;
    let own = io::stdout().as_fd().try_clone_to_owned();
    let file = File::from(own.map_err(Fault::could_not_run)?);
    Ok(match terminal {
        true => Target::Terminal(file, screen.clone()),
        false => Target::File(file),
    })
}

impl Usual {
    /// Refuses what a comparison cannot do, before it takes its time.
    pub(crate) fn check_compares(self) -> Result<(), Fault> {
        match self {
            Self::Plain { tag: true } => Err(Fault::usage(anyhow!(
                "--tag: a comparison shows nothing that commands write; leave it out"
            ))),
            _ => Ok(()),
        }
    }

    fn format(self, terminal: bool) -> FormatName {
        match self {
            Self::Plain { .. } => FormatName::Plain,
            Self::Outcomes if terminal => FormatName::Table,
            Self::Outcomes => FormatName::Jsonl,
        }
    }

    fn check(self, chosen: FormatName) -> Result<(), Fault> {
        match (self, chosen) {
            (Self::Outcomes, FormatName::Plain) => Err(Fault::usage(anyhow!(
                "--format plain: only the commands of sh write anything; choose another format"
            ))),
            (Self::Plain { tag: true }, chosen) if chosen != FormatName::Plain => {
                Err(Fault::usage(anyhow!(
                    "--tag: it marks the lines that commands write, and what is written here are outcomes, which name \
                     their inputs; leave it out, or choose --format plain"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// The format of this name.
fn format(form: &Form<'_>) -> Box<dyn Format> {
    let tag = form.usual == Usual::Plain { tag: true };
    match form.name {
        FormatName::Table => Box::new(table::Table {
            colour: form.colour,
            interest: form.interest,
            pictures: form.terminal,
        }),
        FormatName::Jsonl => Box::new(jsonl::Jsonl),
        FormatName::Json => Box::new(json::Json::default()),
        FormatName::Csv => Box::new(csv::Csv),
        FormatName::Md => Box::new(md::Markdown),
        FormatName::Junit => Box::new(junit::Junit::default()),
        FormatName::Github => Box::new(github::Github),
        FormatName::Joblog => Box::new(joblog::Joblog::default()),
        FormatName::Plain => Box::new(plain::Plain {
            tag,
            whole_lines: tag || form.terminal,
            screen: form.screen.clone(),
        }),
    }
}
