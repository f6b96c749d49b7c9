//! Functions, modules and interpreters that are not what they should be: only the input that is at fault fails.

use std::{collections::BTreeSet, fs, path::Path, process::Stdio, time::Instant};

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    program::{eventually, pid, start, triway},
    python::{app, call, outputs},
};

/// What goes wrong when the word says so, in the call or in what it gives back.
const FAULTS: &str = r#"
import asyncio, ctypes, os, sys, threading, time

class Bad:
    def __init__(self, what):
        self.what = what
    def __str__(self):
        do(self.what)
        return 'shown'

def deep(n):
    return deep(n + 1)

def do(what):
    if what == 'exception': raise ValueError('on purpose')
    if what == 'surrogate': raise ValueError('half \ud800')
    if what == 'exit': sys.exit(3)
    if what == '_exit': os._exit(3)
    if what == 'segv': ctypes.string_at(0)
    if what == 'abort': os.abort()
    if what == 'endless':
        while True: pass
    if what == 'sleep': time.sleep(60)
    if what == 'recursion': return deep(0)
    if what == 'interrupt': raise KeyboardInterrupt
    if what == 'close': os.closerange(3, 1000)
    if what == 'fork':
        pid = os.fork()
        if pid: os.waitpid(pid, 0)
    if what == 'chdir': os.chdir('/')
    if what == 'signals':
        import signal
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if what == 'thread': threading.Thread(target=time.sleep, args=(0.1,)).start()
    if what == 'daemon': threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    if what == 'memory': return 'x' * (1 << 40)
    if what == 'unshowable':
        class Unshowable(Exception):
            def __str__(self): raise RuntimeError
        raise Unshowable
    return what

def at_call(what):
    return do(what)

def at_result(what):
    return Bad(what)

async def at_call_async(what):
    await asyncio.sleep(0)
    return do(what)

async def stubborn(what):
    while what == 'stubborn':
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
    return what
"#;

/// The word, and of which kind its failure is; `None` for one that does no harm.
const WORDS: [(&str, Option<&str>); 17] = [
    ("exception", Some("exception")),
    ("surrogate", Some("exception")),
    ("exit", Some("exception")),
    ("_exit", Some("worker-lost")),
    ("segv", Some("worker-lost")),
    ("abort", Some("worker-lost")),
    ("recursion", Some("exception")),
    ("interrupt", Some("exception")),
    ("unshowable", Some("exception")),
    ("memory", Some("exception")),
    ("close", None),
    ("fork", None),
    ("chdir", None),
    ("signals", None),
    ("thread", None),
    ("daemon", None),
    ("nothing", None),
];

#[test]
fn a_fault_costs_its_own_input() {
    let folder = app(FAULTS);
    for (name, default, models) in [
        (
            "at_call",
            "",
            &["sequential", "threads -c 3", "processes -c 2"][..],
        ),
        (
            "at_result",
            "--default str",
            &["sequential", "threads -c 3", "processes -c 2"],
        ),
        ("at_call_async", "", &["async -c 3", "threads -c 3"]),
    ] {
        for model in models {
            let options = format!("-m {model} {default} --crash-retries 0");
            let mut values = Vec::new();
            for (word, _) in WORDS {
                values.extend(["\"fine\"".to_owned(), format!("\"{word}\"")]);
            }
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let ended = call(&folder, name, &options, &values);
            let outcomes = ended.outcomes();
            assert_eq!(outcomes.len(), 2 * WORDS.len(), "{name} {model}: {ended:?}");
            for (pair, (word, kind)) in outcomes.chunks(2).zip(WORDS) {
                assert_eq!(
                    pair[0]["status"], "ok",
                    "{name} {model}, beside {word}: {}",
                    pair[0]
                );
                // Whoever closes all descriptors closes those of the event loop that awaits it.
                if word == "close" && name == "at_call_async" {
                    continue;
                }
                let said = &pair[1]["error"]["kind"];
                assert_eq!(said, &json!(kind), "{name} {model} {word}: {}", pair[1]);
            }
        }
    }
}

#[test]
fn exceptions_say_what_and_where() {
    let folder = app(FAULTS);
    for (word, message, trace) in [
        ("exception", "ValueError: on purpose", "in do\n"),
        ("surrogate", "ValueError: half \\ud800", "in do\n"),
        ("exit", "SystemExit: 3", "sys.exit(3)"),
        (
            "recursion",
            "RecursionError: maximum recursion depth",
            "in deep\n",
        ),
        ("unshowable", "Unshowable: (it cannot be shown)", ""),
    ] {
        let ended = call(
            &folder,
            "at_call",
            "-m threads -c 2",
            &[&format!("\"{word}\"")],
        );
        let error = ended.outcomes()[0]["error"].clone();
        assert!(
            error["message"].as_str().unwrap().starts_with(message),
            "{error}"
        );
        let told = error["trace"].as_str().unwrap_or("");
        assert!(told.contains(trace) && !told.contains("<triway"), "{error}");
        assert!(trace.is_empty() || told.starts_with("Traceback"), "{error}");
    }
}

/// Function, word, model, and what is said of it.
const TOO_LONG: [(&str, &str, &str, &str); 10] = [
    (
        "at_call",
        "endless",
        "sequential",
        "not done within its time limit",
    ),
    (
        "at_call",
        "sleep",
        "processes -c 2",
        "not done within its time limit",
    ),
    (
        "at_call",
        "sleep",
        "threads -c 3",
        "its thread does not return, so it was left behind",
    ),
    (
        "at_call",
        "endless",
        "threads -c 3",
        "its thread does not return, so it was left behind",
    ),
    (
        "at_call_async",
        "endless",
        "async -c 3",
        "not done within its time limit",
    ),
    (
        "at_call_async",
        "sleep",
        "async -c 3",
        "not done within its time limit",
    ),
    (
        "stubborn",
        "stubborn",
        "async -c 3",
        "it was cancelled and went on, so it was left behind",
    ),
    (
        "stubborn",
        "stubborn",
        "threads -c 3",
        "its thread does not return, so it was left behind",
    ),
    (
        "at_result",
        "sleep",
        "processes -c 2",
        "not done within its time limit",
    ),
    (
        "at_result",
        "sleep",
        "threads -c 2",
        "its thread does not return, so it was left behind",
    ),
];

#[test]
fn what_outlasts_its_limit_ends_alone() {
    let folder = app(FAULTS);
    for (name, word, model, said) in TOO_LONG {
        let began = Instant::now();
        let options = format!("-m {model} --timeout 400ms --grace 600ms --default str");
        let word = format!("\"{word}\"");
        let ended = call(
            &folder,
            name,
            &options,
            &["\"a\"", &word, "\"b\"", "\"c\"", "\"d\""],
        );
        let took = began.elapsed().as_secs_f64();
        let outcomes = ended.outcomes();
        for (place, outcome) in outcomes.iter().enumerate() {
            let expected = if place == 1 { "timeout" } else { "ok" };
            assert_eq!(
                outcome["status"], expected,
                "{name} {word} {model}: {ended:?}"
            );
        }
        let message = outcomes[1]["error"]["message"].as_str().unwrap();
        assert!(message.contains(said), "{name} {word} {model}: {message}");
        assert!(took < 15.0, "{name} {word} {model} took {took}");
    }
    // A coroutine that awaits is cancelled.
    let folder = app("import asyncio\nasync def f(x):\n    await asyncio.sleep(x)\n    return x\n");
    let ended = call(
        &folder,
        "f",
        "-m async -c 5 --timeout 200ms",
        &["0", "60", "0.01"],
    );
    let outcomes = ended.outcomes();
    assert_eq!(outcomes[1]["status"], "timeout", "{ended:?}");
    let message = outcomes[1]["error"]["message"].as_str().unwrap();
    assert!(message.contains("it was cancelled"), "{message}");
    assert_eq!(
        (&outcomes[0]["status"], &outcomes[2]["status"]),
        (&json!("ok"), &json!("ok"))
    );
}

#[test]
fn large_results_come_whole_or_fail_alone() {
    let folder = app("def big(n):\n    return 'x' * n\n");
    // The last but one is more than a frame can hold.
    let values = ["10", "3000000", "1100000000", "11"];
    for (model, count) in [("threads -c 2", 2), ("processes -c 2", 4)] {
        let ended = call(&folder, "big", &format!("-m {model}"), &values[..count]);
        let outcomes = ended.outcomes();
        let length = |n: usize| outcomes[n]["output"].as_str().map(str::len);
        assert_eq!((length(0), length(1)), (Some(10), Some(3_000_000)));
        if count == 4 {
            assert_eq!(length(3), Some(11));
            assert_eq!(
                outcomes[2]["error"]["kind"], "unserialisable",
                "{model}: {}",
                outcomes[2]
            );
        }
    }
}

#[test]
fn memory_has_a_limit() {
    let folder = app("def big(n):\n    return len(bytearray(n))\n");
    let ended = call(
        &folder,
        "big",
        "-m processes -c 2 --worker-memory 256MiB",
        &["1", "1000000000", "2"],
    );
    let outcomes = ended.outcomes();
    assert_eq!(outcomes[1]["error"]["message"], "MemoryError", "{ended:?}");
    assert_eq!(outputs(&ended), [json!(1), Value::Null, json!(2)]);
}

/// Source, name, options, exit code, and what is said.
const UNCALLABLE: [(&str, &str, &str, i32, &str); 16] = [
    (
        "def fetch(x): pass",
        "fetsh",
        "",
        2,
        "has no `fetsh`; did you mean `fetch`?",
    ),
    (
        "def fetch(x): pass",
        "zzz",
        "",
        2,
        "has no `zzz`; it has `fetch`",
    ),
    ("f = 3", "f", "", 2, "is int and cannot be called"),
    ("class C: pass", "C", "", 2, "no method `__call__`"),
    (
        "def f():\n    def g(x): pass",
        "f.g",
        "",
        2,
        "function inside the function `f`",
    ),
    (
        "f = lambda x: x",
        "<lambda>",
        "",
        2,
        "has no name that it could be found by",
    ),
    (
        "import no_such_module\ndef f(x): pass",
        "f",
        "",
        3,
        "No module named 'no_such_module'",
    ),
    ("1 / 0\ndef f(x): pass", "f", "", 3, "line 1, in <module>"),
    ("def f(x:\n", "f", "", 3, "SyntaxError"),
    (
        "import sys\nsys.exit('not today')",
        "f",
        "",
        3,
        "SystemExit: not today",
    ),
    ("import os\nos._exit(7)", "f", "", 3, "exit status: 7"),
    (
        "while True: pass",
        "f",
        "--import-timeout 500ms",
        3,
        "if __name__ == \"__main__\":",
    ),
    (
        "def f(x): pass",
        "f",
        "--python /no/such/python",
        2,
        "there is no such program",
    ),
    (
        "def f(x): pass",
        "f",
        "--python /bin/false",
        3,
        "/bin/false",
    ),
    (
        "def f(x): pass",
        "f",
        "--share 1x=/dev/null",
        2,
        "no name that Python knows",
    ),
    (
        "def f(x): pass",
        "f",
        "--share X=/no/such/file",
        2,
        "--share X=/no/such/file",
    ),
];

#[test]
fn what_cannot_be_called_is_told_once() {
    for (source, target, options, code, said) in UNCALLABLE {
        let folder = app(source);
        let ended = call(&folder, target, options, &["1", "2", "3"]);
        assert_eq!(ended.code, code, "{source}: {ended:?}");
        assert_eq!(
            ended.err.matches(said).count(),
            1,
            "{source}: {}",
            ended.err
        );
        assert!(!ended.err.contains("<triway"), "{source}: {}", ended.err);
        assert!(ended.out.is_empty(), "{source}: {}", ended.out);
    }
    let folder = app("def f(x): return x");
    for (target, said) in [
        ("app.py", "names no function"),
        ("missing.py:f", "cannot be read"),
    ] {
        let mut command = triway(&format!("run py {target} -- 1"));
        let ended = start(command.current_dir(folder.path()).stdin(Stdio::null())).end();
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(said), "{ended:?}");
    }
    let mut command = triway("run py app.py:f -- 1");
    let bare = command
        .current_dir(folder.path())
        .env("PATH", "/nowhere")
        .env_remove("VIRTUAL_ENV");
    let ended = start(bare.stdin(Stdio::null())).end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("no python3 is on the PATH"), "{ended:?}");
}

#[test]
fn a_module_may_do_as_it_likes() {
    let source = "
import atexit, os, signal, sys, threading, time
print('imported')
os.chdir('/')
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=lambda: time.sleep(0.2)).start()
if os.fork() == 0:
    os._exit(0)
os.wait()
sys.setrecursionlimit(500)
def f(x): return x
";
    let folder = app(source);
    for model in ["sequential", "threads -c 2", "processes -c 2"] {
        let ended = call(&folder, "f", &format!("-m {model}"), &["1", "2"]);
        assert_eq!(outputs(&ended), [json!(1), json!(2)], "{ended:?}");
    }
    fs::write(folder.path().join("json.py"), "raise Exception('shadowed')").unwrap();
    let ended = call(&folder, "f", "-m threads", &["1"]);
    assert_eq!(
        ended.code, 0,
        "a module of the user's by a name of ours: {ended:?}"
    );
}

/// Each execution of an input adds its number to a file, in one write.
const LEDGER: &str = "
import os, time
ledger = os.open(os.environ['LEDGER'], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def work(x):
    os.write(ledger, b'%d\\n' % x)
    if x == 700:
        time.sleep(1.5)
    return x
def slow(x):
    os.write(ledger, b'%d\\n' % x)
    time.sleep(0.004)
    return x
";

fn executions(ledger: &Path) -> Vec<u64> {
    let text = fs::read_to_string(ledger).unwrap();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn nothing_waits_behind_a_long_one_and_nothing_runs_twice_for_that() {
    for model in [
        "processes -c 2",
        "hybrid --processes 2 --inner threads -c 2",
    ] {
        let folder = app(LEDGER);
        let ledger = folder.path().join("ledger");
        let inputs: String = (0..3000).map(|n| format!("{n}\n")).collect();
        fs::write(folder.path().join("inputs"), inputs).unwrap();
        let mut command = triway("run py app.py:work inputs -m");
        command
            .args(model.split(' '))
            // So many at once that some would stand behind the long one.
            .args(["--batch", "500"])
            .current_dir(folder.path())
            .env("LEDGER", &ledger);
        let ended = start(command.stdin(Stdio::null())).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let outcomes = ended.outcomes();
        let ended_at = |outcome: &Value| {
            outcome["started_s"].as_f64().unwrap() + outcome["run_s"].as_f64().unwrap()
        };
        let long = ended_at(&outcomes[700]);
        let behind = outcomes.iter().filter(|one| ended_at(one) > long).count();
        assert_eq!((outcomes.len(), behind), (3000, 0), "{model}");
        let mut ran = executions(&ledger);
        ran.sort_unstable();
        assert_eq!(ran, (0..3000).collect::<Vec<u64>>(), "{model}");
    }
}

#[test]
fn killed_interpreters_lose_nothing() {
    for (model, slots) in [("processes -c 2", 1), ("threads -c 4", 4)] {
        let folder = app(LEDGER);
        let ledger = folder.path().join("ledger");
        let inputs: String = (0..1500).map(|n| format!("{n}\n")).collect();
        fs::write(folder.path().join("inputs"), inputs).unwrap();
        let mut command = triway("run py app.py:slow inputs --crash-retries 50 -m");
        command
            .args(model.split(' '))
            .current_dir(folder.path())
            .env("LEDGER", &ledger);
        let started = start(command.stdin(Stdio::null()));
        let mut kills = 0;
        let mut seen = 0;
        for _ in 0..6 {
            // The interpreter before any execution only looks at the module; one that is killed again and again before it
            // has done anything is given up, and rightly.
            seen = eventually(|| {
                let length = fs::metadata(&ledger).ok()?.len();
                (length > seen + 100).then_some(length)
            });
            if let Some(worker) = interpreters(started.pid()).pop() {
                kills += usize::from(kill_process(pid(worker), Signal::KILL).is_ok());
            }
        }
        let ended = started.end();
        assert!(kills > 3, "{model}: it was killed {kills} times");
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        assert_eq!(ended.outcomes().len(), 1500, "{model}");
        let ran = executions(&ledger);
        let once: BTreeSet<u64> = ran.iter().copied().collect();
        assert_eq!(once.len(), 1500, "{model}");
        // A suspect runs once more, alone; one that is killed there as well, again.
        assert!(
            ran.len() <= 1500 + 2 * kills * slots,
            "{model}: {}",
            ran.len()
        );
    }
}

/// The interpreters among the children of a process.
fn interpreters(of: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{of}/task"))
        .into_iter()
        .flatten();
    let children = tasks.flatten().filter_map(|task| {
        let children = fs::read_to_string(task.path().join("children")).ok()?;
        Some(
            children
                .split_whitespace()
                .filter_map(|one| one.parse().ok())
                .collect::<Vec<u32>>(),
        )
    });
    let is_python = |child: &u32| {
        fs::read_link(format!("/proc/{child}/exe"))
            .is_ok_and(|exe| exe.to_string_lossy().contains("python"))
    };
    children.flatten().filter(is_python).collect()
}
