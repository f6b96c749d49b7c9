//! What is said to workers that are no processes of this program: the same as to the others, in a form that any language
//! can read. Numbers are little-endian, messages are JSON, and the bytes of inputs and outputs are the task's own.

use std::{io, os::fd::OwnedFd, sync::Arc, time::Duration};

use rustix::fs::{MemfdFlags, memfd_create};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use triway_core::{Failure, FailureKind, Inner, Inside, LockWait, Outside};

use super::messages::{Bytes, Said};
use crate::{clock::Moment, restart::LinkError};

/// The role of a process that becomes such a worker.
pub(super) const ROLE: &str = "launch";
/// Parent to launcher: a [`Launch`], with the descriptors of the script and of the board.
pub(super) const LAUNCH: u8 = 7;
/// Launcher to parent: what is sent from here on is for the worker.
pub(super) const LAUNCHING: u8 = 8;

/// Index, attempt, length.
const INPUT_BYTES: usize = 16;
/// Place, beginning, time taken, processor time, slot, status, length.
const OUTCOME_BYTES: usize = 44;

/// A processor time that the worker does not know.
const UNKNOWN: u64 = u64::MAX;

const DONE: u32 = 0;
const FAILED: u32 = 1;
const LEFT_BEHIND: u32 = 2;
const DONE_BYTES: u32 = 3;

/// A task's workers from outside, and what all of them are given.
#[derive(Debug)]
pub(super) struct Outsiders {
    pub(super) outside: Outside,
    pub(super) script: OwnedFd,
    configuration: Box<RawValue>,
}

/// Which program a launcher becomes. Texts of the system are bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Launch {
    pub(super) program: Vec<u8>,
    pub(super) arguments: Vec<Vec<u8>>,
    pub(super) memory_bytes: Option<u64>,
}

/// Parent to worker: who you are.
#[derive(Debug, Serialize)]
pub(super) struct Hello<'a> {
    pub(super) slots: usize,
    pub(super) inner: Inner,
    /// Time limit of an attempt in nanoseconds.
    pub(super) limit_ns: Option<u64>,
    /// How long what was told to end may take; what takes longer than half of it is to be left behind.
    pub(super) grace_ns: u64,
    /// Whether there is no other worker.
    pub(super) alone: bool,
    /// Whether threads are started when there is something for them to do.
    pub(super) lazy: bool,
    pub(super) configuration: &'a RawValue,
}

/// Worker to parent: ready, or why not.
#[derive(Debug, Deserialize)]
pub(super) struct Ready {
    pub(super) problem: Option<String>,
}

/// Worker to parent: leaving.
#[derive(Debug, Deserialize)]
pub(super) struct Bye {
    pub(super) peak_memory_bytes: Option<u64>,
    /// Each in nanoseconds; the last two as median and maximum, and as time and input.
    cpu_ns: u64,
    run_queue_ns: u64,
    serialising_ns: u64,
    lock_wait_ns: Option<(u64, u64)>,
    longest_hold: Option<(u64, u64)>,
}

impl Bye {
    /// What the worker has measured inside itself.
    pub(super) fn inside(&self) -> Inside {
        let time = Duration::from_nanos;
        Inside {
            cpu: time(self.cpu_ns),
            run_queue: time(self.run_queue_ns),
            serialising: time(self.serialising_ns),
            longest_hold: self.longest_hold.map(|(nanos, index)| (time(nanos), index)),
            lock_wait: self.lock_wait_ns.map(|(median, max)| LockWait {
                median: time(median),
                max: time(max),
            }),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Told {
    kind: FailureKind,
    message: String,
    #[serde(default)]
    trace: Option<String>,
    #[serde(default)]
    retryable: bool,
}

impl Outsiders {
    pub(super) fn new(outside: Outside) -> io::Result<Self> {
        let configuration = RawValue::from_string(outside.configuration.clone())?;
        let script = memfd_create(c"triway-script", MemfdFlags::CLOEXEC)?;
        let mut rest = &*outside.script;
        while !rest.is_empty() {
            let count = rustix::io::write(&script, rest)?;
            rest = &rest[count..];
        }
        Ok(Self {
            outside,
            script,
            configuration,
        })
    }

    pub(super) fn configuration(&self) -> &RawValue {
        &self.configuration
    }
}

/// A message in JSON.
pub(super) fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, LinkError> {
    serde_json::to_vec(message).map_err(LinkError::broken)
}

/// Appends an input.
pub(super) fn append_input(frame: &mut Vec<u8>, index: u64, attempt: u32, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    frame.reserve(INPUT_BYTES + bytes.len());
    frame.extend_from_slice(&index.to_le_bytes());
    frame.extend_from_slice(&attempt.to_le_bytes());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(bytes);
}

/// Takes outcomes apart.
pub(super) fn outcomes(payload: Vec<u8>) -> Result<Vec<Said>, LinkError> {
    let frame: Arc<[u8]> = payload.into();
    let mut all = Vec::new();
    let mut at = 0;
    while at < frame.len() {
        let head = frame.get(at..at + OUTCOME_BYTES).ok_or_else(short)?;
        let long = |at: usize| {
            head.get(at..at + 8)
                .and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)))
                .ok_or_else(short)
        };
        let word = |at: usize| {
            head.get(at..at + 4)
                .and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)))
                .ok_or_else(short)
        };
        let from = at + OUTCOME_BYTES;
        let to = from + word(40)? as usize;
        let body = frame.get(from..to).ok_or_else(short)?;
        let status = word(36)?;
        let bytes = || Bytes::inline(&frame, from, to);
        all.push(Said {
            place: long(0)?,
            slot: word(32)?,
            began: Moment(long(8)?),
            took_ns: long(16)?,
            cpu_ns: Some(long(24)?).filter(|&cpu| cpu != UNKNOWN),
            left_behind: status == LEFT_BEHIND,
            ended: match status {
                DONE => Ok(super::messages::Output::Json(bytes())),
                DONE_BYTES => Ok(super::messages::Output::Raw(bytes())),
                FAILED | LEFT_BEHIND => Err(failure(body)?),
                other => return Err(LinkError::broken(format!("an outcome of status {other}"))),
            },
        });
        at = to;
    }
    Ok(all)
}

fn failure(body: &[u8]) -> Result<Failure, LinkError> {
    let told: Told = serde_json::from_slice(body).map_err(LinkError::broken)?;
    let failure = match told.retryable {
        true => Failure::new(told.kind, told.message),
        false => Failure::permanent(told.kind, told.message),
    };
    Ok(failure.with_trace(told.trace))
}

fn short() -> LinkError {
    LinkError::broken("an outcome is shorter than it says")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(status: u32, body: &[u8]) -> Vec<u8> {
        let mut record = Vec::new();
        for long in [7u64, 100, 20, 5] {
            record.extend_from_slice(&long.to_le_bytes());
        }
        for word in [3u32, status, u32::try_from(body.len()).unwrap()] {
            record.extend_from_slice(&word.to_le_bytes());
        }
        record.extend_from_slice(body);
        record
    }

    #[test]
    fn outcomes_read_back_whole_or_not_at_all() {
        let failed =
            br#"{"kind":"exception","message":"ValueError: x","trace":"line 1","retryable":true}"#;
        let mut frame = record(DONE, b"[1]");
        let first = frame.len();
        frame.extend(record(FAILED, failed));
        let all = outcomes(frame.clone()).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].place, all[0].slot, all[0].took_ns), (7, 3, 20));
        assert!(all[0].ended.is_ok());
        let failure = all[1].ended.as_ref().err().unwrap();
        assert_eq!(failure.trace.as_deref(), Some("line 1"));
        assert!(failure.retryable);
        for end in (1..frame.len()).filter(|&end| end != first) {
            assert!(outcomes(frame[..end].to_vec()).is_err(), "{end}");
        }
        assert!(outcomes(record(9, b"")).is_err());
        assert!(outcomes(record(FAILED, b"no JSON")).is_err());
    }

    #[test]
    fn every_frame_is_read_without_a_panic() {
        proptest::proptest!(|(bytes: Vec<u8>)| {
            let _read = outcomes(bytes);
        });
    }
}
