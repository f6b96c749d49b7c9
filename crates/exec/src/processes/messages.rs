//! What a worker and its parent say to each other. Payloads are postcard; what belongs to the task follows at the end.

use std::{os::fd::OwnedFd, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use triway_core::{Failure, Inner};

use crate::restart::{Frame, LinkError};

/// The role of a worker process.
pub(super) const ROLE: &str = "worker";

/// Raised when a message changes its meaning.
pub(super) const PROTOCOL: u32 = 4;

/// Parent to worker: who you are. The board's descriptor comes with it.
pub(super) const HELLO: u8 = 1;
/// Worker to parent: ready for inputs.
pub(super) const READY: u8 = 2;
/// Parent to worker: inputs, one [`Input`] after the other.
pub(super) const INPUTS: u8 = 3;
/// Worker to parent: how some ended, one [`Outcome`] after the other.
pub(super) const OUTCOMES: u8 = 4;
/// Parent to worker: finish and leave.
pub(super) const DRAIN: u8 = 5;
/// Worker to parent: leaving.
pub(super) const BYE: u8 = 6;

/// What is longer travels as a memory file of its own.
pub(super) const INLINE_BYTES: usize = 64 << 10;

/// Followed by the task's configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u32,
    pub(super) slots: usize,
    pub(super) inner: Inner,
    /// Time limit of an attempt in nanoseconds, counted from where the worker begins it.
    pub(super) limit_ns: Option<u64>,
    pub(super) runtime_threads: usize,
    /// How many bytes of data the process may hold.
    pub(super) memory_bytes: Option<u64>,
}

/// Whether the worker could make the task from its configuration.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) problem: Option<String>,
}

/// Followed by the input itself. Both sides count the inputs of a worker; this one has the next number.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Input {
    pub(super) index: u64,
    pub(super) attempt: u32,
    pub(super) body: Body,
}

/// Followed by the output, if there is no failure.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// Which of the inputs that this worker got.
    pub(super) place: u64,
    /// Which slot ran it.
    pub(super) slot: u32,
    /// On the clock that all processes of this machine share.
    pub(super) began_ns: u64,
    pub(super) took_ns: u64,
    pub(super) failure: Option<Failure>,
    pub(super) body: Body,
}

/// Where the bytes are that belong to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Body {
    /// So many, behind the message.
    Inline(u32),
    /// In the next memory file that came with the frame.
    File,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bye {
    pub(super) peak_memory_bytes: Option<u64>,
}

pub(super) fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, LinkError> {
    postcard::to_stdvec(message).map_err(LinkError::broken)
}

/// Appends a message.
pub(super) fn append<M: Serialize>(message: &M, into: Vec<u8>) -> Result<Vec<u8>, LinkError> {
    postcard::to_extend(message, into).map_err(LinkError::broken)
}

/// The message of a frame that must be of this kind, and what follows it.
pub(super) fn expect<M: DeserializeOwned>(
    frame: Option<&Frame>,
    kind: u8,
) -> Result<(M, &[u8]), LinkError> {
    let frame = frame.ok_or(LinkError::Closed)?;
    if frame.kind != kind {
        return Err(unexpected(frame.kind));
    }
    postcard::take_from_bytes(&frame.payload).map_err(LinkError::broken)
}

pub(super) fn unexpected(kind: u8) -> LinkError {
    LinkError::broken(format!("frame kind {kind} came unexpectedly"))
}

/// A message among several of one frame.
pub(super) struct Part<M> {
    pub(super) message: M,
    pub(super) bytes: Bytes,
}

/// The bytes that belong to a message.
pub(super) enum Bytes {
    /// This part of the frame.
    Inline {
        frame: Arc<[u8]>,
        from: usize,
        to: usize,
    },
    /// All of a memory file.
    File(OwnedFd),
}

/// Something that says where its bytes are.
pub(super) trait Bodied: DeserializeOwned {
    fn body(&self) -> Body;
}

impl Bodied for Input {
    fn body(&self) -> Body {
        self.body
    }
}

impl Bodied for Outcome {
    fn body(&self) -> Body {
        self.body
    }
}

/// Takes a frame's payload apart.
pub(super) fn parts<M: Bodied>(
    payload: Vec<u8>,
    descriptors: Vec<OwnedFd>,
) -> Result<Vec<Part<M>>, LinkError> {
    let frame: Arc<[u8]> = payload.into();
    let mut descriptors = descriptors.into_iter();
    let mut parts = Vec::new();
    let mut at = 0;
    while at < frame.len() {
        let (message, rest) =
            postcard::take_from_bytes::<M>(&frame[at..]).map_err(LinkError::broken)?;
        at = frame.len() - rest.len();
        let bytes = match message.body() {
            Body::File => {
                let file = descriptors.next();
                Bytes::File(file.ok_or_else(|| LinkError::broken("a memory file is missing"))?)
            }
            Body::Inline(length) => {
                let to = at + length as usize;
                if to > frame.len() {
                    return Err(LinkError::broken("a frame is shorter than it says"));
                }
                let from = std::mem::replace(&mut at, to);
                let frame = Arc::clone(&frame);
                Bytes::Inline { frame, from, to }
            }
        };
        parts.push(Part { message, bytes });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(index: u64, body: Body) -> Input {
        Input {
            index,
            attempt: 1,
            body,
        }
    }

    #[test]
    fn a_frame_comes_apart_as_it_was_made() {
        let mut frame = encode(&input(7, Body::Inline(3))).unwrap();
        frame.extend_from_slice(b"abc");
        frame = append(&input(8, Body::File), frame).unwrap();
        frame = append(&input(9, Body::Inline(0)), frame).unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        let parts = parts::<Input>(frame.clone(), vec![null.into()]).unwrap();
        let indexes: Vec<u64> = parts.iter().map(|part| part.message.index).collect();
        assert_eq!(indexes, [7, 8, 9]);
        assert!(
            matches!(&parts[0].bytes, Bytes::Inline { frame, from, to } if &frame[*from..*to] == b"abc")
        );
        assert!(matches!(parts[1].bytes, Bytes::File(_)));
        assert!(super::parts::<Input>(frame.clone(), Vec::new()).is_err());
        for end in 1..frame.len() {
            let cut = super::parts::<Input>(frame[..end].to_vec(), Vec::new());
            assert!(
                cut.is_err() || end == 7 || cut.is_ok_and(|some| some.len() < 3),
                "{end}"
            );
        }
    }
}
