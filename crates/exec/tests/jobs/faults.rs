//! Worker processes that die: nothing is lost, nothing hangs, nothing is left behind.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use triway_core::{Model, Plan, Status, StopReason};
use triway_exec::{Feed, Job};

use crate::{
    Test,
    models::lanes,
    processes::{self, children_of, is_running, is_worker, workers_of},
    tasks::{Act, Grenade, Handle, Script, Unmakeable, ended, within},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "faults::a_worker_that_ends_costs_its_input_alone",
        a_worker_that_ends_costs_its_input_alone,
    ),
    (
        "faults::a_worker_killed_read_outside_costs_one_input",
        a_worker_killed_read_outside_costs_one_input,
    ),
    (
        "faults::a_lost_worker_is_retried_where_allowed",
        a_lost_worker_is_retried_where_allowed,
    ),
    (
        "faults::workers_that_cannot_start_give_up",
        workers_that_cannot_start_give_up,
    ),
    (
        "faults::a_killed_parent_takes_stuck_workers_along",
        a_killed_parent_takes_stuck_workers_along,
    ),
    (
        "faults::a_panic_in_a_destructor_loses_nothing",
        a_panic_in_a_destructor_loses_nothing,
    ),
    (
        "faults::a_reader_that_panics_ends_the_inputs",
        a_reader_that_panics_ends_the_inputs,
    ),
    (
        "faults::a_worker_that_dies_idle_costs_nothing",
        a_worker_that_dies_idle_costs_nothing,
    ),
    (
        "faults::a_worker_that_does_not_read_holds_nothing_up",
        a_worker_that_does_not_read_holds_nothing_up,
    ),
];

fn a_worker_that_ends_costs_its_input_alone() {
    let inputs = [Act::Exit(3), Act::Abort, Act::Exit(0)]
        .into_iter()
        .chain((0..50).map(Act::Double));
    let job = Job::new(Script::default(), inputs)
        .model(Model::Processes)
        .concurrency(lanes(2))
        .keep_order();
    let done = within(Duration::from_secs(10), || job.run().wait().unwrap());
    let messages: Vec<&str> = done.sink[..3]
        .iter()
        .map(|outcome| outcome.error.as_ref().unwrap().message.as_str())
        .collect();
    assert!(
        messages[0].ends_with("it exited with code 3"),
        "{messages:?}"
    );
    assert!(
        messages[1].ends_with("it was killed by signal 6 (SIGABRT)"),
        "{messages:?}"
    );
    assert!(
        messages[2].ends_with("it exited with code 0"),
        "{messages:?}"
    );
    assert!(
        done.sink[..3]
            .iter()
            .all(|outcome| outcome.status == Status::WorkerLost)
    );
    assert!(
        done.sink[3..]
            .iter()
            .all(|outcome| outcome.status == Status::Ok)
    );
    assert_eq!(done.sink.len(), 53);
}

fn a_worker_killed_read_outside_costs_one_input() {
    let folder = std::env::temp_dir().join(format!("triway-kill-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let ledger = folder.join("ledger");
    let task = Script {
        ledger: Some(ledger.clone()),
    };
    let job = Job::new(task, vec![Act::Sleep(20); 100])
        .model(Model::Processes)
        .concurrency(lanes(2));
    let killer = thread::spawn(|| {
        thread::sleep(Duration::from_millis(300));
        processes::signal_a_worker("KILL");
    });
    let done = within(Duration::from_secs(10), || job.run().wait().unwrap());
    killer.join().unwrap();
    assert_eq!(done.summary.succeeded, 100);
    let again = done.sink.iter().filter(|outcome| outcome.attempts > 1);
    assert!(
        again.count() <= 1,
        "one input ran in the worker that was killed"
    );
    let executions = fs::read_to_string(&ledger).unwrap().lines().count();
    assert!(
        (100..=101).contains(&executions),
        "{executions} executions of 100 inputs"
    );
    assert_eq!(workers_of(std::process::id()), [0; 0], "left over");
    fs::remove_dir_all(folder).unwrap();
}

/// The argument that makes this program run a job with workers that are stuck.
pub(crate) const VICTIM: &str = "--be-the-victim";

pub(crate) fn be_the_victim() {
    let left = vec![Act::LeaveBehind; 2];
    let stuck = vec![Act::Hold(60_000); 2];
    let job = Job::new(Script::default(), left.into_iter().chain(stuck))
        .model(Model::Processes)
        .concurrency(lanes(2));
    // Nobody may hang in here either; who started this process kills it long before.
    within(Duration::from_secs(60), || job.run().wait().unwrap());
}

/// Workers that are stuck in a call do not read their socket; the kernel must end them with their parent.
fn a_killed_parent_takes_stuck_workers_along() {
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .arg(VICTIM)
        .spawn()
        .unwrap();
    let workers = || workers_of(parent.id());
    let began = Instant::now();
    while workers().len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(10), "no workers came");
        thread::sleep(Duration::from_millis(10));
    }
    // They are stuck once they have their inputs.
    thread::sleep(Duration::from_millis(200));
    let workers = workers();
    let started: Vec<u32> = workers.iter().flat_map(|&pid| children_of(pid)).collect();
    assert_eq!(started.len(), 2, "each input has left a command behind");
    parent.kill().unwrap();
    parent.wait().unwrap();
    thread::sleep(Duration::from_secs(1));
    let left: Vec<u32> = workers.into_iter().filter(|&pid| is_worker(pid)).collect();
    assert!(left.is_empty(), "{left:?} outlived their parent");
    let left: Vec<u32> = started.into_iter().filter(|&pid| is_running(pid)).collect();
    assert!(
        left.is_empty(),
        "{left:?} outlived the parent of their parent"
    );
}

fn a_lost_worker_is_retried_where_allowed() {
    let mut plan = Plan::new(Model::Processes, lanes(2));
    plan.retry.retries = 2;
    plan.retry.base = Duration::from_millis(1);
    let done = ended(
        Job::new(Script::default(), [Act::Exit(1), Act::Double(4)])
            .plan(plan)
            .run(),
    );
    let lost = done
        .sink
        .iter()
        .find(|outcome| outcome.input == Act::Exit(1))
        .unwrap();
    assert_eq!((lost.status, lost.attempts), (Status::WorkerLost, 3));
    assert_eq!(done.summary.succeeded, 1);
}

fn workers_that_cannot_start_give_up() {
    let job = Job::new(Unmakeable, 0..10)
        .model(Model::Processes)
        .concurrency(lanes(2));
    let done = within(Duration::from_secs(5), || job.run().wait().unwrap());
    let Some(StopReason::NoLanes(reason)) = done.summary.stopped else {
        panic!("it went on without workers");
    };
    assert!(reason.contains("could not be started"), "{reason}");
    assert!(
        reason.contains("configuration does not read back"),
        "{reason}"
    );
    assert_eq!(done.summary.cancelled, done.summary.admitted);
}

fn a_panic_in_a_destructor_loses_nothing() {
    for model in [Model::Sequential, Model::Threads, Model::Async] {
        let inputs = (0..30).map(|n| Grenade {
            armed: n % 7 == 0,
            copy: false,
        });
        let job = Job::new(Handle, inputs).model(model);
        let done = within(Duration::from_secs(10), || job.run().wait().unwrap());
        assert_eq!(done.sink.len(), 30, "{model}");
        assert_eq!(done.summary.succeeded, 30, "{model}");
        assert_eq!(done.summary.stopped, None, "{model}");
    }
}

fn a_reader_that_panics_ends_the_inputs() {
    let inputs = (0..).map(|n| {
        assert!(n < 5, "asked to panic while reading");
        Ok(Act::Double(n))
    });
    let source = Feed::new(inputs, |_| 8, 1 << 20);
    let job = Job::from_source(Script::default(), source);
    let done = within(Duration::from_secs(10), || job.run().wait().unwrap());
    assert_eq!(done.summary.succeeded, 5);
    assert!(matches!(
        done.summary.stopped,
        Some(StopReason::Unreadable(_))
    ));
}

/// The only worker is killed between two inputs; the second one runs on another.
fn a_worker_that_dies_idle_costs_nothing() {
    let (send, receive) = std::sync::mpsc::channel::<u64>();
    let source = Feed::new(
        receive.into_iter().map(|n| Ok(Act::Double(n))),
        |_| 8,
        1 << 20,
    );
    send.send(1).unwrap();
    let job = Job::from_source(Script::default(), source)
        .model(Model::Processes)
        .concurrency(lanes(1));
    let killer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        processes::signal_a_worker("KILL");
        thread::sleep(Duration::from_millis(100));
        send.send(2).unwrap();
    });
    let done = within(Duration::from_secs(10), || job.run().wait().unwrap());
    killer.join().unwrap();
    assert_eq!((done.summary.succeeded, done.summary.failed), (2, 0));
}

/// The only worker is stopped while idle, and the next input is larger than what its socket holds.
fn a_worker_that_does_not_read_holds_nothing_up() {
    let (send, receive) = std::sync::mpsc::channel();
    let source = Feed::new(receive.into_iter().map(Ok), |_| 8, 1 << 20);
    send.send(Act::Double(1)).unwrap();
    let mut plan = Plan::new(Model::Processes, lanes(1));
    plan.timeout = Some(Duration::from_millis(500));
    plan.grace = Duration::from_millis(200);
    let job = Job::from_source(Script::default(), source).plan(plan);
    let stopper = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        processes::signal_a_worker("STOP");
        send.send(Act::Measure("x".repeat(4 << 20))).unwrap();
        send.send(Act::Double(2)).unwrap();
    });
    let done = within(Duration::from_secs(10), || job.run().wait().unwrap());
    stopper.join().unwrap();
    let ends: Vec<Status> = done.sink.iter().map(|outcome| outcome.status).collect();
    assert_eq!(ends, [Status::Ok; 3], "what it never began runs on another");
    assert_eq!(workers_of(std::process::id()), [0; 0], "left over");
}
