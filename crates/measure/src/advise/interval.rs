//! How sure a rate and a ratio of totals are.
//!
//! The logarithms of rates are taken to be normal. What is known of their variance is known from a few slices, so that the
//! intervals are Student's and not the normal ones; the degrees of freedom of a sum are those of Welch (1947).

use triway_core::Model;

use super::{setting::Setting, slice::Slice};
use crate::{report::Estimate, statistics::t_quantile};

/// How often an interval holds the true figure.
const LEVEL: f64 = 0.95;

/// A setting that the advised one may be as quick as.
#[derive(Debug, Clone)]
pub(super) struct Undecided {
    pub(super) model: Model,
    pub(super) concurrency: usize,
    /// How many times as quick the advised one is.
    pub(super) interval: [f64; 2],
    /// Whether the advised one asks for less.
    pub(super) is_simpler: bool,
}

/// How far the logarithm of a setting's rate may be from the true one.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    /// Its variance, as the slices tell it, and from how many differences.
    estimated: f64,
    freedom: f64,
    /// What the machine itself adds, which was looked at beforehand.
    noise: f64,
}

impl Doubt {
    /// Where a setting was measured several times, by what its slices differ, unless its attempts differ by more; else by what
    /// its attempts differ.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a variance needs no more digits than a float has"
    )]
    fn of(setting: &Setting<'_>, noise: f64) -> Self {
        let slices = setting.slices.len() as f64;
        let each = setting.slices.iter();
        let logs = each.map(|slice| rate_of(setting, slice).ln());
        let mean = logs.clone().sum::<f64>() / slices;
        let squares = logs.map(|log| (log - mean).powi(2)).sum::<f64>();
        let within = |slice: &&Slice| {
            let spread = slice.run_sd_s / slice.run_s;
            spread.powi(2) / slice.inputs as f64
        };
        let within = setting.slices.iter().map(within).sum::<f64>() / slices.powi(2);
        let between = squares / (slices - 1.0) / slices;
        let by_attempts = slices < 2.0 || within > between;
        let (estimated, freedom) = match by_attempts {
            true => (within, setting.inputs() as f64 - slices),
            false => (between, slices - 1.0),
        };
        Self {
            estimated,
            freedom: freedom.max(1.0),
            noise: noise.powi(2) / slices,
        }
    }

    /// How far, as a factor, the true figure may be to each side; `None` where that cannot be told.
    fn reach(doubts: &[Self]) -> Option<f64> {
        let sum = |of: fn(&Self) -> f64| doubts.iter().map(of).sum::<f64>();
        let variance = sum(|it| it.estimated + it.noise);
        let squares = sum(|it| it.estimated.powi(2) / it.freedom);
        // What differs in nothing has as many degrees as one likes.
        let freedom = (variance.powi(2) / squares).clamp(1.0, 1e6);
        let freedom = if squares > 0.0 { freedom } else { 1e6 };
        let standard = t_quantile(f64::midpoint(LEVEL, 1.0), freedom);
        let reach = (standard * variance.sqrt()).exp();
        reach.is_finite().then_some(reach)
    }
}

/// What one slice of a setting says of its rate.
fn rate_of<'a>(setting: &Setting<'a>, slice: &'a Slice) -> f64 {
    let mut one = setting.clone();
    one.slices = vec![slice];
    one.rate()
}

/// Where the true rate of a setting may be, where it was measured more than once.
pub(super) fn of_rate(setting: &Setting<'_>, noise: f64) -> Option<[f64; 2]> {
    let reach = Doubt::reach(&[Doubt::of(setting, noise)])?;
    let rate = setting.rate();
    (setting.slices.len() > 1 && rate.is_finite()).then(|| [rate / reach, rate * reach])
}

/// How many times as quick `one` is as `other`, for so many inputs; `None` where one of them is never done.
pub(super) fn of_ratio(
    one: &Setting<'_>,
    other: &Setting<'_>,
    (inputs, noise): (f64, f64),
) -> Option<Estimate> {
    let ratio = other.total(inputs) / one.total(inputs);
    let reach = Doubt::reach(&[Doubt::of(one, noise), Doubt::of(other, noise)]);
    let interval = reach.map(|reach| [ratio / reach, ratio * reach]);
    (ratio.is_finite() && ratio > 0.0).then(|| Estimate::new(ratio, interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(concurrency: usize, rate_per_s: f64) -> Slice {
        Slice {
            model: Some(match concurrency {
                1 => Model::Sequential,
                _ => Model::Threads,
            }),
            concurrency,
            inputs: 100,
            wall_s: 100.0 / rate_per_s,
            rate_per_s,
            run_s: 0.01,
            ..Slice::default()
        }
    }

    fn ratio(one: &[f64], other: &[f64], noise: f64) -> Option<Estimate> {
        let one = one.iter().map(|rate| slice(2, *rate));
        let other = other.iter().map(|rate| slice(1, *rate));
        let slices: Vec<Slice> = one.chain(other).collect();
        let one = Setting::of(&slices, Model::Threads, 2).unwrap();
        let other = Setting::sequential(&slices).unwrap();
        of_ratio(&one, &other, (1e9, noise))
    }

    /// By hand: of two slices each that differ by a tenth in their logarithms, each mean has a variance of 0.0025; together
    /// 0.005 with two degrees of freedom, of which the quantile is 4.3027.
    #[test]
    fn few_slices_leave_much_doubt() {
        let apart = 0.1_f64.exp();
        let told = ratio(&[100.0 * apart, 100.0], &[10.0 * apart, 10.0], 0.0).unwrap();
        let [low, high] = told.ci95.unwrap();
        let reach = (4.302_653 * 0.005_f64.sqrt()).exp();
        assert!((told.median - 10.0).abs() < 1e-6, "{told:?}");
        assert!((low - 10.0 / reach).abs() < 1e-4, "{told:?} {reach}");
        assert!((high - 10.0 * reach).abs() < 1e-4, "{told:?} {reach}");
        let more = ratio(
            &[100.0 * apart, 100.0, 100.0 * apart, 100.0],
            &[10.0 * apart, 10.0, 10.0 * apart, 10.0],
            0.0,
        );
        let [narrower, _] = more.unwrap().ci95.unwrap();
        assert!(narrower > low && narrower < 10.0);
    }

    #[test]
    fn what_differs_in_nothing_leaves_none_but_the_machines_own() {
        let told = ratio(&[100.0, 100.0], &[10.0, 10.0], 0.0).unwrap();
        assert_eq!(told.ci95, Some([told.median, told.median]));
        let noisy = ratio(&[100.0, 100.0], &[10.0, 10.0], 0.1).unwrap();
        let [low, _] = noisy.ci95.unwrap();
        // The noise was looked at beforehand, so its 0.1 is taken for known: 1.96 times of it.
        assert!(
            (low - told.median / 0.196_f64.exp()).abs() < 1e-3,
            "{noisy:?}"
        );
    }

    #[test]
    fn what_is_never_done_is_not_infinitely_slower() {
        assert_eq!(ratio(&[100.0, 100.0], &[0.0, 0.0], 0.0), None);
        assert_eq!(ratio(&[0.0], &[10.0], 0.0), None);
    }
}
