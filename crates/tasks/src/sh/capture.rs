//! One stream of a command's output: read as it comes, kept up to a cap, counted to its end.

use std::{io, mem::MaybeUninit, os::fd::OwnedFd, sync::Arc};

use rustix::io::{Errno, read};

/// How much is read at once: as much as a pipe holds.
const CHUNK_BYTES: usize = 1 << 16;

/// What became of an attempt to go on with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is nothing more to do for now.
    Blocked,
    /// There may be more.
    More,
    /// There is nothing more to do.
    Ended,
}

/// A stream that is being read.
#[derive(Debug)]
pub(super) struct Capture {
    pipe: Option<Arc<OwnedFd>>,
    kept: Vec<u8>,
    most_bytes: usize,
    bytes: u64,
}

impl Capture {
    /// Reads from a pipe that does not block, and keeps `most_bytes`.
    pub(super) fn new(pipe: OwnedFd, most_bytes: u64) -> Self {
        Self {
            pipe: Some(Arc::new(pipe)),
            kept: Vec::new(),
            most_bytes: usize::try_from(most_bytes).unwrap_or(usize::MAX),
            bytes: 0,
        }
    }

    /// The pipe, unless it has ended.
    pub(super) fn pipe(&self) -> Option<&Arc<OwnedFd>> {
        self.pipe.as_ref()
    }

    /// Reads once. What is beyond the cap is read all the same, so that the command goes on as it would without one.
    pub(super) fn advance(&mut self) -> Progress {
        let Some(pipe) = &self.pipe else {
            return Progress::Ended;
        };
        let mut chunk = [MaybeUninit::uninit(); CHUNK_BYTES];
        match read(pipe, &mut chunk) {
            Ok((chunk, _)) if !chunk.is_empty() => {
                let room = self.most_bytes - self.kept.len();
                self.kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
                self.bytes += chunk.len() as u64;
                Progress::More
            }
            Err(Errno::AGAIN) => Progress::Blocked,
            Err(Errno::INTR) => Progress::More,
            Ok(_) | Err(_) => {
                self.pipe = None;
                Progress::Ended
            }
        }
    }

    /// What was kept, and how many bytes there were.
    pub(super) fn finish(self) -> (Vec<u8>, u64) {
        (self.kept, self.bytes)
    }
}

/// The input of a command, written as it is taken.
#[derive(Debug)]
pub(super) struct Feed {
    pipe: Option<Arc<OwnedFd>>,
    input: Arc<[u8]>,
    written: usize,
}

impl Feed {
    /// Writes `input` to a pipe that does not block, and closes it.
    pub(super) fn new(pipe: OwnedFd, input: Arc<[u8]>) -> Self {
        Self {
            pipe: Some(Arc::new(pipe)),
            input,
            written: 0,
        }
    }

    /// The pipe, unless all was written or nobody reads it.
    pub(super) fn pipe(&self) -> Option<&Arc<OwnedFd>> {
        self.pipe.as_ref()
    }

    /// Writes once. A command that does not read its input is no failure: `head` is one.
    pub(super) fn advance(&mut self) -> Progress {
        let Some(pipe) = &self.pipe else {
            return Progress::Ended;
        };
        let rest = &self.input[self.written..];
        let written = match rest.is_empty() {
            true => Err(io::ErrorKind::WriteZero.into()),
            false => rustix::io::write(pipe, rest).map_err(io::Error::from),
        };
        match written {
            Ok(bytes) => {
                self.written += bytes;
                Progress::More
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Progress::Blocked,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Progress::More,
            Err(_) => {
                self.pipe = None;
                Progress::Ended
            }
        }
    }
}
