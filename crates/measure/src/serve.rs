//! A trial from the inside: runs the job that the parent describes, and answers with what it measured.

use std::{fs::File, io, marker::PhantomData, sync::Arc, time::Instant};

use serde::{Serialize, de::DeserializeOwned};
use triway_core::{Failure, FailureKind, Outcome, Status, StopReason, Task};
use triway_exec::{
    Control, Finished, Job, Sink, Source, Supply,
    restart::{Frame, Link, LinkError, Portable, Registration, own_peak_bytes},
};

use crate::{
    digests::Writer,
    meter::{Cost, Meter},
    spool::Records,
    tally::Tally,
    timeline::Recording,
    trial::{LENT, MEASURED, Measured, REFUSED, ROLE, SPEC, Spec},
};

/// Registers a task under a name, for worker processes and for trials.
#[must_use]
pub fn registration<T: Portable>(name: impl Into<String>) -> Registration {
    triway_exec::registration::<T>(name).with_role(ROLE, serve::<T>)
}

/// The whole life of a trial's process.
fn serve<T: Portable>(_: &Registration, mut link: Link) -> Result<(), LinkError> {
    let mut lent = Vec::new();
    let frame = loop {
        match link.recv(None)? {
            None => return Ok(()),
            Some(frame) if frame.kind == LENT => lent.extend(frame.descriptors),
            Some(frame) => break frame,
        }
    };
    let (spec, inputs, digests) = read(frame)?;
    let records = Records::new(Arc::new(inputs), Arc::new(lent));
    match measure::<T>(&spec, records, digests) {
        Ok(measured) => {
            let payload = postcard::to_stdvec(&measured).map_err(LinkError::broken)?;
            link.send(MEASURED, &payload, &[], None)
        }
        Err(reason) => link.send(REFUSED, reason.as_bytes(), &[], None),
    }
}

fn read(frame: Frame) -> Result<(Spec, File, File), LinkError> {
    let spec = match frame.kind {
        SPEC => postcard::from_bytes(&frame.payload).map_err(LinkError::broken)?,
        other => return Err(LinkError::broken(format!("a frame of kind {other} first"))),
    };
    let mut files = frame.descriptors.into_iter().map(File::from);
    match (files.next(), files.next()) {
        (Some(inputs), Some(digests)) => Ok((spec, inputs, digests)),
        _ => Err(LinkError::broken("descriptors are missing")),
    }
}

/// Runs the job; an error is a sentence for people.
fn measure<T>(spec: &Spec, records: Records, digests: File) -> Result<Measured, String>
where
    T: Task + DeserializeOwned,
    T::Input: DeserializeOwned,
    T::Output: Serialize,
{
    let configured = || postcard::from_bytes::<T>(&spec.task);
    let unreadable = |error| format!("the task's configuration does not read back: {error}");
    let task = configured().map_err(unreadable)?;
    let source = Spooled {
        records,
        left: spec.most.unwrap_or(u64::MAX),
        of: PhantomData,
    };
    let meter = Meter::start();
    let job = Job::from_source(task, source).plan(spec.plan.clone());
    let recorder = Recorder {
        // The job keeps its task to itself; digests are made by a second one that never runs.
        task: configured().map_err(unreadable)?,
        tally: Tally::default(),
        digests: Writer::new(digests),
        recording: spec.timeline.then(Recording::default),
        drain: spec
            .drain_after
            .map(|after| (Instant::now() + after, job.control())),
    };
    let finished = job
        .run_into(recorder)
        .wait()
        .map_err(|error| error.to_string())?;
    let cost = meter.and_then(|meter| meter.read()).ok();
    report(finished, cost)
}

fn report<T>(finished: Finished<Recorder<T>>, cost: Option<Cost>) -> Result<Measured, String> {
    let Finished { sink, summary, .. } = finished;
    let on_disk = |error: io::Error| format!("its results could not be written down: {error}");
    sink.digests.finish().map_err(on_disk)?;
    let (startup, wall) = (summary.startup, summary.wall);
    let recording = sink.recording;
    let workers = summary.worker_peak_memory_bytes.unwrap_or(0);
    Ok(Measured {
        startup,
        wall,
        cost,
        peak_memory_bytes: own_peak_bytes().map(|own| own + workers),
        tally: sink.tally,
        inside: summary.inside,
        timeline: recording.map(|recording| recording.finish(startup, wall)),
        lanes: summary.at_once,
        stopped: summary.stopped.as_ref().map(reason),
    })
}

fn reason(stopped: &StopReason) -> String {
    match stopped {
        StopReason::FailureLimit => "more inputs failed than the job allows".to_owned(),
        StopReason::Undeliverable(cause) => {
            format!("its results could not be written down: {cause}")
        }
        StopReason::Unreadable(cause) => format!("its inputs could not be read: {cause}"),
        StopReason::NoLanes(cause) => format!("it had no lanes left: {cause}"),
        _ => "it was told to".to_owned(),
    }
}

/// Counts outcomes and writes their digests down; nothing else, because its time is part of the job's.
struct Recorder<T> {
    task: T,
    tally: Tally,
    digests: Writer<File>,
    recording: Option<Recording>,
    drain: Option<(Instant, Control)>,
}

impl<T: Task> Sink<T> for Recorder<T>
where
    T::Output: Serialize,
{
    fn outcome(&mut self, outcome: Outcome<T::Input, T::Output>) -> io::Result<()> {
        let digest = self.digests.digest(&self.task, &outcome);
        let (outcome, digest) = match digest {
            Ok(digest) => (outcome, digest),
            // As where a worker process cannot send an output: the input fails, and the job goes on.
            Err(failure) => (failed(outcome, failure), None),
        };
        let kind = outcome.error.as_ref().map(|failure| &failure.kind);
        self.tally.record(outcome.status, kind, outcome.run);
        if let Some(recording) = &mut self.recording {
            recording.record(&outcome);
        }
        self.digests.push(&self.task, &outcome, digest)?;
        if let Some((_, control)) = self.drain.take_if(|(at, _)| Instant::now() >= *at) {
            control.drain();
        }
        Ok(())
    }
}

fn failed<I, O>(mut outcome: Outcome<I, O>, failure: Failure) -> Outcome<I, O> {
    outcome.status = Status::Failed;
    outcome.output = None;
    outcome.error = Some(failure);
    outcome
}

/// The inputs that a trial inherited.
struct Spooled<I> {
    records: Records,
    /// How many more of them it executes.
    left: u64,
    of: PhantomData<fn() -> I>,
}

impl<I: DeserializeOwned> Source<I> for Spooled<I> {
    fn pull(&mut self, most: usize, into: &mut Vec<I>) -> Result<Supply, Failure> {
        for _ in 0..most {
            if self.left == 0 {
                return Ok(Supply::Exhausted);
            }
            self.left -= 1;
            let unreadable =
                |error: io::Error| Failure::permanent(FailureKind::BAD_INPUT, error.to_string());
            match self.records.next_input().map_err(unreadable)? {
                Some(input) => into.push(input),
                None => return Ok(Supply::Exhausted),
            }
        }
        Ok(Supply::Ready)
    }
}
