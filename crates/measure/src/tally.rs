//! How a job's inputs ended, counted as they end, whatever the task: for trials and for the summary of a run.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use triway_core::{FailureKind, Status};

use crate::latency::Latencies;

/// How many kinds of failure are told apart; a task that makes one up for each input must not fill the memory.
pub const MOST_KINDS: usize = 64;

/// Kinds beyond [`MOST_KINDS`] are counted as this.
pub const OTHER_KINDS: FailureKind = FailureKind::new("other");

/// Counts of outcomes by status and by kind of failure, and the latencies of those that were started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    statuses: BTreeMap<Status, u64>,
    kinds: BTreeMap<FailureKind, u64>,
    latencies: Latencies,
}

impl Tally {
    /// Counts one outcome: its status, its failure's kind if it has one, and how long its last attempt took.
    ///
    /// A cancelled input's time is no latency: it was cut short or never began.
    pub fn record(&mut self, status: Status, kind: Option<&FailureKind>, run: Duration) {
        *self.statuses.entry(status).or_default() += 1;
        if let Some(kind) = kind {
            self.count_kind(kind);
        }
        if status != Status::Cancelled {
            self.latencies.record(run);
        }
    }

    /// How many inputs ended with this status.
    #[must_use]
    pub fn count(&self, status: Status) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }

    /// How many inputs ended, cancelled ones included.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// How many succeeded.
    #[must_use]
    pub fn succeeded(&self) -> u64 {
        self.count(Status::Ok)
    }

    /// How many neither succeeded nor were cancelled.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.total() - self.succeeded() - self.count(Status::Cancelled)
    }

    /// Kinds of failure and how often each occurred, the most frequent first.
    #[must_use]
    pub fn kinds(&self) -> Vec<(&FailureKind, u64)> {
        let mut kinds: Vec<_> = self.kinds.iter().map(|(kind, n)| (kind, *n)).collect();
        kinds.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        kinds
    }

    /// How long the last attempts took.
    #[must_use]
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    fn count_kind(&mut self, kind: &FailureKind) {
        if let Some(n) = self.kinds.get_mut(kind) {
            *n += 1;
            return;
        }
        let full = self.kinds.len() >= MOST_KINDS;
        let kind = if full { OTHER_KINDS } else { kind.clone() };
        *self.kinds.entry(kind).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn outcomes_are_counted_by_status_and_kind() {
        let mut tally = Tally::default();
        let refused = FailureKind::new("refused");
        for (status, kind) in [
            (Status::Ok, None),
            (Status::Ok, None),
            (Status::Timeout, Some(&FailureKind::TIMEOUT)),
            (Status::Failed, Some(&refused)),
            (Status::Failed, Some(&refused)),
            (Status::WorkerLost, Some(&FailureKind::WORKER_LOST)),
            (Status::Cancelled, Some(&FailureKind::CANCELLED)),
        ] {
            tally.record(status, kind, MS);
        }
        assert_eq!(
            (tally.total(), tally.succeeded(), tally.failed()),
            (7, 2, 4)
        );
        assert_eq!(tally.kinds()[0], (&refused, 2));
        assert_eq!(tally.latencies().count(), 6, "all but the cancelled one");
    }

    #[test]
    fn endless_kinds_do_not_fill_the_memory() {
        let mut tally = Tally::default();
        for n in 0..1000 {
            let kind: FailureKind = serde_json::from_str(&format!("\"kind-{n}\"")).unwrap();
            tally.record(Status::Failed, Some(&kind), MS);
        }
        assert_eq!(tally.kinds().len(), MOST_KINDS + 1);
        assert_eq!(tally.kinds()[0], (&OTHER_KINDS, 1000 - MOST_KINDS as u64));
    }

    #[test]
    fn a_tally_travels_between_processes() {
        let mut tally = Tally::default();
        tally.record(Status::Failed, Some(&FailureKind::PANIC), MS);
        let bytes = postcard::to_stdvec(&tally).unwrap();
        assert_eq!(postcard::from_bytes::<Tally>(&bytes).unwrap(), tally);
    }
}
