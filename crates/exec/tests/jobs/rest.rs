//! What several inputs owe a side that they share: rest when it asks for it, a time between two starts; and what is told
//! of attempts that were not the last.

use std::{num::NonZeroUsize, time::Duration};

use triway_core::{Model, Outcome};
use triway_exec::Job;

use crate::{
    Test,
    limits::plan,
    tasks::{Act, BUSY, Script, ended},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "rest::who_wants_to_be_left_alone_is",
        who_wants_to_be_left_alone_is,
    ),
    (
        "rest::a_wait_that_the_plan_forbids_costs_that_input_alone",
        a_wait_that_the_plan_forbids_costs_that_input_alone,
    ),
    (
        "rest::starts_under_one_key_are_apart",
        starts_under_one_key_are_apart,
    ),
    (
        "rest::a_permit_is_waited_for_before_the_run",
        a_permit_is_waited_for_before_the_run,
    ),
    (
        "rest::failed_attempts_are_recorded_one_by_one",
        failed_attempts_are_recorded_one_by_one,
    ),
];

const LANES: usize = 4;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn ask(host: u8) -> Act {
    Act::Ask {
        host,
        ready_at: 1,
        wait: 0,
    }
}

fn of_host(outcomes: &[Outcome<Act, u64>], wanted: u8) -> Vec<&Outcome<Act, u64>> {
    let is_of = |act: &Act| matches!(act, Act::Ask { host, .. } if *host == wanted);
    let mut found: Vec<_> = outcomes.iter().filter(|one| is_of(&one.input)).collect();
    found.sort_by_key(|outcome| outcome.started);
    found
}

/// The first input finds its host busy; forty others want the same host, four want another. Nobody gave a limit by key.
fn who_wants_to_be_left_alone_is() {
    for model in Model::ALL {
        let mut plan = plan(model, LANES);
        plan.retry.retries = 1;
        plan.retry.base = millis(1);
        let busy = Act::Ask {
            host: 1,
            ready_at: 2,
            wait: 600,
        };
        let inputs = [vec![busy], vec![ask(1); 40], vec![ask(2); 4]].concat();
        let done = ended(Job::new(Script::default(), inputs).plan(plan).run());
        assert_eq!(done.summary.succeeded, 45, "{model}");
        let first = done.sink.iter().find(|one| one.index == 0).unwrap();
        let tried = &first.tried[0];
        assert_eq!((first.attempts, &tried.failure.kind), (2, &BUSY));
        let until = tried.started + tried.run + millis(600);
        assert!(first.started >= until, "{model}: {:?}", first.started);
        let asked = |host| {
            let of_host = of_host(&done.sink, host).into_iter();
            of_host.filter(|one| one.started < until).count()
        };
        // What was on its way cannot be called back; without rest, a lane would ask about thirty times.
        assert!(asked(1) <= 2 * LANES, "{model}: asked {} times", asked(1));
        assert_eq!(asked(2), 4, "{model}: the other host is not held up");
    }
}

fn a_wait_that_the_plan_forbids_costs_that_input_alone() {
    for model in Model::ALL {
        let mut plan = plan(model, LANES);
        plan.retry.retries = 3;
        let busy = Act::Ask {
            host: 1,
            ready_at: 9,
            wait: 3_600_000,
        };
        let inputs = [vec![busy], vec![ask(1); 60], vec![ask(2); 4]].concat();
        let done = ended(Job::new(Script::default(), inputs).plan(plan).run());
        let first = done.sink.iter().find(|one| one.index == 0).unwrap();
        let error = first.error.as_ref().unwrap();
        assert_eq!((first.attempts, &error.kind), (1, &BUSY), "{model}");
        assert!(error.message.contains("longer than the 300s"), "{error}");
        let others = done.sink.iter().filter(|one| one.index > 0);
        for outcome in others {
            assert!(outcome.is_ok(), "{model}: {:?}", outcome.error);
        }
        assert_eq!(done.sink.len(), 65, "{model}");
    }
}

fn starts_under_one_key_are_apart() {
    for model in Model::ALL {
        let mut plan = plan(model, LANES);
        plan.key_interval = Some(millis(100));
        // One that fails is tried again, and that is a start as well.
        plan.retry.retries = 1;
        plan.retry.base = millis(1);
        let failing = Act::Ask {
            host: 1,
            ready_at: 2,
            wait: 0,
        };
        let inputs = [vec![failing], vec![ask(1); 4], vec![ask(2)]].concat();
        let done = ended(Job::new(Script::default(), inputs).plan(plan).run());
        assert_eq!(done.summary.succeeded, 6, "{model}");
        let of_host = of_host(&done.sink, 1);
        let retried = of_host.iter().flat_map(|one| &one.tried);
        let mut starts: Vec<_> = of_host.iter().map(|one| one.started).collect();
        starts.extend(retried.map(|tried| tried.started));
        starts.sort();
        assert_eq!(starts.len(), 6);
        for pair in starts.windows(2) {
            // A lane that was slow to begin the one may be quick to begin the next.
            let apart = pair[1] - pair[0];
            assert!(apart >= millis(80), "{model}: {apart:?} apart");
        }
        let other = of_host_started(&done.sink, 2);
        assert!(other < starts[1], "{model}: another host waits for nobody");
    }
}

fn of_host_started(outcomes: &[Outcome<Act, u64>], host: u8) -> Duration {
    of_host(outcomes, host)[0].started
}

/// Four inputs wait for a permit each, for their turn, or for the pace; none of that is their run.
fn a_permit_is_waited_for_before_the_run() {
    for model in Model::ALL {
        for limit in ["per key", "key interval", "rate"] {
            let mut plan = plan(model, LANES);
            match limit {
                "per key" => plan.per_key = NonZeroUsize::new(1),
                "key interval" => plan.key_interval = Some(millis(150)),
                _ => plan.rate = Some("7/s".parse().unwrap()),
            }
            let act = match limit {
                "per key" => Act::Sleep(150),
                _ => Act::Double(1),
            };
            let done = ended(
                Job::new(Script::default(), vec![act.clone(); 4])
                    .plan(plan)
                    .run(),
            );
            let mut outcomes = done.sink;
            outcomes.sort_by_key(|outcome| outcome.started);
            for (before, outcome) in outcomes.iter().enumerate() {
                let waited = millis(120 * before as u64);
                assert!(
                    outcome.queued >= waited,
                    "{model} {limit}: queued {:?} behind {before}",
                    outcome.queued
                );
                let most = if act == Act::Double(1) { 120 } else { 270 };
                assert!(
                    outcome.run < millis(most),
                    "{model} {limit}: ran {:?}",
                    outcome.run
                );
            }
        }
    }
}

fn failed_attempts_are_recorded_one_by_one() {
    for model in Model::ALL {
        let mut plan = plan(model, 2);
        plan.retry.retries = 2;
        plan.retry.base = millis(5);
        plan.keep_order = true;
        let inputs = [Act::SucceedAt(3), Act::Fail, Act::FailPermanently];
        let done = ended(Job::new(Script::default(), inputs).plan(plan).run());
        let lengths: Vec<_> = done.sink.iter().map(|one| one.tried.len()).collect();
        assert_eq!(lengths, [2, 2, 0], "{model}");
        let message = |tried: &triway_core::Tried| tried.failure.message.clone();
        let told = |at: usize| done.sink[at].tried.iter().map(message).collect::<Vec<_>>();
        assert_eq!(told(0), ["not yet", "not yet"], "{model}");
        assert_eq!(told(1), ["asked to fail", "asked to fail"], "{model}");
        for outcome in &done.sink {
            let mut ended = Duration::ZERO;
            for tried in &outcome.tried {
                assert!(tried.worker < 2 && tried.started >= ended, "{model}");
                ended = tried.started + tried.run;
            }
            assert!(outcome.started >= ended, "{model}");
        }
    }
}
