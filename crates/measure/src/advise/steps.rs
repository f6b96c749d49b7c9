//! What is probed next, after what was seen.

use triway_core::Model;

use super::{
    slice::{Candidate, Interpreter, Situation, Slice},
    strategy::{Step, next},
};

/// Native work: seconds of an input, by how many they differ, and the share in which it has a processor.
type Work = (f64, f64, f64);

fn work(run_s: f64, share: f64) -> Work {
    (run_s, run_s / 10.0, share)
}

/// What comes next where half the time goes into computing, with these gains so far.
fn probe_after(run: (f64, f64), gains: &[(Model, usize, f64)]) -> Option<(Model, usize, u64)> {
    probe((run.0, run.1, 0.5), gains, true)
}

fn situation(thorough: bool) -> Situation {
    let candidate = |model| Candidate {
        model,
        refused: None,
    };
    Situation {
        inputs: Some(1_000_000),
        models: Model::PLAIN.into_iter().map(candidate).collect(),
        thorough,
        ..Situation::bare(2)
    }
}

fn slice((run_s, run_sd_s, share): Work, (model, concurrency, gain): (Model, usize, f64)) -> Slice {
    Slice {
        model: Some(model),
        concurrency,
        inputs: 1000,
        wall_s: 1000.0 * run_s / gain,
        rate_per_s: gain / run_s,
        run_s,
        run_sd_s,
        cpu_s: Some(1000.0 * share * run_s),
        ..Slice::default()
    }
}

fn probe(work: Work, gains: &[(Model, usize, f64)], thorough: bool) -> Option<(Model, usize, u64)> {
    let slices: Vec<Slice> = gains.iter().map(|gain| slice(work, *gain)).collect();
    match next(&situation(thorough), &slices, 1.0) {
        Step::Probe(probe) => Some((probe.model, probe.concurrency, probe.inputs)),
        Step::Done => None,
    }
}

/// Both rounds of pairs, of which threads have gained and others have not.
const PAIRED: [(Model, usize, f64); 8] = [
    (Model::Sequential, 1, 1.0),
    (Model::Threads, 2, 2.0),
    (Model::Processes, 2, 0.9),
    (Model::Async, 2, 0.9),
    (Model::Sequential, 1, 1.0),
    (Model::Processes, 2, 0.9),
    (Model::Async, 2, 0.9),
    (Model::Threads, 2, 2.0),
];

/// A pause of the machine for some milliseconds must not end the climb.
#[test]
fn what_gains_nothing_is_looked_at_twice_where_a_look_is_brief() {
    let stumbled = [&PAIRED[..], &[(Model::Threads, 8, 1.9)]].concat();
    let again = probe_after((1e-4, 1e-5), &stumbled);
    assert_eq!(again.map(|it| (it.0, it.1)), Some((Model::Threads, 8)));
    let slow = probe_after((1e-2, 1e-3), &stumbled);
    assert_eq!(slow.map(|it| (it.0, it.1)), Some((Model::Sequential, 1)));
}

/// The machine may have been quicker a moment before, so what is compared is looked at in turn.
#[test]
fn what_gains_nothing_is_looked_at_in_turn_with_the_rung_before() {
    let mut seen = vec![
        (Model::Sequential, 1, 1.0),
        (Model::Threads, 2, 0.5),
        (Model::Processes, 2, 0.5),
        (Model::Async, 2, 1.8),
        (Model::Async, 8, 4.0),
        (Model::Async, 32, 4.1),
    ];
    for expected in [8, 32] {
        let next = probe(work(1e-4, 0.5), &seen, false).map(|it| (it.0, it.1));
        assert_eq!(next, Some((Model::Async, expected)));
        seen.push((Model::Async, expected, 4.0));
    }
}

/// Which number of a model's lanes does most is of no use where another model does far more than any.
#[test]
fn nothing_more_is_tried_of_what_is_far_behind() {
    let brief = (1e-4, 1e-5, 0.5);
    let next = |most: f64| {
        let mut seen = vec![
            (Model::Sequential, 1, 1.0),
            (Model::Threads, 2, 1.8),
            (Model::Processes, 2, 1.0),
            (Model::Async, 2, most),
        ];
        seen.extend([2, 8, 8].map(|lanes| (Model::Async, lanes, most)));
        seen.extend([8, 32].map(|lanes| (Model::Threads, lanes, 3.0)));
        probe(brief, &seen, false).map(|it| (it.0, it.1))
    };
    // Both once more, and then others, if there is a chance that threads are chosen.
    assert_eq!(next(3.2), Some((Model::Threads, 8)));
    assert_eq!(next(8.0), Some((Model::Async, 8)));
}

/// A first look at brief inputs is rough, also where nothing else comes near.
#[test]
fn what_will_do_the_rest_is_looked_at_twice() {
    let seen = [
        (Model::Sequential, 1, 1.0),
        (Model::Threads, 2, 0.5),
        (Model::Processes, 2, 0.5),
        (Model::Async, 2, 1.8),
        (Model::Async, 4, 4.0),
        (Model::Async, 8, 8.0),
        (Model::Async, 32, 8.1),
        (Model::Async, 32, 8.1),
    ];
    let next = |run_s| probe(work(run_s, 0.5), &seen, false).map(|it| (it.0, it.1));
    assert_eq!(next(1e-4), Some((Model::Async, 8)));
    assert_eq!(next(1e-2), None);
}

/// Three tell what work is like, two do not.
#[test]
fn of_few_inputs_three_run_one_at_a_time_where_that_leaves_enough() {
    for (inputs, alone) in [(3, 2), (10, 2), (16, 3), (29, 3), (40, 4)] {
        let situation = Situation {
            inputs: Some(inputs),
            ..situation(true)
        };
        let Step::Probe(probe) = next(&situation, &[], 0.0) else {
            panic!("{inputs} inputs were not begun");
        };
        assert_eq!(probe.inputs, alone, "{inputs}");
    }
}

/// Others may have had the second processor for that moment.
#[test]
fn what_computes_and_gains_nothing_is_looked_at_twice() {
    let first = [
        (Model::Sequential, 1, 1.0),
        (Model::Threads, 2, 0.9),
        (Model::Processes, 2, 1.1),
        (Model::Async, 2, 1.0),
    ];
    let setting = |probe: Option<(Model, usize, u64)>| probe.map(|it| (it.0, it.1));
    let next = |run, seen: &[_]| setting(probe(work(run, 1.0), seen, false));
    assert_eq!(next(1e-2, &first), Some((Model::Sequential, 1)));
    let mut little = first;
    little[2].2 = 1.3;
    assert_eq!(next(1e-2, &little), Some((Model::Sequential, 1)));
    let again = [&first[..], &[(Model::Sequential, 1, 1.0)]].concat();
    assert_eq!(next(1e-2, &again), Some((Model::Processes, 2)));
    // A moment is many brief inputs.
    assert_eq!(next(1e-4, &first), Some((Model::Sequential, 1)));
    assert_eq!(next(1e-4, &again), Some((Model::Processes, 2)));
    let mut gained = first;
    gained[2].2 = 1.9;
    assert_eq!(next(1e-2, &gained), None);
    assert_eq!(next(1e-4, &gained), Some((Model::Sequential, 1)));
    // Two lanes tell little of eight where handing over counts.
    assert_eq!(next(1e-5, &first), Some((Model::Async, 8)));
    let less = first
        .map(|(model, lanes, gain)| (model, lanes, if lanes == 1 { gain } else { gain / 2.0 }));
    assert_eq!(next(1e-5, &less), Some((Model::Sequential, 1)));
}

/// What may do the rest of a job of brief inputs, one at a time among it: each look may meet another machine.
#[test]
fn rivals_are_compared_in_turn() {
    let work = work(1e-4, 1.0);
    let gain = |model| match model {
        Model::Sequential => 1.0,
        Model::Processes => 1.9,
        _ => 0.9,
    };
    let seen = [
        (Model::Sequential, 1),
        (Model::Threads, 2),
        (Model::Processes, 2),
    ];
    let look = |(model, lanes)| slice(work, (model, lanes, gain(model)));
    let mut slices: Vec<Slice> = seen.map(look).into();
    let mut compared = Vec::new();
    while let Step::Probe(probe) = next(&situation(false), &slices, 1.0) {
        let setting = (probe.model, probe.concurrency);
        assert!(probe.in_turn, "{setting:?}");
        compared.push(setting.0);
        slices.push(Slice {
            in_turn: true,
            ..look(setting)
        });
    }
    assert_eq!(compared, [Model::Sequential, Model::Processes].repeat(3));
}

/// What is compared is compared whole, also where half of the time went before.
#[test]
fn what_is_compared_shares_the_time_that_is_left() {
    let work = work(1e-4, 1.0);
    let seen = [
        (Model::Sequential, 1, 1.0),
        (Model::Threads, 2, 1.5),
        (Model::Processes, 2, 1.6),
        (Model::Async, 2, 1.7),
    ];
    let mut slices: Vec<Slice> = seen.map(|it| slice(work, it)).into();
    let situation = Situation {
        inputs: Some(300_000),
        budget_s: 2.0,
        ..situation(false)
    };
    // Of 2.6 seconds or so.
    let mut elapsed = 1.4;
    while let Step::Probe(probe) = next(&situation, &slices, elapsed) {
        let of = |it: &&(Model, usize, f64)| (it.0, it.1) == (probe.model, probe.concurrency);
        let gains = *seen.iter().find(of).unwrap();
        elapsed += probe.seconds;
        slices.push(Slice {
            in_turn: probe.in_turn,
            ..slice(work, gains)
        });
    }
    let looks = |it: &(Model, usize, f64)| {
        let turns = slices.iter().filter(|slice| slice.in_turn);
        turns.filter(|slice| slice.is_of((it.0, it.1))).count()
    };
    assert_eq!(seen.each_ref().map(looks), [3; 4], "after {elapsed} s");
}

/// Where nothing but one at a time can be tried, no inputs are executed to find out that it is the best.
#[test]
fn one_at_a_time_is_not_compared_with_itself() {
    let alone = [slice(work(1e-2, 0.5), (Model::Sequential, 1, 1.0))];
    for thorough in [true, false] {
        let of = |most_concurrency, models: &[Model]| Situation {
            most_concurrency,
            models: models
                .iter()
                .map(|model| Candidate {
                    model: *model,
                    refused: None,
                })
                .collect(),
            ..situation(thorough)
        };
        let nothing_else = of(256, &[Model::Sequential]);
        for situation in [of(1, &Model::PLAIN), nothing_else] {
            assert_eq!(next(&situation, &alone, 1.0), Step::Done, "{situation:?}");
        }
    }
}

/// A machine that gives no more than so many threads gives half as many.
#[test]
fn half_of_what_does_not_begin_is_tried() {
    let waits = work(1e-2, 0.01);
    let mut slices: Vec<Slice> = [
        (Model::Sequential, 1, 1.0),
        (Model::Async, 2, 1.0),
        (Model::Processes, 2, 1.0),
        (Model::Threads, 2, 2.0),
        (Model::Threads, 8, 8.0),
        (Model::Threads, 32, 32.0),
    ]
    .map(|it| slice(waits, it))
    .into();
    for expected in [128, 64] {
        let Step::Probe(probe) = next(&situation(true), &slices, 1.0) else {
            panic!("{expected} were not tried");
        };
        assert_eq!((probe.model, probe.concurrency), (Model::Threads, expected));
        slices.push(Slice {
            refused: Some("no more threads".to_owned()),
            ..slice(waits, (Model::Threads, expected, 0.0))
        });
    }
    let after = next(&situation(true), &slices, 1.0);
    assert!(
        matches!(&after, Step::Probe(probe) if probe.in_turn),
        "{after:?}"
    );
}

/// What computes has no use for more lanes than processors, of which there may be more than two.
#[test]
fn what_computes_has_no_more_lanes_than_processors() {
    let seen = [
        (Model::Sequential, 1, 1.0),
        (Model::Threads, 2, 2.0),
        (Model::Processes, 2, 1.9),
    ];
    let slices = seen.map(|it| slice(work(1e-2, 1.0), it));
    for (cpus, most) in [(4, 4), (6, 6), (64, 8)] {
        let situation = Situation {
            cpus,
            ..situation(false)
        };
        let Step::Probe(probe) = next(&situation, &slices, 1.0) else {
            panic!("{most} were not tried");
        };
        assert_eq!((probe.model, probe.concurrency), (Model::Threads, most));
    }
}

/// Of what is tiny so many run as take long enough to tell something, but not for longer than probing may take.
#[test]
fn first_inputs_are_as_many_as_tell_something() {
    let from_a_pipe = Situation {
        inputs: None,
        ..situation(true)
    };
    let first = Slice {
        inputs: 16,
        wall_s: 1.6e-3,
        ..slice(work(1e-4, 1.0), (Model::Sequential, 1, 1.0))
    };
    let after = |slices: &[Slice], elapsed_s| match next(&from_a_pipe, slices, elapsed_s) {
        Step::Probe(probe) => Some((probe.model, probe.inputs)),
        Step::Done => None,
    };
    let one = std::slice::from_ref(&first);
    assert_eq!(after(one, 1.0), Some((Model::Sequential, 400)));
    assert_eq!(after(one, 9.5), None);
    let tiny = Slice {
        inputs: 99_000,
        ..first
    };
    assert_eq!(after(&[tiny], 1.0), Some((Model::Sequential, 100_000)));
}

/// A number that no machine has lanes for is no reason to end badly.
#[test]
fn a_huge_concurrency_is_no_bug() {
    let situation = Situation {
        inputs: None,
        fixed_concurrency: Some(1 << 62),
        ..situation(true)
    };
    let alone = [slice(work(1e-2, 0.5), (Model::Sequential, 1, 1.0))];
    assert_ne!(next(&situation, &alone, 1.0), Step::Done);
}

/// Interpreters that import for a second are not all started twice.
#[test]
fn no_second_look_is_taken_at_what_starts_slowly() {
    let done = |startup_s| {
        let slow = |seen| Slice {
            startup_s,
            ..slice(work(5e-3, 1.0), seen)
        };
        let seen = [
            (Model::Sequential, 1, 1.0),
            (Model::Threads, 2, 1.0),
            (Model::Processes, 2, 1.3),
        ];
        let situation = Situation {
            inputs: Some(5000),
            ..situation(false)
        };
        next(&situation, &seen.map(slow), 3.0) == Step::Done
    };
    // Less than eight seconds are left, and three starts of a second are to be made for it.
    assert!(done(0.9));
    assert!(!done(0.2));
}

/// What one model has all processors for, another one does no better.
#[test]
fn slow_lanes_are_not_started_for_what_is_known_to_be_done() {
    let start = |gain| {
        let slow = |model, concurrency, gain: f64| Slice {
            startup_s: 1.0,
            ..slice(work(2e-3, 1.0), (model, concurrency, gain))
        };
        let slices = [
            slow(Model::Sequential, 1, 1.0),
            slow(Model::Processes, 2, gain),
        ];
        let situation = Situation {
            inputs: Some(20_000),
            budget_s: 2.0,
            interpreter: Some(Interpreter::new("CPython 3.13".to_owned(), true, false)),
            ..situation(false)
        };
        next(&situation, &slices, 4.5)
    };
    assert_eq!(start(1.8), Step::Done);
    let Step::Probe(probe) = start(1.2) else {
        panic!("threads were not tried");
    };
    assert_eq!(probe.model, Model::Threads);
}

/// An interpreter that imports for long is asked for all the slots that may be wanted; then more of them at work cost nothing.
#[test]
fn interpreters_of_what_waits_have_room_for_more() {
    let step = |run_s, startup_s, tried: &[(Model, usize, f64)]| {
        let slow = |it: &_| Slice {
            startup_s,
            ..slice((run_s, run_s / 10.0, 0.01), *it)
        };
        let slices: Vec<Slice> = tried.iter().map(slow).collect();
        let situation = Situation {
            inputs: Some(10_000),
            most_concurrency: 64,
            budget_s: 2.0,
            interpreter: Some(Interpreter::new("CPython 3.13".to_owned(), true, false)),
            ..situation(false)
        };
        match next(&situation, &slices, 0.5) {
            Step::Probe(probe) => Some((probe.model, probe.concurrency, probe.room)),
            Step::Done => None,
        }
    };
    let alone = (Model::Sequential, 1, 1.0);
    let pair = (Model::Async, 2, 2.0);
    assert_eq!(step(0.02, 0.1, &[alone]), Some((Model::Async, 2, 64)));
    assert_eq!(step(0.02, 100.0, &[alone]), None);
    assert_eq!(
        step(0.02, 30.0, &[alone, pair]),
        Some((Model::Async, 8, 64))
    );
    // Handing out one by one would count.
    assert_eq!(step(0.002, 0.1, &[alone]), Some((Model::Async, 2, 2)));
}

/// A look at two of them would take as long as one at many.
#[test]
fn of_long_waits_several_are_tried_at_once() {
    let after = |inputs, run_s, share, tried: &[(Model, usize, f64)]| {
        let slices: Vec<Slice> = tried
            .iter()
            .map(|it| Slice {
                inputs: it.1 as u64,
                wall_s: run_s,
                cpu_s: Some(it.2 * share * run_s),
                ..slice(work(run_s, share), *it)
            })
            .collect();
        let elapsed: f64 = slices.iter().map(|slice| slice.wall_s).sum();
        let situation = Situation {
            inputs: Some(inputs),
            budget_s: 2.0,
            ..situation(false)
        };
        match next(&situation, &slices, elapsed) {
            Step::Probe(probe) => Some((probe.model, probe.concurrency, probe.inputs)),
            Step::Done => None,
        }
    };
    let alone = (Model::Sequential, 1, 1.0);
    assert_eq!(after(8, 6.5, 0.01, &[alone]), Some((Model::Async, 7, 7)));
    assert_eq!(after(1000, 6.5, 0.01, &[alone]), Some((Model::Async, 8, 8)));
    let eight = (Model::Async, 8, 8.0);
    // Half of what is left, where that is less.
    let next = after(60, 6.5, 0.01, &[alone, eight]);
    assert_eq!(next, Some((Model::Async, 25, 25)));
    let next = after(1000, 6.5, 0.01, &[alone, eight]);
    assert_eq!(next, Some((Model::Async, 32, 32)));
    // What computes has no use for more than there are processors.
    let computes = after(1000, 6.5, 1.0, &[alone]);
    assert_eq!(computes, Some((Model::Threads, 2, 2)));
}

/// In the time of one look, the first of many commands have ended before the last has begun.
#[test]
fn a_look_is_as_long_as_it_takes_to_give_each_lane_its_inputs() {
    let seconds = |most| {
        let tried = [
            (Model::Sequential, 1, 1.0),
            (Model::Async, 2, 2.0),
            (Model::Async, 32, most),
        ];
        let slices: Vec<Slice> = tried.iter().map(|it| slice(work(0.02, 0.1), *it)).collect();
        match next(&situation(false), &slices, 0.5) {
            Step::Probe(probe) => (probe.concurrency, probe.seconds),
            Step::Done => panic!("it ended"),
        }
    };
    // 384 inputs, of which 32 lanes do a thousand a second.
    let (lanes, slow) = seconds(20.0);
    assert!(
        lanes == 128 && (slow - 0.384).abs() < 1e-9,
        "{lanes} {slow}"
    );
    let (lanes, quick) = seconds(200.0);
    assert!(lanes == 128 && quick < 0.1, "{lanes} {quick}");
}

/// Each look at a heavy tail waits for the slowest of its inputs.
#[test]
fn few_looks_are_taken_at_a_heavy_tail() {
    let seen = [(Model::Sequential, 1, 1.0), (Model::Async, 2, 2.0)];
    let next = |sd| probe((0.03, sd, 0.01), &seen, false).map(|it| (it.0, it.1));
    assert_eq!(next(0.003), Some((Model::Async, 8)));
    assert_eq!(next(0.2), Some((Model::Async, 32)));
}

/// The last of a few inputs a lane may take far longer than all the others.
#[test]
fn slices_of_a_heavy_tail_are_larger() {
    let inputs = |spread| probe_after((1e-1, spread), &PAIRED).unwrap();
    let (alike, heavy) = (inputs(1e-2), inputs(2e-1));
    assert_eq!((alike.0, alike.1), (Model::Threads, 8));
    assert_eq!((heavy.0, heavy.1), (Model::Threads, 8));
    assert!(alike.2 >= 24 && alike.2 < 64, "{alike:?}");
    assert!(heavy.2 >= 64, "{heavy:?}");
}
