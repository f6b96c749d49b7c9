//! `--trace`: what Perfetto needs to open it.

use std::{collections::BTreeSet, fs, path::Path, process::Stdio, thread, time::Duration};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

use crate::program::{run, run_with, start, triway};

/// The events of a trace, after a look at whether each has what its kind needs.
#[track_caller]
fn events(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let trace: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let events = trace["traceEvents"].as_array().unwrap().clone();
    for event in &events {
        assert!(
            event["name"].is_string() && event["pid"].is_u64() && event["tid"].is_u64(),
            "{event}"
        );
        match event["ph"].as_str().unwrap() {
            "M" if event["name"] == "thread_sort_index" => {
                assert!(event["args"]["sort_index"].is_u64(), "{event}");
            }
            "M" => assert!(event["args"]["name"].is_string(), "{event}"),
            "X" => {
                let number = |name: &str| event[name].as_f64().unwrap();
                assert!(number("ts") >= 0.0 && number("dur") >= 0.0, "{event}");
            }
            other => panic!("{other}: {event}"),
        }
    }
    events
}

fn attempts(events: &[Value]) -> Vec<&Value> {
    let attempts = events
        .iter()
        .filter(|event| event["ph"] == "X" && event["cat"] != "start-up");
    attempts.collect()
}

#[test]
fn a_comparison_is_a_process_an_arm_and_a_thread_a_lane() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("trace.json");
    let list = "sequential,threads@3";
    let ended = run(&format!(
        "compare cpu --n 100000 --inputs 30 --rounds 2 --models {list} --trace {}",
        path.display()
    ));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.err.contains("https://ui.perfetto.dev opens it"),
        "{ended:?}"
    );
    let events = events(&path);
    let named = |what: &str| {
        let named = events.iter().filter(|event| event["name"] == what);
        named
            .map(|event| event["args"]["name"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    let mut arms = named("process_name");
    arms.sort_unstable();
    assert_eq!(arms, ["sequential", "threads@3"]);
    assert!(named("thread_name").contains(&"lane 0"));
    let attempts = attempts(&events);
    assert_eq!(attempts.len(), 2 * 30);
    let processes: BTreeSet<u64> = attempts
        .iter()
        .map(|event| event["pid"].as_u64().unwrap())
        .collect();
    assert_eq!(processes.len(), 2);
    // What is on one thread is one after the other, or Perfetto would nest it.
    for one in &attempts {
        let end = |event: &Value| event["ts"].as_f64().unwrap() + event["dur"].as_f64().unwrap();
        let overlaps = |other: &&&Value| {
            let same = other["pid"] == one["pid"]
                && other["tid"] == one["tid"]
                && other["args"] != one["args"];
            same && other["ts"].as_f64() > one["ts"].as_f64()
                && other["ts"].as_f64().unwrap() < end(one) - 0.002
        };
        assert!(!attempts.iter().any(|other| overlaps(&other)), "{one}");
    }
    assert!(
        attempts
            .iter()
            .all(|event| event["name"].as_str().unwrap().ends_with(" ok"))
    );
}

#[test]
fn a_run_writes_every_attempt() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("trace.json");
    let input = b"http://user:hush@127.0.0.1:1/<script>\nhttp://127.0.0.1:1/y\n";
    let ended = run_with(
        &format!(
            "run http - --retries 1 -m threads -c 2 --trace {}",
            path.display()
        ),
        input,
    );
    assert_eq!(ended.code, 1, "{ended:?}");
    let events = events(&path);
    let attempts = attempts(&events);
    assert_eq!(attempts.len(), 4, "two of each: {attempts:?}");
    assert!(
        attempts
            .iter()
            .all(|event| event["args"]["error"].is_string()),
        "{attempts:?}"
    );
    assert!(!fs::read_to_string(&path).unwrap().contains("hush"));
    assert!(
        events
            .iter()
            .any(|event| event["args"]["name"] == "http threads@2"),
        "{events:?}"
    );
    assert!(
        events.iter().any(|event| event["cat"] == "start-up"),
        "{events:?}"
    );
}

/// A run that chooses its model starts lanes several times, each time when those before have ended.
#[test]
fn each_start_up_stands_where_it_was() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("trace.json");
    let ended = run(&format!(
        "run cpu --work spin --n 2 --inputs 400 -m auto --trace {}",
        path.display()
    ));
    assert_eq!(ended.code, 0, "{ended:?}");
    let events = events(&path);
    let at = |event: &Value| event["ts"].as_f64().unwrap();
    let startups: Vec<&Value> = events
        .iter()
        .filter(|event| event["cat"] == "start-up")
        .collect();
    assert!(startups.len() > 2, "{startups:?}");
    assert!(at(startups[0]) < 1000.0, "{startups:?}");
    for pair in startups.windows(2) {
        let end = at(pair[0]) + pair[0]["dur"].as_f64().unwrap();
        assert!(at(pair[1]) >= end, "{pair:?}");
        // Attempts of two milliseconds have gone on between them.
        assert!(at(pair[1]) >= 2000.0, "{pair:?}");
    }
    let named = |event: &&Value| event["name"].as_str().unwrap().ends_with(" at once");
    assert!(startups.iter().all(named), "{startups:?}");
}

#[test]
fn a_trace_opens_also_after_ctrl_c_and_after_kill() {
    for (signal, code) in [(Signal::INT, 130), (Signal::KILL, 1009)] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("trace.json");
        let line = format!(
            "run cpu --work spin --n 20 --inputs 10000 -c 1 --trace {}",
            path.display()
        );
        let started = start(triway(&line).stdin(Stdio::null()));
        thread::sleep(Duration::from_millis(900));
        started.signal(signal);
        let ended = started.end();
        assert_eq!(ended.code, code, "{ended:?}");
        let events = events(&path);
        let written = attempts(&events).len();
        assert!((3..10_000).contains(&written), "{written} after {signal:?}");
    }
}
