//! The bodies of a journal's frames: an outcome, or how many inputs there were in all.
//!
//! An outcome begins with what a resume needs (index, digest of the input, status), at fixed places; then the input as it
//! may be written down, the rest of the outcome, and the output, as their codecs write them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use triway_core::{Failure, Outcome, Status, Tried};

const OUTCOME: u8 = 1;
const INPUTS: u8 = 2;
/// Kind, index, digest, status.
const KEY_BYTES: usize = 18;
/// The length of the input.
const LENGTH_BYTES: usize = 4;

/// What a body says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// An input came to its end.
    Outcome(Key, Rest<'a>),
    /// The inputs ended; there were so many.
    Inputs(u64),
}

/// What a resume needs to know of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub index: u64,
    /// Of the input as it was given, not as it is written down.
    pub digest: u64,
    pub status: Status,
}

/// What else there is to an outcome, not yet read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rest<'a> {
    /// The input, as its codec wrote it.
    pub input: &'a [u8],
    rest: &'a [u8],
}

/// An outcome but for its input and output.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Detail {
    error: Option<Failure>,
    attempts: u32,
    worker: Option<u32>,
    started: Duration,
    queued: Duration,
    run: Duration,
    cpu: Option<Duration>,
    planned: Option<Duration>,
    tried: Vec<Before>,
    has_output: bool,
}

/// An attempt that another followed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Before {
    failure: Failure,
    worker: u32,
    started: Duration,
    run: Duration,
}

impl<'a> Entry<'a> {
    /// Reads a body; `None` if no version that this one knows wrote it.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        match *body.first()? {
            OUTCOME => {
                let (key, rest) = body.split_at_checked(KEY_BYTES)?;
                let key = Key {
                    index: number(key, 1)?,
                    digest: number(key, 9)?,
                    status: status(key[17])?,
                };
                let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>()?;
                let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
                let (input, rest) = rest.split_at_checked(length)?;
                Some(Self::Outcome(key, Rest { input, rest }))
            }
            INPUTS => Some(Self::Inputs(number(body, 1)?)),
            _ => None,
        }
    }
}

impl<'a> Rest<'a> {
    /// The rest of the outcome, and its output as the codec wrote it.
    pub(super) fn read(self) -> Option<(Detail, Option<&'a [u8]>)> {
        let (detail, output) = postcard::take_from_bytes::<Detail>(self.rest).ok()?;
        let output = detail.has_output.then_some(output);
        Some((detail, output))
    }
}

impl Detail {
    /// Takes from an outcome what is not its input or output.
    fn of<I, O>(outcome: &Outcome<I, O>) -> Self {
        let before = |tried: &Tried| Before {
            failure: tried.failure.clone(),
            worker: tried.worker,
            started: tried.started,
            run: tried.run,
        };
        Self {
            error: outcome.error.clone(),
            attempts: outcome.attempts,
            worker: outcome.worker,
            started: outcome.started,
            queued: outcome.queued,
            run: outcome.run,
            cpu: outcome.cpu,
            planned: outcome.planned,
            tried: outcome.tried.iter().map(before).collect(),
            has_output: outcome.output.is_some(),
        }
    }

    /// The outcome that this is the rest of.
    pub(super) fn outcome<I, O>(self, key: Key, input: I, output: Option<O>) -> Outcome<I, O> {
        let tried = |it: Before| Tried::new(it.failure, it.worker, it.started, it.run);
        let mut outcome = Outcome::new(key.index, input, key.status);
        outcome.output = output;
        outcome.error = self.error;
        outcome.attempts = self.attempts;
        outcome.worker = self.worker;
        outcome.started = self.started;
        outcome.queued = self.queued;
        outcome.run = self.run;
        outcome.cpu = self.cpu;
        outcome.planned = self.planned;
        outcome.tried = self.tried.into_iter().map(tried).collect();
        outcome
    }
}

/// Appends an outcome, whose input and output have become bytes already.
pub(super) fn append<I, O>(
    into: &mut Vec<u8>,
    outcome: &Outcome<I, O>,
    digest: u64,
    input: &[u8],
    output: &[u8],
) {
    into.push(OUTCOME);
    into.extend(outcome.index.to_le_bytes());
    into.extend(digest.to_le_bytes());
    into.push(code(outcome.status));
    let length = u32::try_from(input.len()).unwrap_or(u32::MAX);
    into.extend(length.to_le_bytes());
    into.extend(input);
    // Into a vector, and without a type of the task's own: there is nothing that could go wrong.
    if let Ok(written) = postcard::to_extend(&Detail::of(outcome), std::mem::take(into)) {
        *into = written;
    }
    into.extend(output);
}

/// Appends how many inputs there were.
pub(super) fn append_inputs(into: &mut Vec<u8>, inputs: u64) {
    into.push(INPUTS);
    into.extend(inputs.to_le_bytes());
}

const STATUSES: [Status; 5] = [
    Status::Ok,
    Status::Failed,
    Status::Timeout,
    Status::WorkerLost,
    Status::Cancelled,
];

fn code(status: Status) -> u8 {
    let place = STATUSES.iter().position(|one| *one == status);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

fn status(code: u8) -> Option<Status> {
    STATUSES.get(usize::from(code)).copied()
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use triway_core::FailureKind;

    use super::*;

    #[test]
    fn an_outcome_reads_back_whole() {
        let second = Duration::from_millis(1001);
        let failure = Failure::new(FailureKind::new("refused"), "no").with_retry_after(second);
        let mut outcome = Outcome::<(), ()>::new(u64::MAX, (), Status::Failed);
        outcome.output = Some(());
        outcome.error = Some(failure.clone());
        outcome.attempts = 2;
        outcome.worker = Some(3);
        outcome.started = second;
        outcome.queued = second * 2;
        outcome.run = second * 3;
        outcome.tried = vec![Tried::new(failure, 1, second, second)];
        let mut body = Vec::new();
        append(&mut body, &outcome, 5, b"input", b"output");
        let Some(Entry::Outcome(key, rest)) = Entry::read(&body) else {
            panic!("it does not read back");
        };
        assert_eq!((key.digest, rest.input), (5, &b"input"[..]));
        let (detail, output) = rest.read().unwrap();
        assert_eq!(output, Some(&b"output"[..]));
        assert_eq!(detail.outcome(key, (), Some(())), outcome);
    }

    #[test]
    fn bodies_that_no_version_wrote_are_none() {
        for body in [
            &b""[..],
            b"\x01",
            b"\x02short",
            b"\x09aaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(Entry::read(body), None, "{body:?}");
        }
    }
}
