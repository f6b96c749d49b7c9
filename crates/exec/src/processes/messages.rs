//! What a worker and its parent say to each other. Payloads are postcard; what belongs to the task follows at the end.

use std::{io, os::fd::OwnedFd, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use triway_core::{Failure, Inner};
use triway_memory::{blob, mapped::Sealed};

use crate::{
    clock::Moment,
    restart::{Frame, LinkError, MAX_DESCRIPTORS},
};

/// The role of a worker process.
pub(super) const ROLE: &str = "worker";

/// Raised when a message changes its meaning.
pub(super) const PROTOCOL: u32 = 5;

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
    /// Whether no input may be begun twice.
    pub(super) only_once: bool,
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

/// What belongs to a message besides itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    /// So many bytes behind the message, or in the first of its memory files.
    pub(super) place: Place,
    /// How many memory files of blobs come with it.
    pub(super) blobs: u8,
}

/// Where the bytes are that belong to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    Inline(u32),
    File,
}

impl Body {
    pub(super) const EMPTY: Self = Self {
        place: Place::Inline(0),
        blobs: 0,
    };
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

/// What a worker said of one input.
pub(super) struct Said {
    /// Which of the inputs that this worker got.
    pub(super) place: u64,
    /// Which slot ran it.
    pub(super) slot: u32,
    pub(super) began: Moment,
    pub(super) took_ns: u64,
    /// Processor time of the attempt.
    pub(super) cpu_ns: Option<u64>,
    /// Its thread or coroutine does not end, and another one serves the slot now.
    pub(super) left_behind: bool,
    pub(super) ended: Result<Output, Failure>,
}

/// An output as it came.
pub(super) enum Output {
    /// As the task's codec wrote it.
    Own(Bytes),
    /// A JSON value from outside.
    Json(Bytes),
    /// Bytes from outside.
    Raw(Bytes),
}

impl From<Part<Outcome>> for Said {
    fn from(part: Part<Outcome>) -> Self {
        let Part { message, bytes } = part;
        Self {
            place: message.place,
            slot: message.slot,
            began: Moment(message.began_ns),
            took_ns: message.took_ns,
            cpu_ns: None,
            left_behind: false,
            ended: match message.failure {
                Some(failure) => Err(failure),
                None => Ok(Output::Own(bytes)),
            },
        }
    }
}

/// A message among several of one frame.
pub(super) struct Part<M> {
    pub(super) message: M,
    pub(super) bytes: Bytes,
}

/// A value as it came: its bytes, and the memory files of its blobs.
pub(super) struct Bytes {
    bytes: Came,
    blobs: Vec<OwnedFd>,
}

enum Came {
    /// This part of the frame.
    Inline {
        frame: Arc<[u8]>,
        from: usize,
        to: usize,
    },
    /// All of a memory file.
    File(OwnedFd),
}

impl Bytes {
    /// This part of a frame.
    pub(super) fn inline(frame: &Arc<[u8]>, from: usize, to: usize) -> Self {
        Self {
            bytes: Came::Inline {
                frame: Arc::clone(frame),
                from,
                to,
            },
            blobs: Vec::new(),
        }
    }

    /// Reads the value back.
    pub(super) fn read<V, E>(
        self,
        decode: impl FnOnce(&[u8]) -> Result<V, E>,
    ) -> io::Result<Result<V, E>> {
        let Self { bytes, blobs } = self;
        match bytes {
            Came::Inline { frame, from, to } => {
                Ok(blob::lending(blobs, || decode(&frame[from..to])))
            }
            Came::File(file) => {
                let map = Sealed::open(file)?;
                Ok(blob::lending(blobs, || decode(map.as_ref())))
            }
        }
    }
}

/// A value as it goes: its bytes, and memory files for what is large.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) body: Body,
    pub(super) files: Vec<OwnedFd>,
}

impl Written {
    /// Writes a value with `encode`, which appends to what it is given.
    pub(super) fn write<E>(
        room: Vec<u8>,
        encode: impl FnOnce(Vec<u8>) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let (bytes, mut files) = blob::collecting(MAX_DESCRIPTORS - 1, || encode(room));
        let bytes = bytes?;
        let blobs = u8::try_from(files.len()).unwrap_or(u8::MAX);
        let mut place = Place::Inline(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        if bytes.len() > blob::INLINE_BYTES
            // Without a memory file it goes through the socket.
            && let Ok(file) = Sealed::create(&bytes)
        {
            files.insert(0, file);
            place = Place::File;
        }
        Ok(Self {
            bytes,
            body: Body { place, blobs },
            files,
        })
    }

    /// What goes through the socket, behind its message.
    pub(super) fn inline(&self) -> &[u8] {
        match self.body.place {
            Place::Inline(_) => &self.bytes,
            Place::File => &[],
        }
    }
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
        let body = message.body();
        let mut next = || {
            let file = descriptors.next();
            file.ok_or_else(|| LinkError::broken("a memory file is missing"))
        };
        let bytes = match body.place {
            Place::File => Came::File(next()?),
            Place::Inline(length) => {
                let to = at + length as usize;
                if to > frame.len() {
                    return Err(LinkError::broken("a frame is shorter than it says"));
                }
                let from = std::mem::replace(&mut at, to);
                let frame = Arc::clone(&frame);
                Came::Inline { frame, from, to }
            }
        };
        let blobs = (0..body.blobs).map(|_| next()).collect::<Result<_, _>>()?;
        let bytes = Bytes { bytes, blobs };
        parts.push(Part { message, bytes });
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(index: u64, place: Place) -> Input {
        let body = Body { place, blobs: 0 };
        Input {
            index,
            attempt: 1,
            body,
        }
    }

    #[test]
    fn a_frame_comes_apart_as_it_was_made() {
        let mut frame = encode(&input(7, Place::Inline(3))).unwrap();
        frame.extend_from_slice(b"abc");
        let first = frame.len();
        frame = append(&input(8, Place::File), frame).unwrap();
        frame = append(&input(9, Place::Inline(0)), frame).unwrap();
        let file = || Sealed::create(b"in a file").unwrap();
        let mut parts = parts::<Input>(frame.clone(), vec![file()]).unwrap();
        let indexes: Vec<u64> = parts.iter().map(|part| part.message.index).collect();
        assert_eq!(indexes, [7, 8, 9]);
        let read = |part: Part<Input>| {
            let read = part.bytes.read(|bytes| Ok::<_, ()>(bytes.to_vec()));
            read.unwrap().unwrap()
        };
        assert_eq!(read(parts.remove(0)), b"abc");
        assert_eq!(read(parts.remove(0)), b"in a file");
        assert!(super::parts::<Input>(frame.clone(), Vec::new()).is_err());
        for end in (1..frame.len()).filter(|&end| end != first) {
            let cut = super::parts::<Input>(frame[..end].to_vec(), vec![file()]);
            assert!(
                cut.is_err() || cut.is_ok_and(|some| some.len() == 2),
                "{end}"
            );
        }
    }
}
