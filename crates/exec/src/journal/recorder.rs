//! Where a job meets its journal: outcomes are written down, many at a time, before they are reported, and inputs whose
//! outcome is written down already are not executed.

use std::{io, sync::PoisonError};

use triway_core::{Failure, FailureKind, Outcome, Status, Task};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    entry::{self, Entry},
    open::Journal,
    window::Window,
};
use crate::restart::{Append, Codec, CodecError};

/// A task's outcome.
type Of<T> = Outcome<<T as Task>::Input, <T as Task>::Output>;

/// A job's journal while the job runs.
pub(crate) struct Recorder<T: Task> {
    codec: Codec<T>,
    journal: Journal,
    window: Window,
    /// Outcomes that wait for their records to be sure, and whether they have one.
    pending: Vec<(Of<T>, bool)>,
    scratch: Scratch,
}

/// Buffers that are used again for each outcome.
#[derive(Default)]
struct Scratch {
    input: Vec<u8>,
    shown: Vec<u8>,
    output: Vec<u8>,
}

/// What came of the outcomes of a round.
pub(crate) struct Settled<T: Task> {
    /// To be reported.
    pub sure: Vec<Of<T>>,
    /// Not to be reported: they could not be written down.
    pub lost: Vec<Of<T>>,
    /// Why the job cannot go on.
    pub broken: Option<String>,
}

impl<T: Task> Recorder<T> {
    /// # Errors
    /// The machine gave no descriptor.
    pub(crate) fn new(codec: Codec<T>, journal: Journal) -> io::Result<Self> {
        let window = Window::new(journal.file.try_clone()?, journal.salt);
        Ok(Self {
            codec,
            journal,
            window,
            pending: Vec::new(),
            scratch: Scratch::default(),
        })
    }

    /// The outcome that an earlier run had for an input, or the input, which has none.
    pub(crate) fn earlier(&mut self, index: u64, input: T::Input) -> Result<Of<T>, T::Input> {
        if index >= self.journal.needed {
            return Err(input);
        }
        let table = self.journal.table.lock();
        let recorded = table.unwrap_or_else(PoisonError::into_inner).get(index);
        match recorded {
            Ok(Some(recorded)) if recorded.done => {}
            Ok(_) => return Err(input),
            Err(error) => return Ok(unreadable(index, input, &error)),
        }
        // It was there a moment ago.
        let offset = recorded
            .ok()
            .flatten()
            .map_or(0, |recorded| recorded.offset);
        Ok(self.read(index, input, offset))
    }

    fn read(&mut self, index: u64, input: T::Input, offset: u64) -> Of<T> {
        let body = match self.window.body(offset) {
            Ok(body) => body,
            Err(error) => return unreadable(index, input, &error),
        };
        let Some(Entry::Outcome(key, rest)) = Entry::read(body) else {
            return unreadable(index, input, &"it is of another version");
        };
        let Some((detail, output)) = rest.read() else {
            return unreadable(index, input, &"it is of another version");
        };
        match output.map(self.codec.decode_output).transpose() {
            Ok(output) => detail.outcome(key, input, output),
            Err(error) => unreadable(index, input, &error),
        }
    }

    /// Takes an outcome to be written down with the others of this round.
    pub(crate) fn take(&mut self, task: &T, mut outcome: Of<T>) {
        if outcome.status == Status::Cancelled {
            // The input has not come to its end; a resume executes it.
            return self.pending.push((outcome, false));
        }
        let mut recorded = self.record(task, &outcome);
        if let Err(cause) = recorded {
            let told = format!("the outcome cannot be written to the journal: {cause}");
            outcome.status = Status::Failed;
            outcome.output = None;
            outcome.error = Some(Failure::permanent(FailureKind::ERROR, told));
            // Where it is the input that cannot be written, there is no record.
            recorded = self.record(task, &outcome);
        }
        self.pending.push((outcome, recorded.is_ok()));
    }

    /// Sees to it that there is room for the outcomes of so many inputs.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(crate) fn keep_room(&mut self, in_flight: usize) -> Result<(), String> {
        let kept = self.journal.writer.keep_room(Some(in_flight));
        kept.map_err(|error| self.broken(&error))
    }

    /// Whether outcomes wait.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Writes down what was taken. So many inputs may follow; `None` if this was the last.
    pub(crate) fn commit(&mut self, in_flight: Option<usize>) -> Settled<T> {
        let committed = self.journal.writer.commit(in_flight);
        let mut settled = Settled {
            sure: Vec::with_capacity(self.pending.len()),
            lost: Vec::new(),
            broken: committed.error.map(|error| self.broken(&error)),
        };
        let mut left = committed.records;
        for (outcome, recorded) in self.pending.drain(..) {
            match (recorded, left) {
                (false, _) => settled.sure.push(outcome),
                (true, 0) => settled.lost.push(outcome),
                (true, _) => {
                    left -= 1;
                    settled.sure.push(outcome);
                }
            }
        }
        settled
    }

    /// Writes down what is left, and how many inputs there were if all of them were read.
    ///
    /// # Errors
    /// Why it could not be written, in words.
    pub(crate) fn finish(mut self, inputs: Option<u64>) -> Result<(), String> {
        let inputs = inputs.filter(|inputs| self.journal.found().inputs != Some(*inputs));
        let finished = self.journal.writer.finish(inputs);
        finished.map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &io::Error) -> String {
        let path = self.journal.path().display();
        format!("the journal {path} cannot be written: {error}")
    }

    fn record(&mut self, task: &T, outcome: &Of<T>) -> Result<(), CodecError> {
        let Scratch {
            input,
            shown,
            output,
        } = &mut self.scratch;
        encode(self.codec.encode_input, &outcome.input, input)?;
        let digest = xxh3_64_with_seed(input, self.journal.salt);
        let written = match task.without_secrets(&outcome.input) {
            None => &*input,
            Some(redacted) => {
                encode(self.codec.encode_input, &redacted, shown)?;
                &*shown
            }
        };
        output.clear();
        if let Some(value) = &outcome.output {
            encode(self.codec.encode_output, value, output)?;
        }
        let added = self
            .journal
            .writer
            .add(|body| entry::append(body, outcome, digest, written, output));
        match added {
            true => Ok(()),
            false => Err(CodecError::new(io::Error::other("it is larger than 1 GiB"))),
        }
    }
}

fn encode<V>(with: Append<V>, value: &V, into: &mut Vec<u8>) -> Result<(), CodecError> {
    into.clear();
    *into = with(value, std::mem::take(into))?;
    Ok(())
}

fn unreadable<I, O>(index: u64, input: I, cause: &dyn std::fmt::Display) -> Outcome<I, O> {
    let told = format!("the journal has its outcome, which cannot be read back: {cause}");
    let mut outcome = Outcome::new(index, input, Status::Failed);
    outcome.error = Some(Failure::permanent(FailureKind::ERROR, told));
    outcome
}
