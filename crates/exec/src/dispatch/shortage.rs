//! What happens when attempts find that this machine gives no more: their inputs wait again, and fewer run at once.

use std::time::Duration;

use triway_core::Task;

use super::Dispatcher;
use crate::{
    hand_over::{End, Report},
    ledger::Ended,
    sink::Sink,
};

impl<T: Task, S: Sink<T>> Dispatcher<T, S> {
    /// Books reports. Those of attempts that this machine had nothing left for are no attempts.
    pub(super) fn settle_all(&mut self, now: Duration, reports: Vec<Report<T::Output>>) {
        let mut short = None;
        let mut served = 0;
        for mut report in reports {
            match self.is_short(&mut report.end) {
                Some(reason) => {
                    short = Some(reason);
                    self.book(now, report.start, Ended::NotStarted, None, None);
                }
                None => {
                    served += 1;
                    self.settle(now, report);
                }
            }
        }
        if let Some(reason) = short {
            self.run_fewer(now, served, reason);
        }
    }

    /// Whether there was too little for an attempt that did not run alone, and of what.
    fn is_short(&self, end: &mut End<T::Output>) -> Option<String> {
        let reason = end.shortage()?;
        (self.most_handed_out() > 1 && self.lanes.len() > 1).then(|| std::mem::take(reason))
    }

    /// Lanes of this process leave by themselves, so that those are left which have what they need.
    pub(super) fn lose_short_lanes(&mut self, short: Vec<(u32, String)>) {
        let Some((_, reason)) = short.last().cloned() else {
            return;
        };
        for (worker, _) in short {
            self.lanes.forget(worker);
        }
        self.most_lanes = self.lanes.len().max(1);
        self.say_fewer_lanes(self.most_lanes, reason);
    }

    /// Slots of worker processes cannot leave. As many may run from here on as there was enough for, and always fewer
    /// than before: so this ends, at the latest when one runs alone, and that one's failure counts.
    fn run_fewer(&mut self, now: Duration, served: usize, reason: String) {
        self.take_back(now);
        let before = self.most_handed_out().min(self.lanes.len());
        let enough = self.ledger.running() + served;
        self.most_at_once = enough.min(before - 1).max(1);
        self.say_fewer_lanes(self.most_at_once, reason);
    }
}
