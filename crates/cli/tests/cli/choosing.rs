//! `run -m auto` where something comes in between: an earlier run, slow inputs, an end before it knows.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::tempdir;

use crate::program::{Ended, Started, run, start, triway};

/// Waits, so that more at once are quicker, whatever the machine does besides.
const NAPPING: &str = "import time\ndef nap(x):\n    time.sleep(0.02)\n    return x\n";

/// What an earlier run came to its end with was not executed in no time by this one.
#[test]
fn outcomes_of_an_earlier_run_are_no_measurement() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("napping.py"), NAPPING).unwrap();
    let lines = |count: u32| (0..count).map(|n| format!("{n}\n")).collect::<String>();
    fs::write(at("inputs.jsonl"), lines(900)).unwrap();
    let arguments = format!(
        "run py {}:nap {} --journal {} -o {}",
        at("napping.py").display(),
        at("inputs.jsonl").display(),
        at("run.journal").display(),
        at("out.jsonl").display()
    );
    let first = run(&format!("{arguments} -m threads -c 32 --max-failures 0"));
    assert_eq!(first.code, 0, "{}", first.err);
    // Another 900 have come.
    fs::write(at("inputs.jsonl"), lines(1800)).unwrap();
    let second = run(&format!("{arguments} --resume"));
    assert_eq!(second.code, 0, "{}", second.err);
    assert!(second.err.contains(", as measured"), "{}", second.err);
    assert!(!second.err.contains("sequential@1"), "{}", second.err);
    let out = fs::read_to_string(at("out.jsonl")).unwrap();
    assert_eq!(out.lines().count(), 1800);
}

/// A run that reads its inputs from a pipe.
fn napping_from_a_pipe(folder: &Path) -> Started {
    let file = folder.join("napping.py");
    fs::write(&file, NAPPING).unwrap();
    let mut running = triway(&format!("run py {}:nap -", file.display()));
    start(running.stdin(Stdio::piped()))
}

/// A pipe whose first lines trickle in says nothing about the others.
#[test]
fn inputs_that_come_slowly_at_first_are_not_all_done_one_at_a_time() {
    let folder = tempdir().unwrap();
    let mut running = napping_from_a_pipe(folder.path());
    let mut pipe = running.stdin();
    for n in 0..4 {
        writeln!(pipe, "{n}").unwrap();
        thread::sleep(Duration::from_millis(200));
    }
    for n in 4..200 {
        writeln!(pipe, "{n}").unwrap();
    }
    drop(pipe);
    let ended = running.end();
    assert_eq!((ended.code, ended.outcomes().len()), (0, 200));
    assert!(ended.err.contains("come more slowly"), "{}", ended.err);
    assert!(ended.err.contains("as the task prefers"), "{}", ended.err);
    assert!(!ended.err.contains("sequential@1"), "{}", ended.err);
}

/// Neither does a pause after enough lines for one lane.
#[test]
fn inputs_that_come_slowly_for_a_moment_are_not_all_done_with_few_lanes() {
    let folder = tempdir().unwrap();
    let mut running = napping_from_a_pipe(folder.path());
    let mut pipe = running.stdin();
    for n in 0..6000 {
        writeln!(pipe, "{n}").unwrap();
        if (20..50).contains(&n) {
            pipe.flush().unwrap();
            thread::sleep(Duration::from_millis(60));
        }
    }
    drop(pipe);
    let ended = running.end();
    assert_eq!((ended.code, ended.outcomes().len()), (0, 6000));
    let anew = "come quickly enough now";
    assert!(ended.err.contains(anew), "{}", ended.err);
    assert!(ended.err.contains("threads with"), "{}", ended.err);
}

/// Who wants the processors for a moment decides about the first inputs, and not about a whole job. Here it is a lock.
#[test]
fn what_nothing_explains_is_measured_anew() {
    let function = "import fcntl\n\ndef work(x):\n    with open(__file__) as file:\n        \
                    if x < 300:\n            fcntl.flock(file, fcntl.LOCK_EX)\n        \
                    return sum(range(400_000))\n";
    let ended = calling("true", (function, "work"), 2500, "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    let anew = ended.err.matches("nothing explains").count();
    assert_eq!(anew, 1, "{}", ended.err);
    // What it found at first, this, and what it found then.
    assert!(ended.err.matches("auto: ").count() >= 3, "{}", ended.err);
}

/// Who ends it is told no more of what was measured, and nothing that is not so.
#[test]
fn a_failure_limit_ends_it_without_another_word() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("failing.py");
    fs::write(&file, "def fail(x):\n    raise ValueError(x)\n").unwrap();
    let inputs: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let ended = run(&format!(
        "run py {}:fail --max-failures 3 -- {}",
        file.display(),
        inputs.join(" ")
    ));
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(!ended.err.contains("auto: "), "{}", ended.err);
    assert!(!ended.err.contains(", as measured"), "{}", ended.err);
}

/// Care for the other side bounds what is tried, not what is asked for.
#[test]
fn a_large_concurrency_that_is_given_is_kept() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("napping.py");
    fs::write(&file, NAPPING).unwrap();
    fs::write(folder.path().join("lines"), "1\n".repeat(4000)).unwrap();
    let ended = run(&format!(
        "run py {}:nap {} -c 300",
        file.display(),
        folder.path().join("lines").display()
    ));
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("@300,"), "{}", ended.err);
}

/// This function on so many inputs, for which threads are advised; each has one outcome.
fn on_threads(source: &str, function: &str, inputs: usize, options: &str) -> Ended {
    on_threads_after("true", (source, function), inputs, options)
}

/// The same, by a shell that has done something before.
fn on_threads_after(before: &str, function: (&str, &str), inputs: usize, options: &str) -> Ended {
    let ended = calling(before, function, inputs, options);
    assert!(ended.err.contains("threads with"), "{}", ended.err);
    ended
}

/// A run of this function on so many inputs, by a shell that has done something before.
fn calling(before: &str, (source, function): (&str, &str), inputs: usize, options: &str) -> Ended {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("app.py"), source).unwrap();
    let numbers = (0..inputs).map(|n| format!("{n}\n"));
    fs::write(at("lines"), numbers.collect::<String>()).unwrap();
    let (app, lines) = (at("app.py"), at("lines"));
    let program = env!("CARGO_BIN_EXE_triway");
    let line = format!("{before}; exec {program} run py {app}:{function} {lines} {options}");
    let shell = &mut Command::new("sh");
    let ended = start(shell.args(["-c", &line]).stdin(Stdio::null())).end();
    assert_eq!(ended.outcomes().len(), inputs, "{}", ended.err);
    ended
}

fn different_outputs(ended: &Ended) -> usize {
    let outcomes = ended.outcomes();
    let outputs = outcomes.iter().map(|it| it["output"].as_u64().unwrap());
    outputs.collect::<BTreeSet<_>>().len()
}

/// What imports for long imports once for all that is tried with threads, and for the rest of the job; once before that, for one
/// input at a time.
#[test]
fn an_interpreter_is_started_once_for_all_numbers_of_threads() {
    let function = "import os, time\ntime.sleep(0.6)\ndef nap(x):\n    time.sleep(0.02)\n    return os.getpid()\n";
    let ended = on_threads(function, "nap", 6000, "--max-concurrency 64");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(different_outputs(&ended), 2, "{}", ended.err);
}

/// What more threads took is given back with them, or fewer would fail for want of it.
#[test]
fn fewer_threads_than_were_tried_do_without_the_others() {
    let function = "import threading, time\nown, held, lock = threading.local(), [], threading.Lock()\n\
                    def ask(x):\n    with lock:\n        if not hasattr(own, 'seat'):\n            \
                    if len(held) >= 20:\n                raise OSError('no more seats')\n            \
                    held.append(x)\n            own.seat = True\n    time.sleep(0.02)\n    return x\n";
    let ended = on_threads(function, "ask", 3000, "");
    let outcomes = ended.outcomes();
    let failed = outcomes.iter().filter(|it| it["status"] != "ok").count();
    // Those that were tried with more seats than there are.
    assert!(failed > 0 && failed < 1000, "{failed}: {}", ended.err);
}

/// A thread may keep a connection to the other side, so there are no more threads than had to be at work.
#[test]
fn threads_that_were_never_at_work_are_not_started() {
    let function = "import threading, time\ngate = threading.Semaphore(4)\ndef pass_gate(x):\n    with gate:\n        \
                    time.sleep(0.01)\n    return threading.get_ident()\n";
    let ended = on_threads(function, "pass_gate", 1500, "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    let threads = different_outputs(&ended);
    // One at a time, 32 that gained nothing, eight, and few that listen or are about to; 128 were not to be tried.
    assert!(threads <= 55, "{threads}: {}", ended.err);
}

/// Threads are started when they are wanted, which may be too late; whoever had an input gives it back.
#[test]
fn threads_that_cannot_be_started_cost_no_input() {
    let napping = (NAPPING, "nap");
    let ended = on_threads_after("ulimit -v 500000", napping, 1500, "--worker-memory 200MiB");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("no further thread"), "{}", ended.err);
    assert!(ended.err.contains("1500 of 1500"), "{}", ended.err);
}

/// Who is refused is so at once, and would lose thousands of inputs before throughput is looked at.
#[test]
fn what_begins_to_be_refused_is_measured_anew() {
    let function = "import threading, time\nlock, inside = threading.Lock(), 0\n\
                    def ask(x):\n    global inside\n    with lock:\n        inside += 1\n        \
                    full = x >= 2000 and inside > 8\n    try:\n        time.sleep(0.002 if full else 0.02)\n        \
                    if full:\n            raise OSError('full')\n    finally:\n        with lock:\n            \
                    inside -= 1\n";
    let ended = on_threads(function, "ask", 8000, "");
    assert!(
        ended.err.contains("attempts failed, far more"),
        "{}",
        ended.err
    );
    let outcomes = ended.outcomes();
    let failed = outcomes.iter().filter(|it| it["status"] != "ok").count();
    assert!(failed > 0 && failed < 3000, "{failed}: {}", ended.err);
}

#[test]
fn what_executes_nothing_writes_no_code() {
    let ended = run("advise cpu --work none --inputs 100 --dry-probe --code");
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("--code"), "{}", ended.err);
}

/// An example's is gone by then.
#[test]
fn code_calls_a_function_that_is_still_there() {
    let ended = run("advise py --example tiny --code");
    assert_eq!((ended.code, &*ended.out), (2, ""), "{}", ended.err);
    assert!(ended.err.contains("FILE.py:NAME"), "{}", ended.err);
}

#[test]
fn where_no_code_follows_the_page_is_written_all_the_same() {
    let folder = tempdir().unwrap();
    let page = folder.path().join("advice.html");
    let page_is = format!("--report {}", page.display());
    let ended = run(&format!(
        "advise sh false --budget 1s --code {page_is} -- 1 2 3 4 5 6 7 8"
    ));
    assert_eq!((ended.code, &*ended.out), (3, ""), "{}", ended.err);
    assert!(ended.err.contains("nothing is advised"), "{}", ended.err);
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("mend that first"), "{page}");
}

/// Outcomes that wait for their turn have been measured all the same.
#[test]
fn advice_may_keep_the_order_of_outcomes() {
    let ended = run("advise cpu --work spin --n 1 --inputs 200 --budget 1s --keep-order");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(!ended.out.contains("Not one input"), "{}", ended.out);
}

#[test]
fn what_decides_the_speed_itself_is_not_advised_on() {
    for option in ["--rate 5/s", "--per-host 2", "--host-interval 1s"] {
        let ended = run(&format!("advise cpu --work none --inputs 100 {option}"));
        assert_eq!(ended.code, 2, "{option}: {}", ended.err);
        let name = option.split(' ').next().unwrap();
        assert!(ended.err.contains(name), "{}", ended.err);
    }
}

#[test]
fn no_inputs_are_an_error_as_in_a_comparison() {
    let folder = tempdir().unwrap();
    let empty = folder.path().join("none");
    fs::write(&empty, "").unwrap();
    for inputs in [empty.to_str().unwrap(), "-"] {
        let ended = run(&format!("advise cpu --work none {inputs}"));
        assert_eq!((ended.code, &*ended.out), (2, ""), "{}", ended.err);
        assert!(ended.err.contains("is empty"), "{}", ended.err);
    }
}

/// Who is away for a moment is no reason to do the rest otherwise than it was measured to be best.
#[test]
fn what_fails_for_a_moment_goes_on_as_before() {
    let function = "import os, time\n\ndef ask(x):\n    mark = __file__ + '.away'\n    if x == 1500:\n        \
                    open(mark, 'w').close()\n    time.sleep(0.02)\n    \
                    if os.path.exists(mark) and time.time() < os.path.getmtime(mark) + 1.5:\n        \
                    raise OSError('away')\n    return x\n";
    let ended = on_threads(function, "ask", 6000, "--max-concurrency 32");
    let before = "Going on as before, under threads@32";
    assert!(ended.err.contains(before), "{}", ended.err);
    assert!(ended.err.contains("py under threads@32"), "{}", ended.err);
}

/// What an earlier run has done is not left to be measured.
#[test]
fn what_is_left_decides_whether_it_is_measured() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("napping.py"), NAPPING).unwrap();
    let (app, inputs, journal) = (at("napping.py"), at("inputs.jsonl"), at("run.journal"));
    let run_on = |count: u32, options: &str| {
        let lines: String = (0..count).map(|n| format!("{n}\n")).collect();
        fs::write(&inputs, lines).unwrap();
        run(&format!(
            "run py {app}:nap {inputs} --journal {journal} {options}"
        ))
    };
    let first = run_on(40, "-m threads");
    assert_eq!(first.code, 0, "{}", first.err);
    let second = run_on(43, "--resume");
    assert_eq!(second.code, 0, "{}", second.err);
    assert!(second.err.contains("too few inputs"), "{}", second.err);
}
