//! How long probing may take, and what lanes may cost to be looked at.
//!
//! Whoever asks for advice has said how long that may take. A job that is to be done has to be done the sooner for having been
//! probed: what is spent on it is reckoned from how long the rest of it takes.

use triway_core::Model;

use super::{
    durations::{BRIEF_S, HAND_OVER_COUNTS_S},
    setting::{Setting, inputs_f64},
    slice::{Situation, Slice},
};

/// After this share of all seconds no other probe begins.
const END: f64 = 0.9;
/// Seconds of a probe, and what part of the rest of the job it takes where that is long. Attempts that wait are as long one time
/// as another, and few of them at once get next to nothing done, so these are never looked at for longer.
const BRIEFEST_S: f64 = 0.08;
const LONGEST_S: f64 = 0.3;
const PART: f64 = 0.01;
/// Brief attempts that do not compute all the time may be done so many times as quickly with lanes that nobody has tried yet, which
/// leaves less of the job than it seems, and there are enough of them in less time. So are they of what is tiny, where more lanes are
/// to be tried of each model.
const MAY_GAIN: f64 = 8.0;
/// What part of the rest all probes take, and how many times the usual budget at most.
const ALL_PARTS: f64 = 0.15;
const MOST_BUDGETS: f64 = 3.0;
/// And how many attempts one after the other that is at least, and at most, where they take seconds.
const LEAST_LONG: f64 = 3.0;
const MOST_LONG: f64 = 6.0;
/// Lanes that start sooner than this are always worth a look, except those that were looked at, and fewer of what was looked at with
/// more.
const SOON_S: f64 = 0.25;
/// What part of the rest the start of lanes may take: of another model, of one where attempts wait, of more lanes where attempts wait, do both, or compute, which
/// gains little by them, and of what may do as well as what is known, so that the job asks for less.
const OTHER_MODEL: f64 = 0.15;
const OTHER_THAT_WAITS: f64 = 0.4;
const MORE_THAT_WAIT: f64 = 0.25;
const MORE_THAT_DO_BOTH: f64 = 0.1;
const MORE_THAT_COMPUTE: f64 = 0.02;
const AS_WELL: f64 = 0.005;
/// Looks that share what is left are no briefer than this.
const LEAST_SHARE_S: f64 = 0.02;
/// How long a job takes of which nobody knows how many inputs it has.
const UNKNOWN_S: f64 = 10.0;

/// What may be spent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Seconds of one probe.
    pub(super) probe_s: f64,
    /// The same of one that decides between what is nearly as good.
    pub(super) final_s: f64,
    /// Seconds that are left of those that all probes may take.
    pub(super) left_s: f64,
    /// Seconds that are left until no other probe begins.
    until_over_s: f64,
    /// Whether half of it is gone.
    pub(super) is_half_over: bool,
    /// Whether so little is left that no other probe begins.
    pub(super) is_over: bool,
    /// Seconds of the rest of the job under the best that is known; none where only probes count.
    rest_s: Option<f64>,
}

/// What lanes are to be started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    OtherModel,
    /// The same, of attempts that wait: many at once may gain many times as much.
    OtherThatWaits,
    /// Another model, that may do as well as one that is known, and hardly better.
    AsWell,
    /// More lanes of a model, of attempts that wait.
    MoreThatWait,
    /// The same, of attempts that compute as well.
    MoreThatDoBoth,
    /// The same, of attempts that do nothing else.
    MoreThatCompute,
    /// Fewer than the best has, that may do as well.
    Fewer,
    /// What was looked at before.
    Again,
}

impl Allowance {
    /// With so many inputs left, after so many seconds.
    pub(super) fn of(situation: &Situation, slices: &[Slice], left: u64, elapsed_s: f64) -> Self {
        let rest_s = (!situation.thorough).then(|| rest_s(situation, slices, left));
        let (probe_s, final_s, budget_s, spent_s) = match rest_s {
            None => {
                let probe_s = (situation.budget_s / 20.0).clamp(0.02, 1.0);
                (probe_s, probe_s, situation.budget_s, elapsed_s)
            }
            Some(rest) => {
                let alone = Setting::sequential(slices);
                let probe_s = match &alone {
                    Some(alone) if alone.waits() => BRIEFEST_S,
                    Some(alone) if may_gain(alone) => {
                        part_of(rest.min(inputs_f64(left) / (MAY_GAIN * alone.rate())))
                    }
                    _ => part_of(rest),
                };
                let long = alone.map_or(0.0, |it| it.run());
                let most = (MOST_BUDGETS * situation.budget_s).max(MOST_LONG * long);
                let least = situation.budget_s.max(LEAST_LONG * long);
                let budget_s = (ALL_PARTS * rest).clamp(least, most);
                // Of what lanes cost to be started is judged by itself.
                let started = slices.iter().filter(|slice| !slice.on_same_lanes);
                let starts: f64 = started.map(|slice| slice.startup_s).sum();
                let spent_s = (elapsed_s - starts).max(0.0);
                (probe_s, part_of(rest), budget_s, spent_s)
            }
        };
        Self {
            probe_s,
            final_s,
            left_s: budget_s - spent_s,
            until_over_s: END * budget_s - spent_s,
            is_half_over: spent_s > 0.5 * budget_s,
            is_over: spent_s > END * budget_s,
            rest_s,
        }
    }

    /// Seconds of each of these looks, so that there is time for all of them.
    pub(super) fn share_s(&self, slices: &[Slice], looks: &[(Model, usize)]) -> f64 {
        let starts: f64 = looks.iter().map(|it| startup_s(slices, *it)).sum();
        let starts = if self.rest_s.is_some() { 0.0 } else { starts };
        let looks = u32::try_from(looks.len()).unwrap_or(u32::MAX);
        let share = (self.until_over_s - starts) / f64::from(looks.max(1));
        share.clamp(LEAST_SHARE_S.min(self.final_s), self.final_s)
    }

    /// Whether lanes may be started for this, to judge by those that were.
    pub(super) fn affords(&self, slices: &[Slice], setting: (Model, usize), start: Start) -> bool {
        self.affords_all(slices, [setting], start)
    }

    /// Whether all of these may be, one after the other.
    pub(super) fn affords_all(
        &self,
        slices: &[Slice],
        settings: impl IntoIterator<Item = (Model, usize)>,
        start: Start,
    ) -> bool {
        let Some(rest) = self.rest_s else {
            return true;
        };
        let part = match start {
            Start::OtherModel => OTHER_MODEL,
            Start::OtherThatWaits => OTHER_THAT_WAITS,
            Start::MoreThatWait => MORE_THAT_WAIT,
            Start::MoreThatDoBoth => MORE_THAT_DO_BOTH,
            Start::MoreThatCompute => MORE_THAT_COMPUTE,
            Start::AsWell | Start::Fewer | Start::Again => AS_WELL,
        };
        let soon = match start {
            Start::Fewer | Start::Again => 0.0,
            _ => SOON_S,
        };
        let settings = settings.into_iter();
        let starts: f64 = settings.map(|it| startup_s(slices, it)).sum();
        starts <= (part * rest).max(soon)
    }
}

/// Seconds of a probe where so many are left.
fn part_of(rest_s: f64) -> f64 {
    (PART * rest_s).clamp(BRIEFEST_S, LONGEST_S)
}

fn may_gain(alone: &Setting<'_>) -> bool {
    alone.run() < HAND_OVER_COUNTS_S || (alone.run() < BRIEF_S && !alone.computes())
}

/// Seconds that the rest of a job takes under the best that is known.
fn rest_s(situation: &Situation, slices: &[Slice], left: u64) -> f64 {
    let settings = Setting::all(slices);
    let sound = settings.iter().filter(|it| it.is_sound());
    let best = sound.map(Setting::rate).fold(0.0, f64::max);
    match situation.inputs {
        Some(_) if best > 0.0 => inputs_f64(left) / best,
        _ => UNKNOWN_S,
    }
}

/// Seconds that these lanes take to start: each process some, so that more of them take longer.
#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio needs no more digits than a float has"
)]
fn startup_s(slices: &[Slice], (model, concurrency): (Model, usize)) -> f64 {
    let began = || slices.iter().filter(|slice| slice.counts());
    let same = began().filter(|slice| slice.model == Some(model));
    let nearest = same.max_by_key(|slice| slice.concurrency);
    let Some(nearest) = nearest.or_else(|| began().next_back()) else {
        return 0.0;
    };
    let times = match (nearest.model, model) {
        (Some(Model::Processes), Model::Processes) => {
            concurrency as f64 / nearest.concurrency as f64
        }
        _ => 1.0,
    };
    times * nearest.startup_s
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(model: Model, concurrency: usize, (rate_per_s, startup_s): (f64, f64)) -> Slice {
        Slice {
            model: Some(model),
            concurrency,
            inputs: 100,
            wall_s: 100.0 / rate_per_s,
            rate_per_s,
            startup_s,
            run_s: 1e-3,
            ..Slice::default()
        }
    }

    fn quick(inputs: u64) -> Situation {
        Situation {
            inputs: Some(inputs),
            budget_s: 2.0,
            thorough: false,
            ..Situation::bare(2)
        }
    }

    #[test]
    fn what_starts_slowly_is_not_what_the_budget_is_spent_on() {
        let slices = [slice(Model::Sequential, 1, (1000.0, 1.9))];
        let allowance = Allowance::of(&quick(1000), &slices, 900, 2.0);
        assert!(!allowance.is_over, "{allowance:?}");
        assert!((allowance.left_s - 1.9).abs() < 1e-9, "{allowance:?}");
    }

    #[test]
    fn lanes_that_stay_were_started_once() {
        let first = slice(Model::Async, 2, (1000.0, 1.0));
        let second = Slice {
            on_same_lanes: true,
            ..slice(Model::Async, 8, (1000.0, 1.0))
        };
        let alone = slice(Model::Sequential, 1, (1000.0, 1.0));
        let allowance = Allowance::of(&quick(1000), &[alone, first, second], 700, 2.5);
        assert!((allowance.left_s - 1.5).abs() < 1e-9, "{allowance:?}");
    }

    #[test]
    fn a_long_job_is_looked_at_for_longer() {
        let slices = [slice(Model::Sequential, 1, (1000.0, 0.0))];
        for (left, probe_s, budget_s) in
            [(1000, 0.08, 2.0), (20_000, 0.2, 3.0), (1_000_000, 0.3, 6.0)]
        {
            let allowance = Allowance::of(&quick(left + 100), &slices, left, 0.0);
            let found = (allowance.probe_s, allowance.left_s);
            assert!((found.0 - probe_s).abs() < 1e-9, "{left}: {allowance:?}");
            assert!((found.1 - budget_s).abs() < 1e-9, "{left}: {allowance:?}");
        }
    }

    /// Forty seconds one at a time may be five with many lanes; of what computes, twenty.
    #[test]
    fn what_may_gain_many_times_as_much_is_looked_at_briefly() {
        let seconds = |share, run_s| {
            let alone = Slice {
                cpu_s: Some(100.0 * share * run_s),
                run_s,
                ..slice(Model::Sequential, 1, (10_000.0, 0.0))
            };
            let allowance = Allowance::of(&quick(400_100), &[alone], 400_000, 0.0);
            (allowance.probe_s, allowance.final_s)
        };
        let tiny = (0.9, 1e-5, 0.08);
        for (share, run_s, expected) in
            [(0.5, 1e-4, 0.08), (0.9, 1e-4, 0.3), (0.5, 1e-2, 0.3), tiny]
        {
            let (found, at_last) = seconds(share, run_s);
            assert!((found - expected).abs() < 1e-9, "{share} {run_s}: {found}");
            assert!((at_last - 0.3).abs() < 1e-9, "{share} {run_s}: {at_last}");
        }
    }

    #[test]
    fn lanes_are_started_where_that_may_pay() {
        let slices = [
            slice(Model::Sequential, 1, (1000.0, 0.5)),
            slice(Model::Processes, 2, (2000.0, 0.5)),
        ];
        let affords = |left: u64, setting, start| {
            let situation = quick(left + 200);
            Allowance::of(&situation, &slices, left, 0.0).affords(&slices, setting, start)
        };
        let eight = (Model::Processes, 8);
        // Ten seconds are left, and eight processes take two to start.
        assert!(!affords(20_000, eight, Start::MoreThatCompute));
        assert!(affords(20_000, eight, Start::MoreThatWait));
        assert!(affords(200_000, eight, Start::MoreThatCompute));
        assert!(!affords(20_000, (Model::Threads, 2), Start::AsWell));
        assert!(affords(20_000, (Model::Threads, 2), Start::OtherModel));
        assert!(!affords(20_000, (Model::Threads, 2), Start::Again));
        assert!(affords(300_000, (Model::Threads, 2), Start::Again));
        assert!(!affords(2000, (Model::Threads, 2), Start::OtherModel));
        // Three starts of half a second, one after the other.
        let all = [
            (Model::Sequential, 1),
            (Model::Threads, 2),
            (Model::Processes, 2),
        ];
        let affords_all = |left: u64| {
            let allowance = Allowance::of(&quick(left + 200), &slices, left, 0.0);
            allowance.affords_all(&slices, all, Start::OtherModel)
        };
        assert!(affords_all(21_000));
        assert!(!affords_all(19_000));
        let thorough = Situation::bare(2);
        assert!(Allowance::of(&thorough, &slices, 0, 0.0).affords(
            &slices,
            eight,
            Start::OtherModel
        ));
    }
}
