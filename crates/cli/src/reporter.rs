//! Takes the outcomes of a run: writes them down, counts them, and keeps people informed.

use std::io;

use triway_core::{Event, Outcome};
use triway_exec::Sink;
use triway_measure::tally::Tally;
use triway_tasks::catalog::{Named, RawInput, RawOutput};

use crate::{
    inputs::Places,
    output::{Destination, Record},
    people::{Screen, events::Events},
};

/// The sink of a run.
pub(crate) struct Reporter {
    task: Named,
    places: Places,
    destination: Destination,
    lines: Option<Destination>,
    screen: Screen,
    events: Events,
    tally: Tally,
    undelivered: Option<io::Error>,
}

/// What is left when the last outcome has come.
pub(crate) struct Reported {
    /// Counts and latencies.
    pub(crate) tally: Tally,
    /// How often an input was tried again.
    pub(crate) retries: u64,
    /// What kept outcomes from being delivered.
    pub(crate) undelivered: Option<io::Error>,
}

impl Reporter {
    /// Writes to `destination`, and to `lines` what people are to see besides. `task` says how inputs may be shown.
    pub(crate) fn new(
        task: Named,
        places: Places,
        destination: Destination,
        lines: Option<Destination>,
        screen: Screen,
    ) -> Self {
        Self {
            task,
            events: Events::new(screen.clone(), places.clone()),
            places,
            destination,
            lines,
            screen,
            tally: Tally::default(),
            undelivered: None,
        }
    }

    /// Writes what is left.
    pub(crate) fn end(mut self) -> Reported {
        if let Some(lines) = self.lines {
            // The outcomes themselves go elsewhere; that they cannot be watched is no failure.
            let _unwatched = lines.end();
        }
        self.events.end();
        let ended = self.destination.end();
        self.screen.end_bar();
        Reported {
            tally: self.tally,
            retries: self.events.retries(),
            undelivered: self.undelivered.or(ended.err()),
        }
    }
}

impl Sink<Named> for Reporter {
    fn outcome(&mut self, outcome: Outcome<RawInput, RawOutput>) -> io::Result<()> {
        let kind = outcome.error.as_ref().map(|failure| &failure.kind);
        self.tally.record(outcome.status, kind, outcome.run);
        let record = Record::new(&self.task, &outcome, &self.places);
        if let Some(lines) = &mut self.lines {
            let _unwatched = lines.outcome(&record);
        }
        self.screen.step();
        self.destination.outcome(&record).map_err(|error| {
            let told = io::Error::new(error.kind(), error.to_string());
            self.undelivered = Some(error);
            told
        })
    }

    fn event(&mut self, event: &Event) {
        self.events.tell(event);
    }
}
