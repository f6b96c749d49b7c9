//! What a comparison reports when nothing goes wrong.

use std::time::{Duration, Instant};

use triway_measure::Progress;

use crate::probe::{Probe, arm, compare, report};

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "waiting_gains_from_every_model",
        waiting_gains_from_every_model,
    ),
    (
        "figures_include_worker_processes",
        figures_include_worker_processes,
    ),
    (
        "a_clear_difference_has_a_winner",
        a_clear_difference_has_a_winner,
    ),
    (
        "arms_are_told_apart_by_number",
        arms_are_told_apart_by_number,
    ),
    (
        "a_missing_form_is_skipped_with_the_reason",
        a_missing_form_is_skipped_with_the_reason,
    ),
    (
        "a_digest_of_the_task_s_own_decides",
        a_digest_of_the_task_s_own_decides,
    ),
    (
        "samples_are_told_and_keep_their_indices",
        samples_are_told_and_keep_their_indices,
    ),
    (
        "the_budget_is_kept_by_sampling",
        the_budget_is_kept_by_sampling,
    ),
    ("progress_is_told_in_order", progress_is_told_in_order),
];

const ALL: &str = "sequential,threads,processes,async";

fn waiting_gains_from_every_model() {
    let got = report(Probe::Wait(5), 20, ALL);
    assert_eq!(
        (got.schema, &*got.task, got.inputs, got.rounds),
        (1, "probe", 20, 3)
    );
    assert_eq!((got.sampled, got.results_equal), (None, true));
    assert_eq!(got.baseline.as_deref(), Some("sequential"));
    assert!(got.machine.cpus >= 1);
    for model in ["sequential", "threads", "processes", "async"] {
        let one = arm(&got, model);
        assert_eq!((one.succeeded, one.failed), (Some(20), Some(0)), "{one:#?}");
        assert_eq!((&one.skipped, &one.unranked), (&None, &None), "{one:#?}");
        assert!(
            one.latency_s.is_some_and(|latency| latency.p50 >= 0.005),
            "{one:#?}"
        );
        let (wall, total) = (one.wall_s.unwrap().median, one.total_s.unwrap().median);
        assert!(wall >= 0.025 && total >= wall, "{one:#?}");
        assert!(one.startup_s.is_some() && one.cpu_s.is_some(), "{one:#?}");
        assert!(
            one.peak_memory_bytes.is_some_and(|bytes| bytes > 1 << 18),
            "{one:#?}"
        );
        assert!(
            one.throughput_per_s.is_some_and(|rate| rate > 10.0),
            "{one:#?}"
        );
        assert!(
            one.context_switches
                .is_some_and(|switches| switches.voluntary > 0),
            "{one:#?}"
        );
        assert_eq!(one.runtime_threads.is_some(), model == "async");
    }
    for model in ["threads", "async"] {
        let speedup = arm(&got, model).speedup.unwrap();
        assert!(speedup.median > 2.0, "{model}: {speedup:?}");
    }
    assert!((arm(&got, "sequential").speedup.unwrap().median - 1.0).abs() < 1e-9);
}

fn figures_include_worker_processes() {
    const HELD: u64 = 64 << 20;
    let held = report(Probe::Hold(64 << 20), 8, "processes@2,threads@1");
    let processes = arm(&held, "processes@2");
    assert!(processes.peak_memory_bytes > Some(HELD), "{processes:#?}");
    let spun = report(Probe::Spin(20), 10, "processes@2");
    let cpu = arm(&spun, "processes@2").cpu_s.unwrap();
    assert!(cpu > 0.2, "{cpu}");
}

fn a_clear_difference_has_a_winner() {
    let got = compare(Probe::Wait(5), 20, "sequential,async")
        .rounds(7)
        .run(|_| {})
        .unwrap();
    assert_eq!(got.winner.as_deref(), Some("async"), "{got:#?}");
    assert_eq!(got.models[0].id, "async");
    assert!(
        got.verdict.starts_with("async wins: it is "),
        "{}",
        got.verdict
    );
}

fn arms_are_told_apart_by_number() {
    let got = report(Probe::Wait(1), 8, "threads@2,threads@2,threads@4");
    for (id, lanes) in [("threads@2", 2), ("threads@2#2", 2), ("threads@4", 4)] {
        assert_eq!(arm(&got, id).concurrency, lanes);
    }
    assert_eq!(got.baseline.as_deref(), Some("threads@2"));
}

fn a_missing_form_is_skipped_with_the_reason() {
    let got = report(Probe::WaitBlocking(1), 4, "async,threads");
    let skipped = arm(&got, "async");
    assert_eq!(
        skipped.skipped.as_deref(),
        Some("async needs a task with an async form, and this one has none")
    );
    assert_eq!(skipped.total_s, None);
    assert!(got.results_equal);
    assert!(
        got.verdict.contains("only threads is ranked"),
        "{}",
        got.verdict
    );
}

fn a_digest_of_the_task_s_own_decides() {
    let got = report(Probe::ClockWithDigest, 10, "sequential,threads");
    assert!(got.results_equal && got.differences.is_empty(), "{got:#?}");
}

fn samples_are_told_and_keep_their_indices() {
    let differing = compare(Probe::OtherWhenAsync, 1000, "sequential,async");
    let got = differing.sample(10).run(|_| {}).unwrap();
    assert_eq!((got.inputs, got.sampled), (1000, Some(10)));
    let indices: Vec<u64> = got
        .differences
        .iter()
        .map(|difference| difference.index)
        .collect();
    assert_eq!(indices, [100, 200, 300, 400, 500, 600, 700, 800, 900]);
    assert_eq!(got.differences[0].reference.outcome, "ok 100");
}

fn the_budget_is_kept_by_sampling() {
    let started = Instant::now();
    let budget = Duration::from_secs(3);
    let got = compare(Probe::Wait(2), 5000, "sequential,threads").budget(budget);
    let got = got.run(|_| {}).unwrap();
    let sampled = got.sampled.expect("10 s of work a round do not fit");
    assert!((50..2000).contains(&sampled), "{sampled}");
    assert!(
        got.notes[0].contains("of 5000 inputs, evenly spaced"),
        "{:?}",
        got.notes
    );
    assert!(started.elapsed() < budget * 2, "{:?}", started.elapsed());
}

fn progress_is_told_in_order() {
    let mut told = Vec::new();
    let comparison = compare(Probe::Wait(1), 4, "threads,async").rounds(2);
    let note = |progress: Progress<'_>| {
        told.push(match progress {
            Progress::Announced { arms, rounds, .. } => {
                format!("{arms} arms, {} rounds", rounds.most)
            }
            Progress::TrialStarted { arm, round } => format!("{arm} {round:?}"),
            Progress::Estimated { inputs, trials, .. } => {
                format!("{inputs} inputs, {trials} trials")
            }
            _ => return,
        });
    };
    comparison.run(note).unwrap();
    let expected = [
        "2 arms, 2 rounds",
        "threads None",
        "async None",
        "4 inputs, 4 trials",
        "threads Some(1)",
        "async Some(1)",
        "async Some(2)",
        "threads Some(2)",
    ];
    assert_eq!(told, expected);
}
