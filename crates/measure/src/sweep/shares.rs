//! How many inputs each concurrency gets: whole waves of its lanes, enough of them, and about the same time for each.
//!
//! With as many inputs for all, a concurrency of 1 would take nearly all of the time wherever inputs wait. So those that
//! are slow get fewer, and all get as many as there are where the budget allows that. Inputs come in full waves, as many
//! in each as there are lanes, because a last one of a few stragglers would look like a concurrency that does not pay.

use std::time::Duration;

use crate::{
    arms::Arm,
    schedule::{Extent, Prediction, Wish},
};

/// How many waves make a figure: with fewer, the first moments and the last stragglers decide.
pub(super) const WAVES: u64 = 4;

/// How many inputs the narrowest get at least, if there are so many.
const FEWEST: u64 = 8;

/// Why a concurrency is not measured where there are so many inputs.
pub(super) fn refuse(arm: &Arm, inputs: u64) -> Option<String> {
    let lanes = arm.concurrency.get() as u64;
    (inputs < lanes).then(|| {
        let has = if inputs == 1 {
            "input has"
        } else {
            "inputs have"
        };
        format!("{inputs} {has} no use for {lanes} lanes")
    })
}

/// Whether so many inputs are too few for so many lanes to tell anything.
pub(super) fn too_few(inputs: u64, lanes: u64) -> bool {
    inputs < WAVES.saturating_mul(lanes)
}

/// What each arm gets; `lanes` are none for an arm that does not run.
pub(super) fn extent(wish: &Wish, arms: &[Prediction], lanes: &[u64]) -> Extent {
    let ladder: Vec<(Prediction, u64)> = arms.iter().copied().zip(lanes.iter().copied()).collect();
    let each = |share: &dyn Fn(Prediction, u64) -> u64| -> Vec<u64> {
        let of = |(arm, lanes): &(Prediction, u64)| match *lanes {
            0 => 0,
            lanes => waves(share(*arm, lanes), lanes),
        };
        ladder.iter().map(of).collect()
    };
    let most = |lanes: u64| waves(wish.inputs, lanes);
    let least = |lanes: u64| WAVES.saturating_mul(lanes).max(FEWEST).min(most(lanes));
    let within = |slice: Duration| {
        each(&|arm: Prediction, lanes: u64| affordable(arm, slice).clamp(least(lanes), most(lanes)))
    };
    let round = |inputs: &[u64]| -> Duration {
        let took = ladder
            .iter()
            .zip(inputs)
            .map(|((arm, _), inputs)| arm.of(*inputs));
        took.fold(Duration::ZERO, Duration::saturating_add)
    };
    let fewest = u32::try_from(wish.rounds.fewest).unwrap_or(u32::MAX).max(1);
    let budget = wish.budget.map(|budget| budget / fewest);
    let fits = |inputs: &[u64]| budget.is_none_or(|budget| round(inputs) <= budget);
    let mut inputs = each(&|_, lanes| most(lanes));
    if let Some(budget) = budget.filter(|_| !fits(&inputs)) {
        // The longest slice with which a round fits, to a thousandth of the budget and better.
        let (mut fitting, mut too_long) = (Duration::ZERO, budget);
        for _ in 0..20 {
            let slice = (fitting + too_long) / 2;
            match fits(&within(slice)) {
                true => fitting = slice,
                false => too_long = slice,
            }
        }
        inputs = within(fitting);
    }
    let took = round(&inputs);
    let rounds = wish.rounds.within(wish.budget, took);
    Extent {
        rounds,
        duration: took.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX)),
        over_budget: !fits(&inputs),
        inputs,
    }
}

/// So many inputs, less those of a last wave that would not be full.
fn waves(inputs: u64, lanes: u64) -> u64 {
    inputs - inputs % lanes
}

/// How many inputs take so long.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a prediction needs no more digits than a float has, and the cast saturates"
)]
fn affordable(arm: Prediction, slice: Duration) -> u64 {
    let left = slice.saturating_sub(arm.fixed).as_secs_f64();
    (left / arm.per_input.as_secs_f64().max(1e-12)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Rounds;

    const MS: Duration = Duration::from_millis(1);

    /// Inputs that wait for 100 ms each, at concurrencies of 1, 8 and 64.
    fn waiting(inputs: u64, budget: Option<u64>) -> Extent {
        let lanes = [1, 8, 64];
        let arms = lanes.map(|lanes| Prediction {
            fixed: 10 * MS,
            per_input: 100 * MS / lanes,
        });
        let wish = Wish {
            inputs,
            rounds: Rounds::exactly(10),
            budget: budget.map(Duration::from_secs),
            fewest: 64,
        };
        extent(&wish, &arms, &lanes.map(u64::from))
    }

    #[test]
    fn all_inputs_in_whole_waves_where_the_budget_allows() {
        assert_eq!(waiting(1000, None).inputs, [1000, 1000, 960]);
        assert_eq!(waiting(1000, Some(2000)).inputs, [1000, 1000, 960]);
        assert_eq!(waiting(70, None).inputs, [70, 64, 64]);
    }

    #[test]
    fn slow_ones_get_fewer_where_it_does_not() {
        for (budget, over) in [(200, false), (60, false), (10, true)] {
            let extent = waiting(1000, Some(budget));
            let [one, eight, many] = *extent.inputs else {
                panic!("{extent:?}");
            };
            assert!(one < eight && eight < many, "{extent:?}");
            assert!(eight.is_multiple_of(8) && many.is_multiple_of(64));
            assert!(one >= 8 && eight >= 32 && many >= 256, "{extent:?}");
            assert_eq!(extent.over_budget, over, "{extent:?}");
            let least = Duration::from_secs(if over { 0 } else { budget * 3 / 4 });
            assert!(extent.duration >= least, "{extent:?}");
        }
    }

    #[test]
    fn one_that_does_not_run_gets_none() {
        let wish = Wish {
            inputs: 10,
            rounds: Rounds::exactly(1),
            budget: Some(MS),
            fewest: 1,
        };
        let arms = [Prediction::default(); 3];
        assert_eq!(extent(&wish, &arms, &[1, 4, 0]).inputs, [10, 8, 0]);
        assert!(extent(&wish, &[], &[]).inputs.is_empty());
    }

    #[test]
    fn fewer_inputs_than_lanes_are_refused_and_fewer_than_some_waves_are_few() {
        let arm = |lanes: usize| Arm::new(triway_core::Model::Async, lanes.try_into().unwrap());
        assert_eq!(refuse(&arm(4), 4), None);
        let why = refuse(&arm(5), 4).unwrap();
        assert_eq!(why, "4 inputs have no use for 5 lanes");
        assert!(too_few(15, 4) && !too_few(16, 4));
    }
}
