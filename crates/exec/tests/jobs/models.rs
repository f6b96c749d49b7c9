//! What holds under every model: each input has one outcome, in order if asked, whatever the form of the task.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use triway_core::{Failure, FailureKind, Model, Outcome, Plan, Status, Task};
use triway_exec::{Feed, Job, Outcomes, Refusal, Running, Source, Supply, Wake};

use crate::{
    Test,
    tasks::{Act, OnlyAsync, OnlyBlocking, REJECTED, Script, ended, within},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "models::every_input_has_its_own_outcome",
        every_input_has_its_own_outcome,
    ),
    (
        "models::order_is_kept_where_asked",
        order_is_kept_where_asked,
    ),
    (
        "models::waits_overlap_except_sequentially",
        waits_overlap_except_sequentially,
    ),
    ("models::failures_are_told_apart", failures_are_told_apart),
    (
        "models::an_async_task_runs_where_it_can",
        an_async_task_runs_where_it_can,
    ),
    (
        "models::what_a_task_lacks_is_refused",
        what_a_task_lacks_is_refused,
    ),
    ("models::a_job_can_be_awaited", a_job_can_be_awaited),
    ("models::a_panic_clears_the_lane", a_panic_clears_the_lane),
    (
        "models::the_window_of_order_is_bounded",
        the_window_of_order_is_bounded,
    ),
    ("models::no_wake_up_is_ever_lost", no_wake_up_is_ever_lost),
    ("models::no_inputs_make_no_lanes", no_inputs_make_no_lanes),
    (
        "models::a_blocking_source_is_streamed",
        a_blocking_source_is_streamed,
    ),
    (
        "models::what_a_task_prints_disturbs_nothing",
        what_a_task_prints_disturbs_nothing,
    ),
    (
        "models::a_source_of_ones_own_wakes_its_job",
        a_source_of_ones_own_wakes_its_job,
    ),
    (
        "models::every_attempt_takes_some_time",
        every_attempt_takes_some_time,
    ),
];

pub(crate) fn lanes(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

fn every_input_has_its_own_outcome() {
    for model in Model::ALL {
        let inputs = (0..10_000).map(Act::Double);
        let job = Job::new(Script::default(), inputs)
            .model(model)
            .concurrency(lanes(4));
        let done = within(Duration::from_secs(20), || job.run().wait().unwrap());
        let mut outcomes = done.sink;
        outcomes.sort_by_key(|outcome| outcome.index);
        assert_eq!(outcomes.len(), 10_000, "{model}");
        for (index, outcome) in outcomes.iter().enumerate() {
            let index = index as u64;
            assert_eq!(
                (outcome.index, &outcome.input),
                (index, &Act::Double(index))
            );
            assert_eq!(
                (outcome.status, outcome.output),
                (Status::Ok, Some(index * 2))
            );
            assert_eq!((outcome.attempts, &outcome.error), (1, &None));
        }
        assert_eq!(done.summary.succeeded, 10_000);
        let expected = if model == Model::Sequential { 1 } else { 4 };
        assert_eq!(done.summary.lanes, expected, "{model}");
    }
}

fn order_is_kept_where_asked() {
    for model in Model::ALL {
        let inputs = (0..200).map(|n| {
            if n % 10 == 0 {
                Act::Sleep(3)
            } else {
                Act::Double(n)
            }
        });
        let job = Job::new(Script::default(), inputs)
            .model(model)
            .concurrency(lanes(8))
            .keep_order();
        let done = ended(job.run());
        let indices: Vec<u64> = done.sink.iter().map(|outcome| outcome.index).collect();
        assert_eq!(indices, (0..200).collect::<Vec<_>>(), "{model}");
    }
}

fn waits_overlap_except_sequentially() {
    for model in Model::ALL {
        let job = Job::new(Script::default(), vec![Act::Sleep(50); 8])
            .model(model)
            .concurrency(lanes(8));
        let wall = ended(job.run()).summary.wall;
        let overlapped = wall < Duration::from_millis(300);
        assert_eq!(
            overlapped,
            model != Model::Sequential,
            "{model} took {wall:?}"
        );
    }
}

fn failures_are_told_apart() {
    let rows = [
        (Act::Double(1), Status::Ok, ""),
        (Act::Fail, Status::Failed, "error"),
        (Act::Panic, Status::Failed, "panic"),
        (Act::Reject, Status::Failed, "rejected"),
        (Act::FailPermanently, Status::Failed, "bad-input"),
        (Act::PanicInJudge, Status::Failed, "panic"),
    ];
    for model in Model::ALL {
        let inputs: Vec<Act> = rows.iter().map(|row| row.0.clone()).collect();
        let job = Job::new(Script::default(), inputs)
            .model(model)
            .concurrency(lanes(2))
            .keep_order();
        let done = ended(job.run());
        for (outcome, (act, status, kind)) in done.sink.iter().zip(&rows) {
            let got = outcome
                .error
                .as_ref()
                .map_or("", |error| error.kind.as_str());
            assert_eq!((outcome.status, got), (*status, *kind), "{model} {act:?}");
        }
        let panic = done.sink[2].error.as_ref().unwrap();
        assert_eq!(panic.message, "asked to panic at input 2");
        assert_eq!(
            done.sink[3].output,
            Some(REJECTED),
            "a rejected output is kept"
        );
        assert_eq!((done.summary.succeeded, done.summary.failed), (1, 5));
    }
}

fn an_async_task_runs_where_it_can() {
    for model in [Model::Sequential, Model::Processes, Model::Async] {
        let done = ended(Job::new(OnlyAsync, 0..20).model(model).keep_order().run());
        let outputs: Vec<_> = done
            .sink
            .iter()
            .filter_map(|outcome| outcome.output)
            .collect();
        assert_eq!(outputs, (1..21).collect::<Vec<_>>(), "{model}");
    }
}

/// Why a job does not begin.
fn refusal<T: Task>(job: Running<T, Outcomes<T>>) -> Refusal {
    within(Duration::from_secs(5), || job.wait().err().unwrap())
}

fn what_a_task_lacks_is_refused() {
    let refused = refusal(Job::new(OnlyAsync, 0..3).model(Model::Threads).run());
    assert!(
        matches!(
            refused,
            Refusal::NoForm {
                form: "blocking",
                ..
            }
        ),
        "{refused}"
    );
    let refused = refusal(Job::new(OnlyBlocking, 0..3).model(Model::Async).run());
    assert!(
        matches!(refused, Refusal::NoForm { form: "async", .. }),
        "{refused}"
    );
    let refused = refusal(Job::new(OnlyBlocking, 0..3).model(Model::Processes).run());
    let line = "triway::init([triway::task::<jobs::tasks::OnlyBlocking>(\"onlyblocking\")]);";
    assert!(refused.to_string().contains(line), "{refused}");
    let million = lanes(1_000_000);
    let refused = refusal(Job::new(OnlyBlocking, 0..3).concurrency(million).run());
    assert!(refused.to_string().contains("1000000"), "{refused}");
}

fn a_panic_clears_the_lane() {
    for model in Model::ALL {
        let inputs = [Act::CountLane, Act::CountLane, Act::Panic, Act::CountLane];
        let job = Job::new(Script::default(), inputs)
            .model(model)
            .concurrency(lanes(1))
            .keep_order();
        let done = ended(job.run());
        let counts: Vec<_> = done.sink.iter().map(|outcome| outcome.output).collect();
        assert_eq!(counts, [Some(1), Some(2), None, Some(1)], "{model}");
    }
}

/// The first input is slow; what waits for it may fill the window and not much more.
fn the_window_of_order_is_bounded() {
    for model in [Model::Threads, Model::Processes, Model::Async] {
        let read = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&read);
        let inputs = (0..100_000).map(move |n| {
            count.fetch_add(1, Ordering::SeqCst);
            if n == 0 {
                Act::Sleep(300)
            } else {
                Act::Double(n)
            }
        });
        let mut plan = Plan::new(model, lanes(2));
        plan.keep_order = true;
        plan.order_window_bytes = 4 << 10;
        let mut read_before_the_first = None;
        let done = ended(
            Job::new(Script::default(), inputs)
                .plan(plan)
                .run_each(move |_| {
                    let read = *read_before_the_first.get_or_insert(read.load(Ordering::SeqCst));
                    if read < 10_000 {
                        Ok(())
                    } else {
                        Err(std::io::Error::other(read.to_string()))
                    }
                }),
        );
        assert_eq!(
            done.summary.stopped, None,
            "{model} read so many before the first was done"
        );
        assert_eq!(done.summary.succeeded, 100_000);
    }
}

/// Hundreds of short jobs, whose lanes and dispatcher fall asleep and wake each other in ever other orders.
fn no_wake_up_is_ever_lost() {
    for model in [Model::Threads, Model::Async, Model::Sequential] {
        within(Duration::from_secs(30), || {
            for round in 0..300 {
                let inputs = (0..24).map(move |n| match (n + round) % 4 {
                    0 => Act::Sleep(1),
                    1 => Act::Hold(0),
                    _ => Act::Double(n),
                });
                let job = Job::new(Script::default(), inputs)
                    .model(model)
                    .concurrency(lanes(3));
                assert_eq!(ended(job.run()).summary.succeeded, 24);
            }
        });
    }
}

fn a_job_can_be_awaited() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for model in Model::ALL {
        let job = Job::new(Script::default(), (0..50).map(Act::Double)).model(model);
        let awaited = || runtime.block_on(async { job.run().await }).unwrap();
        let done = within(Duration::from_secs(20), awaited);
        assert_eq!(done.summary.succeeded, 50, "{model}");
    }
}

fn no_inputs_make_no_lanes() {
    for model in Model::ALL {
        let done = ended(Job::new(Script::default(), []).model(model).run());
        assert_eq!((done.summary.lanes, done.summary.admitted), (0, 0));
    }
}

/// Outcomes come while the source still blocks.
fn a_blocking_source_is_streamed() {
    for model in Model::ALL {
        let (send, receive) = std::sync::mpsc::channel::<u64>();
        send.send(0).unwrap();
        let inputs = receive.into_iter().map(|n| Ok(Act::Double(n)));
        let source = Feed::new(inputs, |_| 8, 1 << 20);
        let job = Job::from_source(Script::default(), source)
            .model(model)
            .concurrency(lanes(2));
        let mut send = Some(send);
        let done = ended(job.run_each(move |outcome| {
            // The next input exists only once this one has come back.
            if outcome.index < 20 {
                send.as_ref().unwrap().send(outcome.index + 1).unwrap();
            } else {
                send = None;
            }
            Ok(())
        }));
        assert_eq!(done.summary.succeeded, 21, "{model}");
    }
}

fn what_a_task_prints_disturbs_nothing() {
    let job = Job::new(Script::default(), vec![Act::Print; 20]).model(Model::Processes);
    let done = ended(job.run());
    assert_eq!(done.summary.succeeded, 20);
    assert!(
        done.sink
            .iter()
            .all(|outcome| outcome.error.as_ref().map(|e| &e.kind)
                != Some(&FailureKind::WORKER_LOST))
    );
}

/// However short: a latency of zero says that two clocks were mixed.
fn every_attempt_takes_some_time() {
    let job = Job::new(Script::default(), (0..500).map(Act::Double)).model(Model::Processes);
    let done = ended(job.run());
    let none = |outcome: &&Outcome<Act, u64>| outcome.run == Duration::ZERO;
    assert_eq!(done.sink.iter().filter(none).count(), 0);
}

/// Has one input, after a while.
struct Late {
    due: Instant,
}

impl Source<Act> for Late {
    fn pull(&mut self, _most: usize, into: &mut Vec<Act>) -> Result<Supply, Failure> {
        if Instant::now() < self.due {
            return Ok(Supply::Pending);
        }
        into.push(Act::Double(1));
        Ok(Supply::Exhausted)
    }

    fn attach(&mut self, job: Wake) {
        let wait = self.due.saturating_duration_since(Instant::now());
        thread::spawn(move || {
            thread::sleep(wait);
            job.wake();
        });
    }
}

fn a_source_of_ones_own_wakes_its_job() {
    let due = Instant::now() + Duration::from_millis(100);
    let done = ended(Job::from_source(Script::default(), Late { due }).run());
    assert_eq!(done.summary.succeeded, 1);
}
