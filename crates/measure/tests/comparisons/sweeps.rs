//! One model at rising concurrency, trials and all.

use std::time::Duration;

use triway_core::Model;
use triway_measure::{
    Compare, CompareError,
    sweep::{
        Ladder,
        report::{Point, Sweep},
    },
};

use crate::probe::Probe;

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "waiting_scales_in_whole_waves",
        waiting_scales_in_whole_waves,
    ),
    (
        "slow_ones_get_fewer_of_the_same_inputs",
        slow_ones_get_fewer_of_the_same_inputs,
    ),
    (
        "outcomes_that_differ_conclude_nothing",
        outcomes_that_differ_conclude_nothing,
    ),
    (
        "inputs_that_always_fail_are_no_limit",
        inputs_that_always_fail_are_no_limit,
    ),
    (
        "arms_that_do_not_rise_are_no_sweep",
        arms_that_do_not_rise_are_no_sweep,
    ),
];

/// A sweep of this probe on the inputs 0, 1, …, in three rounds.
fn prepared(probe: Probe, inputs: u64, range: &str) -> Compare<Probe> {
    let ladder: Ladder = range.parse().unwrap();
    Compare::new(probe, 0..inputs)
        .arms(ladder.arms(Model::Async))
        .rounds(3)
}

fn swept(probe: Probe, inputs: u64, range: &str) -> Sweep {
    prepared(probe, inputs, range).sweep(|_| {}).unwrap()
}

fn throughput(point: &Point) -> f64 {
    point.throughput_per_s.unwrap().median
}

fn waiting_scales_in_whole_waves() {
    let sweep = swept(Probe::Wait(10), 50, "1..16");
    let inputs: Vec<u64> = sweep.points.iter().map(|point| point.inputs).collect();
    assert_eq!(inputs, [50, 50, 48, 48, 48]);
    let few: Vec<bool> = sweep
        .points
        .iter()
        .map(|point| point.too_few_inputs)
        .collect();
    assert_eq!(few, [false, false, false, false, true]);
    assert!(sweep.results_equal, "{sweep:#?}");
    assert_eq!(sweep.sampled, None);
    let [one, .., eight, _] = &*sweep.points else {
        panic!("{sweep:#?}");
    };
    assert!(throughput(eight) > 3.0 * throughput(one), "{sweep:#?}");
    assert_eq!(one.efficiency, Some(1.0));
    assert!(sweep.recommended.unwrap().concurrency > 2);
}

fn slow_ones_get_fewer_of_the_same_inputs() {
    let compare = prepared(Probe::Wait(20), 400, "1,32").budget(Duration::from_secs(4));
    let sweep = compare.sweep(|_| {}).unwrap();
    let [slow, wide] = &*sweep.points else {
        panic!("{sweep:#?}");
    };
    assert!(slow.inputs < wide.inputs, "{sweep:#?}");
    assert!(wide.inputs >= 4 * 32, "{sweep:#?}");
    assert!(sweep.results_equal, "{sweep:#?}");
    assert_eq!(slow.succeeded, Some(slow.inputs));
}

fn outcomes_that_differ_conclude_nothing() {
    let sweep = swept(Probe::Clock, 16, "1,2");
    assert!(!sweep.results_equal);
    assert!(!sweep.differences.is_empty());
    assert_eq!(sweep.recommended, None);
    for point in &sweep.points {
        let why = point.unranked.as_deref().unwrap();
        assert!(why.contains("differ between its own rounds"), "{why}");
    }
}

fn inputs_that_always_fail_are_no_limit() {
    // Inputs from 3 on fail, whatever the concurrency.
    let sweep = swept(Probe::FailsWhenAsync, 16, "1,2,4");
    assert!(sweep.results_equal, "{sweep:#?}");
    assert!(sweep.points.iter().all(|point| point.unranked.is_none()));
    let last = &sweep.points[2];
    assert_eq!(last.failed, Some(13));
    // Only what succeeded is throughput.
    let succeeded = throughput(last) * last.wall_s.unwrap().median;
    assert!((succeeded - 3.0).abs() < 1e-6, "{succeeded}");
    assert!(sweep.recommended.is_some(), "{sweep:#?}");
    assert!(sweep.verdict.contains("inputs 13 failed"), "{sweep:#?}");
}

fn arms_that_do_not_rise_are_no_sweep() {
    let ladder: Ladder = "1..4".parse().unwrap();
    for arms in [vec![], ladder.arms(Model::Sequential)] {
        let refused = Compare::new(Probe::Wait(0), 0..4).arms(arms).sweep(|_| {});
        assert!(matches!(refused, Err(CompareError::NoSweep)), "{refused:?}");
    }
}
