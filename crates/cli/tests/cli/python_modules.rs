//! Modules that do what nobody expects while they are imported: it is said once, and no interpreter is left over.

use std::{fs, process::Stdio};

use rustix::process::Signal;
use serde_json::json;

use crate::{
    program::{eventually, start, triway},
    python::{app, call, outputs},
};

#[test]
fn an_interpreter_does_not_outlive_whom_it_is_to_answer() {
    let source = "
import os, time
with open('pid.new', 'w') as file: file.write(str(os.getpid()))
os.rename('pid.new', 'pid')
while True: time.sleep(0.01)
";
    for signal in [Signal::INT, Signal::KILL] {
        let folder = app(source);
        let mut command = triway("run py app.py:f -- 1");
        let started = start(command.current_dir(folder.path()).stdin(Stdio::null()));
        let interpreter = eventually(|| fs::read_to_string(folder.path().join("pid")).ok());
        started.signal(signal);
        started.end();
        eventually(|| {
            let state = fs::read_to_string(format!("/proc/{interpreter}/stat")).unwrap_or_default();
            (state.is_empty() || state.contains(") Z")).then_some(())
        });
    }
}

#[test]
fn a_module_that_ends_its_interpreter_is_told_with_how_it_ended() {
    let warns =
        "import ctypes, os, sys\nsys.stderr.write('a warning\\n' * 1000 + 'last words\\n')\n";
    for (end, said) in [
        ("ctypes.string_at(0)", "signal: 11"),
        ("os._exit(0)", "exit status: 0"),
        (
            "os.closerange(3, 1000)\ndef f(x): return x",
            "closes descriptors that are not its own",
        ),
    ] {
        let ended = call(&app(&format!("{warns}{end}")), "f", "", &["1", "2"]);
        assert_eq!(ended.code, 3, "{end}: {ended:?}");
        assert_eq!(ended.err.matches(said).count(), 1, "{end}: {ended:?}");
        assert!(ended.out.is_empty(), "{end}: {ended:?}");
        let has_words = ended.err.contains("last words");
        assert_eq!(has_words, !end.contains("close"), "{end}: {ended:?}");
    }
}

#[test]
fn a_module_that_goes_on_twice_is_answered_once() {
    let folder = app("import os\nos.fork()\ndef f(x): return x\n");
    for model in ["sequential", "threads -c 2", "processes -c 2"] {
        let ended = call(&folder, "f", &format!("-m {model}"), &["1", "2"]);
        assert_eq!(outputs(&ended), [json!(1), json!(2)], "{model}: {ended:?}");
    }
}

#[test]
fn modules_beside_the_users_are_not_taken_for_the_standard_librarys() {
    let folder = app("def f(x): return x\n");
    for name in [
        "base64",
        "difflib",
        "inspect",
        "marshal",
        "sysconfig",
        "traceback",
    ] {
        let path = folder.path().join(name).with_extension("py");
        fs::write(path, "raise Exception('not this one')\n").unwrap();
    }
    let ended = call(&folder, "f", "", &["1"]);
    assert_eq!(outputs(&ended), [json!(1)], "{ended:?}");
    let ended = call(&folder, "ff", "", &["1"]);
    assert!(ended.err.contains("did you mean `f`?"), "{ended:?}");
}

#[test]
fn a_loop_that_is_not_installed_is_missed_before_anything_runs() {
    let folder = app("async def f(x): return x\n");
    fs::write(
        folder.path().join("uvloop.py"),
        "raise ImportError('not here')\n",
    )
    .unwrap();
    for verb in ["run", "compare"] {
        let mut command = triway(&format!("{verb} py app.py:f --loop uvloop -- 1 2"));
        let ended = start(command.current_dir(folder.path()).stdin(Stdio::null())).end();
        assert_eq!(ended.code, 3, "{ended:?}");
        let said = ended.err.matches("--loop uvloop: not here").count();
        assert_eq!((said, &*ended.out), (1, ""), "{ended:?}");
    }
}
