//! What follows from slices that were measured.

use triway_core::Model;

use super::{
    advice::Advice,
    recommend,
    slice::{Situation, Slice},
};

fn slice(model: Model, concurrency: usize, rate_per_s: f64) -> Slice {
    Slice {
        model: Some(model),
        concurrency,
        inputs: 100,
        wall_s: 100.0 / rate_per_s,
        rate_per_s,
        run_s: 0.1,
        cpu_s: Some(0.1),
        ..Slice::default()
    }
}

/// The simplest of what is nearly as good as the best, not the simplest of what is nearly as good as that.
#[test]
fn what_is_advised_is_nearly_as_good_as_the_best_of_all() {
    let slices = [
        slice(Model::Sequential, 1, 10.0),
        slice(Model::Threads, 64, 95.2),
        slice(Model::Async, 128, 100.0),
        slice(Model::Async, 256, 105.0),
    ];
    let advised = recommend(&Situation::bare(2), &slices).recommendation;
    let advised = advised.map(|it| (it.model, it.concurrency));
    assert_eq!(advised, Some((Model::Async, 128)));
}

/// What fails now and then may leave one at a time without any success in a slice.
#[test]
fn no_gain_is_infinite() {
    let slice = |model, concurrency, rate_per_s| Slice {
        model: Some(model),
        concurrency,
        inputs: 2,
        failed: if rate_per_s > 0.0 { 0 } else { 2 },
        wall_s: 1.0,
        rate_per_s,
        run_s: 0.1,
        cpu_s: Some(0.01),
        ..Slice::default()
    };
    let slices = [
        slice(Model::Sequential, 1, 0.0),
        slice(Model::Threads, 2, 20.0),
        slice(Model::Sequential, 1, 10.0),
        slice(Model::Async, 2, 0.0),
        slice(Model::Sequential, 1, 10.0),
    ];
    let advice = recommend(&Situation::bare(2), &slices);
    assert_eq!(
        advice.recommendation.map(|it| it.model),
        Some(Model::Threads)
    );
    let gain = advice.expected_gain.unwrap();
    assert!(gain.median.is_finite() && gain.ci95.is_none(), "{gain:?}");
    assert!(
        !advice.verdict.contains("inf") && advice.verdict.contains("I cannot tell"),
        "{}",
        advice.verdict
    );
    let json = serde_json::to_string(&advice).unwrap();
    let read: Advice = serde_json::from_str(&json).unwrap();
    assert_eq!(read.alternatives, advice.alternatives);
}

/// What is measured in several slices is told of all of them.
#[test]
fn evidence_is_of_all_slices() {
    let slice = |run_s, run_max_s, wall_s, serialising_s, input_bytes| Slice {
        model: Some(Model::Sequential),
        concurrency: 1,
        inputs: 10,
        wall_s,
        rate_per_s: 10.0 / wall_s,
        run_s,
        run_max_s,
        serialising_s,
        input_bytes,
        output_bytes: 2048.0,
        ..Slice::default()
    };
    let threads = Slice {
        model: Some(Model::Threads),
        concurrency: 2,
        ..slice(0.1, 0.1, 0.5, None, 0.0)
    };
    let slices = [
        slice(0.1, 0.2, 1.0, None, 100.0),
        slice(0.3, 0.9, 3.0, Some(0.3), 300.0),
        threads,
    ];
    let advice = recommend(&Situation::bare(2), &slices);
    let evidence = |figure: &str| {
        let found = advice.evidence.iter().find(|it| it.figure == figure);
        let found = found.unwrap_or_else(|| panic!("no {figure}: {:?}", advice.evidence));
        (found.value, found.meaning.clone())
    };
    // Ten of 0.1 s and ten of 0.3 s: 0.2 s, and a deviation of 0.1 s times the root of 20 / 19.
    let (spread, said) = evidence("input-spread");
    assert!(
        (spread - 0.5 * (20.0_f64 / 19.0).sqrt()).abs() < 1e-9,
        "{spread}"
    );
    assert!(said.contains("900 ms"), "{said}");
    assert!((evidence("serialising").0 - 0.1).abs() < 1e-9);
    assert_eq!(
        evidence("input-size"),
        (200.0, "an input has 200 bytes".to_owned())
    );
    assert_eq!(evidence("output-size").1, "its result has 2.00 KiB");
}

/// Two models whose figures overlap are not told apart, and that is said; what is far behind is.
#[test]
fn models_that_the_figures_do_not_tell_apart_are_named() {
    let slices = [
        slice(Model::Sequential, 1, 10.0),
        slice(Model::Sequential, 1, 10.1),
        slice(Model::Threads, 8, 79.0),
        slice(Model::Threads, 8, 80.0),
        slice(Model::Async, 8, 76.0),
        slice(Model::Async, 8, 84.0),
        slice(Model::Processes, 2, 20.0),
        slice(Model::Processes, 2, 20.1),
    ];
    let advice = recommend(&Situation::bare(2), &slices);
    assert_eq!(
        advice.recommendation.map(|it| it.model),
        Some(Model::Threads)
    );
    let told: Vec<_> = advice
        .notes
        .iter()
        .filter(|it| it.contains("apart"))
        .collect();
    assert_eq!(told.len(), 1, "{:?}", advice.notes);
    assert!(
        told[0].contains("threads with 8 at once and async with 8 at once")
            && told[0].ends_with("the simpler was taken"),
        "{told:?}"
    );
}

/// Neither a limit in a time nor other programs are a lock.
#[test]
fn what_nobody_holds_is_not_called_a_lock() {
    let slow = |model, concurrency, told_to_wait| Slice {
        told_to_wait,
        ..slice(model, concurrency, 10.0)
    };
    let says = |told_to_wait, two_threads| {
        let slices = [
            slow(Model::Sequential, 1, told_to_wait),
            slow(Model::Threads, 2, told_to_wait),
        ];
        let situation = Situation {
            two_threads: Some(two_threads),
            ..Situation::bare(2)
        };
        let advice = recommend(&situation, &slices);
        let all = [vec![advice.verdict], advice.changes, advice.notes];
        all.concat().join("\n")
    };
    let limited = says(4, 1.9);
    assert!(limited.contains("so much in a time"), "{limited}");
    assert!(!limited.contains("lock"), "{limited}");
    let locked = says(0, 1.9);
    assert!(locked.contains("a lock that is held"), "{locked}");
    assert!(!locked.contains("other programs"), "{locked}");
    let busy = says(0, 1.45);
    assert!(busy.contains("other programs use"), "{busy}");
}
