//! `advise` and `run -m auto`: what scripts rely on, that each input is executed once, and what is said where there is
//! nothing to say. Which model is right for what is for the tests of `measure`, which are not moved by a busy machine.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

use crate::{
    program::{eventually, run, run_with, start, triway},
    serving::server,
};

/// A function that notes each call, and waits or not.
const NOTING: &str = "\
import os, time

def note(number):
    log = os.open(os.environ['NOTES'], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(log, b'%d\\n' % number)
    os.close(log)
    time.sleep(0.005)
    return number

async def later(number):
    return number + 1

def add(one, other):
    return one + other

class Doubler:
    def __call__(self, number):
        return 2 * number

class tripler:
    def __call__(self, number):
        return 3 * number

class Api:
    @staticmethod
    def fetch(number):
        return number + 4

def Named(number):
    return number + 5

def setup():
    pass
";

const ADVICE: [&str; 13] = [
    "schema",
    "recommendation",
    "character",
    "expected_gain",
    "startup_s",
    "memory_bytes",
    "rule_of_thumb",
    "evidence",
    "alternatives",
    "verdict",
    "probes",
    "machine",
    "executed",
];

const CHARACTERS: [&str; 9] = [
    "waiting",
    "cpu",
    "interpreter-lock",
    "memory",
    "external-limit",
    "fake-async",
    "tiny",
    "mixed",
    "unknown",
];

fn advice(arguments: &str) -> Value {
    let ended = run(arguments);
    assert_eq!(ended.code, 0, "{}", ended.err);
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn advice_has_what_scripts_rely_on() {
    let told = advice("advise cpu --work spin --n 1 --inputs 300 --budget 1s --format json");
    for field in ADVICE {
        assert!(told.get(field).is_some(), "{field} is missing: {told:#}");
    }
    assert_eq!(told["schema"], 1);
    assert_eq!(told["task"], "cpu");
    let character = told["character"].as_str().unwrap();
    assert!(CHARACTERS.contains(&character), "{character}");
    let advised = &told["recommendation"];
    assert!(advised["model"].is_string() && advised["concurrency"].is_u64());
    for line in told["evidence"].as_array().unwrap() {
        assert!(line["value"].is_number() && line["meaning"].is_string());
    }
    let executed = told["executed"].as_u64().unwrap();
    assert!(executed > 0 && executed <= 300, "{executed}");
}

#[test]
fn every_format_has_advice() {
    for (format, expected) in [
        ("table", "Evidence"),
        ("md", "### Evidence"),
        ("csv", "model,concurrency"),
        ("csv", ",input_bytes,output_bytes,"),
        ("table", "input-size"),
        ("jsonl", "\"schema\":1"),
    ] {
        let arguments =
            format!("advise cpu --work spin --n 1 --inputs 60 --budget 300ms --format {format}");
        let ended = run(&arguments);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.out.contains(expected), "{format}: {}", ended.out);
    }
}

/// Each input that is looked at is executed once, its outcome is kept, and the others are not touched.
#[test]
fn what_is_looked_at_is_executed_once_and_kept() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("noting.py"), NOTING).unwrap();
    let inputs: String = (0..400).map(|n| format!("{n}\n")).collect();
    fs::write(at("inputs.jsonl"), inputs).unwrap();
    let arguments = format!(
        "advise py {}:note {} --budget 2s --format json -o {}",
        at("noting.py").display(),
        at("inputs.jsonl").display(),
        at("kept.jsonl").display()
    );
    let mut command = triway(&arguments);
    let ended = start(command.env("NOTES", at("notes")).stdin(Stdio::null())).end();
    assert_eq!(ended.code, 0, "{}", ended.err);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    let notes = fs::read_to_string(at("notes")).unwrap();
    let called: Vec<u64> = notes.lines().map(|line| line.parse().unwrap()).collect();
    let distinct: BTreeSet<u64> = called.iter().copied().collect();
    assert_eq!(called.len(), distinct.len(), "none twice");
    assert_eq!(told["executed"], called.len());
    let kept = fs::read_to_string(at("kept.jsonl")).unwrap();
    let kept: Vec<Value> = kept
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let indexes: BTreeSet<u64> = kept
        .iter()
        .map(|one| one["index"].as_u64().unwrap())
        .collect();
    assert_eq!(indexes, distinct, "an input is the number of its line");
    assert!(kept.iter().all(|one| one["status"] == "ok"));
}

#[test]
fn too_little_to_tell_is_said() {
    for (inputs, expected) in [
        ("1\n", "I cannot tell: 1 input"),
        ("1\n2\n", "I cannot tell: 2 inputs"),
    ] {
        let ended = run_with(
            "advise cpu --work spin --budget 1s --format json -",
            inputs.as_bytes(),
        );
        assert_eq!(ended.code, 0, "{}", ended.err);
        let told: Value = serde_json::from_str(&ended.out).unwrap();
        let verdict = told["verdict"].as_str().unwrap();
        assert!(verdict.starts_with(expected), "{verdict}");
        assert_eq!(told["recommendation"], Value::Null, "{verdict}");
    }
}

#[test]
fn what_always_fails_is_no_advice() {
    let inputs: String = (0..100).map(|_| "http://127.0.0.1:1/\n").collect();
    let ended = run_with("advise http --budget 1s --format json -", inputs.as_bytes());
    assert_eq!(ended.code, 1, "{}", ended.err);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["recommendation"], Value::Null);
    assert!(
        told["verdict"].as_str().unwrap().contains("refused"),
        "{told:#}"
    );
}

#[test]
fn without_probing_nothing_is_executed() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let arguments = "advise sh --dry-probe --format json";
    let mut command = triway(arguments);
    let touched = at("touched");
    command
        .arg("touch")
        .arg("--")
        .args((0..20).map(|n| format!("{}{n}", touched.display())));
    let ended = start(command.stdin(Stdio::null())).end();
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (&told["executed"], &told["recommendation"]),
        (&Value::from(0), &Value::Null)
    );
    assert!(
        told["verdict"]
            .as_str()
            .unwrap()
            .contains("`run` would measure on the first inputs")
    );
    for little in ["true -- 1 2 3", "-c 1 true -- 1 2 3 4 5 6 7 8 9"] {
        let ended = run(&format!("advise sh --dry-probe --format json {little}"));
        let says = ended.out.contains("`run` would measure nothing");
        assert!(says, "{little}: {}", ended.out);
    }
}

/// The code that is given does the job, under each model that may be advised.
#[test]
fn the_code_that_is_given_runs() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("noting.py"), NOTING).unwrap();
    let lines: String = (0..60).map(|n| format!("{n}\n")).collect();
    let pairs: String = (0..60).map(|n| format!("[{n}, 1]\n")).collect();
    fs::write(at("not-ing.py"), NOTING).unwrap();
    for (function, options, inputs, expected) in [
        ("noting.py:note", "", &lines, 0),
        ("noting.py:later", "", &lines, 1),
        ("noting.py:Doubler", "", &lines, 0),
        ("not-ing.py:tripler", "", &lines, 0),
        ("noting.py:Api.fetch", "", &lines, 4),
        ("noting.py:Named", "", &lines, 5),
        ("noting.py:add", "--args", &pairs, 1),
    ] {
        let arguments = format!(
            "advise py {}/{function} {options} --code --budget 5s -",
            folder.path().display()
        );
        let mut command = triway(&arguments);
        let mut started = start(command.env("NOTES", at("notes")).stdin(Stdio::piped()));
        started.stdin().write_all(inputs.as_bytes()).unwrap();
        let ended = started.end();
        assert_eq!(ended.code, 0, "{function}: {}", ended.err);
        assert!(ended.out.contains("LEFT OUT: setup()"), "{}", ended.out);
        let output = given(&ended.out, inputs, &at("notes"));
        let results: BTreeSet<u64> = output.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(results.len(), 60, "{function}: {}", ended.out);
        assert_eq!(results.first(), Some(&expected), "{function}");
    }
}

/// What this program of Python writes for these inputs.
fn given(code: &str, inputs: &str, notes: &std::path::Path) -> String {
    let folder = tempdir().unwrap();
    let path = folder.path().join("pool.py");
    fs::write(&path, code).unwrap();
    let mut python = Command::new("python3");
    python.arg(&path).env("NOTES", notes).stdin(Stdio::piped());
    let mut started = start(&mut python);
    started.stdin().write_all(inputs.as_bytes()).unwrap();
    let ended = started.end();
    assert_eq!(ended.code, 0, "{code}\n{}", ended.err);
    ended.out
}

#[test]
fn code_for_another_task_is_the_librarys() {
    let ended = run("advise cpu --work spin --n 1 --inputs 100 --budget 1s --code");
    assert_eq!(ended.code, 0, "{}", ended.err);
    let between = |before: &str, after: &str| {
        let (_, rest) = ended.out.split_once(before)?;
        Some(rest.split_once(after)?.0.to_lowercase())
    };
    let model = between(".model(Model::", ")").unwrap();
    let lanes = between("NonZeroUsize::new(", ")").unwrap();
    assert!(ended.out.contains("triway::init(["), "{}", ended.out);
    let told = match &*model {
        "sequential" => "after the other".to_owned(),
        model => format!("{model} with {lanes} at once"),
    };
    assert!(ended.err.contains(&told), "no {told}: {}", ended.err);
}

#[test]
fn options_that_mean_nothing_are_refused() {
    for (arguments, expected) in [
        ("advise cpu --format junit", "advice has no such form"),
        ("advise echo --server async", "--server"),
        ("advise cpu --budget ever", "--budget"),
        ("advise cpu --budget 0s", "longer than none"),
        ("advise cpu --max-concurrency 0", "--max-concurrency"),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, 2, "{arguments}: {}", ended.err);
        assert!(ended.err.contains(expected), "{arguments}: {}", ended.err);
    }
}

#[test]
fn an_end_that_is_asked_for_comes() {
    let started = start(&mut triway(
        "advise cpu --work spin --n 20 --inputs 5000 --budget 60s",
    ));
    std::thread::sleep(std::time::Duration::from_millis(600));
    started.signal(Signal::INT);
    let ended = started.end();
    assert_eq!(ended.code, 130, "{}", ended.err);
    // What was seen until then is not thrown away.
    let advice: Value = serde_json::from_str(&ended.out).unwrap();
    assert!(!advice["probes"].as_array().unwrap().is_empty());
    let notes = advice["notes"].to_string();
    assert!(notes.contains("stopped before enough was seen"), "{notes}");
}

#[test]
fn an_input_without_end_is_told_of() {
    let folder = tempdir().unwrap();
    let inputs = folder.path().join("commands");
    fs::write(&inputs, "0\n0\n0\n600\n".repeat(20)).unwrap();
    let arguments = format!("advise sh sleep {} --budget 1s", inputs.display());
    let started = start(&mut triway(&arguments));
    std::thread::sleep(std::time::Duration::from_secs(4));
    started.signal(Signal::INT);
    started.signal(Signal::INT);
    let ended = started.end();
    assert_eq!(ended.code, 130, "{}", ended.err);
    assert!(ended.err.contains("the budget is over"), "{}", ended.err);
}

/// A table that can be written is, although the page beside it cannot.
#[test]
fn findings_are_written_although_their_page_cannot_be() {
    for verb in ["advise", "compare --rounds 1 --models threads,async"] {
        let arguments = format!("{verb} cpu --work spin --n 20 --inputs 50 --report /dev/full");
        let ended = run(&arguments);
        assert_eq!(ended.code, 3, "{arguments}: {}", ended.err);
        assert!(ended.err.contains("/dev/full"), "{}", ended.err);
        let found: Value = serde_json::from_str(ended.out.lines().next().unwrap()).unwrap();
        assert!(
            found["verdict"].is_string() || found["id"].is_string(),
            "{found:#}"
        );
    }
}

/// What was found out is told, although the outcomes have no room.
#[test]
fn advice_is_told_although_outcomes_cannot_be_written() {
    let ended = run("advise cpu --work spin --n 5 --inputs 400 --budget 1s -o /dev/full");
    assert_eq!(ended.code, 3, "{}", ended.err);
    assert!(ended.err.contains("/dev/full"), "{}", ended.err);
    let found: Value = serde_json::from_str(&ended.out).unwrap();
    assert!(found["verdict"].is_string(), "{found:#}");
}

/// What an input did to its worker is told, and that it failed.
#[test]
fn inputs_that_end_their_worker_are_told_of() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("ending.py");
    let ending = "import os, time\ndef end(x):\n    time.sleep(0.005)\n    os._exit(9) if x % 10 == 3 else None\n    return x\n";
    fs::write(&file, ending).unwrap();
    let inputs: String = (0..200).map(|n| format!("{n}\n")).collect();
    let out = folder.path().join("out.jsonl");
    let arguments = format!(
        "advise py {}:end - --budget 3s -o {} --format json",
        file.display(),
        out.display()
    );
    let ended = run_with(&arguments, inputs.as_bytes());
    assert_eq!(ended.code, 1, "{}", ended.err);
    let advice: Value = serde_json::from_str(&ended.out).unwrap();
    // Where time is up before such an input is tried again, it has not failed for good.
    let count = |it: &Value, what: &str| it[what].as_u64().unwrap();
    let probes = advice["probes"].as_array().unwrap().iter();
    let failed: u64 = probes
        .map(|it| count(it, "failed") + count(it, "retried"))
        .sum();
    assert!(failed > 0, "{advice:#}");
    let lost = fs::read_to_string(out).unwrap();
    assert!(lost.contains("worker"), "{lost}");
}

/// A server that asks to be left alone decides, and that is said.
#[test]
fn a_server_that_asks_to_be_left_alone_is_the_limit() {
    let folder = tempdir().unwrap();
    let (_server, address) = server("serve http --port 0 --until-stdin-closes");
    let urls: String = (0..2000)
        .map(|n| format!("http://{address}/rate/200?{n}\n"))
        .collect();
    let file = folder.path().join("urls.txt");
    fs::write(&file, urls).unwrap();
    let ended = run(&format!("advise http {} --budget 2s", file.display()));
    let advice: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(advice["character"], "external-limit", "{advice:#}");
    let notes = advice["notes"].to_string();
    assert!(notes.contains("asked to be left alone"), "{notes}");
}

/// Of a database more than one connection a processor may be tried, as long as it gives them.
#[test]
fn a_database_may_be_probed_with_many_connections() {
    let advice = advice("advise sql --budget 3s");
    let most = &advice["situation"]["most_concurrency"];
    assert!(most.as_u64() > Some(2), "{advice:#}");
}

// `run -m auto`.

#[test]
fn a_run_measures_and_goes_on_and_loses_nothing() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("noting.py"), NOTING).unwrap();
    let inputs: String = (0..600).map(|n| format!("{n}\n")).collect();
    fs::write(at("inputs.jsonl"), inputs).unwrap();
    let arguments = format!(
        "run py {}:note {}",
        at("noting.py").display(),
        at("inputs.jsonl").display()
    );
    let mut command = triway(&arguments);
    let ended = start(command.env("NOTES", at("notes")).stdin(Stdio::null())).end();
    assert_eq!(ended.code, 0, "{}", ended.err);
    let outcomes = ended.outcomes();
    assert_eq!(outcomes.len(), 600);
    assert!(outcomes.iter().all(|one| one["output"] == one["index"]));
    assert_eq!(
        fs::read_to_string(at("notes")).unwrap().lines().count(),
        600
    );
    assert!(ended.err.contains("auto: "), "{}", ended.err);
    assert!(
        ended.err.contains("as measured on the first inputs"),
        "{}",
        ended.err
    );
}

/// Killed while it measures or afterwards, a journal has it go on where it was.
#[test]
fn a_run_that_is_killed_while_it_measures_goes_on() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("noting.py"), NOTING).unwrap();
    let inputs: String = (0..400).map(|n| format!("{n}\n")).collect();
    fs::write(at("inputs.jsonl"), inputs).unwrap();
    let arguments = format!(
        "run py {}:note {} --journal {} -o {}",
        at("noting.py").display(),
        at("inputs.jsonl").display(),
        at("run.journal").display(),
        at("out.jsonl").display()
    );
    let mut first = triway(&arguments);
    let started = start(first.env("NOTES", at("notes")).stdin(Stdio::null()));
    eventually(|| {
        let notes = fs::read_to_string(at("notes")).unwrap_or_default();
        (notes.lines().count() > 20).then_some(())
    });
    started.signal(Signal::KILL);
    started.end();
    let resumed = format!("{arguments} --resume");
    let mut second = triway(&resumed);
    let ended = start(second.env("NOTES", at("notes")).stdin(Stdio::null())).end();
    assert_eq!(ended.code, 0, "{}", ended.err);
    let out = fs::read_to_string(at("out.jsonl")).unwrap();
    let indexes: BTreeSet<u64> = out
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["index"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!((out.lines().count(), indexes.len()), (400, 400));
}

#[test]
fn where_there_is_nothing_to_measure_the_preferred_model_is_taken() {
    for (arguments, why) in [
        ("run cpu --work none --inputs 3", "too few inputs"),
        ("run cpu --work none --inputs 100 --rate 1000/s", "--rate"),
        (
            "run cpu --work none --inputs 100 -m auto --host-interval 1ms",
            "--host-interval",
        ),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, 0, "{arguments}: {}", ended.err);
        assert!(ended.err.contains(why), "{arguments}: {}", ended.err);
        assert!(
            ended.err.contains("as the task prefers"),
            "{arguments}: {}",
            ended.err
        );
    }
}

#[test]
fn a_concurrency_that_is_given_is_kept() {
    let folder = tempdir().unwrap();
    let inputs = folder.path().join("waits");
    fs::write(&inputs, "0.02\n".repeat(60)).unwrap();
    let ended = run(&format!("run sh sleep {} -c 3", inputs.display()));
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("@3,"), "{}", ended.err);
}

/// Of no model are there so many lanes, so nothing would begin.
#[test]
fn a_concurrency_that_no_model_has_is_wrong_usage() {
    let ended = run("advise cpu --work spin --inputs 100 -c 4611686018427387904");
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(
        ended.err.contains("4611686018427387904") && ended.err.contains("1048576"),
        "{}",
        ended.err
    );
}
