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

const WAITERS: &[Model] = &[Model::Threads, Model::Async];

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("http-slots-1", &[Character::ExternalLimit], WAITERS, 8..=16),
    ("py-sha256-1", &[Character::Cpu], &[Model::Threads, Model::Processes], 2..=8),
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
