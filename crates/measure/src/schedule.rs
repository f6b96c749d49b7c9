//! Which arm runs when, and how many inputs a comparison can afford.

use std::time::Duration;

/// What a warm-up says about an arm's trials to come.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prediction {
    /// What a trial takes however few its inputs: the process, start-up, writing down and reading back.
    pub fixed: Duration,
    /// What each input adds.
    pub per_input: Duration,
}

impl Prediction {
    /// How long a trial on so many inputs will take.
    #[must_use]
    pub fn of(&self, inputs: u64) -> Duration {
        duration(1, inputs, std::slice::from_ref(self))
    }
}

/// How many counted rounds a comparison may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// So many at least, whatever they take.
    pub fewest: usize,
    /// So many at most, as long as all of them together take no longer than [`Rounds::PATIENCE`].
    ///
    /// The number is fixed before the first counted round; to go on until a difference shows would find differences
    /// that are not there.
    pub most: usize,
}

impl Rounds {
    /// How long more than the fewest rounds may take. Short trials are the noisy ones, and can afford more rounds.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// Exactly so many.
    #[must_use]
    pub fn exactly(rounds: usize) -> Self {
        Self {
            fewest: rounds,
            most: rounds,
        }
    }

    /// As many as are within the patience where each takes so long.
    pub(crate) fn within(self, budget: Option<Duration>, round: Duration) -> usize {
        let patience = budget.unwrap_or(Self::PATIENCE).min(Self::PATIENCE);
        let takes = |rounds: usize| round.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
        (self.fewest..=self.most)
            .rev()
            .find(|&rounds| takes(rounds) <= patience)
            .unwrap_or(self.fewest)
    }
}

impl From<usize> for Rounds {
    fn from(rounds: usize) -> Self {
        Self::exactly(rounds)
    }
}

/// What is wanted of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    /// How many inputs there are.
    pub inputs: u64,
    /// Counted rounds.
    pub rounds: Rounds,
    /// How long they may take together; `None` for as long as it takes.
    pub budget: Option<Duration>,
    /// How many inputs a trial must have at least to mean anything: all lanes of the widest arm should have one.
    pub fewest: u64,
}

/// What the counted rounds will be.
#[derive(Debug, Clone, PartialEq)]
pub struct Extent {
    /// Counted rounds.
    pub rounds: usize,
    /// Inputs of a trial of each arm.
    pub inputs: Vec<u64>,
    /// How long all rounds will take.
    pub duration: Duration,
    /// Whether that is more than the budget, because fewer inputs would mean nothing.
    pub over_budget: bool,
}

/// The order of `arms` arms in a round: as given, but with another first place each round.
///
/// What disturbs the machine for a while (heat, a neighbour) so falls on every arm alike.
pub fn order(round: usize, arms: usize) -> impl Iterator<Item = usize> {
    (0..arms).map(move |place| (round + place) % arms)
}

impl Extent {
    /// Inputs of the trials that have most of them.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.inputs.iter().copied().max().unwrap_or(0)
    }
}

/// All inputs if the budget allows them, otherwise as many as fit, but never fewer than mean anything.
#[must_use]
pub fn extent(wish: &Wish, arms: &[Prediction]) -> Extent {
    let fits = |inputs: u64| {
        wish.budget
            .is_none_or(|budget| duration(wish.rounds.fewest, inputs, arms) <= budget)
    };
    let inputs = if fits(wish.inputs) {
        wish.inputs
    } else {
        affordable(wish, arms).max(wish.fewest).min(wish.inputs)
    };
    let rounds = wish.rounds.within(wish.budget, duration(1, inputs, arms));
    Extent {
        rounds,
        inputs: vec![inputs; arms.len()],
        duration: duration(rounds, inputs, arms),
        over_budget: !fits(inputs),
    }
}

/// How many inputs make the rounds as long as the budget.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a prediction needs no more digits than a float has, and the cast saturates"
)]
fn affordable(wish: &Wish, arms: &[Prediction]) -> u64 {
    let budget = wish.budget.unwrap_or(Duration::MAX).as_secs_f64();
    let fixed: f64 = arms.iter().map(|arm| arm.fixed.as_secs_f64()).sum();
    let per_input: f64 = arms.iter().map(|arm| arm.per_input.as_secs_f64()).sum();
    let left = (budget / wish.rounds.fewest.max(1) as f64 - fixed).max(0.0);
    // Rounded down, less a hair, so that the result fits when it is multiplied out again.
    (left / per_input.max(1e-12) * (1.0 - 1e-9)) as u64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a prediction needs no more digits than a float has"
)]
fn duration(rounds: usize, inputs: u64, arms: &[Prediction]) -> Duration {
    let round: f64 = arms
        .iter()
        .map(|arm| arm.fixed.as_secs_f64() + arm.per_input.as_secs_f64() * inputs as f64)
        .sum();
    Duration::try_from_secs_f64(round * rounds as f64).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn first_place_rotates_and_every_arm_runs_once_a_round() {
        let rounds: Vec<Vec<usize>> = (0..4).map(|round| order(round, 3).collect()).collect();
        assert_eq!(rounds, [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]);
        assert_eq!(order(5, 0).count(), 0);
    }

    #[test]
    fn inputs_are_as_many_as_the_budget_allows() {
        // Two arms of 5 ms and 1 ms an input, 2 ms each besides: 10 rounds of n inputs take 10 × (6n + 4) ms.
        let arm = |per_input| Prediction {
            fixed: 2 * MS,
            per_input,
        };
        let arms = [arm(5 * MS), arm(MS)];
        for (inputs, budget, fewest, expected, took, over) in [
            (100, None, 4, 100, 6040, false),
            (100, Some(6040), 4, 100, 6040, false),
            (100, Some(6039), 4, 99, 5980, false),
            (100, Some(640), 4, 9, 580, false),
            (100, Some(100), 4, 4, 280, true),
            (3, Some(1), 4, 3, 220, true),
        ] {
            let wish = Wish {
                inputs,
                rounds: Rounds::exactly(10),
                budget: budget.map(Duration::from_millis),
                fewest,
            };
            let got = extent(&wish, &arms);
            let rounded = got.duration.as_millis();
            assert_eq!(
                (got.inputs, rounded, got.over_budget),
                (vec![expected; 2], took, over),
                "{wish:?}"
            );
        }
    }

    #[test]
    fn short_rounds_are_repeated_more_often() {
        // One arm of 10 ms an input; 10 s of patience.
        let arm = Prediction {
            fixed: Duration::ZERO,
            per_input: 10 * MS,
        };
        for (inputs, budget, expected) in [
            (10, None, 25),
            (50, None, 20),
            (50, Some(5_000), 10),
            (50, Some(1_000), 7),
            (10_000, None, 7),
        ] {
            let wish = Wish {
                inputs,
                rounds: Rounds {
                    fewest: 7,
                    most: 25,
                },
                budget: budget.map(Duration::from_millis),
                fewest: 2,
            };
            assert_eq!(extent(&wish, &[arm]).rounds, expected, "{wish:?}");
        }
    }

    #[test]
    fn inputs_that_cost_nothing_always_fit() {
        let wish = Wish {
            inputs: u64::MAX,
            rounds: Rounds::exactly(7),
            budget: Some(MS),
            fewest: 4,
        };
        assert_eq!(extent(&wish, &[Prediction::default()]).most(), u64::MAX);
    }
}
