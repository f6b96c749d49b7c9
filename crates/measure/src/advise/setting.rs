//! Slices of one model and concurrency, taken together.

use triway_core::Model;

use super::slice::{Situation, Slice};
use crate::statistics::median;

/// How much of the best throughput is as good as the best, when the smaller concurrency is chosen.
pub(super) const NEARLY: f64 = 0.95;

/// A slice with so many times fewer inputs than another of the same setting was brief.
const BRIEF: u64 = 8;

/// How much larger the share of failures may be than that of one input at a time, before a setting is called refused.
const MORE_FAILURES: f64 = 0.05;

/// A model at a concurrency, and all that was measured of it.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    pub(super) model: Model,
    pub(super) concurrency: usize,
    pub(super) slices: Vec<&'a Slice>,
    /// Seconds that an attempt takes one at a time.
    alone_s: f64,
}

impl<'a> Setting<'a> {
    /// What was measured of this model at this concurrency, if anything was.
    pub(super) fn of(slices: &'a [Slice], model: Model, concurrency: usize) -> Option<Self> {
        let same = |slice: &&Slice| {
            slice.counts() && slice.model == Some(model) && slice.concurrency == concurrency
        };
        let found = long_looks(slices.iter().filter(same).collect());
        let alone = |slice: &&Slice| slice.counts() && slice.model == Some(Model::Sequential);
        let alone = long_looks(slices.iter().filter(alone).collect());
        (!found.is_empty()).then(|| Self {
            model,
            concurrency,
            slices: found,
            alone_s: mean_of(&alone, |slice| slice.run_s),
        })
    }

    /// Every setting there was, by model, at rising concurrency.
    pub(super) fn all(slices: &'a [Slice]) -> Vec<Self> {
        let mut keys: Vec<(Model, usize)> = slices
            .iter()
            .filter(|slice| slice.counts())
            .filter_map(|slice| Some((slice.model?, slice.concurrency)))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter()
            .filter_map(|(model, concurrency)| Self::of(slices, model, concurrency))
            .collect()
    }

    /// One input at a time.
    pub(super) fn sequential(slices: &'a [Slice]) -> Option<Self> {
        Self::of(slices, Model::Sequential, 1)
    }

    /// Successes a second: those of all slices over the time that their inputs took.
    pub(super) fn rate(&self) -> f64 {
        let successes: f64 = self.slices.iter().map(|slice| slice.successes()).sum();
        let seconds = self.slices.iter().map(|slice| slice.busy_s(self.alone_s));
        let seconds: f64 = seconds.sum();
        successes / seconds
    }

    /// Seconds of an attempt.
    pub(super) fn run(&self) -> f64 {
        mean_of(&self.slices, |slice| slice.run_s)
    }

    pub(super) fn startup(&self) -> f64 {
        self.middle(|slice| slice.startup_s)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more digits than a float has"
    )]
    pub(super) fn failed_share(&self) -> f64 {
        let failed: u64 = self.slices.iter().map(|slice| slice.failed).sum();
        failed as f64 / self.inputs().max(1) as f64
    }

    pub(super) fn cpu_share(&self) -> Option<f64> {
        let shares: Vec<f64> = self
            .slices
            .iter()
            .filter_map(|slice| slice.cpu_share())
            .collect();
        median(&shares)
    }

    /// How many processors' worth of time it took, on average.
    pub(super) fn processors(&self) -> Option<f64> {
        let of = |slice: &&Slice| {
            let used = slice.cpu_s? / slice.wall_s;
            used.is_finite().then_some(used)
        };
        median(&self.slices.iter().filter_map(of).collect::<Vec<_>>())
    }

    pub(super) fn memory(&self) -> Option<u64> {
        self.slices
            .iter()
            .filter_map(|slice| slice.peak_memory_bytes)
            .max()
    }

    pub(super) fn longest_hold(&self) -> Option<f64> {
        self.slices
            .iter()
            .filter_map(|slice| slice.longest_hold_s)
            .reduce(f64::max)
    }

    pub(super) fn inputs(&self) -> u64 {
        self.slices.iter().map(|slice| slice.inputs).sum()
    }

    /// Whether it failed inputs that would have succeeded one at a time.
    pub(super) fn is_refused(&self, sequential: &Setting<'_>) -> bool {
        let failed: u64 = self.slices.iter().map(|slice| slice.failed).sum();
        failed >= 2 && self.failed_share() > sequential.failed_share() + MORE_FAILURES
    }

    /// Whether it was measured, and did not fail inputs for want of room on the other side.
    pub(super) fn is_sound(&self, sequential: &Setting<'_>) -> bool {
        !self.is_refused(sequential) && self.rate().is_finite()
    }

    /// Seconds that all inputs would take under it, from the start of its lanes on.
    pub(super) fn total(&self, inputs: f64) -> f64 {
        self.startup() + inputs / self.rate()
    }

    fn middle(&self, of: impl Fn(&Slice) -> f64) -> f64 {
        let values: Vec<f64> = self.slices.iter().map(|slice| of(slice)).collect();
        median(&values).unwrap_or(f64::NAN)
    }
}

/// Beside longer looks a brief one says nothing.
fn long_looks(mut slices: Vec<&Slice>) -> Vec<&Slice> {
    let most = slices.iter().map(|slice| slice.inputs).max().unwrap_or(0);
    slices.retain(|slice| slice.inputs > most / BRIEF);
    slices
}

/// The mean over all inputs of all slices: where inputs differ, each slice has met others.
#[expect(
    clippy::cast_precision_loss,
    reason = "a mean needs no more digits than a float has"
)]
fn mean_of(slices: &[&Slice], of: impl Fn(&Slice) -> f64) -> f64 {
    let inputs: u64 = slices.iter().map(|slice| slice.inputs).sum();
    let weighed = slices.iter().map(|it| it.inputs as f64 * of(it));
    weighed.sum::<f64>() / inputs as f64
}

/// Of a model's settings the smallest concurrency that is nearly as good as its best. What failed inputs for want of room
/// on the other side does not count.
pub(super) fn smallest_nearly_best<'a, 'b>(
    settings: &'b [Setting<'a>],
    model: Model,
    sequential: &Setting<'_>,
) -> Option<&'b Setting<'a>> {
    let sound = |one: &&Setting<'a>| one.model == model && one.is_sound(sequential);
    let best = settings
        .iter()
        .filter(sound)
        .map(Setting::rate)
        .reduce(f64::max)?;
    settings
        .iter()
        .filter(sound)
        .find(|one| one.rate() >= NEARLY * best)
}

/// How many inputs a total is reckoned for: all that there are, or a great many where nobody knows.
#[expect(
    clippy::cast_precision_loss,
    reason = "a total needs no more digits than a float has"
)]
pub(super) fn inputs_of(situation: &Situation) -> f64 {
    const MANY: f64 = 1e6;
    situation.inputs.map_or(MANY, |inputs| inputs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_take_their_time() {
        let slice = |failed: u64, rate_per_s| Slice {
            model: Some(Model::Threads),
            concurrency: 2,
            inputs: 10,
            failed,
            wall_s: 1.0,
            rate_per_s,
            run_s: 0.1,
            ..Slice::default()
        };
        for (slices, expected) in [
            (vec![slice(0, 10.0), slice(9, 1.0)], 5.5),
            (vec![slice(0, 10.0), slice(10, 0.0)], 5.0),
            (vec![slice(10, 0.0)], 0.0),
        ] {
            let setting = Setting::of(&slices, Model::Threads, 2).unwrap();
            assert!((setting.rate() - expected).abs() < 1e-9, "{slices:?}");
        }
    }
}
