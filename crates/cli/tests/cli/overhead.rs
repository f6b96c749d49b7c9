//! `overhead`: what it measures, in which forms, and what it says where there is no Python. No test judges a time.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, process::Stdio};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

use crate::{
    program::{Ended, eventually, run, start, triway},
    stopping::children,
};

/// One round, which is made whatever the budget is, in JSON.
fn measured(arguments: &str) -> Value {
    let ended = run(&format!("overhead --budget 1ms --format json {arguments}"));
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.out).unwrap()
}

/// One round on a machine without Python.
fn without_python(arguments: &str) -> Ended {
    let nowhere = tempdir().unwrap();
    let mut command = triway(&format!("overhead --budget 1ms {arguments}"));
    command
        .env("PATH", nowhere.path())
        .env_remove("VIRTUAL_ENV");
    start(command.stdin(Stdio::null())).end()
}

fn median(found: &Value, id: &str) -> f64 {
    let all = found["figures"].as_array().unwrap();
    let figure = all.iter().find(|figure| figure["id"] == id);
    let median = figure.and_then(|figure| figure["median"].as_f64());
    median.unwrap_or_else(|| panic!("{id} was not measured: {found:#}"))
}

fn texts<'a>(found: &'a Value, list: &str, field: &str) -> Vec<&'a str> {
    let all = found[list].as_array().unwrap().iter();
    all.map(|one| one[field].as_str().unwrap()).collect()
}

#[test]
fn everything_is_measured_and_in_its_order() {
    let found = measured("");
    assert_eq!((&found["schema"], &found["rounds"]), (&1.into(), &1.into()));
    assert!(found["machine"]["cpus"].as_u64() >= Some(1), "{found}");
    let version = found["python"]["version"].as_str().unwrap();
    assert!(version.starts_with("3."), "{version}");
    let ids = texts(&found, "figures", "id");
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    for figure in found["figures"].as_array().unwrap() {
        let median = figure["median"].as_f64();
        assert!(median.is_some_and(f64::is_finite), "{figure}");
        assert!(figure["missing"].is_null(), "{figure}");
        assert_eq!(figure["range"][0], figure["median"], "{figure}");
        assert!(
            figure["ci95"].is_null(),
            "one round has no interval: {figure}"
        );
        assert!(!figure["how"].as_str().unwrap().is_empty(), "{figure}");
    }
    // A level of a hundred, whatever else the machine does.
    for (less, more) in [
        ("start.task", "start.thread"),
        ("start.thread", "start.again"),
        ("memory.task", "memory.thread"),
        ("memory.thread", "memory.process"),
        ("ready.threads", "ready.processes"),
        ("switch.task", "switch.thread"),
        ("python.start.coroutine", "python.start.thread"),
        ("python.start.thread", "python.start.spawn"),
        ("python.memory.task", "python.memory.thread"),
        ("python.memory.thread", "python.memory.spawn"),
        ("python.hand.sequential", "python.hand.threads"),
        ("python.hand.async", "python.hand.processes"),
    ] {
        let [small, large] = [less, more].map(|id| median(&found, id));
        assert!(small < large, "{less} {small}, {more} {large}");
    }
}

#[test]
fn a_table_and_a_verdict_follow_from_the_figures() {
    let found = measured("");
    let rows = texts(&found, "table", "id");
    let expected = [
        "threads",
        "processes",
        "async",
        "python-threads",
        "python-processes",
        "python-async",
    ];
    assert_eq!(rows, expected);
    let known: BTreeSet<_> = texts(&found, "figures", "id").into_iter().collect();
    for row in found["table"].as_array().unwrap() {
        for column in [
            "best_for",
            "lock_impact",
            "parallelism",
            "memory",
            "switch_cost",
            "data_sharing",
            "scale",
        ] {
            let cell = &row[column];
            assert!(!cell["text"].as_str().unwrap().is_empty(), "{row}");
            for id in cell["figures"].as_array().unwrap() {
                assert!(known.contains(id.as_str().unwrap()), "{id}: {row}");
            }
        }
    }
    for pays in found["pays_from"].as_array().unwrap() {
        let [long, short] = ["long_job_s", "hundred_inputs_s"].map(|which| pays[which].as_f64());
        assert_eq!(long.is_none(), pays["why_not"].is_string(), "{pays}");
        assert!(
            short >= long && long >= Some(0.0) || long.is_none(),
            "{pays}"
        );
    }
    let waits = &found["pays_from"].as_array().unwrap()[3];
    assert_eq!(
        (&waits["row"], &waits["work"]),
        (&"async".into(), &"waits".into())
    );
    let times = waits["times"].as_f64().unwrap();
    let more = median(&found, "hand.async") - median(&found, "hand.sequential");
    let least = more.max(0.0) / (1.0 - 1.0 / times);
    assert!(
        (waits["long_job_s"].as_f64().unwrap() - least).abs() < 1e-12,
        "{waits}"
    );
    let verdict = found["verdict"].as_str().unwrap();
    assert!(
        verdict.starts_with("A thread costs ") && verdict.ends_with('.'),
        "{verdict}"
    );
    assert!(verdict.contains("in Python a thread costs "), "{verdict}");
}

#[test]
fn without_python_the_rest_is_measured() {
    let ended = without_python("--format json");
    assert_eq!(ended.code, 0, "{ended:?}");
    let found: Value = serde_json::from_str(&ended.out).unwrap();
    assert!(found["python"].is_null(), "{found}");
    assert_eq!(
        texts(&found, "table", "id"),
        ["threads", "processes", "async"]
    );
    let ids = texts(&found, "figures", "id");
    assert!(ids.iter().all(|id| !id.starts_with("python")), "{ids:?}");
    assert!(median(&found, "start.thread") > 0.0);
    let notes = found["notes"].to_string();
    assert!(
        notes.contains("Python was not measured: no python3 is on the PATH"),
        "{notes}"
    );
    assert!(ended.err.contains("without Python"), "{}", ended.err);
}

#[test]
fn an_interpreter_that_is_asked_for_must_be_one() {
    let ended = run("overhead --budget 1ms --python /no/such/python");
    assert_eq!((ended.code, &*ended.out), (2, ""), "{ended:?}");
    let expected = "--python: /no/such/python: there is no such program";
    assert!(ended.err.contains(expected), "{}", ended.err);
    let found = measured("--python /bin/false");
    assert!(found["python"].is_null(), "{found}");
    let notes = texts_of(&found["notes"]);
    let told = notes.iter().filter(|note| note.contains("Python")).count();
    assert_eq!(told, 1, "{notes:?}");
    assert!(
        notes.contains(&"Python was not measured: /bin/false: exit status: 1"),
        "{notes:?}"
    );
}

fn texts_of(list: &Value) -> Vec<&str> {
    let all = list.as_array().unwrap().iter();
    all.map(|one| one.as_str().unwrap()).collect()
}

#[test]
fn every_format_tells_the_same() {
    let folder = tempdir().unwrap();
    let table = without_python("--format table").out;
    assert!(table.starts_with("What this machine charges\n"), "{table}");
    for told in [
        "start of a thread ",
        "A thread costs ",
        "\nlock impact ",
        "hand-over to processes ",
    ] {
        assert!(table.contains(told), "{told}: {table}");
    }
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?} columns: {table}");
    let csv = without_python("--format csv -q");
    assert_eq!(csv.err, "", "quiet is quiet");
    let mut lines = csv.out.lines();
    let head = lines.next().unwrap();
    assert_eq!(
        head,
        "id,name,unit,median,ci95_low,ci95_high,least,most,rounds,how,missing"
    );
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("start.thread,start of a thread,s,"),
        "{first}"
    );
    // The format follows the file, and the verdict is told to whoever sees none of it.
    let path = folder.path().join("overhead.md");
    let ended = without_python(&format!("-o {}", path.display()));
    assert!(
        ended.out.is_empty() && ended.err.contains("A thread costs "),
        "{ended:?}"
    );
    let md = fs::read_to_string(path).unwrap();
    assert!(
        md.contains("| figure | median | 95 % | all rounds |"),
        "{md}"
    );
    assert!(md.contains("|  | threads | processes | async |"), "{md}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_measured() {
    for (arguments, told) in [
        ("--budget 0s", "nothing is measured in no time"),
        ("--budget soon", "write a number and its unit"),
        (
            "--format junit",
            "--format junit: what is measured has no such form",
        ),
        (
            "-o figures.xml",
            "--format junit: what is measured has no such form",
        ),
        (
            "-o /no/such/folder/x.json",
            "--output: cannot write /no/such/folder/x.json",
        ),
    ] {
        let ended = run(&format!("overhead {arguments}"));
        assert_eq!((ended.code, &*ended.out), (2, ""), "{arguments}: {ended:?}");
        assert!(ended.err.contains(told), "{arguments}: {}", ended.err);
    }
}

#[test]
fn a_signal_ends_it_and_all_that_it_has_started() {
    let folder = tempdir().unwrap();
    // An interpreter that never tells anything, and that nothing but this program ends.
    let python = folder.path().join("python");
    fs::write(&python, "#!/bin/sh\nexec sleep 39\n").unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = format!("overhead --budget 1ms --python {}", python.display());
    let started = start(triway(&arguments).stdin(Stdio::null()));
    let parent = started.pid();
    let sleeps = |child: &u32| {
        let title = fs::read_to_string(format!("/proc/{child}/cmdline"));
        title.is_ok_and(|title| title.contains("sleep"))
    };
    let child = eventually(|| children(parent).into_iter().find(sleeps));
    started.signal(Signal::INT);
    let ended = started.end();
    assert_eq!((ended.code, &*ended.out), (130, ""), "{ended:?}");
    assert!(
        ended.err.contains("stopped before it was done"),
        "{}",
        ended.err
    );
    assert!(!sleeps(&child), "its interpreter was left behind");
}
