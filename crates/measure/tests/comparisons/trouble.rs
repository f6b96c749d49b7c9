//! Arms that fail, differ, die or hang, and comparisons that cannot run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use triway_core::{Context, Failure, Forms, Task};
use triway_measure::{Compare, CompareError, Progress, arms};

use crate::probe::{Probe, arm, compare, report};

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "an_arm_that_is_not_like_the_others_is_not_ranked",
        an_arm_that_is_not_like_the_others_is_not_ranked,
    ),
    (
        "outcomes_that_change_by_themselves_rank_nobody",
        outcomes_that_change_by_themselves_rank_nobody,
    ),
    (
        "an_output_that_cannot_be_serialised_fails_alone",
        an_output_that_cannot_be_serialised_fails_alone,
    ),
    ("where_all_failed_nobody_wins", where_all_failed_nobody_wins),
    ("a_trial_that_hangs_is_killed", a_trial_that_hangs_is_killed),
    ("stopping_is_prompt", stopping_is_prompt),
    ("what_cannot_run_says_why", what_cannot_run_says_why),
];

fn an_arm_that_is_not_like_the_others_is_not_ranked() {
    for (probe, reason, differences) in [
        (
            Probe::OtherWhenAsync,
            "its outcomes differ from those of sequential, for 7 inputs",
            7,
        ),
        (
            Probe::FailsWhenAsync,
            "its outcomes differ from those of sequential, for 7 inputs",
            7,
        ),
        (
            Probe::DiesWhenAsync,
            "a trial gave no figures: its process died (signal: 6 (SIGABRT)",
            0,
        ),
    ] {
        let got = report(probe, 10, "sequential,async,threads");
        let differing = arm(&got, "async");
        let told = differing.unranked.as_deref().unwrap_or_default();
        assert!(told.starts_with(reason), "{probe:?}: {told}");
        assert!(!got.results_equal, "{probe:?}");
        assert_eq!(got.differences.len(), differences, "{probe:?}");
        assert_eq!(differing.speedup, None);
        assert_eq!(got.models[2].id, "async", "ranked ones come first");
        assert!(arm(&got, "threads").unranked.is_none(), "{probe:?}");
        assert!(
            got.verdict.contains("async is not ranked: "),
            "{}",
            got.verdict
        );
    }
}

fn outcomes_that_change_by_themselves_rank_nobody() {
    let got = report(Probe::Clock, 3, "sequential,threads");
    assert!(!got.results_equal);
    assert_eq!(got.winner, None);
    let reason = arm(&got, "threads").unranked.as_deref();
    assert_eq!(
        reason,
        Some("its outcomes differ between its own rounds, for 3 inputs")
    );
    let difference = &got.differences[0];
    assert_eq!(difference.reference.id, difference.differing.id);
}

/// Gives its input back in a form that cannot be written down where it is 3 and was made by the blocking form.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Unwritable;

#[derive(Deserialize)]
pub(crate) struct Refuses(u64, bool);

impl Serialize for Refuses {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.1 {
            return Err(S::Error::custom(format!("{} has no form", self.0)));
        }
        (self.0, self.1).serialize(to)
    }
}

impl Task for Unwritable {
    type Input = u64;
    type Output = Refuses;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), input: &u64, _: &Context<'_>) -> Result<Refuses, Failure> {
        Ok(Refuses(*input, *input == 3))
    }

    async fn run_async(
        &self,
        (): &mut (),
        input: &u64,
        _: &Context<'_>,
    ) -> Result<Refuses, Failure> {
        Ok(Refuses(*input, false))
    }
}

fn an_output_that_cannot_be_serialised_fails_alone() {
    let arms = arms::parse("sequential,processes,async", 2.try_into().unwrap()).unwrap();
    let comparison = Compare::new(Unwritable, 0..5).arms(arms).rounds(2);
    let got = comparison.run(|_| {}).unwrap();
    for id in ["sequential", "processes"] {
        let arm = arm(&got, id);
        assert_eq!((arm.succeeded, arm.failed), (Some(4), Some(1)), "{arm:#?}");
    }
    let [difference] = &got.differences[..] else {
        panic!("one difference: {got:#?}");
    };
    assert_eq!(difference.index, 3);
    assert_eq!(
        difference.reference.outcome,
        "failed error: the output cannot be serialised: 3 has no form"
    );
    assert_eq!(difference.differing.outcome, "ok [3,false]");
}

fn where_all_failed_nobody_wins() {
    let got = report(Probe::Fails, 5, "sequential,threads,async");
    assert_eq!((got.winner.as_deref(), got.results_equal), (None, true));
    assert_eq!(arm(&got, "async").failed, Some(5));
    let expected = "No winner: every input failed under every model, most often with `refused`.";
    assert_eq!(got.verdict, expected);
}

fn a_trial_that_hangs_is_killed() {
    let started = Instant::now();
    let budget = Duration::from_secs(1);
    let got = compare(Probe::HangsWhenAsync, 3, "sequential,async").budget(budget);
    let got = got.run(|_| {}).unwrap();
    let reason = arm(&got, "async").unranked.clone().unwrap_or_default();
    assert!(
        reason.contains("still not done after 1 s and was killed"),
        "{reason}"
    );
    // Two failed trials, and the arm is given no third one.
    assert!(started.elapsed() < 4 * budget, "{:?}", started.elapsed());
}

fn stopping_is_prompt() {
    let stop = Arc::new(AtomicBool::new(false));
    let mut asked = None;
    let comparison = compare(Probe::Wait(60_000), 4, "threads").stop_on(stop.clone());
    let got = comparison.run(|progress| {
        if matches!(progress, Progress::TrialStarted { .. }) {
            asked = Some(Instant::now());
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(matches!(got, Err(CompareError::Cancelled)), "{got:?}");
    assert!(asked.unwrap().elapsed() < Duration::from_secs(1));
}

#[derive(Serialize, Deserialize)]
struct Unknown;

impl Task for Unknown {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Blocking
    }
}

fn what_cannot_run_says_why() {
    let run = |comparison: Compare<Probe>| comparison.run(|_| {}).unwrap_err().to_string();
    let small = || compare(Probe::Wait(1), 3, "threads");
    let unreadable = [Ok(1), Err(Failure::bad_input("line 2 is no number"))];
    for (got, expected) in [
        (run(small().arms(vec![])), "no model to compare"),
        (run(small().rounds(0)), "at least one round"),
        (run(small().sample(0)), "at least one"),
        (run(Compare::new(Probe::Fails, [])), "no inputs"),
        (
            run(Compare::of_readable(Probe::Fails, unreadable)),
            "line 2 is no number",
        ),
        (
            Compare::new(Unknown, [1])
                .run(|_| {})
                .unwrap_err()
                .to_string(),
            "triway::init",
        ),
    ] {
        assert!(got.contains(expected), "{got}");
    }
}
