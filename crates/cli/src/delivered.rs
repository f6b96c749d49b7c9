//! Which outcomes have arrived where they were to go, as opposed to those that lie in a buffer or never got so far.

use std::{collections::VecDeque, time::Duration};

use rangemap::RangeSet;
use triway_core::{FailureKind, Outcome, Status};
use triway_measure::{latency::Latencies, tally::Tally};

/// The books on delivery. A run's summary counts nothing else: what stands in no file, nobody has.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    /// Given to the destination, not known to be written, in that order.
    pending: VecDeque<Pending>,
    written: u64,
    tally: Tally,
    responses: Latencies,
    after_retry: u64,
    /// Holds one range for each input that is later than those after it, so it stays small.
    indexes: RangeSet<u64>,
}

#[derive(Debug)]
struct Pending {
    index: u64,
    status: Status,
    kind: Option<FailureKind>,
    run: Duration,
    response: Option<Duration>,
    attempts: u32,
}

impl Delivered {
    /// This outcome is given to the destination next.
    pub(crate) fn expect<I, O>(&mut self, outcome: &Outcome<I, O>) {
        self.pending.push_back(Pending {
            index: outcome.index,
            status: outcome.status,
            kind: outcome.error.as_ref().map(|failure| failure.kind.clone()),
            run: outcome.run,
            response: outcome.response(),
            attempts: outcome.attempts,
        });
    }

    /// The destination has written so many outcomes since its beginning.
    pub(crate) fn confirm(&mut self, written: u64) {
        while self.written < written
            && let Some(outcome) = self.pending.pop_front()
        {
            self.written += 1;
            let Pending {
                index,
                status,
                kind,
                run,
                response,
                attempts,
            } = outcome;
            if status == Status::Ok && attempts > 1 {
                self.after_retry += 1;
            }
            self.tally.record(status, kind.as_ref(), run);
            if let Some(response) = response {
                self.responses.record(response);
            }
            self.indexes.insert(index..index + 1);
        }
    }

    /// Counts and latencies of those that were written.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The times from when they were planned, of those for which there was a schedule.
    pub(crate) fn responses(&self) -> &Latencies {
        &self.responses
    }

    /// How many of them succeeded, but not at the first attempt.
    pub(crate) fn after_retry(&self) -> u64 {
        self.after_retry
    }

    /// The index of the first input without a written outcome; all before it have one.
    pub(crate) fn first_missing(&self) -> u64 {
        match self.indexes.first() {
            Some(first) if first.start == 0 => first.end,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(index: u64) -> Outcome<(), ()> {
        let mut outcome = Outcome::new(index, (), Status::Ok);
        outcome.output = Some(());
        // Those with an odd index needed a second attempt.
        outcome.attempts = if index.is_multiple_of(2) { 1 } else { 2 };
        outcome
    }

    #[test]
    fn only_what_was_written_counts() {
        let mut delivered = Delivered::default();
        for index in [1, 0, 3, 2] {
            delivered.expect(&outcome(index));
        }
        for (written, first_missing, after_retry) in
            [(0, 0, 0), (1, 0, 1), (2, 2, 1), (3, 2, 2), (4, 4, 2)]
        {
            delivered.confirm(written);
            assert_eq!(delivered.tally().total(), written);
            assert_eq!(delivered.first_missing(), first_missing);
            assert_eq!(delivered.after_retry(), after_retry);
        }
    }
}
