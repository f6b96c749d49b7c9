//! The loads take what they are asked to take, and end when they are told to.

use std::time::{Duration, Instant};

use triway_core::FailureKind;
use triway_tasks::cpu::{Amount, Cpu, Load, Work};

use crate::both::{both, run_blocking, run_cancelled};

#[test]
fn both_forms_give_the_same() {
    for (work, amount, expected) in [
        (Work::None, Amount::Number(7), Load::N(7)),
        (Work::Sqrt, Amount::Number(2), Load::Sum(1.0)),
        (
            Work::Sqrt,
            Amount::Number(5),
            Load::Sum(3.0 + 2_f64.sqrt() + 3_f64.sqrt()),
        ),
        (Work::Spin, Amount::Millis(0.5), Load::SpunMs(0.5)),
        (Work::Spin, Amount::Number(1), Load::SpunMs(1.0)),
        (
            Work::Memory,
            Amount::Number(2),
            Load::WordSum(((1 << 17) - 1) << 17),
        ),
        (
            Work::Sha256,
            Amount::Number(0),
            Load::Sha256(
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
            ),
        ),
    ] {
        for (form, load) in both(&Cpu::new(work), &amount, None) {
            match (load.unwrap(), &expected) {
                (Load::Sum(sum), Load::Sum(expected)) => assert!((sum - expected).abs() < 1e-12),
                (load, expected) => assert_eq!(load, *expected, "{form}"),
            }
        }
    }
}

#[test]
fn spinning_takes_its_time_and_the_stretch() {
    let mut task = Cpu::new(Work::Spin);
    task.stretch = 1.5;
    for (task, least) in [(Cpu::new(Work::Spin), 100), (task, 150)] {
        let start = Instant::now();
        let load = run_blocking(&task, &Amount::Millis(100.0), None);
        assert_eq!(
            load,
            Ok(Load::SpunMs(100.0)),
            "the output does not tell the stretch"
        );
        assert!(start.elapsed() >= Duration::from_millis(least));
    }
}

#[test]
fn amounts_that_no_load_can_take_are_refused() {
    for (work, amount) in [
        (Work::Sqrt, Amount::Number(u64::MAX)),
        (Work::Sqrt, Amount::Millis(1.5)),
        (Work::None, Amount::Millis(1.5)),
        (Work::Spin, Amount::Millis(-1.0)),
        (Work::Spin, Amount::Millis(f64::NAN)),
        (Work::Spin, Amount::Millis(f64::INFINITY)),
        (Work::Spin, Amount::Number(u64::MAX)),
        (Work::Memory, Amount::Number(u64::MAX)),
        (Work::Sha256, Amount::Millis(0.5)),
    ] {
        let failure = run_blocking(&Cpu::new(work), &amount, None).unwrap_err();
        assert_eq!(failure.kind, FailureKind::BAD_INPUT, "{work:?} {amount:?}");
    }
}

#[test]
fn a_deadline_and_an_abort_end_every_load_early() {
    let short = Duration::from_millis(50);
    for (work, amount) in [
        (Work::Sqrt, Amount::Number(1 << 50)),
        (Work::Spin, Amount::Millis(60_000.0)),
        (Work::Memory, Amount::Number(1 << 24)),
        (Work::Sha256, Amount::Number(1 << 24)),
    ] {
        let task = Cpu::new(work);
        let start = Instant::now();
        let late = run_blocking(&task, &amount, Some(short)).unwrap_err();
        assert_eq!(late.kind, FailureKind::TIMEOUT, "{work:?}");
        let aborted = run_cancelled(&task, &amount, short).unwrap_err();
        assert_eq!(aborted.kind, FailureKind::CANCELLED, "{work:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{work:?}");
    }
}
