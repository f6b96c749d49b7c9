//! One model at rising concurrency: how throughput and latency follow, where that stops paying, and how many at once are
//! enough.
//!
//! A sweep is set up as a comparison is; its arms are one model at each concurrency of a [`Ladder`]. Only the arithmetic
//! of what follows is its own.

mod conclusion;
mod failures;
pub mod knee;
pub mod ladder;
mod law;
mod points;
pub mod report;
mod shares;
pub mod usl;
mod verdict;

use triway_core::Model;
use triway_exec::restart::Portable;

pub use self::ladder::{Ladder, LadderError};
use self::{conclusion::conclude, points::points, report::Sweep};
use crate::{
    arms::Arm,
    compare::{Compare, CompareError},
    evidence::{Layout, Order},
    inward, machine,
    progress::Progress,
};

/// As many inputs for each concurrency as the budget allows, in an order of which every beginning is like the whole.
const LAYOUT: Layout = Layout {
    refuse: shares::refuse,
    extent: shares::extent,
    order: Order::Spread,
};

impl Ladder {
    /// This model at each of the concurrencies.
    #[must_use]
    pub fn arms(&self, model: Model) -> Vec<Arm> {
        self.rungs().map(|rung| Arm::new(model, rung)).collect()
    }
}

impl<T: Portable> Compare<T> {
    /// Runs all trials, as [`Compare::run`] does, and reports how the arms follow from each other: one model at rising
    /// concurrency, as [`Ladder::arms`] gives it. Whoever is slow gets fewer inputs, where not all fit into the budget.
    ///
    /// # Errors
    /// As for [`Compare::run`]; or the arms are no such thing.
    pub fn sweep(self, tell: impl FnMut(Progress<'_>)) -> Result<Sweep, CompareError> {
        let model = rising(self.chosen()).ok_or(CompareError::NoSweep)?;
        let gathered = self.gather(LAYOUT, tell)?;
        let (courses, evidence) = (gathered.courses, gathered.evidence);
        let measured = points(&courses, &evidence).map_err(CompareError::Results)?;
        let conclusion = conclude(model, &measured);
        let mut notes = evidence.notes.clone();
        notes.extend(conclusion.notes);
        let arms = courses.iter().map(|course| course.report(None));
        notes.extend(inward::notes(&arms.collect::<Vec<_>>()));
        Ok(Sweep {
            schema: 1,
            task: gathered.task,
            inputs: evidence.inputs,
            sampled: evidence.sampled(),
            rounds: evidence.rounds,
            machine: machine::describe(),
            options: gathered.options,
            model,
            runtime_threads: (model == Model::Async)
                .then(|| evidence.runtime_threads.unwrap_or_else(machine::cpus)),
            results_equal: measured.results_equal,
            differences: measured.differences,
            points: measured.points,
            fit: conclusion.fit,
            no_fit: conclusion.no_fit,
            knee: conclusion.knee,
            recommended: conclusion.recommended,
            verdict: conclusion.verdict,
            notes,
        })
    }
}

/// The model of arms that are one model at rising concurrency, two at least.
fn rising(arms: &[Arm]) -> Option<Model> {
    let model = arms.first()?.model;
    let rises = |pair: &[Arm]| pair[1].model == model && pair[0].concurrency < pair[1].concurrency;
    (arms.len() > 1 && arms.windows(2).all(rises)).then_some(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arms::parse;

    #[test]
    fn a_sweep_is_one_model_at_rising_concurrency() {
        for (list, expected) in [
            ("async@1,async@2,async@8", Some(Model::Async)),
            ("async@1", None),
            ("async@1,threads@2", None),
            ("async@2,async@1", None),
            ("async@2,async@2", None),
            ("sequential,sequential", None),
        ] {
            let arms = parse(list, std::num::NonZeroUsize::MIN).unwrap();
            assert_eq!(rising(&arms), expected, "{list}");
        }
        let ladder: Ladder = "1..8".parse().unwrap();
        assert_eq!(rising(&ladder.arms(Model::Threads)), Some(Model::Threads));
        assert_eq!(rising(&ladder.arms(Model::Sequential)), None);
    }
}
