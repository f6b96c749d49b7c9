//! Everything that findings are written to: the output in its format, a page, a trace.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

use crate::{
    arguments::{ReportArguments, TraceArguments},
    exit::Fault,
    findings::Found,
    output::Destination,
    people::Screen,
    report, trace,
};

/// What a verb that measures writes.
pub(crate) struct Papers {
    destination: Destination,
    report: ReportArguments,
    trace: TraceArguments,
    _made: Made,
}

/// Files that were not there before. One that nothing was written to is taken away again.
struct Made(Vec<PathBuf>);

impl Made {
    /// Those that are still to be made of these.
    fn of(paths: [Option<&Path>; 2]) -> Self {
        let new = paths.into_iter().flatten();
        let new = new.filter(|path| fs::symlink_metadata(path).is_err());
        Self(new.map(Path::to_owned).collect())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in &self.0 {
            if fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() == 0) {
                // An empty file is no reason to complain.
                let _gone = fs::remove_file(path);
            }
        }
    }
}

impl Papers {
    /// Makes all files before anything takes its time; none is one of the others that are written, or one that is read.
    ///
    /// # Errors
    /// A file cannot be made, or is another.
    pub(crate) fn open(
        destination: Destination,
        (report, trace): (ReportArguments, TraceArguments),
        output: Option<&Path>,
        taken: &dyn Fn(&Metadata) -> bool,
    ) -> Result<Self, Fault> {
        let made = Made::of([report.report.as_deref(), trace.trace.as_deref()]);
        report::check(&report, &[output], taken)?;
        trace::check(&trace, &[output, report.report.as_deref()], taken)?;
        Ok(Self {
            destination,
            report,
            trace,
            _made: made,
        })
    }

    /// Whether there are pictures of more than there is for scripts.
    pub(crate) fn are_detailed(&self) -> bool {
        self.report.report.is_some() || self.trace.trace.is_some()
    }

    /// Writes what was found, and tells people the verdict where they do not see the rest.
    ///
    /// # Errors
    /// It could not be written; that nobody reads it any more is none.
    pub(crate) fn write(self, found: &dyn Found, what: &str, screen: &Screen) -> Result<(), Fault> {
        // Each of them is written that can be, whatever becomes of the others: it has taken long to find out.
        let page = report::write(found, &self.report, screen);
        let trace = trace::write(found, &self.trace, screen);
        let for_people = self.destination.is_for_people();
        let put = self.put(what, |destination| destination.found(found));
        if !for_people || put.is_err() {
            screen.say(&found.verdict());
        }
        page.and(trace).and(put)
    }

    /// Writes a text in the place of what was found, of which people are told the verdict.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn write_text(
        self,
        text: &str,
        (found, what): (&dyn Found, &str),
        screen: &Screen,
    ) -> Result<(), Fault> {
        let page = report::write(found, &self.report, screen);
        let put = self.put(what, |destination| destination.text(text));
        screen.say(&found.verdict());
        page.and(put)
    }

    /// Writes the page alone, where there is nothing to be put in the place of what was found.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn write_page(self, found: &dyn Found, screen: &Screen) -> Result<(), Fault> {
        report::write(found, &self.report, screen)
    }

    fn put(
        self,
        what: &str,
        write: impl FnOnce(Destination) -> io::Result<()>,
    ) -> Result<(), Fault> {
        let name = self.destination.name().to_owned();
        let to_stdout = self.destination.is_standard_output();
        match write(self.destination) {
            Err(error) if to_stdout && error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => {
                let told = format!("the {what} could not be written to {name}");
                let error = anyhow::Error::from(error);
                Err(Fault::could_not_run(error.context(told)))
            }
            Ok(()) => Ok(()),
        }
    }
}
