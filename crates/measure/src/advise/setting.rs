//! Slices of one model and concurrency, taken together.

use std::collections::BTreeMap;

use triway_core::Model;

use super::{
    durations::HAND_OVER_COUNTS_S,
    likeness::{Likeness, has_heavy_tail, long_looks, mean_of},
    slice::{Situation, Slice},
};
use crate::statistics::median;

/// How much of the best throughput is as good as the best, when the smaller concurrency is chosen.
pub(super) const NEARLY: f64 = 0.95;

/// Attempts that have a processor for a smaller share of their time wait.
pub(super) const WAITS: f64 = 0.3;

/// Attempts that have a processor for a larger share of their time do not gain from more lanes than processors.
pub(super) const ALL_CPU: f64 = 0.85;

/// How much larger the share of failures may be than that of one input at a time, before a setting is called refused.
const MORE_FAILURES: f64 = 0.05;

/// And how many standard errors: one in two hundred is as far off by chance.
const BY_CHANCE: f64 = 2.6;

/// One part in so many of all inputs of a setting are enough to tell its rate, if each lane had so many in each slice: with fewer
/// the first and the last of a slice decide.
const TURNS_OF: u64 = 3;
const EACH_TURN: u64 = 3;

/// A model at a concurrency, and all that was measured of it.
#[derive(Debug, Clone)]
pub(super) struct Setting<'a> {
    pub(super) model: Model,
    pub(super) concurrency: usize,
    pub(super) slices: Vec<&'a Slice>,
    /// What attempts are like that nothing disturbs.
    likeness: Likeness,
    refused: bool,
}

/// How many attempts ended, and how many of them failed.
#[derive(Debug, Clone, Copy, Default)]
struct Ended {
    attempts: u64,
    failed: u64,
}

impl<'a> Setting<'a> {
    /// What was measured of this model at this concurrency, if anything was.
    pub(super) fn of(slices: &'a [Slice], model: Model, concurrency: usize) -> Option<Self> {
        let same = |slice: &&Slice| slice.counts() && slice.is_of((model, concurrency));
        let found = long_looks(slices.iter().filter(same).collect());
        (!found.is_empty()).then(|| Self {
            model,
            concurrency,
            slices: found,
            likeness: Likeness::of(slices),
            refused: is_refused(slices, model, concurrency),
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

    /// The same, as far as it was run in turn with others, where that is enough to tell: what the machine does from one second to
    /// the next is then the same for all of these.
    pub(super) fn in_turn(&self) -> Option<Self> {
        let slices = self.slices.iter().filter(|slice| slice.in_turn);
        let turns = Self {
            slices: slices.copied().collect(),
            ..self.clone()
        };
        let (inputs, looks) = (turns.inputs(), turns.slices.len() as u64);
        let lanes = u64::try_from(self.concurrency).unwrap_or(u64::MAX);
        let each = lanes.saturating_mul(looks * EACH_TURN);
        let enough = looks >= 2 && TURNS_OF * inputs >= self.inputs() && inputs >= each;
        enough.then_some(turns)
    }

    /// One input at a time.
    pub(super) fn sequential(slices: &'a [Slice]) -> Option<Self> {
        Self::of(slices, Model::Sequential, 1)
    }

    /// Successes a second: those of all slices over the time that their inputs took.
    pub(super) fn rate(&self) -> f64 {
        let successes: f64 = self.slices.iter().map(|slice| slice.successes()).sum();
        let seconds = self.slices.iter().map(|slice| self.likeness.busy_s(slice));
        let seconds: f64 = seconds.sum();
        successes / seconds
    }

    /// Seconds of an attempt.
    pub(super) fn run(&self) -> f64 {
        mean_of(&self.slices, |slice| slice.run_s)
    }

    /// Whether a few slow ones among its attempts decide.
    pub(super) fn has_heavy_tail(&self) -> bool {
        has_heavy_tail(&self.slices)
    }

    pub(super) fn startup(&self) -> f64 {
        self.middle(|slice| slice.startup_s)
    }

    /// The share of its attempts that failed.
    pub(super) fn failed_share(&self) -> f64 {
        let mut ended = Ended::default();
        for slice in &self.slices {
            ended.add(slice);
        }
        ended.share()
    }

    pub(super) fn cpu_share(&self) -> Option<f64> {
        let shares: Vec<f64> = self
            .slices
            .iter()
            .filter_map(|slice| slice.cpu_share())
            .collect();
        median(&shares)
    }

    /// Whether its attempts wait for most of their time.
    pub(super) fn waits(&self) -> bool {
        self.cpu_share().is_some_and(|share| share < WAITS)
    }

    /// Whether they compute for nearly all of it.
    pub(super) fn computes(&self) -> bool {
        self.cpu_share().is_some_and(|share| share > ALL_CPU)
    }

    /// Whether a quick look has nothing to find out, for it computes and there is one processor: chance would seem to gain something.
    pub(super) fn has_no_choice(&self, situation: &Situation) -> bool {
        let brief = self.run() < HAND_OVER_COUNTS_S;
        situation.cpus == 1 && !situation.thorough && self.computes() && !brief
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

    /// Whether it failed inputs that would have succeeded with fewer at once: more than chance does, where some fail anyhow.
    pub(super) fn is_refused(&self) -> bool {
        self.refused
    }

    /// Whether it was measured, and did not fail inputs for want of room on the other side.
    pub(super) fn is_sound(&self) -> bool {
        !self.is_refused() && self.rate().is_finite()
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

/// Whether a setting is refused what those with fewer at once are not, which are not refused themselves.
fn is_refused(slices: &[Slice], model: Model, concurrency: usize) -> bool {
    let mut all = BTreeMap::<(usize, Model), Ended>::new();
    for slice in slices.iter().filter(|slice| slice.counts()) {
        if let Some(model) = slice.model {
            all.entry((slice.concurrency, model))
                .or_default()
                .add(slice);
        }
    }
    let mut fewer = Ended::default();
    for (setting, ended) in all {
        let refused = ended.fails_more_than(fewer);
        if setting == (concurrency, model) {
            return refused;
        }
        if !refused {
            fewer = fewer.and(ended);
        }
    }
    false
}

impl Ended {
    fn add(&mut self, slice: &Slice) {
        let (attempts, failed) = slice.attempts();
        *self = self.and(Self { attempts, failed });
    }

    fn and(self, other: Self) -> Self {
        Self {
            attempts: self.attempts + other.attempts,
            failed: self.failed + other.failed,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more digits than a float has"
    )]
    fn share(self) -> f64 {
        self.failed as f64 / self.attempts.max(1) as f64
    }

    /// The difference of two shares, in standard errors of their common share.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more digits than a float has"
    )]
    fn fails_more_than(self, other: Self) -> bool {
        if other.attempts == 0 || self.failed < 2 {
            return false;
        }
        let common = self.and(other).share();
        let each = 1.0 / self.attempts as f64 + 1.0 / other.attempts as f64;
        let error = (common * (1.0 - common) * each).sqrt();
        let more = self.share() - other.share();
        more > MORE_FAILURES && more > BY_CHANCE * error
    }
}

/// Of a model's settings the smallest concurrency that is nearly as good as its best. What failed inputs for want of room
/// on the other side does not count.
pub(super) fn smallest_nearly_best<'a, 'b>(
    settings: &'b [Setting<'a>],
    model: Model,
) -> Option<&'b Setting<'a>> {
    let sound = |one: &&Setting<'a>| one.model == model && one.is_sound();
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
pub(super) fn inputs_of(situation: &Situation) -> f64 {
    const MANY: f64 = 1e6;
    situation.inputs.map_or(MANY, inputs_f64)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a product of them needs no more digits than a float has"
)]
pub(super) fn inputs_f64(inputs: u64) -> f64 {
    inputs as f64
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

    #[test]
    fn what_is_refused_and_tried_again_is_refused() {
        let slice = |model, concurrency, retried| Slice {
            model: Some(model),
            concurrency,
            inputs: 100,
            retried,
            rate_per_s: 100.0,
            ..Slice::default()
        };
        let slices = [
            slice(Model::Sequential, 1, 0),
            slice(Model::Async, 8, 0),
            slice(Model::Async, 16, 25),
        ];
        let settings = Setting::all(&slices);
        let refused: Vec<bool> = settings.iter().map(Setting::is_refused).collect();
        assert_eq!(refused, [false, false, true]);
        assert!((settings[2].failed_share() - 0.2).abs() < 1e-9);
    }

    #[test]
    fn slow_ones_among_many_decide_nothing_by_chance() {
        // One lane met none of the slow ones, two lanes met some.
        let slice = |model, concurrency: usize, (run_s, run_sd_s): (f64, f64)| {
            let lanes_s = 30.0 * run_s / f64::from(u32::try_from(concurrency).unwrap());
            Slice {
                model: Some(model),
                concurrency,
                inputs: 30,
                wall_s: lanes_s,
                lanes_s,
                rate_per_s: 30.0 / lanes_s,
                run_s,
                run_sd_s,
                run_median_s: 0.001,
                ..Slice::default()
            }
        };
        let slices = [
            slice(Model::Sequential, 1, (0.001, 0.0001)),
            slice(Model::Threads, 2, (0.05, 0.2)),
        ];
        let one = Setting::sequential(&slices).unwrap();
        let two = Setting::of(&slices, Model::Threads, 2).unwrap();
        assert!((two.rate() / one.rate() - 2.0).abs() < 1e-9);
    }

    /// A pause of the machine in every thousand of them is a heavy tail, and says nothing of inputs.
    #[test]
    fn of_what_is_tiny_the_counted_rate_stands() {
        let slice = |model, concurrency, (rate_per_s, run_s, run_sd_s)| Slice {
            model: Some(model),
            concurrency,
            inputs: 90_000,
            wall_s: 0.1,
            rate_per_s,
            run_s,
            run_sd_s,
            run_median_s: 3e-7,
            ..Slice::default()
        };
        let slices = [
            slice(Model::Sequential, 1, (6.3e5, 3e-7, 1e-5)),
            slice(Model::Async, 4, (8.6e5, 4e-7, 2e-5)),
        ];
        let one = Setting::sequential(&slices).unwrap();
        let four = Setting::of(&slices, Model::Async, 4).unwrap();
        let gain = four.rate() / one.rate();
        assert!((gain - 8.6 / 6.3).abs() < 0.01, "{gain}");
    }

    /// A slice as it was measured: its setting and inputs, rate and time, and the mean, the middle, the deviation and the longest of
    /// its attempts.
    fn slice(
        (model, concurrency, inputs): (Model, usize, u64),
        (rate_per_s, lanes_s): (f64, f64),
        [run_s, run_median_s, run_sd_s, run_max_s]: [f64; 4],
    ) -> Slice {
        Slice {
            model: Some(model),
            concurrency,
            inputs,
            wall_s: lanes_s,
            lanes_s,
            rate_per_s,
            run_s,
            run_median_s,
            run_sd_s,
            run_max_s,
            ..Slice::default()
        }
    }

    #[test]
    fn lanes_that_wait_for_each_other_are_no_slow_inputs() {
        // Transactions that wait for one another's lock, and selections that wait for a processor, as they were measured.
        use Model::{Sequential, Threads};
        let inserts = [
            slice(
                (Sequential, 1, 983),
                (2659.0, 0.37),
                [0.000375, 0.000379, 0.00013, 0.0029],
            ),
            slice(
                (Threads, 2, 187),
                (3032.0, 0.0622),
                [0.000646, 0.00028, 0.00453, 0.0621],
            ),
            slice(
                (Threads, 32, 187),
                (3343.0, 0.0561),
                [0.009645, 0.000252, 0.0198, 0.0818],
            ),
        ];
        let selections = [
            slice(
                (Sequential, 1, 40_000),
                (100_000.0, 0.4),
                [6e-6, 5.7e-6, 4e-5, 0.004],
            ),
            slice(
                (Threads, 2, 40_000),
                (152_000.0, 0.26),
                [8e-6, 5.8e-6, 5e-5, 0.005],
            ),
            slice(
                (Threads, 32, 40_000),
                (125_000.0, 0.31),
                [2.5e-4, 6e-6, 9e-4, 0.012],
            ),
        ];
        for (slices, expected) in [(inserts, 3343.0), (selections, 125_000.0)] {
            let many = Setting::of(&slices, Threads, 32).unwrap();
            assert!(
                (many.rate() / expected - 1.0).abs() < 0.05,
                "{}",
                many.rate()
            );
        }
    }

    /// Transactions of an interpreter's function, as they were measured: with eight lanes it is plain that they wait for each other.
    #[test]
    fn few_lanes_that_wait_are_told_by_many() {
        use Model::{Processes, Sequential, Threads};
        let slices = [
            slice(
                (Sequential, 1, 157),
                (780.0, 0.2013),
                [0.00121, 0.00116, 0.0003, 0.0035],
            ),
            slice(
                (Processes, 2, 66),
                (646.0, 0.1022),
                [0.00297, 0.00139, 0.0118, 0.0972],
            ),
            slice(
                (Threads, 2, 70),
                (793.0, 0.0883),
                [0.00272, 0.00115, 0.0126, 0.1063],
            ),
            slice(
                (Threads, 8, 56),
                (605.0, 0.0926),
                [0.01366, 0.00143, 0.0247, 0.1065],
            ),
            slice(
                (Processes, 8, 54),
                (581.0, 0.0929),
                [0.01453, 0.00159, 0.0301, 0.127],
            ),
        ];
        let one = Setting::sequential(&slices).unwrap();
        let two = Setting::of(&slices, Threads, 2).unwrap();
        let gain = two.rate() / one.rate();
        assert!(gain < 1.2, "{gain}");
    }

    #[test]
    fn chance_refuses_nobody() {
        let slice = |model, inputs, failed| Slice {
            model: Some(model),
            concurrency: 2,
            inputs,
            failed,
            run_s: 0.1,
            rate_per_s: 1.0,
            ..Slice::default()
        };
        for (alone, beside, expected) in [
            ((30, 2), (12, 3), false),
            ((30, 0), (12, 1), false),
            ((60, 0), (8, 2), true),
            ((30, 4), (60, 40), true),
        ] {
            let slices = [
                slice(Model::Sequential, alone.0, alone.1),
                slice(Model::Threads, beside.0, beside.1),
            ];
            let two = Setting::of(&slices, Model::Threads, 2).unwrap();
            assert_eq!(two.is_refused(), expected, "{alone:?} {beside:?}");
        }
    }
}
