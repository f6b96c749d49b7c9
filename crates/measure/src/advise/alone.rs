//! Where one input at a time is all that was measured: why, and whether that is advice.

use triway_core::Model;

use super::{
    allowance::Allowance,
    durations::NOT_WORTH_PROBING_S,
    setting::Setting,
    slice::{Situation, Slice},
};
use crate::figures::time;

/// Why nothing else was measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Alone {
    /// The task runs under no other model.
    NoOther,
    /// No more than one at once was wanted.
    OneAsked,
    /// Inputs came more slowly than one lane works them off.
    Starved,
    /// The whole, or what is left of it, is done in so many seconds.
    Little(&'static str, f64),
    /// An input computes for all of its time, and there is one processor.
    OneProcessor,
    /// Those that were tried did not begin.
    Refused(String),
    /// So many inputs are left, fewer than were to be at once.
    FewInputs(u64),
    /// Time was up.
    Time,
    /// It ended before that, because somebody wanted an end or the next look would have taken too long.
    Ended,
}

impl Alone {
    pub(super) fn of(
        situation: &Situation,
        slices: &[Slice],
        sequential: &Setting<'_>,
        executed: u64,
    ) -> Self {
        let mut others = situation.models.iter().filter(|it| it.refused.is_none());
        let no_other = !others.any(|it| it.model != Model::Sequential);
        let least = 2.min(situation.most_concurrency);
        let two = situation.fixed_concurrency.unwrap_or(least);
        let rest = situation.inputs.map(|all| all.saturating_sub(executed));
        let little = little(situation, sequential, rest);
        let refused = slices.iter().find_map(|slice| slice.refused.clone());
        let needed = u64::try_from(two).unwrap_or(u64::MAX);
        match () {
            () if no_other => Self::NoOther,
            () if two < 2 => Self::OneAsked,
            // Inputs that come more slowly than one lane does them need no second one.
            () if slices.iter().any(|slice| slice.starved) && executed >= 3 => Self::Starved,
            // A job that is to be done has to go on somehow, and one input says so much.
            () if (executed >= 3 || !situation.thorough) && little.is_some() => {
                little.unwrap_or(Self::Time)
            }
            () if sequential.has_no_choice(situation) => Self::OneProcessor,
            () if refused.is_some() => Self::Refused(refused.unwrap_or_default()),
            () if over(situation, slices, rest) => Self::Time,
            () => match rest {
                Some(rest) if rest < needed => Self::FewInputs(rest),
                _ => Self::Ended,
            },
        }
    }

    /// Whether one at a time is advised for this reason.
    pub(super) fn is_advice(&self) -> bool {
        matches!(
            self,
            Self::NoOther | Self::OneAsked | Self::Starved | Self::Little(..) | Self::OneProcessor
        )
    }

    /// One sentence.
    pub(super) fn verdict(
        &self,
        situation: &Situation,
        sequential: &Setting<'_>,
        executed: u64,
    ) -> String {
        let each = time(sequential.run());
        let cannot = format!(
            "I cannot tell: {executed} input{} ({each} each) {} executed",
            if executed == 1 { "" } else { "s" },
            if executed == 1 { "was" } else { "were" }
        );
        match self {
            Self::NoOther => {
                "One input after the other: there is no other model that can run it.".to_owned()
            }
            Self::OneAsked => {
                "One input after the other: no more than one at once was wanted, which leaves no choice."
                    .to_owned()
            }
            Self::Starved => format!(
                "One input after the other: inputs came more slowly than one lane does them ({each} each), so a second one \
                 would have nothing to do."
            ),
            Self::Little(what, seconds) => format!(
                "One input after the other: at {each} an input, {what} takes {}, and there is nothing to gain.",
                time(*seconds)
            ),
            Self::OneProcessor => format!(
                "One input after the other: an input computes for all of its time ({each}), and there is one processor."
            ),
            Self::Refused(why) => format!("{cannot}, and what else was tried did not begin: {why}."),
            Self::FewInputs(left) => format!(
                "{cannot}, and {} for any other model to be tried.",
                match left {
                    0 => "none was left".to_owned(),
                    1 => "one more is too few".to_owned(),
                    left => format!("{left} more are too few"),
                }
            ),
            Self::Ended if !situation.thorough => format!(
                "{cannot}, and the start of another model takes too much of what is left of this job; -m names one."
            ),
            Self::Ended => format!(
                "{cannot}, and probing ended before any other model was tried; a larger budget may tell."
            ),
            Self::Time if !situation.thorough => format!(
                "{cannot}, and no other model could be tried in the time that probing may take of this job; -m names one."
            ),
            Self::Time => format!(
                "{cannot}, and the budget of {} was too short for any other model to be tried; a larger one may tell.",
                time(situation.budget_s)
            ),
        }
    }
}

/// Whether there is too little to do for anything to be gained, with so many inputs left; nobody knows where nobody knows how many
/// there are.
#[expect(
    clippy::cast_precision_loss,
    reason = "a time needs no more digits than a float has"
)]
fn little(situation: &Situation, sequential: &Setting<'_>, rest: Option<u64>) -> Option<Alone> {
    let run = sequential.run();
    let takes = |what, inputs: u64| Alone::Little(what, inputs as f64 * run);
    let whole = takes("the whole job", situation.inputs?);
    let rest = rest.filter(|rest| *rest > 0);
    let rest = rest.map(|rest| takes("what is left", rest));
    // A job that is to be done is done before others of its lanes stand ready.
    let starts = match situation.thorough {
        true => 0.0,
        false => sequential.startup(),
    };
    let least = NOT_WORTH_PROBING_S.max(starts);
    let brief = |it: &Alone| matches!(it, Alone::Little(_, seconds) if *seconds < least);
    Some(whole).filter(brief).or(rest.filter(brief))
}

/// Whether probing took about as long as it may, with so many inputs left.
fn over(situation: &Situation, slices: &[Slice], rest: Option<u64>) -> bool {
    let started = slices.iter().filter(|it| !it.on_same_lanes);
    let starts: f64 = started.map(|it| it.startup_s).sum();
    let took = starts + slices.iter().map(|it| it.wall_s).sum::<f64>();
    match situation.thorough {
        true => took > 0.8 * situation.budget_s,
        // A job that is to be done has more time for it the longer it takes, and starts are judged by themselves.
        false => Allowance::of(situation, slices, rest.unwrap_or(u64::MAX), took).is_over,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            recommend,
            slice::Candidate,
            strategy::{self, Step},
        },
        *,
    };

    fn situation(inputs: Option<u64>) -> Situation {
        let able = [Model::Sequential, Model::Threads];
        Situation {
            inputs,
            models: able
                .map(|model| Candidate {
                    model,
                    refused: None,
                })
                .into(),
            ..Situation::bare(2)
        }
    }

    fn alone(inputs: u64, run_s: f64) -> Slice {
        Slice {
            model: Some(Model::Sequential),
            concurrency: 1,
            inputs,
            wall_s: 0.5,
            rate_per_s: 1.0 / run_s,
            run_s,
            ..Slice::default()
        }
    }

    #[track_caller]
    fn check(situation: &Situation, slices: &[Slice], advised: bool, says: &str) {
        let advice = recommend(situation, slices);
        assert_eq!(
            (
                advice.recommendation.is_some(),
                advice.verdict.contains(says)
            ),
            (advised, true),
            "{says}: {}",
            advice.verdict
        );
    }

    #[test]
    fn each_reason_is_said_as_it_is() {
        let usual = situation(Some(1000));
        let slow = [alone(5, 0.5)];
        let only = Situation {
            models: Vec::new(),
            ..usual.clone()
        };
        let fixed = Situation {
            fixed_concurrency: Some(1),
            ..usual.clone()
        };
        let starved = [Slice {
            starved: true,
            ..alone(5, 0.5)
        }];
        let refused = [
            alone(5, 0.5),
            Slice {
                model: Some(Model::Threads),
                concurrency: 2,
                refused: Some("no thread could be started".to_owned()),
                ..Slice::default()
            },
        ];
        let brief = Situation {
            budget_s: 0.5,
            ..usual.clone()
        };
        check(&only, &slow, true, "no other model");
        check(&fixed, &slow, true, "no more than one at once was wanted");
        check(&usual, &starved, true, "inputs came more slowly");
        check(
            &situation(Some(10)),
            &[alone(5, 0.001)],
            true,
            "nothing to gain",
        );
        check(&usual, &refused, false, "no thread could be started");
        check(&situation(Some(6)), &slow, false, "one more is too few");
        check(&situation(Some(5)), &slow, false, "none was left");
        check(&brief, &slow, false, "the budget of 500 ms was too short");
        check(
            &usual,
            &slow,
            false,
            "ended before any other model was tried",
        );
    }

    #[test]
    fn a_job_goes_on_as_it_is_where_it_ends_before_others_would_begin() {
        let slow_start = Slice {
            startup_s: 1.0,
            ..alone(10, 0.004)
        };
        let job = |inputs| Situation {
            thorough: false,
            ..situation(Some(inputs))
        };
        let slices = [slow_start];
        let start = "the start of another model takes too much";
        check(&job(100), &slices, true, "nothing to gain");
        check(&job(1000), &slices, false, start);
        // Nobody knows how many more are to come.
        let endless = Situation {
            inputs: None,
            ..job(0)
        };
        check(&endless, &slices, false, start);
        check(&job(10), &[alone(2, 0.005)], true, "nothing to gain");
        // Starts are not what the time for probing goes into.
        let brief = Situation {
            budget_s: 2.0,
            ..job(1000)
        };
        let [mut slices] = slices;
        slices.startup_s = 1.6;
        let longer = Slice {
            on_same_lanes: true,
            ..slices.clone()
        };
        check(&brief, &[slices.clone(), longer], false, start);
        slices.wall_s = 1.9;
        let no_time = "in the time that probing may take of this job";
        check(&brief, &[slices], false, no_time);
    }

    /// A long job has more time for probing, of which this is not the end.
    #[test]
    fn the_time_for_probing_is_that_of_the_job() {
        let long = Situation {
            budget_s: 2.0,
            thorough: false,
            ..situation(Some(100_000))
        };
        let slices = Slice {
            startup_s: 70.0,
            wall_s: 1.9,
            ..alone(10, 0.004)
        };
        check(&long, &[slices], false, "the start of another model");
    }

    #[test]
    fn what_else_there_is_to_know_is_said_as_well() {
        let mut situation = situation(Some(1000));
        situation.noise = 0.2;
        situation.cpus = 1;
        situation.models.push(Candidate {
            model: Model::Async,
            refused: Some("it is not async".to_owned()),
        });
        let advice = recommend(&situation, &[alone(5, 0.5)]);
        for says in [
            "noisy",
            "one processor",
            "async was left out: it is not async",
        ] {
            let said = advice.notes.iter().any(|note| note.contains(says));
            assert!(said, "{says}: {:?}", advice.notes);
        }
    }

    /// By chance two lanes may seem to do more.
    #[test]
    fn on_one_processor_nothing_gains_that_computes() {
        let computes = |run_s| Slice {
            cpu_s: Some(100.0 * run_s),
            ..alone(100, run_s)
        };
        let one = |cpus, slice: &Slice| {
            let mut situation = situation(Some(10_000));
            (situation.cpus, situation.thorough) = (cpus, false);
            let next = strategy::next(&situation, std::slice::from_ref(slice), 0.5);
            (situation, next == Step::Done)
        };
        let slow = computes(0.01);
        let (situation, done) = one(1, &slow);
        assert!(done);
        check(
            &situation,
            std::slice::from_ref(&slow),
            true,
            "there is one processor",
        );
        assert!(!one(2, &slow).1);
        assert!(!one(1, &alone(100, 0.01)).1);
    }
}
