//! `py`: functions of every form under every model, in every Python of this machine.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::program::{Ended, run, start, triway};

pub(crate) const MODELS: [&str; 6] = [
    "sequential",
    "threads -c 3",
    "processes -c 2",
    "async -c 3",
    "hybrid --processes 2 --inner threads -c 4",
    "hybrid --processes 2 --inner async -c 4",
];

/// A folder with one module, `app.py`.
pub(crate) fn app(source: &str) -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("app.py"), source).unwrap();
    folder
}

/// Runs a function of `app.py` with these options on these values.
pub(crate) fn call(folder: &TempDir, name: &str, options: &str, values: &[&str]) -> Ended {
    let target = folder.path().join(format!("app.py:{name}"));
    let mut command = triway("run py");
    command
        .arg(target)
        .args(options.split_whitespace())
        .arg("--")
        .args(values);
    start(command.stdin(Stdio::null())).end()
}

/// The outputs in the order of the inputs; null where one failed.
#[track_caller]
pub(crate) fn outputs(ended: &Ended) -> Vec<Value> {
    let outcomes = ended.outcomes();
    outcomes.iter().map(|one| one["output"].clone()).collect()
}

/// Every Python of this machine, with its version.
fn pythons() -> Vec<(PathBuf, (u32, u32))> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let managed = fs::read_dir(home.join(".pyenv/versions"));
    let managed = managed.into_iter().flatten().flatten();
    let mut found: BTreeSet<PathBuf> = managed.map(|one| one.path().join("bin/python")).collect();
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        found.extend((6..16).map(|minor| folder.join(format!("python3.{minor}"))));
        found.insert(folder.join("python3"));
    }
    found
        .into_iter()
        .filter(|path| path.is_file())
        .filter_map(|path| Some((path.clone(), version(&path)?)))
        .collect()
}

fn version(python: &Path) -> Option<(u32, u32)> {
    let asked = Command::new(python)
        .args(["-c", "import sys; print('%d %d' % sys.version_info[:2])"])
        .output()
        .ok()?;
    let said = String::from_utf8(asked.stdout).ok()?;
    let (major, minor) = said.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

const TWICE: &str = "
import asyncio

def twice(x):
    return x * 2

async def twice_async(x):
    await asyncio.sleep(0)
    return x * 2

class Twice:
    def __init__(self):
        self.factor = 2
    def __call__(self, x):
        return x * self.factor

class TwiceAsync:
    async def __call__(self, x):
        await asyncio.sleep(0.001)
        return x * 2

Twice.inside = staticmethod(twice)
";

#[test]
fn every_python_calls_every_form_under_every_model() {
    let folder = app(TWICE);
    let pythons = pythons();
    let new = |version: (u32, u32)| version >= (3, 9);
    assert!(
        pythons.iter().any(|&(_, version)| new(version)),
        "{pythons:?}"
    );
    for (at, (python, version)) in pythons.into_iter().rev().enumerate() {
        let python = python.display();
        if !new(version) {
            let ended = call(&folder, "twice", &format!("--python {python}"), &["1"]);
            assert_eq!(ended.code, 3, "{python}: {ended:?}");
            assert!(ended.err.contains("too old; 3.9 or later"), "{ended:?}");
            continue;
        }
        for model in MODELS {
            let all = [
                "twice",
                "twice_async",
                "Twice",
                "TwiceAsync",
                "Twice.inside",
            ];
            // What a class is does not differ from one version to the next.
            let names = if at == 0 { &all[..] } else { &all[..2] };
            for name in names {
                let is_async = name.to_lowercase().contains("async");
                if !is_async && model.contains("async") {
                    continue;
                }
                let options = format!("--python {python} -m {model}");
                let ended = call(&folder, name, &options, &["1", "\"a\"", "[3]", "2.5"]);
                assert_eq!(ended.code, 0, "{python} {model} {name}: {ended:?}");
                let expected = [json!(2), json!("aa"), json!([3, 3]), json!(5.0)];
                assert_eq!(outputs(&ended), expected, "{python} {model} {name}");
            }
        }
    }
}

#[test]
fn async_needs_an_async_function_and_says_so() {
    let folder = app(TWICE);
    let ended = call(&folder, "twice", "-m async", &["1"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.err.contains("twice is not `async def`"),
        "{}",
        ended.err
    );
    let ended = call(&folder, "twice", "-m hybrid --inner async", &["1"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended
            .err
            .contains("--inner async: twice is not `async def`"),
        "{}",
        ended.err
    );
    let path = folder.path().display();
    let ended = run(&format!(
        "compare py {path}/app.py:twice --rounds 1 --format json -- 1 2 3"
    ));
    assert_eq!(ended.code, 0, "{ended:?}");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let arms = report["models"].as_array().unwrap();
    let skipped = arms.iter().find(|arm| arm["id"] == "async").unwrap();
    assert_eq!(skipped["skipped"], "twice is not `async def`");
    let ran = arms.iter().filter(|arm| arm["succeeded"] == 3).count();
    assert_eq!(ran, 3, "{report}");
}

const FORMS: &str = "
import os
import neighbour

def kind(x):
    return [type(x).__name__, len(x)]

def three(a, b, c=0):
    return [a, b, c]

def near(x):
    return neighbour.PLUS + x

def table(x):
    return [TABLE[x], TABLE.readonly]

def raw(x):
    return bytes([x, 255])

def moved(name):
    os.chdir('/')
    return 'moved'
";

#[test]
fn inputs_come_as_they_are_wanted() {
    let folder = app(FORMS);
    let path = folder.path();
    fs::write(path.join("neighbour.py"), "PLUS = 40\n").unwrap();
    fs::write(path.join("data"), b"\x00\xff\n").unwrap();
    let data = path.join("data");
    let data = data.to_str().unwrap();
    let share = format!("--share TABLE={data}");
    for (name, options, value, expected) in [
        ("kind", "", "\"abc\"", json!(["str", 3])),
        ("kind", "", "{\"a\":1}", json!(["dict", 1])),
        ("kind", "--lines", "\"abc\" ", json!(["str", 6])),
        ("kind", "--files", data, json!(["bytes", 3])),
        ("three", "--args", "[1,2]", json!([1, 2, 0])),
        (
            "three",
            "--args",
            "{\"a\":1,\"b\":2,\"c\":3}",
            json!([1, 2, 3]),
        ),
        ("near", "", "2", json!(42)),
        ("table", &share, "1", json!([255, true])),
        ("raw", "", "1", json!({"base64": "Af8="})),
    ] {
        for model in ["threads -c 2", "processes -c 2"] {
            let ended = call(&folder, name, &format!("{options} -m {model}"), &[value]);
            assert_eq!(
                outputs(&ended),
                std::slice::from_ref(&expected),
                "{name} {value}: {ended:?}"
            );
        }
    }
    let nested = "[".repeat(60_000);
    for (name, options, value, kind, said) in [
        ("kind", "", &*nested, "bad-input", "nested too deeply"),
        ("kind", "", "nope", "bad-input", "no JSON value"),
        ("kind", "", "", "bad-input", "no JSON value"),
        ("kind", "--files", "missing", "bad-input", "No such file"),
        (
            "three",
            "--args",
            "3",
            "bad-input",
            "a JSON list or object, not int",
        ),
        ("three", "--args", "[1]", "exception", "missing 1 required"),
        ("kind", "", "3", "exception", "TypeError"),
    ] {
        let ended = call(&folder, name, options, &[value, value]);
        for outcome in ended.outcomes() {
            assert_eq!(outcome["error"]["kind"], kind, "{name} {value}: {outcome}");
            let message = outcome["error"]["message"].as_str().unwrap();
            assert!(message.contains(said), "{name} {value}: {outcome}");
        }
    }
}

#[test]
fn a_module_is_found_from_the_working_folder_and_a_file_from_anywhere() {
    let folder = app(FORMS);
    fs::write(folder.path().join("neighbour.py"), "PLUS = 1\n").unwrap();
    let package = folder.path().join("package");
    fs::create_dir(&package).unwrap();
    fs::write(package.join("__init__.py"), "").unwrap();
    fs::write(package.join("module.py"), "def f(x): return x + 1\n").unwrap();
    for (target, from) in [
        ("package.module:f".to_owned(), folder.path()),
        (
            format!("{}/app.py:near", folder.path().display()),
            Path::new("/"),
        ),
    ] {
        let mut command = triway("run py");
        command.arg(&target).args(["--", "1"]).current_dir(from);
        let ended = start(command.stdin(Stdio::null())).end();
        assert_eq!(outputs(&ended), [json!(2)], "{target}: {ended:?}");
    }
    // A name without a folder is looked for where the run began, wherever the function has gone since.
    fs::write(folder.path().join("data"), "x").unwrap();
    let mut command = triway("run py app.py:moved --files -m sequential -- data data");
    let ended = start(command.current_dir(folder.path()).stdin(Stdio::null())).end();
    assert_eq!(
        outputs(&ended),
        [json!("moved"), json!("moved")],
        "{ended:?}"
    );
}

const VALUES: &str = "
import decimal

def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value

async def coroutine():
    pass

def value(text):
    return eval(text)
";

#[test]
fn results_are_held_or_named() {
    let folder = app(VALUES);
    let held = [
        ("None", json!(null)),
        ("True", json!(true)),
        ("0.1", json!(0.1)),
        ("(1, [2, {'a': None}])", json!([1, [2, {"a": null}]])),
        ("{1: 2}", json!({"1": 2})),
        ("'\\u00e4\\n\"'", json!("\u{e4}\n\"")),
        ("'\\0'", json!("\0")),
    ];
    let texts: Vec<&str> = held.iter().map(|(text, _)| *text).collect();
    let ended = call(&folder, "value", "--lines", &texts);
    let expected: Vec<Value> = held.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(outputs(&ended), expected, "{ended:?}");
    let big = call(&folder, "value", "--lines", &["10**30"]);
    assert!(
        big.out
            .contains("\"output\":1000000000000000000000000000000,"),
        "{big:?}"
    );
    for (text, said, as_text) in [
        ("float('nan')", "a NaN", "nan"),
        ("float('-inf')", "an infinite number", "-inf"),
        ("{1}", "a value of type set", "{1}"),
        ("decimal.Decimal('1.5')", "decimal.Decimal", "1.5"),
        ("object", "a value of type type", "<class 'object'>"),
        ("(x for x in [])", "generator", "<generator"),
        ("'\\ud800'", "a surrogate", "\\ud800"),
        ("[float('nan')]", "a NaN", "nan"),
        ("{(1, 2): 3}", "keys must be", ""),
        ("nested(100000)", "nested too deeply", ""),
        ("10**5000", "more than 4300 digits", ""),
        ("[10**5000]", "more than 4300 digits", ""),
        (r"'\\ud800x \ud801'", "a surrogate", r"\ud800x \ud801"),
        ("coroutine()", "the result is a coroutine", ""),
        ("[b'x']", "a value of type bytes", "b'x'"),
    ] {
        let ended = call(&folder, "value", "--lines", &[text, "1"]);
        let outcomes = ended.outcomes();
        assert_eq!(outcomes[1]["output"], 1, "{text}");
        let error = &outcomes[0]["error"];
        let kind = if said.contains("keys") {
            "exception"
        } else {
            "unserialisable"
        };
        assert_eq!(error["kind"], kind, "{text}: {error}");
        assert!(
            error["message"].as_str().unwrap().contains(said),
            "{text}: {error}"
        );
        if !as_text.is_empty() {
            let ended = call(&folder, "value", "--lines --default str", &[text]);
            let output = outputs(&ended)[0].to_string();
            let shown = as_text.replace('\\', "\\\\");
            assert!(output.contains(&shown), "{text}: {output} {ended:?}");
        }
    }
}

const AROUND: &str = "
import os

def note(word):
    with open(os.environ['LEDGER'], 'a') as ledger:
        ledger.write(word + '\\n')

def setup():
    note('setup')

def teardown():
    note('teardown')

def work(x):
    note('work')
    return x
";

#[test]
fn what_a_module_sets_up_it_does_once_a_worker() {
    for (model, workers) in [
        ("threads -c 4", 1),
        ("processes -c 2", 2),
        ("sequential", 1),
    ] {
        let folder = app(AROUND);
        let ledger = folder.path().join("ledger");
        let mut command = triway("run py");
        command
            .arg(folder.path().join("app.py:work"))
            .args(["-m"])
            .args(model.split(' '))
            .args(["--", "1", "2", "3", "4", "5", "6"])
            .env("LEDGER", &ledger);
        let ended = start(command.stdin(Stdio::null())).end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let ledger = fs::read_to_string(ledger).unwrap();
        let count = |word: &str| ledger.lines().filter(|line| *line == word).count();
        assert_eq!(
            (count("setup"), count("work"), count("teardown")),
            (workers, 6, workers),
            "{model}: {ledger}"
        );
    }
    let folder = app("def setup():\n    raise OSError('no luck')\n\ndef f(x): return x\n");
    let ended = call(&folder, "f", "-m processes -c 2", &["1"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.err.contains("its setup() failed: OSError"),
        "{ended:?}"
    );
}

const PRINTS: &str = "
import ctypes, os, subprocess, sys

def loud(x):
    print('by print', x)
    os.write(1, b'by write\\n')
    ctypes.CDLL(None).printf(b'by printf\\n')
    ctypes.CDLL(None).fflush(None)
    subprocess.run(['echo', 'by a child'])
    print('to error', file=sys.stderr)
    return x
";

#[test]
fn whatever_prints_disturbs_nothing() {
    let folder = app(PRINTS);
    for model in ["sequential", "threads -c 2", "processes -c 2"] {
        let ended = call(
            &folder,
            "loud",
            &format!("-m {model}"),
            &["1", "2", "3", "4"],
        );
        assert_eq!(outputs(&ended), [1, 2, 3, 4].map(|x| json!(x)), "{ended:?}");
        for word in [
            "by print",
            "by write",
            "by printf",
            "by a child",
            "to error",
        ] {
            let count = ended.err.matches(word).count();
            let expected = if word == "by print" { 8 } else { 4 };
            assert_eq!(count, expected, "{model} {word}: {}", ended.err);
        }
    }
}

#[test]
fn it_is_a_job_like_any_other() {
    let source = "
def odd(x):
    if x % 2 == 0:
        raise ValueError('even')
    return x
";
    let folder = app(source);
    let journal = folder.path().join("run.journal");
    let journal = journal.to_str().unwrap();
    let values: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let ended = call(&folder, "odd", "--keep-order -m processes -c 2", &values);
    let order: Vec<Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["index"].clone())
        .collect();
    assert_eq!(order, (0..40).map(|n| json!(n)).collect::<Vec<_>>());
    let ended = call(
        &folder,
        "odd",
        &format!("--journal {journal} -m threads -c 2"),
        &values,
    );
    assert_eq!(ended.code, 1, "{ended:?}");
    let again = format!("--journal {journal} --retry-failed --retries 1 -m processes -c 2");
    let ended = call(&folder, "odd", &again, &values);
    let outcomes = ended.outcomes();
    let tried = |n: usize| outcomes[n]["attempts"].as_u64().unwrap();
    assert_eq!((tried(0), tried(1)), (2, 1), "{ended:?}");
    let trace = outcomes[0]["error"]["trace"].as_str().unwrap();
    assert!(
        trace.contains("line 4, in odd") && !trace.contains("triway>"),
        "{trace}"
    );
    let ended = call(&folder, "odd", "--max-failures 3 -m threads -c 1", &values);
    assert!(ended.err.contains("--max-failures allows"), "{ended:?}");
}

#[test]
fn a_run_goes_on_from_another_working_folder() {
    let folder = app("def f(x): return x\n");
    let path = folder.path().display();
    let line = format!("run py {path}/app.py:f --journal {path}/run.journal -m sequential");
    let ended = run(&format!("{line} -- 1 2"));
    assert_eq!(ended.code, 0, "{ended:?}");
    for (more, code) in [("", 0), ("--files", 2)] {
        let mut command = triway(&format!("{line} --resume {more} -- 1 2"));
        let ended = start(command.current_dir("/").stdin(Stdio::null())).end();
        assert_eq!(ended.code, code, "{more}: {ended:?}");
    }
}

#[test]
fn uvloop_is_used_where_it_is_installed_and_missed_where_not() {
    let folder = app(
        "async def f(x):\n    import asyncio\n    return type(asyncio.get_running_loop()).__module__\n",
    );
    let ended = call(&folder, "f", "-m async", &["1"]);
    assert_eq!(
        outputs(&ended)[0].as_str().unwrap().split('.').next(),
        Some("asyncio")
    );
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    let python = target.join("test-venv/bin/python");
    if !python.is_file() {
        eprintln!("SKIPPED: there is no {}", python.display());
        return;
    }
    let options = format!("-m async --loop uvloop --python {}", python.display());
    let ended = call(&folder, "f", &options, &["1"]);
    assert_eq!(
        outputs(&ended)[0].as_str().unwrap().split('.').next(),
        Some("uvloop"),
        "{ended:?}"
    );
    // The interpreter that was built without it.
    let bare = folder.path().join("bare");
    let made = Command::new(&python)
        .args(["-m", "venv", "--without-pip"])
        .arg(&bare)
        .status();
    assert!(made.unwrap().success());
    let options = format!(
        "-m async --loop uvloop --python {}/bin/python",
        bare.display()
    );
    let ended = call(&folder, "f", &options, &["1"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.err.contains("--loop uvloop: No module named"),
        "{ended:?}"
    );
}
