//! `sweep`: its contract with scripts, what it recommends, and what it refuses.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

use crate::{
    program::{Ended, eventually, run, run_with, start, triway},
    serving::{ends, server},
    stopping::children,
};

const SWEEP: [&str; 18] = [
    "schema",
    "task",
    "inputs",
    "sampled",
    "rounds",
    "machine",
    "options",
    "model",
    "runtime_threads",
    "points",
    "fit",
    "no_fit",
    "knee",
    "recommended",
    "results_equal",
    "differences",
    "verdict",
    "notes",
];

const POINT: [&str; 16] = [
    "concurrency",
    "inputs",
    "too_few_inputs",
    "skipped",
    "unranked",
    "succeeded",
    "failed",
    "wall_s",
    "startup_s",
    "throughput_per_s",
    "efficiency",
    "latency_s",
    "cpu_s",
    "cpu_per_input_s",
    "peak_memory_bytes",
    "context_switches",
];

#[track_caller]
fn sweep(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// A column of the points.
fn column(sweep: &Value, name: &str) -> Vec<Value> {
    let points = sweep["points"].as_array().unwrap();
    points.iter().map(|point| point[name].clone()).collect()
}

fn concurrency(of: &Value) -> u64 {
    of["concurrency"].as_u64().unwrap_or_else(|| panic!("{of}"))
}

#[test]
fn the_report_keeps_its_contract() {
    let ended = run("sweep http -c 1,4,16 --sample 64 --rounds 2 --format json");
    assert_eq!(ended.code, 0, "{ended:?}");
    let sweep = sweep(&ended);
    for key in SWEEP {
        assert!(sweep.get(key).is_some(), "no {key}: {sweep}");
    }
    let like_this = (&sweep["schema"], &sweep["task"], &sweep["model"]);
    assert_eq!(like_this, (&1.into(), &"http".into(), &"async".into()));
    assert_eq!(column(&sweep, "concurrency"), [1, 4, 16]);
    for point in sweep["points"].as_array().unwrap() {
        for key in POINT {
            assert!(point.get(key).is_some(), "no {key}: {point}");
        }
        assert_eq!(
            (&point["failed"], &point["skipped"]),
            (&0.into(), &Value::Null)
        );
        let inputs = point["inputs"].as_u64().unwrap();
        assert_eq!(inputs % concurrency(point), 0, "no whole waves: {point}");
        assert!(point["throughput_per_s"]["median"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(sweep["results_equal"], true);
    // Three points fit any law.
    assert_eq!(sweep["fit"], Value::Null);
    assert!(
        sweep["no_fit"]
            .as_str()
            .unwrap()
            .contains("3 points are too few")
    );
    assert!(ended.err.contains("9 times at most"), "{}", ended.err);
    assert!(
        ended
            .err
            .contains("over and over again, so that there are 100"),
        "{}",
        ended.err
    );
}

#[test]
fn slots_of_the_other_side_are_the_knee() {
    let (mut process, address) = server("serve http --port 0 --until-stdin-closes");
    let urls = format!("http://{address}/slots/4?seconds=0.05\n").repeat(64);
    let arguments = "sweep http - -m threads -c 1..16 --rounds 1 --format json";
    let ended = run_with(arguments, urls.as_bytes());
    assert_eq!(ended.code, 0, "{ended:?}");
    let sweep = sweep(&ended);
    // Between an answer and the next request a slot is free, so that some more lanes than slots may gain a little.
    assert!([4, 8].contains(&concurrency(&sweep["knee"])), "{sweep}");
    assert!(concurrency(&sweep["recommended"]) >= 4, "{sweep}");
    let efficiency = column(&sweep, "efficiency");
    assert!(efficiency[4].as_f64().unwrap() < 0.5, "{sweep}");
    let latency = column(&sweep, "latency_s");
    let p50 = |place: usize| latency[place]["p50"].as_f64().unwrap();
    assert!(
        p50(4) > 1.5 * p50(0),
        "who waits for a slot is not late: {sweep}"
    );
    drop(process.stdin.take());
    assert_eq!(ends(&mut process), Some(0));
}

#[test]
fn processors_are_the_limit_of_what_uses_them() {
    let processors = thread::available_parallelism().unwrap().get();
    let most = 4 * processors;
    let ended = run(&format!(
        "sweep cpu --work spin --n 10 --inputs {} -m threads -c 1,{most} --rounds 2 --format json",
        4 * most
    ));
    assert_eq!(ended.code, 0, "{ended:?}");
    let efficiency = column(&sweep(&ended), "efficiency");
    assert_eq!(efficiency[0], 1.0);
    assert!(efficiency[1].as_f64().unwrap() < 0.8, "{efficiency:?}");
}

/// A server that answers so many at once, and refuses those beyond.
fn refusing(most: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/\n", listener.local_addr().unwrap());
    let busy = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let busy = Arc::clone(&busy);
            thread::spawn(move || answer(connection, &busy, most));
        }
    });
    url
}

fn answer(mut connection: TcpStream, busy: &AtomicUsize, most: usize) {
    let _request = connection.read(&mut [0; 4096]);
    let status = match busy.fetch_add(1, Ordering::SeqCst) < most {
        true => "200 OK",
        false => "503 Service Unavailable",
    };
    thread::sleep(Duration::from_millis(30));
    busy.fetch_sub(1, Ordering::SeqCst);
    let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    // A client that has gone does not mind.
    let _sent = connection.write_all(answer.as_bytes());
}

#[test]
fn failures_that_rise_end_it_and_are_told() {
    let urls = refusing(4).repeat(64);
    let arguments = "sweep http - -m threads -c 1..16 --rounds 1 --format json";
    let ended = run_with(arguments, urls.as_bytes());
    assert_eq!(ended.code, 1, "{ended:?}");
    let sweep = sweep(&ended);
    assert!(concurrency(&sweep["recommended"]) <= 4, "{sweep}");
    let unranked = column(&sweep, "unranked");
    assert_eq!(
        unranked[..3],
        [Value::Null, Value::Null, Value::Null],
        "{sweep}"
    );
    assert!(
        unranked[3]
            .as_str()
            .unwrap()
            .starts_with("more fails than below: ")
    );
    assert!(
        unranked[4]
            .as_str()
            .unwrap()
            .starts_with("it is beyond the concurrency")
    );
    let verdict = sweep["verdict"].as_str().unwrap();
    assert!(
        verdict.contains("at 8 more fails than below ("),
        "{verdict}"
    );
}

#[test]
fn a_job_that_only_fails_has_no_recommendation() {
    let urls = b"http://127.0.0.1:1/\n".repeat(8);
    let ended = run_with("sweep http - -c 1,2 --rounds 1 --format json", &urls);
    assert_eq!(ended.code, 1, "{ended:?}");
    let sweep = sweep(&ended);
    assert_eq!(sweep["recommended"], Value::Null);
    let verdict = sweep["verdict"].as_str().unwrap();
    assert!(
        verdict.contains("every input failed at every concurrency"),
        "{verdict}"
    );
}

#[test]
fn too_few_inputs_are_told_and_nothing_is_concluded_from_them() {
    let ended = run("sweep cpu --work none --inputs 20 -c 1..64 --rounds 2 --format json");
    assert_eq!(ended.code, 0, "{ended:?}");
    let sweep = sweep(&ended);
    let few: Vec<u64> = sweep["points"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|point| point["too_few_inputs"] == true)
        .map(concurrency)
        .collect();
    assert_eq!(few, [8, 16]);
    let skipped = column(&sweep, "skipped");
    assert_eq!(skipped[4], Value::Null);
    assert_eq!(skipped[5], "20 inputs have no use for 32 lanes");
    assert_eq!(skipped[6], "20 inputs have no use for 64 lanes");
    assert!(concurrency(&sweep["recommended"]) <= 4, "{sweep}");
    let notes = sweep["notes"].to_string();
    assert!(
        notes.contains("too few inputs for 8, 16 at once"),
        "{notes}"
    );

    let one = run("sweep cpu --work none --inputs 1 -c 1..2 --rounds 1");
    assert_eq!(one.code, 0, "{one:?}");
    assert!(one.err.contains("Nothing is recommended"), "{one:?}");
}

#[test]
fn what_is_no_range_is_refused_before_anything_runs() {
    for (range, says) in [
        ("5..1", "`5..1` runs downwards"),
        ("0..4", "`0..4` is no concurrency"),
        ("a..b", "`a..b` is no concurrency"),
        ("-1..4", "`-1..4` is no concurrency"),
        ("8", "a concurrency of 8 alone is no sweep"),
        ("1..8/99", "how many concurrencies to measure"),
        ("1..2000 -m processes", "processes@2000"),
        (
            "1..4 -m sequential",
            "--model sequential runs inputs one at a time",
        ),
        (
            "1..4 --format junit",
            "--format junit: a sweep has no such form",
        ),
        ("1..4 --rounds 0", "--rounds"),
        ("1..4 --sample 0", "--sample"),
        ("1..4 --budget 0s", "--budget"),
    ] {
        let ended = run(&format!("sweep cpu --work none -c {range}"));
        assert_eq!(ended.code, 2, "{range}: {ended:?}");
        assert!(ended.err.contains(says), "{range}: {}", ended.err);
        assert_eq!(ended.out, "", "{range}");
    }
    let empty = run_with("sweep http - -c 1..4", b"");
    assert_eq!(empty.code, 2, "{empty:?}");
    assert!(
        empty.err.contains("there are no inputs for a sweep"),
        "{empty:?}"
    );
    let servers = run("sweep echo --server async");
    assert_eq!(servers.code, 2, "{servers:?}");
    assert!(servers.err.contains("triway compare echo"), "{servers:?}");
}

#[test]
fn every_format_tells_of_all_points_and_people_get_the_verdict() {
    for (format, says) in [
        ("table", "at"),
        ("csv", "model,concurrency,inputs,recommended,"),
        ("md", "| at once | inputs |"),
        ("jsonl", "{\"schema\":1,"),
        ("json", "{"),
    ] {
        let ended = run(&format!(
            "sweep cpu --work none --inputs 64 -c 1,2,4 --rounds 2 --format {format}"
        ));
        assert_eq!(ended.code, 0, "{ended:?}");
        let first = ended.out.lines().next().unwrap();
        assert!(first.trim_start().starts_with(says), "{format}: {first}");
        let widest = ended.out.lines().map(|line| line.chars().count()).max();
        assert!(format != "table" || widest <= Some(100), "{}", ended.out);
        let all = format!("{}{}", ended.out, ended.err);
        let told = ["is enough: ", "did best of those tried: "];
        assert!(told.iter().any(|it| all.contains(it)), "{all}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let arguments = "sweep cpu --work none --inputs 64 -c 1,2 --rounds 2 --format csv";
    let mut process = triway(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let status = eventually(|| process.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn ctrl_c_ends_it_with_nothing_left_behind() {
    let folder = tempdir().unwrap();
    let page = folder.path().join("page.html");
    let arguments = format!(
        "sweep cpu --work spin --n 50 --inputs 4000 -c 1..4 --budget none --rounds 7 --report {}",
        page.display()
    );
    let started = start(triway(&arguments).stdin(Stdio::null()));
    let mut trials = Vec::new();
    eventually(|| {
        trials = children(started.pid());
        (!trials.is_empty()).then_some(())
    });
    assert!(page.exists());
    started.signal(Signal::INT);
    let ended = started.end();
    assert_eq!((ended.code, &*ended.out), (130, ""), "{}", ended.err);
    assert!(!page.exists());
    assert!(
        ended
            .err
            .contains("the sweep was stopped before it was done"),
        "{}",
        ended.err
    );
    for trial in trials {
        eventually(|| (!std::path::Path::new(&format!("/proc/{trial}")).exists()).then_some(()));
    }
}
