//! Why a job may have to stop, and how it does: it drains, and if that takes too long or is asked for, it aborts.

use std::sync::atomic::Ordering;

use triway_core::{Event, StopReason, Task};

use super::{Dispatcher, Times};
use crate::{
    cell::Running,
    control::Asked,
    ledger::{Ended, Start},
    sink::Sink,
};

impl<T: Task, S: Sink<T>> Dispatcher<T, S> {
    pub(super) fn heed(&mut self) -> bool {
        let mut news = self.heed_delivery();
        let asked = self.control.asked();
        if asked == Asked::Drain {
            news |= self.stop(StopReason::Drained);
        }
        let now = self.shared.clock.now();
        let waited_enough = self.drain_until.is_some_and(|until| now >= until);
        if asked == Asked::Abort || waited_enough {
            news |= self.abort();
        }
        news
    }

    /// Stops if outcomes cannot be delivered any more, or too many of them are failures. Says whether this is news.
    pub(super) fn heed_delivery(&mut self) -> bool {
        if let Some(reason) = self.delivery.broken() {
            let reason = StopReason::Undeliverable(reason.to_owned());
            return self.stop(reason);
        }
        self.delivery.too_many_failed() && self.stop(StopReason::FailureLimit)
    }

    /// Hands out nothing more; what waits is cancelled, what runs may finish. Says whether this is news.
    pub(super) fn stop(&mut self, reason: StopReason) -> bool {
        if self.progress.stopped.is_some() {
            return false;
        }
        self.delivery.event(&Event::Stopping {
            reason: reason.clone(),
            unread_from: self.next_index,
        });
        self.progress.stopped = Some(reason);
        self.ledger.stop();
        let now = self.shared.clock.now();
        self.drain_until = Some(now + self.plan.drain_limit);
        self.take_back(now);
        for closed in self.ledger.close_waiting() {
            self.finish(closed, None, None);
        }
        true
    }

    /// Cancels what runs. An attempt that begins just now is found in the next round.
    fn abort(&mut self) -> bool {
        self.stop(StopReason::Aborted);
        if self.progress.stopped == Some(StopReason::Drained) {
            self.progress.stopped = Some(StopReason::Aborted);
        }
        self.shared.cancelled.store(true, Ordering::Relaxed);
        let running = self.lanes.running();
        let mut cancelled = false;
        for (worker, running) in running {
            if self.lanes.abandon(worker, running) {
                cancelled = true;
                self.give_up(worker, running, Ended::Cancelled);
            }
        }
        self.lanes.kill_processes();
        cancelled
    }

    pub(super) fn give_up(&mut self, worker: u32, running: Running, ended: Ended) {
        let now = self.shared.clock.now();
        let start = Start {
            ticket: running.ticket,
            index: running.index,
            attempt: running.attempt,
        };
        let times = Times {
            worker,
            started: running.since,
            ended: now,
            cpu: None,
        };
        self.book(now, start, ended, None, Some(times));
    }
}
