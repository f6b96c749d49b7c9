//! A trial: one measured execution of a job, in a fresh process of its own.
//!
//! The parent sends the memory files that inputs lend, if there are any, and one frame: what to run, with the descriptors
//! of the inputs and of the file for the digests. The child answers with one frame: what it measured, or why it could not
//! run. That is the whole protocol.

use std::{
    fs::File,
    os::fd::AsFd,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use triway_core::{Inside, Plan};
use triway_exec::restart::{self, Frame, Link, LinkError, MAX_DESCRIPTORS, Prints};

use crate::{meter::Cost, report::Timeline, spool::Spool, tally::Tally};

/// The role under which a task serves its trials; see [`crate::registration`].
pub(crate) const ROLE: &str = "trial";

/// Frame: a [`Spec`] follows, with the two descriptors.
pub(crate) const SPEC: u8 = 1;
/// Frame: a [`Measured`] follows.
pub(crate) const MEASURED: u8 = 2;
/// Frame: a sentence follows, why there is nothing measured.
pub(crate) const REFUSED: u8 = 3;

/// Frame: memory files of the inputs, in their order. As many such frames as it takes, before the [`SPEC`].
pub(crate) const LENT: u8 = 4;

/// How often a waiting parent looks whether it should stop.
const GLANCE: Duration = Duration::from_millis(50);

/// What a trial is to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// The task's configuration, in postcard.
    pub(crate) task: Vec<u8>,
    /// How to run it.
    pub(crate) plan: Plan,
    /// How many of the inputs, from the first; all where nothing is said.
    pub(crate) most: Option<u64>,
    /// Hand out nothing more after so long: for warm-ups, whose length nobody knows yet.
    pub(crate) drain_after: Option<Duration>,
    /// Whether to record who ran what when.
    pub(crate) timeline: bool,
}

/// What a trial measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Until the first lanes stood ready.
    pub(crate) startup: Duration,
    /// From there to the last outcome.
    pub(crate) wall: Duration,
    /// Processor time and switches, worker processes included, where the system tells.
    pub(crate) cost: Option<Cost>,
    /// The trial's own peak and those of its worker processes added up.
    pub(crate) peak_memory_bytes: Option<u64>,
    /// How the inputs ended and how long they took.
    pub(crate) tally: Tally,
    /// What worker processes told of themselves.
    pub(crate) inside: Option<Inside>,
    /// Who ran what when, where that was asked for.
    pub(crate) timeline: Option<Timeline>,
    /// The most lanes there were at once.
    pub(crate) lanes: usize,
    /// Why it ended before its inputs did.
    pub(crate) stopped: Option<String>,
}

impl Measured {
    /// Start-up and work together.
    pub(crate) fn total(&self) -> Duration {
        self.startup + self.wall
    }
}

/// A trial to be started.
pub(crate) struct Trial<'a> {
    /// The name that the task is registered under.
    pub(crate) task: &'a str,
    /// What to run.
    pub(crate) spec: &'a Spec,
    /// On which inputs.
    pub(crate) inputs: &'a Spool,
    /// How long it may take before it is killed.
    pub(crate) limit: Option<Duration>,
    /// Whether to give up.
    pub(crate) stop: &'a AtomicBool,
}

/// Why a trial gave no figures.
#[derive(Debug)]
pub(crate) enum TrialError {
    /// Somebody wants the comparison to end.
    Cancelled,
    /// It could not be run, or died; a sentence for people.
    Failed(String),
}

impl Trial<'_> {
    /// Runs it and waits for it: its figures, and the file with its outcomes' digests.
    pub(crate) fn run(&self) -> Result<(Measured, File), TrialError> {
        let started = Instant::now();
        let digests = tempfile::tempfile().map_err(|error| {
            let folder = std::env::temp_dir();
            TrialError::Failed(format!(
                "the temporary file for its results could not be made in {}: {error}",
                folder.display()
            ))
        })?;
        let (mut child, mut link) = restart::start(ROLE, self.task, ROLE, Prints::ToStandardError)
            .map_err(|error| {
                TrialError::Failed(format!("its process could not be started: {error}"))
            })?;
        let answer = self
            .submit(&mut link, &digests, started)
            .and_then(|()| self.answer(&mut link, started));
        match answer {
            Ok(Some(frame)) => read(&frame).map(|measured| (measured, digests)),
            Ok(None) | Err(LinkError::Closed) => Err(TrialError::Failed(match child.wait() {
                Ok(status) => format!("its process died ({status})"),
                Err(error) => format!("its process died, and nobody tells how ({error})"),
            })),
            Err(LinkError::TimedOut) => Err(self.overdue()),
            Err(error) => Err(TrialError::Failed(error.to_string())),
        }
    }

    fn submit(&self, link: &mut Link, digests: &File, started: Instant) -> Result<(), LinkError> {
        let spec = postcard::to_stdvec(self.spec).map_err(LinkError::broken)?;
        let files = [self.inputs.file().as_fd(), digests.as_fd()];
        let deadline = self.limit.map(|limit| started + limit);
        for lent in self.inputs.lent().chunks(MAX_DESCRIPTORS) {
            let lent: Vec<_> = lent.iter().map(AsFd::as_fd).collect();
            link.send(LENT, &[], &lent, deadline)?;
        }
        link.send(SPEC, &spec, &files, deadline)
    }

    /// Waits for the child's one answer. Times out when it is overdue or not wanted any more.
    fn answer(&self, link: &mut Link, started: Instant) -> Result<Option<Frame>, LinkError> {
        loop {
            match link.recv(Some(Instant::now() + GLANCE)) {
                Err(LinkError::TimedOut) if !self.given_up(started) => {}
                other => return other,
            }
        }
    }

    fn given_up(&self, started: Instant) -> bool {
        let overdue = self.limit.is_some_and(|limit| started.elapsed() > limit);
        overdue || self.stop.load(Ordering::Relaxed)
    }

    fn overdue(&self) -> TrialError {
        match self.limit {
            _ if self.stop.load(Ordering::Relaxed) => TrialError::Cancelled,
            Some(limit) => TrialError::Failed(format!(
                "it was still not done after {:.0} s and was killed; a larger budget gives it more time",
                limit.as_secs_f64()
            )),
            None => TrialError::Cancelled,
        }
    }
}

fn read(frame: &Frame) -> Result<Measured, TrialError> {
    match frame.kind {
        MEASURED => postcard::from_bytes(&frame.payload)
            .map_err(|error| TrialError::Failed(format!("its figures do not parse: {error}"))),
        REFUSED => Err(TrialError::Failed(
            String::from_utf8_lossy(&frame.payload).into_owned(),
        )),
        other => Err(TrialError::Failed(format!(
            "it answered with a frame of kind {other}"
        ))),
    }
}
