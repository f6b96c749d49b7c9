//! The journal's part in a job: outcomes are written down before they are reported, those of a round with one write.

use triway_core::{Outcome, StopReason, Task};

use super::Dispatcher;
use crate::{sink::Sink, source::Supply};

impl<T: Task, S: Sink<T>> Dispatcher<T, S> {
    /// Passes an outcome on, at once or when it is written down.
    pub(super) fn deliver(&mut self, outcome: Outcome<T::Input, T::Output>) {
        match &mut self.recorder {
            None => self.delivery.deliver(outcome),
            Some(recorder) => recorder.take(&self.shared.task, outcome),
        }
    }

    /// The next input, unless an earlier run came to its end with it; then its outcome is passed on.
    pub(super) fn not_recorded(&mut self, input: T::Input) -> Option<T::Input> {
        let Some(recorder) = &mut self.recorder else {
            return Some(input);
        };
        match recorder.earlier(self.next_index, input) {
            Err(input) => Some(input),
            Ok(outcome) => {
                self.delivery.deliver_earlier(outcome);
                None
            }
        }
    }

    /// Sees to it that there is room for the first outcomes under this plan.
    pub(super) fn keep_room(&mut self) {
        let in_flight = self.soon_in_flight();
        let room = self.recorder.as_mut().map(|it| it.keep_room(in_flight));
        if let Some(Err(reason)) = room {
            self.stop(StopReason::Undeliverable(reason));
        }
    }

    /// Writes down the outcomes of this round and passes them on. To stop ends others, so it goes on until none is left.
    pub(super) fn commit(&mut self) {
        loop {
            if self.recorder.is_some() {
                // What was passed on just now may have been the last, and nobody would ask again.
                self.heed_delivery();
            }
            let in_flight = (!self.is_finished()).then(|| self.soon_in_flight());
            let Some(recorder) = &mut self.recorder else {
                return;
            };
            if !recorder.has_pending() {
                return;
            }
            let settled = recorder.commit(in_flight);
            for outcome in settled.sure {
                self.delivery.deliver(outcome);
            }
            if let Some(reason) = settled.broken {
                if !settled.lost.is_empty() {
                    self.delivery.break_off(&reason);
                }
                for outcome in settled.lost {
                    self.delivery.deliver(outcome);
                }
                self.stop(StopReason::Undeliverable(reason));
            }
        }
    }

    /// How many inputs may be executed before it is asked again whether there is room for their outcomes: those that
    /// run, and those that are handed out in the next round, which may be twice as many as in this one.
    fn soon_in_flight(&self) -> usize {
        let handed_out = (2 * self.aim()).min(self.most_handed_out());
        let soon = self.ledger.running().saturating_add(handed_out);
        match self.supply {
            Supply::Exhausted => soon.min(self.ledger.open()),
            _ => soon,
        }
    }

    /// Ends the journal. What it had to hold, it holds; that its end cannot be written is told all the same.
    pub(super) fn close_journal(&mut self) {
        let Some(recorder) = self.recorder.take() else {
            return;
        };
        let read = self.supply == Supply::Exhausted && self.progress.unreadable.is_none();
        if let Err(reason) = recorder.finish(read.then_some(self.next_index)) {
            let reason = StopReason::Undeliverable(reason);
            self.progress.stopped.get_or_insert(reason);
        }
    }
}
