//! Takes inputs in: no more than the lanes will soon need, and no more than may wait.

use triway_core::{StopReason, Task};

use super::{Dispatcher, Held, PULL, WAITING};
use crate::{journal::OTHER_INPUTS, sink::Sink, source::Supply};

impl<T: Task, S: Sink<T>> Dispatcher<T, S> {
    pub(super) fn refill(&mut self) -> bool {
        let mut any = false;
        while let Some(most) = self.room() {
            let pulled = self.source.pull(most, &mut self.pulled);
            any |= !self.pulled.is_empty();
            let earlier = self.admit_pulled();
            self.supply = pulled.unwrap_or_else(|failure| {
                self.progress.unreadable = Some(match failure.kind == OTHER_INPUTS {
                    true => StopReason::OtherInputs(failure.message),
                    false => StopReason::Unreadable(failure.message),
                });
                Supply::Exhausted
            });
            if self.supply != Supply::Ready || earlier {
                break;
            }
        }
        any
    }

    /// How many inputs to pull now, if any: few while it is not known how large they are.
    fn room(&self) -> Option<usize> {
        let open = self.ledger.open();
        let taken = self.ledger.running() + self.ledger.ready();
        let closed = self.supply == Supply::Exhausted
            || self.progress.stopped.is_some()
            || open >= self.aim() + WAITING
            || self.held_bytes >= self.plan.input_window_bytes
            || self.delivery.is_full();
        let left = self.plan.input_window_bytes - self.held_bytes.min(self.plan.input_window_bytes);
        let fitting = match self.next_index {
            0 => 1,
            _ => 1 + left / self.bytes_each(),
        };
        let wanted = self.aim().max(self.mixed());
        let most = wanted.saturating_sub(taken).min(PULL).min(fitting);
        (!closed && most > 0).then_some(most)
    }

    /// How many inputs should be running or stand ready.
    pub(super) fn aim(&self) -> usize {
        self.plan.concurrency.get() + self.ahead.size(self.bytes_each())
    }

    /// What an input weighs on average, so far.
    fn bytes_each(&self) -> usize {
        let mean = self.seen_bytes / self.next_index.max(1);
        usize::try_from(mean).unwrap_or(usize::MAX).max(1)
    }

    /// Says whether some of them had an outcome already. They are no work, so nothing bounds how many could follow.
    fn admit_pulled(&mut self) -> bool {
        let now = self.shared.clock.now();
        let mut pulled = std::mem::take(&mut self.pulled);
        let mut earlier = false;
        for input in pulled.drain(..) {
            let bytes = self.shared.task.input_bytes(&input);
            self.seen_bytes = self.seen_bytes.saturating_add(bytes as u64);
            let Some(input) = self.not_recorded(input) else {
                earlier = true;
                self.next_index += 1;
                continue;
            };
            self.held_bytes += bytes;
            let tried = Vec::new();
            let held = Held {
                input,
                bytes,
                tried,
            };
            self.ledger.admit(now, self.next_index, held);
            self.next_index += 1;
        }
        self.pulled = pulled;
        earlier
    }
}
