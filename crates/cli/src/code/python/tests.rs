//! Each program that may be written, really run.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use tempfile::{TempDir, tempdir};

use super::*;

const MODULE: &str = "\
import asyncio, os

def double(number):
    return 2 * number

def Double(number):
    return 2 * number

async def later(number):
    await asyncio.sleep(0)
    return 2 * number

def add(one, other=0):
    return 2 * (one + other)

async def add_later(one, other=0):
    await asyncio.sleep(0)
    return 2 * (one + other)

class Doubler:
    def __call__(self, number):
        return 2 * number

class doubler(Doubler):
    pass

class Later:
    async def __call__(self, number):
        return 2 * number

instance = Doubler()

class Api:
    @staticmethod
    def fetch(number):
        return 2 * number

    class Inner(Doubler):
        pass

class Point:
    def __str__(self):
        return 'a point'

def point(number):
    return Point()

def process(number):
    import time
    time.sleep(0.01)
    return os.getpid()
";

const LINES: usize = 40;

/// A folder with the module under several names, some of which no `import` can have.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    for inner in ["pkg", "odd"] {
        fs::create_dir(folder.path().join(inner)).unwrap();
    }
    for name in [
        "app.py",
        "my-app.py",
        "odd/class.py",
        "odd/queue.py",
        "pkg/mod.py",
        "pkg/my-mod.py",
    ] {
        fs::write(folder.path().join(name), MODULE).unwrap();
    }
    folder
}

fn policy(folder: &Path, target: &str) -> Policy {
    let target = match target.contains(".py:") {
        true => format!("{}/{target}", folder.display()),
        false => target.to_owned(),
    };
    let mut policy = Policy::new("python3".into(), target.parse().unwrap());
    policy.is_async = ["later", "add_later", "Later"].contains(&policy.target.name());
    policy.is_class = ["Doubler", "doubler", "Later", "Api.Inner"].contains(&policy.target.name());
    policy
}

fn advised(model: Model) -> Advised {
    let advised = serde_json::json!({ "model": model, "concurrency": if model == Model::Sequential { 1 } else { 3 } });
    serde_json::from_value(advised).unwrap()
}

/// What the program writes for these lines. It stands in another folder, as code that was pasted does.
#[track_caller]
fn written(folder: &Path, program: &str, lines: &[String]) -> Vec<String> {
    let elsewhere = tempdir().unwrap();
    let path = elsewhere.path().join("pool.py");
    fs::write(&path, program).unwrap();
    let mut python = Command::new("python3")
        .arg(&path)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let text = lines.iter().map(|line| format!("{line}\n"));
    let text: String = text.collect();
    let writer = thread::spawn(move || stdin.write_all(text.as_bytes()));
    let out = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(
        out.status.success(),
        "{program}\n{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let out = String::from_utf8(out.stdout).unwrap();
    out.lines().map(str::to_owned).collect()
}

/// Runs the program for this function under a model, and looks at its results.
#[track_caller]
fn check(folder: &Path, policy: &Policy, model: Model) {
    let line = |n: usize| match policy.args {
        true if n.is_multiple_of(2) => format!("[{n}, 0]"),
        true => format!("{{\"one\": {n}}}"),
        false => n.to_string(),
    };
    let lines: Vec<String> = (0..LINES).map(line).collect();
    let expected: Vec<String> = (0..LINES).map(|n| (2 * n).to_string()).collect();
    let program = pool(policy, advised(model));
    assert_eq!(written(folder, &program, &lines), expected, "{program}");
}

const MODELS: [Model; 4] = [
    Model::Sequential,
    Model::Threads,
    Model::Processes,
    Model::Async,
];

#[test]
fn every_model_runs_every_kind_of_function() {
    let folder = folder();
    for (function, args) in [
        ("double", false),
        ("later", false),
        ("add", true),
        ("add_later", true),
    ] {
        let mut policy = policy(folder.path(), &format!("app.py:{function}"));
        policy.args = args;
        for model in MODELS {
            if model != Model::Async || policy.is_async {
                check(folder.path(), &policy, model);
            }
        }
    }
}

#[test]
fn whatever_a_worker_finds_the_program_finds() {
    let folder = folder();
    for target in [
        "my-app.py:double",
        "odd/class.py:double",
        "odd/queue.py:double",
        "pkg/my-mod.py:Doubler",
        "pkg.mod:double",
        "pkg.my-mod:Api.fetch",
        "app.py:Double",
        "app.py:Doubler",
        "app.py:doubler",
        "app.py:Later",
        "app.py:instance",
        "app.py:Api.fetch",
        "app.py:Api.Inner",
        "my-app.py:Api.Inner",
    ] {
        check(
            folder.path(),
            &policy(folder.path(), target),
            Model::Processes,
        );
    }
}

/// From Python 3.14 on, workers are no copies of the process that starts them: they run the program's own beginning.
#[test]
fn a_worker_that_begins_anew_finds_the_function() {
    let folder = folder();
    for target in [
        "my-app.py:Doubler",
        "odd/queue.py:double",
        "app.py:double",
        "pkg.mod:double",
    ] {
        let program = pool(&policy(folder.path(), target), advised(Model::Processes));
        let anew = program.replace(
            "    main()\n",
            "    import multiprocessing\n    multiprocessing.set_start_method(\"spawn\")\n    main()\n",
        );
        assert_ne!(program, anew);
        let lines: Vec<String> = (0..8).map(|n| n.to_string()).collect();
        let expected: Vec<String> = (0..8).map(|n| (2 * n).to_string()).collect();
        assert_eq!(written(folder.path(), &anew, &lines), expected, "{anew}");
    }
}

#[test]
fn few_inputs_are_not_all_for_one_process() {
    let folder = folder();
    let program = pool(
        &policy(folder.path(), "app.py:process"),
        advised(Model::Processes),
    );
    let lines = vec!["0".to_owned(); 12];
    let mut processes = written(folder.path(), &program, &lines);
    processes.sort_unstable();
    processes.dedup();
    assert!(processes.len() > 1, "{processes:?}");
}

#[test]
fn an_input_is_what_it_was_for_the_worker() {
    let folder = folder();
    let file = folder.path().join("some.txt").display().to_string();
    fs::write(&file, "seven\n..").unwrap();
    let lines = [file.clone()];
    for (form, expected) in [(Form::Lines, file.len()), (Form::Files, 8)] {
        let mut policy = policy(folder.path(), "builtins:len");
        policy.form = form;
        let program = pool(&policy, advised(Model::Threads));
        let written = written(folder.path(), &program, &lines);
        assert_eq!(written, [expected.to_string()], "{program}");
    }
}

#[test]
fn what_json_cannot_hold_is_converted_as_it_was_asked_for() {
    let folder = folder();
    let mut policy = policy(folder.path(), "app.py:point");
    policy.default = Some(Convert::Str);
    let program = pool(&policy, advised(Model::Threads));
    let lines = ["1".to_owned()];
    assert_eq!(written(folder.path(), &program, &lines), ["\"a point\""]);
}

#[test]
fn what_is_left_out_is_said() {
    let folder = folder();
    let mut policy = policy(folder.path(), "app.py:later");
    let usual = pool(&policy, advised(Model::Async));
    assert!(!usual.contains("LEFT OUT"), "{usual}");
    policy.share = vec![("TABLE".to_owned(), "/data/table.bin".into())];
    policy.hooks = vec!["setup".to_owned(), "teardown".to_owned()];
    policy.event_loop = EventLoop::Uvloop;
    let program = pool(&policy, advised(Model::Async));
    for said in [
        "# LEFT OUT: --share TABLE=/data/table.bin;",
        "# LEFT OUT: setup() and teardown() of the module",
        "# LEFT OUT: --loop uvloop;",
    ] {
        assert!(program.contains(said), "{said}: {program}");
    }
    let lines = ["1".to_owned()];
    assert_eq!(written(folder.path(), &program, &lines), ["2"]);
}
