//! `run sh` and `compare sh`: commands for inputs, with the habits of xargs and GNU parallel.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

use crate::program::{Ended, eventually, start, triway};

/// Runs `sh` with arguments of which each may have spaces in it.
fn sh(arguments: &[&str]) -> Ended {
    let mut command = triway("run sh");
    start(command.args(arguments).stdin(Stdio::null())).end()
}

/// How the program looks from within one of its commands: its descriptors, and its children that nobody collects.
/// Several looks, of which the least counts: it closes its copies of a command's ends when that runs already.
const COUNT: &str = "for look in 1 2 3 4 5 6 7 8; do ls /proc/$PPID/fd | wc -l; sleep 0.01; done | sort -n | head -n 1; \
                     cat /proc/[0-9]*/stat 2>/dev/null | grep -c \") Z $PPID \"; true";

/// The numbers of the processes with this among their arguments, but for Triway itself.
fn commands_with(marker: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains(marker) && !line.contains("triway")
    })
    .count()
}

fn marker(test: u32) -> String {
    format!("87654.{}{test}", std::process::id())
}

/// A command with its options, its inputs, and how the program ends.
const EVERY_END: [(&str, &str, &str, i32); 8] = [
    ("printf '[%s]' {} {.} {/} {//} {#}", "", "d/a.b,-n,", 0),
    (
        "sh -c 'echo \"$1\"; echo e >&2; exit $1' sh",
        "",
        "0,3,7",
        1,
    ),
    ("sh -c 'kill -$1 $$' sh", "", "9,15", 1),
    ("no-such-program", "", "a", 1),
    ("wc -c", "--stdin", "12345,", 0),
    ("tr a b < {}", "--shell", "/dev/null,/nowhere", 1),
    (
        "sh -c 'echo $1; echo e >&2; sleep 30' sh",
        "--timeout 300ms",
        "x",
        1,
    ),
    ("sh -c 'yes | head -c 1000'", "--max-output 10", "x", 0),
];

#[test]
fn every_model_but_processes_tells_the_same() {
    for (command, options, inputs, code) in EVERY_END {
        let tell = |model: &str| {
            let mut program = triway(&format!("run sh -m {model} --format jsonl {options}"));
            program.args([command, "--"]).args(inputs.split(','));
            let ended = start(program.stdin(Stdio::null())).end();
            assert_eq!(ended.code, code, "{command}, {model}: {}", ended.err);
            let keep = |outcome: &Value| {
                ["input", "status", "output", "error"].map(|key| outcome[key].clone())
            };
            ended.outcomes().iter().map(keep).collect::<Vec<_>>()
        };
        let sequential = tell("sequential");
        assert_eq!(tell("threads"), sequential, "{command}");
        assert_eq!(tell("async"), sequential, "{command}");
    }
}

#[test]
fn processes_are_refused_and_skipped_with_the_reason() {
    let ended = sh(&["true", "-m", "processes", "--", "a"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .err
            .contains("--model processes: each command is a process already"),
        "{}",
        ended.err
    );
    let mut compare = triway("compare sh --rounds 1 --format json");
    let ended = start(compare.args(["echo", "--", "a", "b"]).stdin(Stdio::null())).end();
    assert_eq!(ended.code, 0, "{}", ended.err);
    let comparison: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(comparison["results_equal"], true);
    for arm in comparison["models"].as_array().unwrap() {
        let why = arm["skipped"].as_str().unwrap_or_default();
        let refused = arm["model"] == "processes";
        assert_eq!(why.contains("a process already"), refused, "{arm}");
        assert_eq!(arm["succeeded"] == 2, !refused, "{arm}");
    }
}

#[test]
fn a_comparison_judges_by_exit_code_and_output() {
    for (command, equal) in [
        ("echo", true),
        ("sh -c 'exit 3'", true),
        ("sh -c 'echo $$'", false),
        ("sh -c 'exit $(( $$ % 200 ))'", false),
    ] {
        let mut compare = triway("compare sh --rounds 1 --format json --models threads,async");
        let ended = start(compare.args([command, "--", "a", "b"]).stdin(Stdio::null())).end();
        let comparison: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!(comparison["results_equal"], equal, "{command}");
    }
}

#[test]
fn output_is_what_xargs_would_have_shown() {
    let folder = tempdir().unwrap();
    let lines = folder.path().join("lines");
    fs::write(
        &lines,
        b"a b\n'q\" \\ $x `id` *\n\n; touch pwned\n-e\n\xff\xfe\n",
    )
    .unwrap();
    let command = "printf [%s]\\n";
    let xargs = Command::new("xargs")
        .args(["-d", "\n", "-n1", "printf", "[%s]\\n"])
        .stdin(fs::File::open(&lines).unwrap())
        .output()
        .unwrap();
    let ours = triway("run sh -q --keep-order")
        .args([&command.replace('\\', "\\\\"), lines.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(ours.stdout, xargs.stdout);
    assert!(ours.status.success() && ours.stderr.is_empty());
}

#[test]
fn what_commands_write_stays_whole_and_may_be_tagged() {
    let command =
        "sh -c 'for i in 1 2 3; do printf %s \"$1-\"; sleep 0.01; echo $i; echo e$i >&2; done' sh";
    let inputs = ["a", "b", "c", "d", "e"];
    let mut arguments = vec![command, "-q", "-c", "5", "--"];
    arguments.extend(inputs);
    let plain = sh(&arguments);
    let of = |input| format!("{input}-1\n{input}-2\n{input}-3\n");
    assert!(
        inputs.iter().all(|input| plain.out.contains(&of(input))),
        "{}",
        plain.out
    );
    assert_eq!(plain.err, "e1\ne2\ne3\n".repeat(5));
    let tagged = sh(&[
        "printf 'x\\ny'",
        "-q",
        "--tag",
        "--keep-order",
        "--",
        "a b",
        "c",
    ]);
    assert_eq!(tagged.out, "a b\tx\na b\ty\nc\tx\nc\ty\n");
    let errors = sh(&["cat", "-q", "--tag", "--", "/nowhere"]);
    assert_eq!(
        errors.err,
        "/nowhere\tcat: /nowhere: No such file or directory\n"
    );
}

#[test]
fn what_is_cut_or_cannot_start_is_told() {
    let ended = sh(&[
        "sh -c 'yes | head -c 1000'",
        "--max-output",
        "10",
        // What is missing is told even then.
        "-q",
        "--",
        "x",
    ]);
    assert_eq!(ended.out.len(), 10);
    assert!(
        ended
            .err
            .contains("x: standard output is cut after 10 of 1000 bytes"),
        "{}",
        ended.err
    );
    let ended = sh(&["no-such-program", "--", "x"]);
    assert!(
        ended
            .err
            .contains("x: start: there is no program `no-such-program`"),
        "{}",
        ended.err
    );
}

#[test]
fn wrong_usage_says_what_to_do() {
    for (arguments, says) in [
        (&["echo"][..], "there are no inputs for the command"),
        (&["--", "a"], "there is no command for the inputs"),
        (
            &["echo 'a", "--", "a"],
            "a quotation mark in the command is never closed",
        ),
        (&[" ", "--", "a"], "the command is empty"),
        (&["echo", "--tag", "--format", "json", "--", "a"], "--tag"),
        (&["echo", "--timeout", "x%", "--", "a"], "such as 200%"),
    ] {
        let ended = sh(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(ended.err.contains(says), "{arguments:?}: {}", ended.err);
    }
    let piped = sh(&["echo {} | wc", "--", "a"]);
    assert!(piped.err.contains("with --shell it means"), "{}", piped.err);
    for line in ["run cpu --timeout 200%", "run cpu --format plain"] {
        let ended = crate::program::run(line);
        assert_eq!(ended.code, 2, "{line}");
        assert!(ended.err.contains("sh"), "{}", ended.err);
    }
}

#[test]
fn the_joblog_has_gnu_parallels_columns() {
    let mut program = triway("run sh --format joblog -m sequential --timeout 1s");
    program.args(["sh -c 'printf xyz; sleep $1; exit $2' sh {} {#}", "--"]);
    program.args(["0", "0.2", "30", "a\tb"]);
    let ended = start(program.stdin(Stdio::null())).end();
    let mut lines = ended.out.lines();
    let header = "Seq Host Starttime JobRuntime Send Receive Exitval Signal Command";
    assert_eq!(lines.next(), Some(&*header.replace(' ', "\t")));
    let command = "sh -c 'printf xyz; sleep $1; exit $2' sh";
    for (line, (fields, inputs, fewest, most)) in lines.zip([
        ("1 : 0 3 1 0", "0 1", 0.0, 1.0),
        ("2 : 0 3 2 0", "0.2 2", 0.2, 1.0),
        ("3 : 0 3 -1 15", "30 3", 1.0, 30.0),
        ("4 : 0 3 4 0", "$'a\\x09b' 4", 0.0, 1.0),
    ]) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [seq, host, start, took, rest @ ..] = &*columns else {
            panic!("{line}");
        };
        let told = [&[*seq, *host], &rest[..4]].concat().join(" ");
        assert_eq!(told, fields);
        assert_eq!(rest[4..].concat(), format!("{command} {inputs}"));
        assert!(start.parse::<f64>().unwrap() > 1.7e9, "{line}");
        let took: f64 = took.trim().parse().unwrap();
        assert!(took >= fewest && took < most, "{line}");
    }
}

#[test]
fn nothing_is_left_over_while_it_runs() {
    // Successes, failures and time limits before, between the first look and the last.
    let arguments = [
        "sh -c 'case $1 in count) eval \"$COUNT\";; slow) sleep 30 & sleep 30;; *) exit $1;; esac' sh",
        "--timeout",
        "300ms",
        "-q",
        "--keep-order",
        "--format",
        "jsonl",
        "-m",
    ];
    let inputs: Vec<String> = (0..100).map(|n| (n % 3).to_string()).collect();
    for model in ["sequential", "threads", "async"] {
        let mut all = arguments.to_vec();
        all.extend([model, "-c", "1", "--", "count"]);
        all.extend(inputs.iter().map(String::as_str));
        all.extend(["slow", "0", "slow", "0", "count"]);
        let mut command = triway("run sh");
        command.args(&all).env("COUNT", COUNT).stdin(Stdio::null());
        let outcomes = start(&mut command).end().outcomes();
        let seen = |at: usize| {
            outcomes[at]["output"]["stdout"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let last = outcomes.len() - 1;
        let descriptors = |at: usize| seen(at).lines().next().unwrap().parse::<usize>().unwrap();
        let (first, left) = (descriptors(0), descriptors(last));
        assert!(left <= first, "{model}: {first} descriptors, then {left}");
        assert!(seen(last).ends_with("\n0\n"), "{model}: {}", seen(last));
        let late = &outcomes[last - 2];
        assert_eq!(late["status"], "timeout");
        assert_eq!(late["output"]["timed_out_s"], 0.3);
    }
}

#[test]
fn a_second_interrupt_ends_all_that_commands_started() {
    for (test, model, trap) in [
        (1, "async", ""),
        (2, "threads", ""),
        (3, "async", "trap \"\" TERM;"),
    ] {
        let marker = marker(test);
        let command = format!("sh -c '{trap} sleep {marker} & wait; sleep {marker}' sh");
        let mut program = triway("run sh --drain-limit 60s --grace 300ms");
        program.args([&*command, "-m", model, "-c", "2", "--", "a", "b", "c"]);
        let started = start(program.stdin(Stdio::null()));
        eventually(|| (commands_with(&marker) >= 2).then_some(()));
        started.signal(Signal::INT);
        thread::sleep(Duration::from_millis(100));
        started.signal(Signal::INT);
        let ended = started.end();
        assert_eq!(ended.code, 130, "{}", ended.err);
        eventually(|| (commands_with(&marker) == 0).then_some(()));
    }
}

#[test]
fn a_comparison_that_is_stopped_leaves_no_command() {
    let marker = marker(9);
    let command = format!("sh -c 'sleep {marker} & wait' sh");
    let mut program = triway("compare sh --models threads,async");
    program.args([&*command, "--", "a", "b"]);
    let started = start(program.stdin(Stdio::null()));
    eventually(|| (commands_with(&marker) >= 2).then_some(()));
    started.signal(Signal::INT);
    assert_eq!(started.end().code, 130);
    eventually(|| (commands_with(&marker) == 0).then_some(()));
}

#[test]
fn few_descriptors_lower_the_concurrency_and_lose_nothing() {
    for model in ["threads", "async"] {
        let line = "ulimit -n 40 && exec \"$0\" run sh 'sleep 0.05' -m \"$1\" -c 60 --format jsonl -- $(seq 0 0.0001 0.0099)";
        let mut limited = Command::new("sh");
        limited.args(["-c", line, env!("CARGO_BIN_EXE_triway"), model]);
        let ended = start(limited.stdin(Stdio::null())).end();
        assert_eq!(ended.outcomes().len(), 100, "{model}: {}", ended.err);
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        assert!(ended.err.contains("ulimit -n"), "{model}: {}", ended.err);
    }
}

#[test]
fn the_example_runs_on_a_fresh_machine() {
    let ended = sh(&["--format", "jsonl"]);
    assert_eq!(
        (ended.code, ended.outcomes().len()),
        (0, 40),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("no command given: 40 times"),
        "{}",
        ended.err
    );
}
