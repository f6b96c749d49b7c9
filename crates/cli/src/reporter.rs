//! Takes the outcomes of a run: writes them down, counts them, and keeps people informed.

use std::io;

use triway_core::{Event, Outcome, Status, Task as _};
use triway_exec::Sink;
use triway_tasks::catalog::{Named, RawInput, RawOutput};

use crate::{
    arguments::JobArguments,
    delivered::Delivered,
    exit::Fault,
    inputs::{Inputs, Places},
    output::{Destination, Record},
    people::{Interest, Screen, events::Events, hosts::Hosts},
    total::Total,
    trace::Trace,
};

/// The sink of a run.
pub(crate) struct Reporter {
    task: Named,
    places: Places,
    destination: Destination,
    /// Whether what stands before the first outcome is written.
    begun: bool,
    lines: Option<Destination>,
    screen: Screen,
    events: Events,
    delivered: Delivered,
    hosts: Option<Hosts>,
    total: Total,
    trace: Option<Trace>,
}

/// What is left when the last outcome has come.
pub(crate) struct Reported {
    /// Which outcomes were written.
    pub(crate) delivered: Delivered,
    /// What became of each host's inputs, where people are told by host.
    pub(crate) hosts: Option<Hosts>,
    /// What outputs add up to.
    pub(crate) total: Total,
    /// How often an input was tried again.
    pub(crate) retries: u64,
    /// What kept outcomes from being written.
    pub(crate) undelivered: Option<io::Error>,
    /// Whether the last outcome stands there in part.
    pub(crate) torn: bool,
    /// What kept the trace from being written.
    pub(crate) untraced: Option<io::Error>,
}

impl Reporter {
    /// Writes to `destination`, and to `lines` what people are to see besides. `task` says how inputs may be shown.
    pub(crate) fn new(
        (task, places, destination, lines): (Named, Places, Destination, Option<Destination>),
        screen: Screen,
        interest: Interest,
    ) -> Self {
        Self {
            task,
            events: Events::new(screen.clone(), places.clone()),
            places,
            destination,
            begun: false,
            lines,
            screen,
            delivered: Delivered::default(),
            hosts: (interest == Interest::Trouble).then(Hosts::default),
            total: Total::default(),
            trace: None,
        }
    }

    /// Writes what is executed to find something out, if it is to be kept.
    ///
    /// # Errors
    /// There is no such file.
    pub(crate) fn of_probes(
        task: Named,
        job: &JobArguments,
        inputs: &Inputs,
        screen: &Screen,
    ) -> Result<Option<Self>, Fault> {
        let destination = Destination::of_probes(job, inputs, screen)?;
        let places = inputs.places();
        Ok(destination.map(|destination| {
            let interest = Interest::All;
            Self::new((task, places, destination, None), screen.clone(), interest)
        }))
    }

    /// Writes a trace besides, if there is one.
    pub(crate) fn with_trace(mut self, trace: Option<Trace>) -> Self {
        self.trace = trace;
        self
    }

    /// Writes what stands before the first outcome, and takes away what an earlier run wrote.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        self.destination.begin(self.task.name())
    }

    /// Writes what is left.
    pub(crate) fn end(mut self) -> Reported {
        if let Some(lines) = self.lines {
            // The outcomes themselves go elsewhere; that they cannot be watched is no failure.
            let _unwatched = lines.end();
        }
        self.events.end();
        let written = self.destination.end();
        self.delivered.confirm(written.records);
        self.screen.end_bar();
        Reported {
            delivered: self.delivered,
            hosts: self.hosts,
            total: self.total,
            retries: self.events.retries(),
            undelivered: written.broken,
            torn: written.torn,
            untraced: self.trace.and_then(|trace| trace.end().err()),
        }
    }
}

impl Sink<Named> for Reporter {
    fn outcome(&mut self, outcome: Outcome<RawInput, RawOutput>) -> io::Result<()> {
        self.delivered.expect(&outcome);
        if let Some(hosts) = &mut self.hosts {
            let retried = outcome.attempts > 1;
            hosts.record(
                self.task.key(&outcome.input),
                outcome.status,
                retried,
                outcome.run,
            );
        }
        if let (Status::Ok, Some(output)) = (outcome.status, &outcome.output) {
            self.total.add(output);
        }
        self.begin()?;
        let record = Record::new(&self.task, &outcome, &self.places);
        if let Some(trace) = &mut self.trace {
            trace.outcome(&record);
        }
        if let Some(lines) = &mut self.lines {
            let _unwatched = lines.outcome(&record);
        }
        // What was never done would make the job look faster and further than it is.
        if outcome.status != Status::Cancelled {
            self.screen.step();
        }
        let written = self.destination.outcome(&record)?;
        self.delivered.confirm(written);
        Ok(())
    }

    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Stopping { .. }) {
            self.screen.bar_stops();
        }
        if let (Event::Ready { lanes, startup }, Some(trace)) = (event, &mut self.trace) {
            trace.ready(*lanes, *startup);
        }
        self.events.tell(event);
    }
}
