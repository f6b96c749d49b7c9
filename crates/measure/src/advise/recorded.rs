//! Jobs that were really probed: what each measured stands in `tests/recorded`, and what is to be said of it here.
//!
//! `triway-benches labelled NAME --record crates/measure/tests/recorded` writes such files.

use std::{fs, ops::RangeInclusive, path::Path};

use serde::Deserialize;
use triway_core::Model;

use super::*;

#[derive(Deserialize)]
struct Recorded {
    situation: Situation,
    probes: Vec<Slice>,
}

/// A file, and what may be said of it.
type Case = (
    &'static str,
    &'static [Character],
    &'static [Model],
    RangeInclusive<usize>,
);

const CPU: &[Character] = &[Character::Cpu];
const SIDE_BY_SIDE: &[Model] = &[Model::Threads, Model::Processes, Model::Async];
const WAITERS: &[Model] = &[Model::Threads, Model::Async];

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("cpu-memory-1", CPU, SIDE_BY_SIDE, 2..=16),
    ("cpu-spin-1", CPU, SIDE_BY_SIDE, 2..=16),
    ("cpu-sqrt-1", CPU, SIDE_BY_SIDE, 2..=16),
    ("echo-delay-1", &[Character::Waiting], WAITERS, 256..=256),
    ("http-delay-1", &[Character::Waiting], WAITERS, 256..=256),
    ("http-few-1", &[Character::Waiting], WAITERS, 256..=256),
    ("http-slots-1", &[Character::ExternalLimit], WAITERS, 8..=16),
    ("http-tail-1", &[Character::Waiting], WAITERS, 256..=256),
    ("py-async-mixed-1", &[Character::Waiting, Character::Mixed, Character::ExternalLimit], WAITERS, 16..=256),
    ("py-async-mixed-2", &[Character::Waiting], &[Model::Async], 32..=128),
    ("py-async-sleep-1", &[Character::Waiting], &[Model::Async], 128..=256),
    ("py-crowded-1", &[Character::ExternalLimit], WAITERS, 8..=8),
    ("py-dumps-1", &[Character::InterpreterLock], &[Model::Processes], 2..=2),
    ("py-fake-async-1", &[Character::FakeAsync], &[Model::Threads], 64..=256),
    ("py-flock-1", &[Character::ExternalLimit], &[Model::Sequential], 1..=1),
    ("py-lists-1", &[Character::InterpreterLock], &[Model::Processes], 2..=2),
    ("py-mixed-1", &[Character::Mixed], &[Model::Processes], 4..=8),
    ("py-pareto-1", &[Character::Waiting], &[Model::Threads], 128..=256),
    ("py-re-1", &[Character::InterpreterLock], &[Model::Processes], 2..=2),
    ("py-sha256-1", &[Character::Cpu], &[Model::Threads, Model::Processes], 2..=8),
    ("py-sleep-1", &[Character::Waiting], &[Model::Threads], 256..=256),
    ("py-slow-import-1", &[Character::InterpreterLock], &[Model::Sequential, Model::Processes], 1..=2),
    ("py-sqlite-1", &[Character::ExternalLimit, Character::Tiny, Character::Mixed], &[Model::Sequential], 1..=1),
    ("py-sqrt-1", &[Character::InterpreterLock], &[Model::Processes], 2..=2),
    ("py-tiny-1", &[Character::Tiny], &[Model::Sequential], 1..=1),
    ("py-urllib-1", &[Character::Waiting, Character::ExternalLimit], &[Model::Threads], 16..=256),
    ("py-zlib-1", CPU, SIDE_BY_SIDE, 2..=16),
    ("sh-sleep-1", &[Character::Waiting, Character::ExternalLimit], WAITERS, 32..=256),
    ("sh-true-1", CPU, SIDE_BY_SIDE, 2..=8),
    ("sql-inserts-1", &[Character::Tiny, Character::ExternalLimit], &[Model::Sequential], 1..=1),
    ("sql-selects-1", &[Character::Tiny, Character::Cpu, Character::Memory], &[Model::Threads], 4..=16),
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded"))
}

#[test]
fn each_recorded_job_gets_the_advice_that_suits_it() {
    for (name, characters, models, concurrency) in CASES {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let recorded: Recorded = serde_json::from_str(&text).unwrap();
        let advice = recommend(&recorded.situation, &recorded.probes);
        let told = (advice.character, advice.recommendation);
        assert!(characters.contains(&advice.character), "{name}: {told:?}");
        let advised = advice.recommendation.unwrap();
        assert!(models.contains(&advised.model), "{name}: {told:?}");
        assert!(
            concurrency.contains(&advised.concurrency),
            "{name}: {told:?}"
        );
    }
}

#[test]
fn every_recorded_job_is_asked_for() {
    let mut found: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut named: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    named.sort_unstable();
    assert_eq!(found, named);
}
