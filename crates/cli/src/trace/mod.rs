//! Traces of who ran what when, for <https://ui.perfetto.dev>.

mod events;

use std::{
    fs::Metadata,
    io,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use triway_core::{Outcome, Status};
use triway_tasks::catalog::{RawInput, RawOutput};

use self::events::{Events, Span};
use crate::{
    arguments::TraceArguments,
    beside,
    exit::Fault,
    findings::{Chart, Found},
    output::Record,
    people::{Screen, excerpt::excerpt},
};

/// How much of an input a trace shows.
const SHOWN: usize = 200;

/// The trace of a run, written while it goes on.
pub(crate) struct Trace {
    events: Events,
    /// When the job began, once that is known.
    began: Option<Instant>,
    /// What kept it from being written; nothing more is written then, and the run goes on.
    broken: Option<io::Error>,
}

impl Trace {
    /// The one that is wanted of a run of this name, if one is. `others` are files that are written besides, and `taken`
    /// says of a file that it is read.
    ///
    /// # Errors
    /// The file cannot be made, or is one of these.
    pub(crate) fn open(
        wanted: &TraceArguments,
        name: &str,
        others: &[Option<&Path>],
        taken: &dyn Fn(&Metadata) -> bool,
    ) -> Result<Option<Self>, Fault> {
        let Some(path) = &wanted.trace else {
            return Ok(None);
        };
        let file = beside::open("--trace", path, others, taken)?;
        let mut events = Events::new(file)
            .with_context(|| unwritten(path))
            .map_err(Fault::could_not_run)?;
        events.process(1, name);
        Ok(Some(Self {
            events,
            began: None,
            broken: None,
        }))
    }

    /// Lanes stand ready now, so long after the first of them was started. Those of a job that chooses its model come and go.
    pub(crate) fn ready(&mut self, lanes: usize, startup: Duration) {
        if self.broken.is_some() {
            return;
        }
        let now = Instant::now();
        // Before its first lanes a job has nothing to do.
        let began = *self
            .began
            .get_or_insert_with(|| now.checked_sub(startup).unwrap_or(now));
        let from = now.saturating_duration_since(began).saturating_sub(startup);
        let what = format!("start-up, {lanes} at once");
        let times = (from.as_secs_f64(), startup.as_secs_f64());
        self.events.startup(1, &what, times);
    }

    /// All attempts of an input.
    pub(crate) fn outcome(&mut self, record: &Record<'_>) {
        // What cannot be written any more is not to be held either.
        if self.broken.is_some() {
            return;
        }
        let outcome: &Outcome<RawInput, RawOutput> = record.outcome;
        let input = record.input.lossy();
        let input = Some(excerpt(&input, SHOWN));
        let span = |worker, started: Duration, run: Duration, status| Span {
            process: 1,
            lane: worker,
            index: outcome.index,
            from: started.as_secs_f64(),
            to: (started + run).as_secs_f64(),
            status,
            input: input.as_deref(),
            error: None,
        };
        for tried in &outcome.tried {
            self.events.span(&Span {
                error: Some(&tried.failure.kind),
                ..span(tried.worker, tried.started, tried.run, Status::Failed)
            });
        }
        if let Some(worker) = outcome.worker {
            self.events.span(&Span {
                error: outcome.error.as_ref().map(|failure| &failure.kind),
                ..span(worker, outcome.started, outcome.run, outcome.status)
            });
        }
        self.broken = self.events.flush_now_and_then().err();
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// It could not be written, now or before.
    pub(crate) fn end(self) -> io::Result<()> {
        match self.broken {
            Some(error) => Err(error),
            None => self.events.end(),
        }
    }
}

/// Refuses a trace that cannot be written, before anything is measured; see [`Trace::open`].
///
/// # Errors
/// The file cannot be made, or is one of these.
pub(crate) fn check(
    wanted: &TraceArguments,
    others: &[Option<&Path>],
    taken: &dyn Fn(&Metadata) -> bool,
) -> Result<(), Fault> {
    let opened = wanted
        .trace
        .as_deref()
        .map(|path| beside::open("--trace", path, others, taken));
    opened.transpose().map(|_| ())
}

/// Writes the timelines of a finding as a trace, if one is wanted, and says so.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(
    found: &dyn Found,
    wanted: &TraceArguments,
    screen: &Screen,
) -> Result<(), Fault> {
    let Some(path) = &wanted.trace else {
        return Ok(());
    };
    put(found, path)
        .with_context(|| unwritten(path))
        .map_err(Fault::could_not_run)?;
    screen.say(&format!(
        "the trace is in {}; https://ui.perfetto.dev opens it",
        path.display()
    ));
    Ok(())
}

fn unwritten(path: &Path) -> String {
    format!("the trace could not be written to {}", path.display())
}

fn put(found: &dyn Found, path: &Path) -> io::Result<()> {
    let mut options = std::fs::File::options();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let mut events = Events::new(file)?;
    let timelines = found.charts().into_iter().filter_map(|chart| match chart {
        Chart::Timeline {
            title,
            startup,
            spans,
            ..
        } => Some((title, startup, spans)),
        _ => None,
    });
    for (process, (title, startup, spans)) in (1..).zip(timelines) {
        events.process(process, &title);
        events.startup(process, "start-up", (0.0, startup));
        for span in &spans {
            events.span(&Span {
                process,
                lane: span.worker,
                index: span.index,
                from: span.from,
                to: span.to,
                status: span.status,
                input: None,
                error: None,
            });
            events.flush_now_and_then()?;
        }
    }
    events.end()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::inputs::Places;

    /// The events that are in the file at the end, of a start-up and an outcome.
    fn written(broken: Option<io::Error>) -> usize {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut trace = Trace {
            events: Events::new(file.reopen().unwrap()).unwrap(),
            began: None,
            broken,
        };
        let mut outcome = Outcome::new(0, RawInput::from("1"), Status::Ok);
        outcome.worker = Some(0);
        let places = Places::default();
        trace.ready(2, Duration::ZERO);
        trace.outcome(&Record::recorded(&outcome, &places));
        trace.broken = None;
        trace.end().unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        text.matches(r#""ph":"X""#).count()
    }

    #[test]
    fn nothing_is_held_that_cannot_be_written() {
        assert_eq!(written(None), 2);
        assert_eq!(written(Some(io::Error::other("full"))), 0);
    }
}
