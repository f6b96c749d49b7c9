//! Limits of every kind: time, rate, keys, failures, retries, and stopping.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use triway_core::{Event, FailureLimit, Model, Outcome, Plan, Status, StopReason};
use triway_exec::{
    Job, Sink,
    stretch::{Asked, Course, Stretch},
};

use crate::{
    Test,
    models::lanes,
    tasks::{Act, Script, ended, within},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "limits::a_time_limit_ends_every_kind_of_wait",
        a_time_limit_ends_every_kind_of_wait,
    ),
    (
        "limits::what_never_returns_is_left_behind",
        what_never_returns_is_left_behind,
    ),
    (
        "limits::retries_are_counted_and_told",
        retries_are_counted_and_told,
    ),
    ("limits::a_rate_is_kept", a_rate_is_kept),
    ("limits::a_key_has_its_own_limit", a_key_has_its_own_limit),
    (
        "limits::too_many_failures_stop_the_job",
        too_many_failures_stop_the_job,
    ),
    ("limits::drain_finishes_what_runs", drain_finishes_what_runs),
    (
        "limits::abort_leaves_nothing_running",
        abort_leaves_nothing_running,
    ),
    ("limits::a_callers_token_aborts", a_callers_token_aborts),
    (
        "limits::each_of_several_tokens_aborts",
        each_of_several_tokens_aborts,
    ),
    (
        "limits::a_broken_sink_stops_the_job",
        a_broken_sink_stops_the_job,
    ),
    (
        "limits::the_source_is_not_read_ahead_of_slow_work",
        the_source_is_not_read_ahead_of_slow_work,
    ),
    (
        "limits::waiting_for_a_lane_takes_no_processor_time",
        waiting_for_a_lane_takes_no_processor_time,
    ),
    (
        "limits::a_steered_job_that_was_stopped_waits_without_processor_time",
        a_steered_job_that_was_stopped_waits_without_processor_time,
    ),
    (
        "limits::an_abort_is_heeded_after_another_stop",
        an_abort_is_heeded_after_another_stop,
    ),
    (
        "limits::later_holders_leave_other_lanes_alone",
        later_holders_leave_other_lanes_alone,
    ),
    (
        "limits::what_the_machine_lacks_costs_no_input",
        what_the_machine_lacks_costs_no_input,
    ),
];

pub(crate) fn plan(model: Model, concurrency: usize) -> Plan {
    let mut plan = Plan::new(model, lanes(concurrency));
    plan.grace = Duration::from_millis(200);
    plan
}

/// Twenty lanes want one of five pieces each; then there is none at all.
fn what_the_machine_lacks_costs_no_input() {
    for model in [Model::Threads, Model::Async] {
        let scarce = Act::Scarce {
            most: 5,
            millis: 10,
        };
        let job = Job::new(Script::default(), vec![scarce; 200]).plan(plan(model, 20));
        let run = || job.run_into(Watch::default()).wait().unwrap();
        let done = within(Duration::from_secs(10), run);
        assert_eq!(done.summary.succeeded, 200, "{model}");
        let outcomes = &done.sink.outcomes;
        assert!(outcomes.iter().all(|outcome| outcome.attempts == 1));
        let at_once = done.summary.at_once;
        assert!((3..=7).contains(&at_once), "{model}: {at_once} at once");
        let told = done.sink.events.iter().any(
            |event| matches!(event, Event::FewerLanes { wanted: 20, got, .. } if *got == at_once),
        );
        assert!(told, "{model}: {:?}", done.sink.events);

        let none = Act::Scarce { most: 0, millis: 0 };
        let job = Job::new(Script::default(), vec![none; 50]).plan(plan(model, 20));
        let done = within(Duration::from_secs(10), || job.run().wait().unwrap());
        assert_eq!((done.summary.failed, done.summary.at_once), (50, 1));
        assert!(done.sink.iter().all(|outcome| outcome.attempts == 1));

        let job = Job::new(Script::default(), [Act::Double(1)]).plan(plan(model, 20));
        let done = within(Duration::from_secs(10), || job.run().wait().unwrap());
        assert_eq!(done.summary.at_once, 20, "one input needs no more lanes");
    }
}

fn a_time_limit_ends_every_kind_of_wait() {
    for model in Model::ALL {
        let mut plan = plan(model, 4);
        plan.timeout = Some(Duration::from_millis(100));
        // The third comes back by itself, but late.
        let inputs = [
            Act::Sleep(5_000),
            Act::Polite,
            Act::Hold(170),
            Act::Double(1),
        ];
        let job = Job::new(Script::default(), inputs).plan(plan);
        let done = within(Duration::from_secs(3), || job.run().wait().unwrap());
        for outcome in &done.sink {
            let expected = match outcome.input {
                Act::Double(_) => Status::Ok,
                _ => Status::Timeout,
            };
            assert_eq!(outcome.status, expected, "{model} {:?}", outcome.input);
            assert!(
                outcome.run < Duration::from_millis(100 + 200 + 100),
                "{model} {:?}",
                outcome.run
            );
        }
        assert_eq!(done.sink.len(), 4);
    }
}

/// Two inputs hold their lanes for good, one of them on an async runtime of one thread; the others still succeed.
fn what_never_returns_is_left_behind() {
    for model in Model::ALL {
        let mut plan = plan(model, 2);
        plan.timeout = Some(Duration::from_millis(100));
        plan.runtime_threads = NonZeroUsize::new(1);
        let inputs = [Act::Hold(20_000), Act::Hold(20_000)]
            .into_iter()
            .chain((0..20).map(Act::Double));
        let job = Job::new(Script::default(), inputs).plan(plan);
        let done = within(Duration::from_secs(5), || job.run().wait().unwrap());
        let count = |status| {
            done.sink
                .iter()
                .filter(|outcome| outcome.status == status)
                .count()
        };
        assert_eq!(done.sink.len(), 22, "{model}");
        assert_eq!(count(Status::Timeout), 2, "{model}");
        assert_eq!(count(Status::Ok), 20, "{model}");
        let abandoned = match model {
            Model::Processes | Model::Hybrid => 0,
            _ => 2,
        };
        assert_eq!(done.summary.abandoned, abandoned, "{model}");
    }
}

/// Remembers events besides outcomes.
#[derive(Default)]
struct Watch {
    outcomes: Vec<Outcome<Act, u64>>,
    events: Vec<Event>,
}

impl Sink<Script> for Watch {
    fn outcome(&mut self, outcome: Outcome<Act, u64>) -> std::io::Result<()> {
        self.outcomes.push(outcome);
        Ok(())
    }

    fn event(&mut self, event: &Event) {
        self.events.push(event.clone());
    }
}

fn retries_are_counted_and_told() {
    for model in Model::ALL {
        let mut plan = plan(model, 2);
        plan.retry.retries = 2;
        plan.retry.base = Duration::from_millis(5);
        plan.keep_order = true;
        let inputs = [
            Act::SucceedAt(3),
            Act::Fail,
            Act::FailPermanently,
            Act::Double(1),
        ];
        let done = ended(
            Job::new(Script::default(), inputs)
                .plan(plan)
                .run_into(Watch::default()),
        );
        let attempts: Vec<u32> = done
            .sink
            .outcomes
            .iter()
            .map(|outcome| outcome.attempts)
            .collect();
        assert_eq!(attempts, [3, 3, 1, 1], "{model}");
        assert_eq!(done.summary.succeeded, 2);
        let retrying = |event: &&Event| matches!(event, Event::Retrying { .. });
        assert_eq!(done.sink.events.iter().filter(retrying).count(), 4);
    }
}

fn a_rate_is_kept() {
    for model in Model::ALL {
        let mut plan = plan(model, 4);
        plan.rate = Some("100/s".parse().unwrap());
        let done = ended(
            Job::new(Script::default(), (0..31).map(Act::Double))
                .plan(plan)
                .run(),
        );
        let mut starts: Vec<Duration> = done.sink.iter().map(|outcome| outcome.started).collect();
        starts.sort();
        let span = *starts.last().unwrap() - starts[0];
        // 30 intervals of 10 ms, less the catching up of 10 ms that the pace allows.
        assert!(span >= Duration::from_millis(285), "{model} took {span:?}");
    }
}

fn a_key_has_its_own_limit() {
    for model in Model::ALL {
        let mut plan = plan(model, 8);
        plan.per_key = NonZeroUsize::new(1);
        // Eight of one key, each 20 ms, and one of another key that need not wait for them.
        let inputs = std::iter::repeat_n(Act::Sleep(20), 8).chain([Act::Double(1)]);
        let done = ended(Job::new(Script::default(), inputs).plan(plan).run());
        let mut spans: Vec<(Duration, Duration)> = done
            .sink
            .iter()
            .filter(|outcome| outcome.input == Act::Sleep(20))
            .map(|outcome| (outcome.started, outcome.started + outcome.run))
            .collect();
        spans.sort();
        assert!(
            spans.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "{model} {spans:?}"
        );
        assert_eq!(done.summary.succeeded, 9);
    }
}

fn too_many_failures_stop_the_job() {
    for model in Model::ALL {
        let mut plan = plan(model, 2);
        plan.max_failures = Some(FailureLimit::Count(10));
        let done = ended(
            Job::new(Script::default(), std::iter::repeat(Act::Fail))
                .plan(plan)
                .run(),
        );
        let summary = done.summary;
        assert_eq!(summary.stopped, Some(StopReason::FailureLimit), "{model}");
        assert!(summary.failed > 10);
        assert_eq!(summary.admitted, summary.failed + summary.cancelled);
        assert_eq!(summary.unread_from, Some(summary.admitted));
        assert_eq!(done.sink.len() as u64, summary.admitted);
    }
}

fn drain_finishes_what_runs() {
    for model in Model::ALL {
        let job = Job::new(Script::default(), vec![Act::Sleep(200); 1000]).plan(plan(model, 4));
        let control = job.control();
        let asked = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            control.drain();
        });
        let done = within(Duration::from_secs(2), || job.run().wait().unwrap());
        asked.join().unwrap();
        let summary = done.summary;
        assert_eq!(summary.stopped, Some(StopReason::Drained), "{model}");
        let running = if model == Model::Sequential { 1 } else { 4 };
        assert_eq!((summary.succeeded, summary.failed), (running, 0), "{model}");
        assert_eq!(summary.succeeded + summary.cancelled, summary.admitted);
        assert!(
            summary.admitted < 100,
            "{model} read {} ahead",
            summary.admitted
        );
    }
}

fn abort_leaves_nothing_running() {
    for model in Model::ALL {
        let job = Job::new(Script::default(), vec![Act::Hold(3_000); 100]).plan(plan(model, 4));
        let control = job.control();
        let asked = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            control.drain();
            control.abort();
            Instant::now()
        });
        let done = ended(job.run());
        let took = asked.join().unwrap().elapsed();
        assert!(took < Duration::from_secs(1), "{model} took {took:?}");
        assert_eq!(done.summary.cancelled, done.summary.admitted, "{model}");
        assert_eq!(done.sink.len() as u64, done.summary.admitted);
    }
}

fn a_callers_token_aborts() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for model in Model::ALL {
        let token = CancellationToken::new();
        let job = Job::new(Script::default(), vec![Act::Polite; 100])
            .plan(plan(model, 2))
            .cancel_on(token.clone());
        let done = within(Duration::from_secs(2), || {
            runtime.block_on(async {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    token.cancel();
                });
                job.run().await.unwrap()
            })
        });
        assert_eq!(done.summary.stopped, Some(StopReason::Aborted), "{model}");
        assert_eq!(done.summary.cancelled, done.summary.admitted);
    }
}

fn each_of_several_tokens_aborts() {
    for cancelled in 0..3 {
        let tokens = [(); 3].map(|()| CancellationToken::new());
        let mut job =
            Job::new(Script::default(), vec![Act::Polite; 10]).plan(plan(Model::Threads, 2));
        for token in &tokens {
            job = job.cancel_on(token.clone());
        }
        tokens[cancelled].cancel();
        let done = within(Duration::from_secs(2), || job.run().wait().unwrap());
        assert_eq!(
            done.summary.stopped,
            Some(StopReason::Aborted),
            "token {cancelled}"
        );
    }
}

fn a_broken_sink_stops_the_job() {
    for model in Model::ALL {
        let mut left = 5;
        let done = ended(
            Job::new(Script::default(), (0..).map(Act::Double))
                .plan(plan(model, 2))
                .run_each(move |_| {
                    left -= 1;
                    if left == 0 {
                        Err(std::io::Error::other("no room"))
                    } else {
                        Ok(())
                    }
                }),
        );
        let summary = done.summary;
        assert_eq!(summary.admitted - summary.undelivered, 4, "{model}");
        let Some(StopReason::Undeliverable(reason)) = summary.stopped else {
            panic!("{model} went on");
        };
        assert_eq!(reason, "no room");
    }
}

fn the_source_is_not_read_ahead_of_slow_work() {
    for model in Model::ALL {
        let read = Arc::new(AtomicU64::new(0));
        let most_ahead = Arc::new(Mutex::new(0));
        let counted = {
            let read = Arc::clone(&read);
            (0..100).map(move |_| {
                read.fetch_add(1, Ordering::SeqCst);
                Act::Sleep(5)
            })
        };
        let seen = Arc::clone(&most_ahead);
        let mut over = 0;
        ended(
            Job::new(Script::default(), counted)
                .plan(plan(model, 4))
                .run_each(move |_| {
                    over += 1;
                    let ahead = read.load(Ordering::SeqCst) - over;
                    let mut most = seen.lock().unwrap();
                    *most = ahead.max(*most);
                    Ok(())
                }),
        );
        assert!(*most_ahead.lock().unwrap() <= 30, "{model} {most_ahead:?}");
    }
}

/// Processor time of this process so far, in clock ticks of 10 ms.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Permits and retries that are due while every lane is busy must not be waited for in a loop.
fn waiting_for_a_lane_takes_no_processor_time() {
    let mut plan = plan(Model::Threads, 2);
    plan.rate = Some("100/s".parse().unwrap());
    let before = cpu_ticks();
    let done = ended(
        Job::new(Script::default(), vec![Act::Sleep(500); 4])
            .plan(plan)
            .run(),
    );
    let spent = cpu_ticks() - before;
    assert_eq!(done.summary.succeeded, 4);
    assert!(spent <= 20, "{spent} ticks of 10 ms in a second of waiting");
}

/// Nobody looks at a stretch of a job that only ends what has begun.
fn a_steered_job_that_was_stopped_waits_without_processor_time() {
    let mut stretch = Stretch::new(plan(Model::Threads, 2));
    stretch.watch = Some(Duration::from_millis(50));
    let mut stretch = Some(stretch);
    let pilot = Box::new(move |asked: Asked<'_>| match asked {
        Asked::Watching { .. } => Course::Stay,
        _ => stretch
            .take()
            .map_or(Course::End, |first| Course::Next(Box::new(first))),
    });
    let job = Job::new(Script::default(), vec![Act::Sleep(1200); 8])
        .plan(plan(Model::Threads, 2))
        .steer(pilot);
    let control = job.control();
    let asked = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        control.drain();
    });
    let before = cpu_ticks();
    let done = ended(job.run());
    let spent = cpu_ticks() - before;
    asked.join().unwrap();
    assert_eq!(done.summary.succeeded, 2);
    assert!(spent <= 20, "{spent} ticks of 10 ms in a second of waiting");
}

fn an_abort_is_heeded_after_another_stop() {
    for model in Model::ALL {
        let mut plan = plan(model, 2);
        plan.max_failures = Some(FailureLimit::Count(0));
        let job = Job::new(Script::default(), [Act::Hold(20_000), Act::Fail]).plan(plan);
        let control = job.control();
        if model == Model::Sequential {
            // Its one lane never comes to the failure.
            continue;
        }
        let asked = thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            control.abort();
        });
        let done = within(Duration::from_secs(5), || job.run().wait().unwrap());
        asked.join().unwrap();
        assert_eq!(
            done.summary.stopped,
            Some(StopReason::FailureLimit),
            "{model}"
        );
        assert_eq!((done.summary.failed, done.summary.cancelled), (1, 1));
    }
}

/// Attempts that hold their threads one after the other, and others that are at work on the threads in between.
fn later_holders_leave_other_lanes_alone() {
    let mut plan = plan(Model::Async, 4);
    plan.timeout = Some(Duration::from_millis(600));
    plan.runtime_threads = NonZeroUsize::new(1);
    let inputs = [
        Act::Hold(30_000),
        Act::Sleep(400),
        Act::Hold(30_000),
        Act::Sleep(400),
        Act::Hold(30_000),
    ]
    .into_iter()
    .chain(vec![Act::Sleep(50); 40]);
    let job = Job::new(Script::default(), inputs).plan(plan);
    let done = within(Duration::from_secs(15), || job.run().wait().unwrap());
    assert_eq!(done.sink.len(), 45);
    assert!(done.summary.succeeded >= 40, "{:?}", done.summary);
}
