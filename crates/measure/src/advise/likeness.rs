//! What attempts are like that nothing disturbs, so that a slice which met more slow inputs than others can be told from one whose
//! lanes wait for each other.

use triway_core::Model;

use super::{durations::HAND_OVER_COUNTS_S, slice::Slice};

/// How much longer than alone an attempt may take beside others that it does not wait for.
const UNDISTURBED: f64 = 1.5;

/// Attempts whose standard deviation is more than this times their mean have a heavy tail.
const HEAVY: f64 = 1.0;

/// So many inputs have met some of the slow ones, if these decide.
const MANY: u64 = 200;

/// An attempt that takes so many times the longest that was seen alone is slow for another reason than those.
const SLOW: f64 = 4.0;

/// What chance does less often than this it did not do.
const RARELY: f64 = 0.05;

/// Means that are so many standard errors apart are not apart by chance.
const ERRORS: f64 = 3.0;

/// A slice with so many times fewer inputs than another of the same setting was brief.
const BRIEF: u64 = 8;

/// What attempts take that nothing disturbs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Likeness {
    /// One at a time: the mean, and the middle one; 0 where nobody looked.
    alone_s: f64,
    alone_median_s: f64,
    /// The square of the standard error of that mean.
    alone_variance: f64,
    /// One at a time: what passes between the end of one and the beginning of the next.
    alone_pause_s: f64,
    /// Where they differ so much that the few slow ones decide: the mean of all that were seen under any setting.
    common_s: Option<f64>,
}

impl Likeness {
    pub(super) fn of(slices: &[Slice]) -> Self {
        let counting = || slices.iter().filter(|slice| slice.counts());
        let alone = counting().filter(|slice| slice.model == Some(Model::Sequential));
        let alone = long_looks(alone.collect());
        let mut likeness = Self {
            alone_s: mean_of(&alone, |slice| slice.run_s),
            alone_median_s: mean_of(&alone, |slice| slice.run_median_s),
            alone_variance: variance_of_mean(&alone),
            alone_pause_s: mean_of(&alone, pause_s),
            common_s: None,
        };
        // With more lanes than two, attempts differ for other reasons as well.
        let first: Vec<&Slice> = counting().filter(|slice| slice.concurrency <= 2).collect();
        // Of what is tiny each slice has met enough of the slow ones, and handing it over takes longer than its attempts.
        if likeness.alone_s < HAND_OVER_COUNTS_S {
            return likeness;
        }
        // If it is inputs that are slow, and not lanes that wait for each other, some of many are so one at a time as well.
        let inputs: u64 = alone.iter().map(|slice| slice.inputs).sum();
        if has_heavy_tail(&alone) || (inputs < MANY && has_heavy_tail(&first)) {
            let undisturbed = counting().filter(|it| !likeness.is_disturbed(it));
            let undisturbed: Vec<&Slice> = undisturbed.collect();
            let alike = undisturbed.iter().copied();
            let alike: Vec<&Slice> = alike.filter(|it| likeness.is_by_chance(it)).collect();
            let common = mean_of(&alike, |slice| slice.run_s);
            // Where many lanes are told to wait for each other by their longest attempts, few may do so as well.
            let known = common.is_finite() && is_of_inputs(&alone, &undisturbed);
            likeness.common_s = known.then_some(common);
        }
        likeness
    }

    /// Whether lanes of a slice wait for each other, during attempts or between them.
    fn is_disturbed(&self, slice: &Slice) -> bool {
        self.attempts_wait(slice) || self.pauses_are_long(slice)
    }

    /// The middle attempt tells, for a slow input may be among them by chance.
    fn attempts_wait(&self, slice: &Slice) -> bool {
        match self.alone_median_s > 0.0 && slice.run_median_s > 0.0 {
            true => slice.run_median_s > UNDISTURBED * self.alone_median_s,
            false => slice.run_s > UNDISTURBED * self.alone_s,
        }
    }

    /// Threads of an interpreter wait for its lock between attempts, and attempts show nothing of it. Where a few slow ones decide,
    /// they decide how long all takes as well, so that this says less than the lanes do.
    fn pauses_are_long(&self, slice: &Slice) -> bool {
        let longer = pause_s(slice) - self.alone_pause_s;
        !has_heavy_tail(&[slice]) && longer > (UNDISTURBED - 1.0) * self.alone_s
    }

    /// Whether attempts take longer on average than alone by no more than chance may do: then inputs are slow, and not lanes
    /// that wait for each other.
    fn is_by_chance(&self, slice: &Slice) -> bool {
        let error = (self.alone_variance + variance_of_mean(&[slice])).sqrt();
        slice.run_s - self.alone_s <= ERRORS * error
    }

    /// Seconds that a slice's inputs take with all lanes busy. Where a few slow ones decide, each slice is taken to have met as
    /// many of them as all slices together.
    pub(super) fn busy_s(&self, slice: &Slice) -> f64 {
        let disturbed = self.is_disturbed(slice);
        let busy = slice.busy_s(disturbed);
        match self.common_s {
            Some(common) if !disturbed && slice.run_s > 0.0 && self.is_by_chance(slice) => {
                busy * common / slice.run_s
            }
            _ => busy,
        }
    }
}

/// What passes in a lane between the end of an attempt and the beginning of the next; 0 where nobody looked.
#[expect(
    clippy::cast_precision_loss,
    reason = "a mean needs no more digits than a float has"
)]
fn pause_s(slice: &Slice) -> f64 {
    let each = slice.attempts().0 as f64 / slice.concurrency.max(1) as f64;
    (slice.lanes_s / each.max(1.0) - slice.run_s).max(0.0)
}

/// Whether it may be by chance that one at a time met none of the slow ones: each of them might as well have been among those.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more digits than a float has"
)]
fn is_of_inputs(alone: &[&Slice], undisturbed: &[&Slice]) -> bool {
    let longest = alone.iter().map(|slice| slice.run_max_s);
    let longest = longest.fold(0.0, f64::max);
    let inputs = |slice: &Slice| slice.inputs as f64;
    // Those that are no longer than the longest alone take so much at most; the rest of the time is that of longer ones.
    let slow = |slice: &Slice| match slice.run_max_s > SLOW * longest {
        true => (inputs(slice) * (slice.run_s - longest) / slice.run_max_s).max(1.0),
        false => 0.0,
    };
    let beside = undisturbed.iter();
    let beside = beside.filter(|slice| slice.model != Some(Model::Sequential));
    let slow: f64 = beside.clone().map(|slice| slow(slice)).sum();
    let others: f64 = beside.map(|slice| inputs(slice)).sum();
    let all = others + alone.iter().map(|slice| inputs(slice)).sum::<f64>();
    (others / all).powf(slow) >= RARELY
}

/// Beside longer looks a brief one says nothing.
pub(super) fn long_looks(mut slices: Vec<&Slice>) -> Vec<&Slice> {
    let most = slices.iter().map(|slice| slice.inputs).max().unwrap_or(0);
    slices.retain(|slice| slice.inputs > most / BRIEF);
    slices
}

/// Whether a few slow ones among the attempts of some slice decide.
pub(super) fn has_heavy_tail(slices: &[&Slice]) -> bool {
    let mut slices = slices.iter();
    slices.any(|slice| slice.run_sd_s > HEAVY * slice.run_s)
}

/// The mean over all inputs of all slices: where inputs differ, each slice has met others.
#[expect(
    clippy::cast_precision_loss,
    reason = "a mean needs no more digits than a float has"
)]
pub(super) fn mean_of(slices: &[&Slice], of: impl Fn(&Slice) -> f64) -> f64 {
    let inputs: u64 = slices.iter().map(|slice| slice.inputs).sum();
    let weighed = slices.iter().map(|it| it.inputs as f64 * of(it));
    weighed.sum::<f64>() / inputs as f64
}

/// The square of the standard error of such a mean of attempts.
#[expect(
    clippy::cast_precision_loss,
    reason = "a variance needs no more digits than a float has"
)]
fn variance_of_mean(slices: &[&Slice]) -> f64 {
    let inputs: u64 = slices.iter().map(|slice| slice.inputs).sum();
    let squares = slices
        .iter()
        .map(|slice| slice.inputs as f64 * slice.run_sd_s.powi(2));
    squares.sum::<f64>() / (inputs as f64).powi(2)
}
