//! One worker process while it runs: what it was given, what it says, and what can be seen of it. How it begins and
//! ends stands in `life`.

mod life;

use std::{
    num::NonZeroU64,
    os::fd::OwnedFd,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, poll};
use triway_core::{Failure, Task};

use super::{bell::Bell, window::Window};
use crate::{
    clock::{Clock, Moment},
    hand_over::Assignment,
    processes::{
        board::Board,
        messages::{Bytes, INPUTS, Input, OUTCOMES, Outcome, Written, append, parts, unexpected},
        setup::Setup,
        stderr::Words,
    },
    restart::{Child, Frame, Link, LinkError, MAX_DESCRIPTORS, MAX_FRAME_BYTES, Woken},
    unwind,
};

/// A worker that begins nothing for so much longer than an attempt may take is stuck as a whole.
const STUCK: Duration = Duration::from_secs(1);
/// A frame of inputs is closed when it has so many bytes.
const FRAME_BYTES: usize = 64 << 10;
/// What is kept of the room that a large input needed.
const SCRATCH_BYTES: usize = 16 << 20;

pub(super) struct Running<T: Task> {
    child: Child,
    link: Link,
    board: Board,
    board_file: OwnedFd,
    words: Option<Arc<Words>>,
    slots: usize,
    window: Window<Assignment<T::Input>>,
    given: u64,
    heard: Instant,
    scratch: Vec<u8>,
}

/// What a worker said of one input.
pub(super) struct Answer<I> {
    pub(super) assignment: Assignment<I>,
    pub(super) slot: u32,
    pub(super) began: Moment,
    pub(super) took: Duration,
    pub(super) ended: Result<Bytes, Failure>,
}

/// What came of a worker, and whether nothing more will.
pub(super) struct Heard<I> {
    pub(super) answers: Vec<Answer<I>>,
    pub(super) ended: Option<LinkError>,
}

impl<T: Task> Running<T> {
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// How many inputs it has.
    pub(super) fn len(&self) -> usize {
        self.window.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.window.is_empty()
    }

    /// How many inputs it may still get before a fresh one takes its place.
    pub(super) fn left(&self, recycle: Option<NonZeroU64>) -> usize {
        left_of(recycle, self.given)
    }

    pub(super) fn is_worn_out(&self, recycle: Option<NonZeroU64>) -> bool {
        self.left(recycle) == 0
    }

    // What it is given.

    /// Sends inputs, as far as the socket takes them now; the rest follows when it is waited for. Those that cannot be
    /// sent at all are put aside with the reason.
    pub(super) fn give(
        &mut self,
        setup: &Setup<T>,
        assignments: &mut Vec<Assignment<T::Input>>,
        unsendable: &mut Vec<(Assignment<T::Input>, Failure)>,
    ) -> Result<(), LinkError> {
        let mut frame = Link::begin_frame();
        let empty = frame.len();
        let mut files = Vec::new();
        let mut broken = Ok(());
        for assignment in assignments.drain(..) {
            let written = match self.write(setup, &assignment) {
                Ok(written) => written,
                Err(failure) => {
                    unsendable.push((assignment, failure));
                    continue;
                }
            };
            if files.len() + written.files.len() > MAX_DESCRIPTORS || frame.len() >= FRAME_BYTES {
                let full = std::mem::replace(&mut frame, Link::begin_frame());
                let files = std::mem::take(&mut files);
                broken = broken.and(self.link.queue(INPUTS, full, files));
            }
            broken = broken.and(append_input(&mut frame, &assignment, &written));
            files.extend(written.files);
            self.scratch = written.bytes;
            self.window.push(assignment);
            self.given += 1;
        }
        broken?;
        if frame.len() > empty {
            self.link.queue(INPUTS, frame, files)?;
        }
        self.heard = Instant::now();
        self.link.push()
    }

    /// Encodes an input in the scratch, and what is large of it into memory files.
    fn write(
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
        let length = written.bytes.len();
        if length > MAX_FRAME_BYTES {
            return Err(unsendable(format!(
                "it is {length} bytes long, the limit is {MAX_FRAME_BYTES}"
            )));
        }
        Ok(written)
    }

    // What it says.

    pub(super) fn wait(&self, bell: &Bell, patience: Option<Duration>) -> Woken {
        self.link.wait(bell, patience)
    }

    /// What has come since, without waiting. If it `has_ended`, nothing more will, even where something that it left
    /// behind holds its end of the socket open.
    pub(super) fn hear(&mut self, has_ended: bool) -> Heard<T::Input> {
        let mut heard = self.hear_but(&[]);
        if has_ended {
            heard.ended.get_or_insert(LinkError::Closed);
        }
        heard
    }

    /// The same, and nothing that is said of these.
    fn hear_but(&mut self, late: &[u64]) -> Heard<T::Input> {
        let mut answers = Vec::new();
        let ended = loop {
            let taken = self.link.push().and_then(|()| self.link.try_recv());
            match taken {
                Ok(None) => break None,
                Ok(Some(frame)) => {
                    self.heard = Instant::now();
                    if let Err(error) = self.take_in(frame, late, &mut answers) {
                        break Some(error);
                    }
                }
                Err(error) => break Some(error),
            }
        };
        Heard { answers, ended }
    }

    fn take_in(
        &mut self,
        frame: Frame,
        late: &[u64],
        answers: &mut Vec<Answer<T::Input>>,
    ) -> Result<(), LinkError> {
        if frame.kind != OUTCOMES {
            return Err(unexpected(frame.kind));
        }
        self.read(frame.payload, frame.descriptors, late, answers)
    }

    fn read(
        &mut self,
        records: Vec<u8>,
        files: Vec<OwnedFd>,
        late: &[u64],
        answers: &mut Vec<Answer<T::Input>>,
    ) -> Result<(), LinkError> {
        for part in parts::<Outcome>(records, files)? {
            let outcome = part.message;
            if outcome.place >= self.window.end() {
                return Err(LinkError::broken(
                    "an outcome of an input that it never got",
                ));
            }
            if late.contains(&outcome.place) {
                continue;
            }
            // It was fetched from the board before it came through the socket.
            let Some(assignment) = self.window.take(outcome.place) else {
                continue;
            };
            answers.push(Answer {
                assignment,
                slot: outcome.slot,
                began: Moment(outcome.began_ns),
                took: Duration::from_nanos(outcome.took_ns),
                ended: match outcome.failure {
                    Some(failure) => Err(failure),
                    None => Ok(part.bytes),
                },
            });
        }
        Ok(())
    }

    // What it does not say.

    /// Whether it has more than it runs: outcomes that it has not sent, or inputs that no slot has begun.
    pub(super) fn may_sit_on_something(&self) -> bool {
        self.window.len() > self.board.running().count()
    }

    pub(super) fn is_silent(&self, patience: Duration) -> bool {
        self.heard.elapsed() >= patience
    }

    /// The outcomes that it has not sent.
    pub(super) fn peek(&mut self) -> Vec<Answer<T::Input>> {
        let mut answers = Vec::new();
        let unsent = self.board.unsent(&self.board_file).unwrap_or_default();
        // What does not parse here was overtaken by being sent; if it is really broken, it is so in the socket too.
        let _overtaken = self.read(unsent, Vec::new(), &[], &mut answers);
        answers
    }

    /// Takes back what waits behind something that runs. A worker that runs nothing is about to begin, or is stuck as a
    /// whole; to take its inputs back would only be to give them to it again.
    pub(super) fn recall(&mut self) -> Vec<Assignment<T::Input>> {
        if self.board.running().next().is_none() {
            return Vec::new();
        }
        self.heard = Instant::now();
        let end = self.window.end();
        let first = self.board.recall(end);
        self.window.take_from(first)
    }

    /// When the attempt that has run longest has run for so long; where none runs, when something must have begun.
    pub(super) fn due(&self, clock: &Clock, most: Duration) -> Option<Instant> {
        let first = self.board.running().map(|running| running.since).min();
        match first {
            Some(since) => Some(clock.instant(clock.at(since) + most)),
            None => (!self.is_idle()).then(|| self.heard + most + STUCK),
        }
    }

    /// When to look whether something is due. What begins after this is not due before that has passed.
    pub(super) fn look_at(&self, clock: &Clock, most: Duration) -> Option<Instant> {
        let waits = self.window.len() > self.board.running().count();
        let waiting = waits.then(|| Instant::now() + most);
        self.due(clock, most).into_iter().chain(waiting).min()
    }

    /// What has run for longer than this. Where some of it holds a thread, that alone is to blame: the others may only
    /// be late because they could not get one.
    pub(super) fn overdue(&self, clock: &Clock, most: Duration) -> Vec<u64> {
        let now = clock.now();
        let late: Vec<_> = self
            .board
            .running()
            .filter(|running| now.saturating_sub(clock.at(running.since)) >= most)
            .collect();
        let holds = late.iter().any(|running| running.holds);
        late.iter()
            .filter(|running| running.holds || !holds)
            .map(|running| running.place)
            .collect()
    }

    // How it ends.
}

/// How many inputs a worker may still get that got so many.
pub(super) fn left_of(recycle: Option<NonZeroU64>, given: u64) -> usize {
    recycle.map_or(usize::MAX, |most| {
        usize::try_from(most.get().saturating_sub(given)).unwrap_or(usize::MAX)
    })
}

/// Sleeps until the bell rings.
pub(super) fn wait_for(bell: &Bell, patience: Option<Duration>) -> Woken {
    let patience = patience.and_then(|patience| patience.try_into().ok());
    let rung = poll(&mut [PollFd::new(bell, PollFlags::IN)], patience.as_ref());
    Woken {
        bell: rung.is_ok_and(|count| count > 0),
        ended: false,
    }
}

fn append_input<I>(
    frame: &mut Vec<u8>,
    assignment: &Assignment<I>,
    written: &Written,
) -> Result<(), LinkError> {
    let message = Input {
        index: assignment.start.index,
        attempt: assignment.start.attempt,
        body: written.body,
    };
    *frame = append(&message, std::mem::take(frame))?;
    frame.extend_from_slice(written.inline());
    Ok(())
}

fn unsendable(why: impl std::fmt::Display) -> Failure {
    Failure::bad_input(format!(
        "the input cannot be sent to a worker process: {why}"
    ))
}
