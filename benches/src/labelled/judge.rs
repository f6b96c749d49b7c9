//! What is tried, which setting is the best of what was measured, and whether advice is as good: pure functions.

use serde::{Deserialize, Serialize};
use triway_core::Model;
use triway_measure::report::{ArmReport, Comparison};

/// What advice has to reach of the best throughput.
pub(super) const AS_GOOD: f64 = 0.90;
/// How much longer than the best fixed choice a job under `-m auto` may take.
pub(super) const AUTO_LONGER: f64 = 1.15;
/// What a first look may be wrong by: whoever seems slower than the best by more than this is not measured whole.
const FIRST_LOOK: f64 = 1.5;
/// How many are measured whole.
const FINALISTS: usize = 6;
/// Up to so many at once a few inputs take long.
const NARROW: usize = 8;

/// A model at a concurrency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Setting {
    pub(super) model: Model,
    pub(super) concurrency: usize,
}

impl Setting {
    pub(super) fn new(model: Model, concurrency: usize) -> Self {
        Self { model, concurrency }
    }

    /// As `--models` reads it.
    pub(super) fn arm(self) -> String {
        match self.model {
            Model::Sequential => self.model.to_string(),
            model => format!("{model}@{}", self.concurrency),
        }
    }
}

/// A setting and the seconds that the whole job takes under it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) setting: Setting,
    pub(super) total_s: f64,
}

/// Every setting that is tried, few at once apart from many: each part has inputs that suit it.
pub(super) fn ladder(most: usize, inputs: u64) -> [Vec<Setting>; 2] {
    let most = most.min(usize::try_from(inputs).unwrap_or(usize::MAX));
    let rungs = [2, 4, 8, 16, 32, 64, 128, 256];
    let rungs = rungs.into_iter().filter(|rung| *rung <= most);
    let on = |model| rungs.clone().map(move |rung| Setting::new(model, rung));
    let processes = on(Model::Processes).filter(|it| it.concurrency <= 8);
    let all = [Setting::new(Model::Sequential, 1)].into_iter();
    let all = all.chain(on(Model::Threads)).chain(on(Model::Async));
    let parts: (Vec<_>, Vec<_>) = all
        .chain(processes)
        .partition(|it| it.concurrency <= NARROW);
    parts.into()
}

/// What each arm takes for all inputs, reckoned from those that it had. Who failed inputs that others did not, or gave other
/// results, is no choice.
pub(super) fn sound(comparison: &Comparison) -> Vec<Measured> {
    comparison
        .models
        .iter()
        .filter_map(|arm| measured(comparison, arm))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn measured(comparison: &Comparison, arm: &ArmReport) -> Option<Measured> {
    if arm.skipped.is_some() || arm.unranked.is_some() {
        return None;
    }
    let total = arm.total_s?.median;
    let total_s = match comparison.sampled {
        None => total,
        Some(had) => {
            let times = comparison.inputs as f64 / had as f64;
            arm.startup_s? + arm.wall_s?.median * times
        }
    };
    Some(Measured {
        setting: Setting::new(arm.model, arm.concurrency),
        total_s,
    })
}

/// Those that may be the best, by a first look at all.
pub(super) fn finalists(mut looked: Vec<Measured>) -> Vec<Setting> {
    looked.sort_by(|one, other| one.total_s.total_cmp(&other.total_s));
    let least = looked.first().map_or(0.0, |it| it.total_s);
    let near = looked
        .iter()
        .filter(|it| it.total_s <= FIRST_LOOK * least)
        .take(FINALISTS);
    near.map(|it| it.setting).collect()
}

/// The one that takes least.
pub(super) fn best(measured: &[Measured]) -> Option<Measured> {
    measured
        .iter()
        .copied()
        .min_by(|one, other| one.total_s.total_cmp(&other.total_s))
}

/// The best's total over the advised one's, side by side; 0 where what is advised fails inputs or could not run.
pub(super) fn ratio(side: &Comparison, best: Setting, advised: Setting) -> f64 {
    let sound = sound(side);
    let total = |setting| {
        let found = sound.iter().find(|it| it.setting == setting);
        found.map(|it| it.total_s)
    };
    match (total(best), total(advised)) {
        (Some(best), Some(advised)) => best / advised,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_has_no_more_lanes_than_inputs() {
        let [narrow, wide] = ladder(256, 40);
        let arms = |settings: &[Setting]| settings.iter().map(|it| it.arm()).collect::<Vec<_>>();
        assert_eq!(
            arms(&wide),
            ["threads@16", "threads@32", "async@16", "async@32"]
        );
        assert_eq!(narrow.len(), 1 + 3 * 3);
    }

    #[test]
    fn finalists_are_near_the_best() {
        let one = |concurrency, total_s| Measured {
            setting: Setting::new(Model::Threads, concurrency),
            total_s,
        };
        let found = finalists(vec![one(2, 4.0), one(4, 2.0), one(8, 1.4), one(16, 1.5)]);
        let found: Vec<_> = found.iter().map(|it| it.concurrency).collect();
        assert_eq!(found, [8, 16, 4]);
    }
}
