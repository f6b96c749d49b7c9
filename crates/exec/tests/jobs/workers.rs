//! What is known of worker processes besides their outcomes: that they leave, and the memory that they held.

use std::{collections::BTreeSet, fs, process, thread, time::Duration};

use triway_core::{Model, Plan, Status};
use triway_exec::Job;

use crate::{
    Test,
    models::lanes,
    processes::workers_of,
    tasks::{Act, OnlyOnce, Script, ended, within},
};

pub(crate) const TESTS: &[Test] = &[
    (
        "workers::one_that_hangs_at_its_exit_is_ended",
        one_that_hangs_at_its_exit_is_ended,
    ),
    (
        "workers::the_memory_of_a_killed_one_counts",
        the_memory_of_a_killed_one_counts,
    ),
    (
        "workers::a_lost_lane_hides_no_memory_of_others",
        a_lost_lane_hides_no_memory_of_others,
    ),
    (
        "workers::lists_of_processes_tell_what_they_are",
        lists_of_processes_tell_what_they_are,
    ),
];

fn plan(concurrency: usize) -> Plan {
    let mut plan = Plan::new(Model::Processes, lanes(concurrency));
    plan.grace = Duration::from_millis(300);
    plan
}

fn lists_of_processes_tell_what_they_are() {
    let job = Job::new(Script::default(), vec![Act::Sleep(500); 2]).plan(plan(2));
    let looker = thread::spawn(|| {
        thread::sleep(Duration::from_millis(300));
        let shown = workers_of(process::id()).into_iter().map(|worker| {
            let arguments = fs::read_to_string(format!("/proc/{worker}/cmdline")).unwrap();
            let first = arguments.split('\0').next().unwrap().to_owned();
            let name = fs::read_to_string(format!("/proc/{worker}/comm")).unwrap();
            (first, name.trim_end().to_owned())
        });
        shown.collect::<BTreeSet<_>>()
    });
    ended(job.run());
    let program = std::env::current_exe().unwrap();
    let program = program.file_name().unwrap().to_str().unwrap();
    let expected = [0, 1].map(|n| (format!("{program} worker {n}"), "triway-worker".to_owned()));
    assert_eq!(looker.join().unwrap(), BTreeSet::from(expected));
}

/// It has said goodbye, and then does not end.
fn one_that_hangs_at_its_exit_is_ended() {
    let job = Job::new(Script::default(), [Act::LingerAtExit]).plan(plan(1));
    let done = within(Duration::from_secs(5), || job.run().wait().unwrap());
    assert_eq!(done.summary.succeeded, 1);
    assert_eq!(workers_of(process::id()), [0; 0], "left over");
    let peak = done.summary.worker_peak_memory_bytes.unwrap();
    assert!(peak > 0, "what it said before is known");
}

fn the_memory_of_a_killed_one_counts() {
    let mut plan = plan(1);
    plan.timeout = Some(Duration::from_secs(1));
    let inputs = [Act::Grow(64), Act::Double(1)];
    let job = Job::new(Script::default(), inputs).plan(plan).keep_order();
    let done = ended(job.run());
    let ends: Vec<Status> = done.sink.iter().map(|outcome| outcome.status).collect();
    assert_eq!(ends, [Status::Timeout, Status::Ok]);
    let peak = done.summary.worker_peak_memory_bytes.unwrap();
    assert!(peak >= 64 << 20, "{peak} bytes");
}

/// Of two lanes one cannot be started; what it says at its end must not stand for the other's.
fn a_lost_lane_hides_no_memory_of_others() {
    let file = std::env::temp_dir().join(format!("triway-once-{}", process::id()));
    let task = OnlyOnce { file: file.clone() };
    let done = ended(Job::new(task, 0..20).plan(plan(2)).run());
    fs::remove_file(file).unwrap();
    assert_eq!(done.summary.succeeded, 20);
    let peak = done.summary.worker_peak_memory_bytes.unwrap();
    assert!(peak > 0, "the lane that worked held some memory");
}
