//! Inputs on their way to a worker, several to a frame.

use std::os::fd::OwnedFd;

use triway_core::{Failure, Task};

use crate::{
    hand_over::Assignment,
    processes::{
        messages::{INPUTS, Input, Written, append},
        outside,
        setup::Setup,
    },
    restart::{Link, LinkError, MAX_DESCRIPTORS, MAX_FRAME_BYTES},
    unwind,
};

/// A frame of inputs is closed when it has so many bytes.
const FRAME_BYTES: usize = 64 << 10;
/// What is kept of the room that a large input needed.
const SCRATCH_BYTES: usize = 16 << 20;

/// The frame that is being filled.
pub(super) struct Packing {
    frame: Vec<u8>,
    empty: usize,
    files: Vec<OwnedFd>,
    scratch: Vec<u8>,
}

impl Packing {
    pub(super) fn new() -> Self {
        let frame = Link::begin_frame();
        Self {
            empty: frame.len(),
            frame,
            files: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Adds an input. What is full goes behind what `link` has to send; the outer error is why the input cannot be sent
    /// at all, the inner one is the link's.
    pub(super) fn add<T: Task>(
        &mut self,
        setup: &Setup<T>,
        assignment: &Assignment<T::Input>,
        link: &mut Link,
    ) -> Result<Result<(), LinkError>, Failure> {
        match &setup.outsiders {
            Some(_) => self.add_outside(setup, assignment, link),
            None => self.add_own(setup, assignment, link),
        }
    }

    /// Puts what there is behind what `link` has to send.
    pub(super) fn close(&mut self, link: &mut Link) -> Result<(), LinkError> {
        if self.frame.len() == self.empty {
            return Ok(());
        }
        let frame = std::mem::replace(&mut self.frame, Link::begin_frame());
        link.queue(INPUTS, frame, std::mem::take(&mut self.files))
    }

    fn add_outside<T: Task>(
        &mut self,
        setup: &Setup<T>,
        assignment: &Assignment<T::Input>,
        link: &mut Link,
    ) -> Result<Result<(), LinkError>, Failure> {
        let bytes = unwind::catch(|| setup.task.write_outside(&assignment.input))?;
        check_length(bytes.len())?;
        let closed = match self.is_full() {
            true => self.close(link),
            false => Ok(()),
        };
        let start = assignment.start;
        outside::append_input(&mut self.frame, start.index, start.attempt, &bytes);
        Ok(closed)
    }

    fn add_own<T: Task>(
        &mut self,
        setup: &Setup<T>,
        assignment: &Assignment<T::Input>,
        link: &mut Link,
    ) -> Result<Result<(), LinkError>, Failure> {
        let written = self.write(setup, assignment)?;
        let mut closed = Ok(());
        if self.is_full() || self.files.len() + written.files.len() > MAX_DESCRIPTORS {
            closed = self.close(link);
        }
        let message = Input {
            index: assignment.start.index,
            attempt: assignment.start.attempt,
            body: written.body,
        };
        let appended = append(&message, std::mem::take(&mut self.frame)).map(|frame| {
            self.frame = frame;
            self.frame.extend_from_slice(written.inline());
        });
        self.files.extend(written.files);
        self.scratch = written.bytes;
        Ok(closed.and(appended))
    }

    fn is_full(&self) -> bool {
        self.frame.len() >= FRAME_BYTES
    }

    /// Encodes an input in the scratch, and what is large of it into memory files.
    fn write<T: Task>(
        &mut self,
        setup: &Setup<T>,
        assignment: &Assignment<T::Input>,
    ) -> Result<Written, Failure> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.shrink_to(SCRATCH_BYTES);
        let encode = || {
            let write = |room| (setup.codec.encode_input)(&assignment.input, room);
            Written::write(scratch, write).map_err(unsendable)
        };
        let written = unwind::catch(encode)?;
        check_length(written.bytes.len())?;
        Ok(written)
    }
}

fn check_length(length: usize) -> Result<(), Failure> {
    match length > MAX_FRAME_BYTES {
        true => Err(unsendable(format!(
            "it is {length} bytes long, the limit is {MAX_FRAME_BYTES}"
        ))),
        false => Ok(()),
    }
}

fn unsendable(why: impl std::fmt::Display) -> Failure {
    Failure::bad_input(format!(
        "the input cannot be sent to a worker process: {why}"
    ))
}
