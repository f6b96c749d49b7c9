//! `compare`: its contract with scripts, and what it says of failures.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::Stdio,
    thread,
    time::Duration,
};

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::{
    program::{Ended, eventually, pid, run, run_with, start, triway},
    stopping::children,
};

const REPORT: [&str; 13] = [
    "schema",
    "task",
    "inputs",
    "sampled",
    "rounds",
    "machine",
    "options",
    "results_equal",
    "differences",
    "baseline",
    "winner",
    "verdict",
    "models",
];

const ARM: [&str; 12] = [
    "id",
    "model",
    "concurrency",
    "skipped",
    "sampled",
    "succeeded",
    "failed",
    "startup_s",
    "throughput_per_s",
    "speedup",
    "cpu_s",
    "peak_memory_bytes",
];

#[track_caller]
fn report(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[track_caller]
fn has_keys(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "no {key} in {value}");
    }
}

#[test]
fn the_report_keeps_its_contract() {
    let ended = run("compare http --rounds 2 --sample 12 --format json");
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = report(&ended);
    has_keys(&report, &REPORT);
    assert_eq!(report["schema"], 1);
    assert_eq!(report["task"], "http");
    assert_eq!(report["inputs"], 50);
    assert_eq!(report["results_equal"], true);
    assert_eq!(report["baseline"], "sequential");
    let models = report["models"].as_array().unwrap();
    assert_eq!(models.len(), 4);
    for model in models {
        has_keys(model, &ARM);
        has_keys(&model["wall_s"], &["median", "ci95"]);
        has_keys(&model["total_s"], &["median", "ci95"]);
        has_keys(&model["latency_s"], &["p50", "p90", "p99", "max"]);
        has_keys(&model["context_switches"], &["voluntary", "involuntary"]);
        assert_eq!(model["failed"], 0, "{model}");
    }
    assert!(
        ended.err.contains("each input will be executed 12 times"),
        "{}",
        ended.err
    );
    assert!(
        ended
            .err
            .contains("2 rounds on 12 inputs each will take about"),
        "{}",
        ended.err
    );
}

#[test]
fn a_server_that_is_down_has_no_winner() {
    let input = b"http://127.0.0.1:1/\nhttp://127.0.0.1:1/x\n";
    let ended = run_with("compare http - --rounds 2 -c 2 --format json", input);
    assert_eq!(ended.code, 1, "{ended:?}");
    let report = report(&ended);
    assert_eq!(report["winner"], Value::Null);
    assert_eq!(report["results_equal"], true);
    assert!(
        report["verdict"]
            .as_str()
            .unwrap()
            .contains("every input failed")
    );
    for model in report["models"].as_array().unwrap() {
        assert_eq!(
            (&model["succeeded"], &model["failed"]),
            (&0.into(), &2.into())
        );
    }
}

#[test]
fn an_embedded_server_that_ends_is_named_before_anything_else() {
    let arguments = "compare http --models threads@5 --rounds 4 --format table";
    let mut process = triway(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The warm-up is over when this is said; a round takes a fifth of a second.
    let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("will take about")));
    thread::sleep(Duration::from_millis(500));
    kill_process(pid(servers(process.id())[0]), Signal::KILL).unwrap();
    let report = io::read_to_string(process.stdout.take().unwrap()).unwrap();
    let status = eventually(|| process.try_wait().unwrap());
    assert_eq!(status.code(), Some(1), "{report}");
    let verdict = report.lines().last().unwrap();
    for says in ["No winner: the embedded test server ended", "SIGKILL"] {
        assert!(report.contains(says), "no {says}: {report}");
    }
    assert!(!verdict.contains("differ"), "{report}");
    for says in [
        "in one of its rounds and 0 in another",
        "failed in some rounds alone",
    ] {
        assert!(report.contains(says), "no {says}: {report}");
    }
    assert!(!report.contains(" differs: "), "{report}");
}

/// Those children of a process that serve.
fn servers(parent: u32) -> Vec<u32> {
    let serves = |child: &u32| {
        let arguments = fs::read_to_string(format!("/proc/{child}/cmdline"));
        arguments.is_ok_and(|line| line.contains("\0serve\0"))
    };
    children(parent).into_iter().filter(serves).collect()
}

#[test]
fn a_difference_shows_what_was_compared_and_nothing_else() {
    // A server that counts gives each request another body, of another length.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/\n", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (n, connection) in listener.incoming().enumerate() {
            let mut connection = connection.unwrap();
            let _request = connection.read(&mut [0; 4096]).unwrap();
            let body = "x".repeat(n);
            let head =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {n}\r\n\r\n");
            connection.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    let arguments = "compare http - --models sequential --rounds 2 --format json";
    let report = report(&run_with(arguments, url.as_bytes()));
    let outcome = report["differences"][0]["reference"]["outcome"].as_str();
    let outcome = outcome.unwrap_or_else(|| panic!("no difference: {report}"));
    assert_eq!(
        outcome,
        r#"ok {"bytes":1,"decoded_bytes":1,"hops":0,"not_after":null,"protocol":"HTTP/1.1","status":200,"url":null}"#
    );
}

#[test]
fn the_baseline_can_be_chosen() {
    let arguments = "compare cpu --work none --inputs 3 --models threads@2,async@2 --rounds 2 --baseline async@2 --format json";
    let ended = run(arguments);
    let report = report(&ended);
    assert_eq!(report["baseline"], "async@2", "{ended:?}");
    assert_eq!(ended.code, 0);
}

#[test]
fn every_format_tells_of_all_arms_and_people_get_the_verdict() {
    for (format, says) in [
        ("table", "switches      ok"),
        ("csv", "id,model,concurrency,"),
        ("md", "| model | start-up |"),
        ("jsonl", "{\"schema\":1,"),
    ] {
        let ended = run(&format!(
            "compare cpu --work none --inputs 3 --models threads,sequential --rounds 2 --format {format}"
        ));
        assert_eq!(ended.code, 0, "{ended:?}");
        let first = ended.out.lines().next().unwrap();
        assert!(first.contains(says), "{format}: {first}");
        assert!(ended.out.contains("threads") && ended.out.contains("sequential"));
        let all = format!("{}{}", ended.out, ended.err);
        assert!(all.contains("No winner") || all.contains("wins"), "{all}");
    }
}

#[test]
fn a_missing_folder_for_temporary_files_is_named_once() {
    let mut command = triway("compare cpu --work none --inputs 3");
    let ended = start(command.env("TMPDIR", "/no/such/folder")).end();
    assert_eq!(ended.code, 3, "{}", ended.err);
    for says in ["in /no/such/folder: ", "No such file", "set TMPDIR"] {
        let times = ended.err.matches(says).count();
        assert_eq!(times, 1, "{says}: {}", ended.err);
    }
}

#[test]
fn one_of_something_is_told_in_the_singular() {
    let ended = run("compare cpu --work none --inputs 1 --models threads --rounds 1");
    for says in [
        "1 input, 1 arm: each input will be executed 2 times",
        "1 round on 1 input will take about",
    ] {
        assert!(ended.err.contains(says), "no {says}: {}", ended.err);
    }
}

#[test]
fn the_table_fits_a_hundred_columns() {
    let models = "threads@50,processes@2,async@1000,sequential";
    let ended = run(&format!(
        "compare cpu --work none --inputs 3000 --models {models} --rounds 2 --format table"
    ));
    let widths = ended.out.lines().map(|line| line.chars().count());
    assert!(widths.max().unwrap() <= 100, "{}", ended.out);
}
