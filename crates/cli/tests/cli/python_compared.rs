//! `compare py`: the examples, what the standard library would find, and what interpreters tell of themselves.

use std::process::Stdio;

use serde_json::Value;

use crate::{
    program::{run, start, triway},
    python::{app, call},
};

#[test]
fn every_example_runs_and_compares() {
    for (example, async_too) in [
        ("sqrt", false),
        ("fetch", false),
        ("batches", false),
        ("insert", false),
        ("digest", false),
        ("tiny", false),
        ("fake-async", true),
        ("locked", false),
    ] {
        let ended = run(&format!(
            "compare py --example {example} --sample 4 --rounds 1 --format json"
        ));
        assert_eq!(ended.code, 0, "{example}: {ended:?}");
        let report: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(report["results_equal"], true, "{example}: {report}");
        let arms = report["models"].as_array().unwrap();
        let ran = arms.iter().filter(|arm| arm["succeeded"] == 4).count();
        assert_eq!(ran, if async_too { 4 } else { 3 }, "{example}: {report}");
    }
}

#[test]
fn compare_finds_what_the_standard_library_would() {
    // Waits that nothing shares are shorter the more there are at once. They are long beside the start of an interpreter on
    // a busy machine.
    let folder = app("import time\ndef nap(x):\n    time.sleep(0.1)\n    return x\n");
    let values: Vec<String> = (0..16).map(|n| n.to_string()).collect();
    let mut command = triway("compare py");
    command
        .arg(folder.path().join("app.py:nap"))
        .args([
            "--models",
            "sequential,threads@8",
            "--rounds",
            "3",
            "--format",
            "json",
            "--",
        ])
        .args(&values);
    let ended = start(command.stdin(Stdio::null())).end();
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    // Three rounds carry no winner where other programs disturb them, but never the wrong one.
    assert_ne!(report["winner"], "sequential", "{report}");
    let arms = report["models"].as_array().unwrap();
    let wall = |id: &str| {
        let arm = arms.iter().find(|arm| arm["id"] == id).unwrap();
        arm["wall_s"]["median"].as_f64().unwrap()
    };
    let ratio = wall("sequential") / wall("threads@8");
    assert!((2.0..9.0).contains(&ratio), "{ratio}: {report}");
}

#[test]
fn what_happens_inside_is_told() {
    let source = "
import time
def work(x):
    until = time.thread_time() + x
    while time.thread_time() < until: pass
def nap(x):
    time.sleep(x)
async def blocks(x):
    time.sleep(x)
";
    let folder = app(source);
    for (name, model, busy) in [
        ("work", "sequential", true),
        ("work", "threads -c 2", true),
        ("nap", "processes -c 2", false),
        ("blocks", "async -c 2", false),
    ] {
        let ended = call(&folder, name, &format!("-m {model}"), &["0.05", "0.05"]);
        for outcome in ended.outcomes() {
            let cpu = outcome["cpu_s"].as_f64().unwrap();
            let expected = if busy { 0.045..0.2 } else { 0.0..0.02 };
            assert!(expected.contains(&cpu), "{name} {model}: {outcome}");
        }
        let held = ended.err.contains("held its event loop for 5");
        assert_eq!(held, name == "blocks", "{name}: {}", ended.err);
        assert!(ended.err.contains("in the interpreters: "), "{}", ended.err);
    }
    let ended = run("compare py --example fake-async --rounds 1 --probe --format json");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    for arm in report["models"].as_array().unwrap() {
        let inside = &arm["inside"];
        assert!(
            inside["lock_wait_s"]["p50"].as_f64().unwrap() < 0.05,
            "{arm}"
        );
        assert!(inside["cpu_s"].as_f64().unwrap() < 0.2, "{arm}");
        let held = inside["longest_hold"]["seconds"].as_f64();
        assert_eq!(held.is_some(), arm["id"] == "async", "{arm}");
        assert!(held.is_none_or(|held| (0.05..0.2).contains(&held)), "{arm}");
    }
    let notes = report["notes"].to_string();
    assert!(notes.starts_with("[\"Python 3."), "{notes}");
    assert!(notes.contains("async: the coroutine of input"), "{notes}");
    let ended = call(&folder, "nap", "--probe", &["0"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains("--probe"), "{ended:?}");
}
