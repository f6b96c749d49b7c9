//! One worker process while it runs: what it was given, what it says, and what can be seen of it. How it begins and
//! ends stands in `life`.

mod life;
mod packing;

use std::{
    num::NonZeroU64,
    os::fd::OwnedFd,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, poll};
use triway_core::{Failure, Task};

use self::packing::Packing;
use super::{
    bell::Bell,
    lateness::{self, Attempt},
    window::Window,
};
use crate::{
    clock::{Clock, Moment},
    hand_over::Assignment,
    processes::{
        board::Board,
        messages::{OUTCOMES, Outcome, Output, Said, parts, unexpected},
        outside,
        setup::Setup,
        stderr::Words,
    },
    restart::{Child, Frame, Link, LinkError, Woken},
};

/// A worker that begins nothing for so much longer than an attempt may take is stuck as a whole.
const STUCK: Duration = Duration::from_secs(1);

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
    /// Since when it is silent although it has more than it runs, as far as somebody looked.
    sits_since: Option<Instant>,
    packing: Packing,
    /// It is no process of this program.
    is_outside: bool,
    /// There is another worker that could do its inputs.
    has_others: bool,
}

/// What a worker said of one input.
pub(super) struct Answer<I> {
    pub(super) assignment: Assignment<I>,
    pub(super) slot: u32,
    pub(super) began: Moment,
    pub(super) took: Duration,
    pub(super) cpu: Option<Duration>,
    pub(super) left_behind: bool,
    pub(super) ended: Result<Output, Failure>,
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
        let mut sent = Ok(());
        for assignment in assignments.drain(..) {
            match self.packing.add(setup, &assignment, &mut self.link) {
                Ok(added) => sent = sent.and(added),
                Err(failure) => {
                    unsendable.push((assignment, failure));
                    continue;
                }
            }
            self.window.push(assignment);
            self.given += 1;
        }
        sent.and_then(|()| self.packing.close(&mut self.link))?;
        self.heard = Instant::now();
        self.link.push()
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
        for said in self.said(records, files)? {
            if said.place >= self.window.end() {
                return Err(LinkError::broken(
                    "an outcome of an input that it never got",
                ));
            }
            if late.contains(&said.place) {
                continue;
            }
            // It was fetched from the board before it came through the socket.
            let Some(assignment) = self.window.take(said.place) else {
                continue;
            };
            answers.push(Answer {
                assignment,
                slot: said.slot,
                began: said.began,
                took: Duration::from_nanos(said.took_ns),
                cpu: said.cpu_ns.map(Duration::from_nanos),
                left_behind: said.left_behind,
                ended: said.ended,
            });
        }
        Ok(())
    }

    fn said(&self, records: Vec<u8>, files: Vec<OwnedFd>) -> Result<Vec<Said>, LinkError> {
        if self.is_outside {
            return outside::outcomes(records);
        }
        let parts = parts::<Outcome>(records, files)?;
        Ok(parts.into_iter().map(Said::from).collect())
    }

    // What it does not say.

    /// Whether it has more than it runs: outcomes that it has not sent, or inputs that no slot has begun.
    pub(super) fn may_sit_on_something(&self) -> bool {
        self.window.len() > self.board.running().count()
    }

    /// Whether it has done so, and said nothing, for as long as this. One look is not enough: what has just ended is on its
    /// way.
    pub(super) fn sits(&mut self, patience: Duration) -> bool {
        if self.heard.elapsed() < patience || !self.may_sit_on_something() {
            self.sits_since = None;
            return false;
        }
        let since = *self.sits_since.get_or_insert_with(Instant::now);
        since.elapsed() >= patience
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
        let first = match (self.is_outside, self.has_others) {
            (false, _) => self.board.recall(end),
            (true, true) => self.board.ask_back(end).unwrap_or(end),
            (true, false) => end,
        };
        self.window.take_from(first)
    }

    /// Whether it gets nothing more for now: it was asked for what it has, and would have to be asked again, which it must
    /// have heeded before.
    pub(super) fn is_asked(&self) -> bool {
        self.is_outside && !self.is_idle() && self.board.is_asked()
    }

    /// When the first attempt has had so much time; where none runs, when something must have begun.
    pub(super) fn due(&self, clock: &Clock, most: Duration) -> Option<Instant> {
        match lateness::due(&self.attempts(clock), most) {
            Some(at) => Some(clock.instant(at)),
            None => (!self.is_idle()).then(|| self.heard + most + STUCK),
        }
    }

    /// When to look whether something is due. What begins after this is not due before that has passed.
    pub(super) fn look_at(&self, clock: &Clock, most: Duration) -> Option<Instant> {
        let waits = self.window.len() > self.board.running().count();
        let waiting = waits.then(|| Instant::now() + most);
        self.due(clock, most).into_iter().chain(waiting).min()
    }

    /// Whether the worker has to be ended, and what has run for longer than this and is to blame for it: nothing where the
    /// worker is stuck as a whole. The board is read once, for it changes meanwhile.
    pub(super) fn overdue(&self, clock: &Clock, most: Duration) -> Option<Vec<u64>> {
        let attempts = self.attempts(clock);
        if attempts.is_empty() {
            let due = self.due(clock, most)?;
            return (due <= Instant::now()).then(Vec::new);
        }
        let late = lateness::late(&attempts, clock.now(), most);
        (!late.is_empty()).then_some(late)
    }

    fn attempts(&self, clock: &Clock) -> Vec<Attempt> {
        let running = self.board.running();
        let attempts = running.map(|running| Attempt {
            place: running.place,
            since: clock.at(running.since),
            holds: running.holds,
        });
        attempts.collect()
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
