//! Jobs that somebody or something stops.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Signal, kill_process};

use crate::{
    program::{Ended, eventually, pid, run, start, triway},
    serving::server,
};

/// A job whose every input takes long, so that a signal finds some running and some waiting.
fn interrupted(arguments: &str, signals: &[Signal]) -> (Ended, Duration) {
    let started = start(&mut disposed("--default-signal=HUP,QUIT", arguments));
    std::thread::sleep(Duration::from_millis(400));
    let asked = Instant::now();
    for signal in signals {
        started.signal(*signal);
        std::thread::sleep(Duration::from_millis(100));
    }
    (started.end(), asked.elapsed())
}

/// The program with dispositions of signals as `env` is told; whoever runs the tests may have others.
fn disposed(signals: &str, arguments: &str) -> Command {
    let mut command = Command::new("env");
    command
        .args([signals, env!("CARGO_BIN_EXE_triway")])
        .args(arguments.split_whitespace())
        .stdin(Stdio::null());
    command
}

#[test]
fn a_terminal_that_goes_away_does_not_end_what_was_told_to_outlive_it() {
    let arguments = "run cpu --work spin --n 100 --inputs 10 -m threads -c 1";
    let started = start(&mut disposed("--ignore-signal=HUP,QUIT", arguments));
    std::thread::sleep(Duration::from_millis(400));
    started.signal(Signal::HUP);
    started.signal(Signal::QUIT);
    let ended = started.end();
    assert_eq!(
        (ended.code, ended.outcomes().len()),
        (0, 10),
        "{}",
        ended.err
    );
}

#[test]
fn one_signal_drains_and_says_how_to_go_on() {
    let signals = [
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
        (Signal::TERM, 143),
    ];
    for (signal, code) in signals {
        for model in ["sequential", "threads", "processes", "async"] {
            let lanes = if model == "sequential" { 1 } else { 2 };
            let arguments =
                format!("run cpu --work spin --n 200 --inputs 100000 -m {model} -c {lanes}");
            let (ended, took) = interrupted(&arguments, &[signal]);
            assert_eq!(ended.code, code, "{model}: {}", ended.err);
            assert!(took < Duration::from_secs(5), "{model}: {took:?}");
            let outcomes = ended.outcomes();
            assert!(
                outcomes.iter().any(|outcome| outcome["status"] == "ok"),
                "{model}"
            );
            let unread = format!("not read from input {} on", outcomes.len() + 1);
            for says in ["stopping", "what was in flight has ended", &unread] {
                assert!(
                    ended.err.contains(says),
                    "{model}: no {says} in {}",
                    ended.err
                );
            }
        }
    }
}

/// As a shell does it at Ctrl-Z, for longer than an attempt may take.
#[test]
fn a_stop_in_the_middle_leaves_time_limits_right() {
    // Waiting needs no processor, of which a busy machine may give but little.
    let (_server, address) = server("serve http --port 0 --until-stdin-closes");
    let urls = format!(" http://{address}/delay/1").repeat(4);
    for model in ["threads", "processes", "async", "hybrid --processes 1"] {
        let arguments = format!("run http -m {model} -c 2 --timeout 4s --{urls}");
        let started = start(triway(&arguments).stdin(Stdio::null()));
        std::thread::sleep(Duration::from_millis(700));
        let workers = workers(started.pid());
        started.signal(Signal::TSTP);
        let stopped = |pid: u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            stat.contains(") T ").then_some(())
        };
        for pid in workers.into_iter().chain([started.pid()]) {
            eventually(|| stopped(pid));
        }
        std::thread::sleep(Duration::from_millis(4_500));
        started.signal(Signal::CONT);
        let ended = started.end();
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        for outcome in ended.outcomes() {
            let run = outcome["run_s"].as_f64().unwrap();
            assert!(run < 4.0, "{model}: the stop counts for {outcome}");
            assert_eq!(outcome["attempts"], 1, "{model}: {outcome}");
        }
    }
}

#[test]
fn a_reader_that_has_left_does_not_hide_failures() {
    let program = env!("CARGO_BIN_EXE_triway");
    let script = format!(
        "{{ {program} run cpu --format jsonl -q -m sequential -- x 1 2; echo $? >&2; }} | true"
    );
    let ended = start(
        Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::null()),
    )
    .end();
    assert_eq!(ended.err, "1\n");
}

#[test]
fn a_report_of_what_was_given_up_is_whole_and_blames_no_input() {
    for (format, says, ends) in [
        ("junit", "<skipped type=\"cancelled\"", "</testsuites>\n"),
        ("github", "::warning title=cancelled::60000: ", "\n"),
    ] {
        let arguments = format!("run cpu --work spin --n 60000 --inputs 5 --format {format}");
        let (ended, _) = interrupted(&arguments, &[Signal::INT, Signal::INT]);
        assert_eq!(ended.code, 130, "{format}: {}", ended.err);
        assert!(ended.out.contains(says), "{format}: {}", ended.out);
        assert!(ended.out.ends_with(ends), "{format}: {}", ended.out);
    }
}

#[test]
fn a_second_signal_gives_up_what_is_in_flight() {
    for model in ["threads", "processes", "async"] {
        let arguments = format!("run cpu --work spin --n 60000 --inputs 5 -m {model} -c 2");
        let (ended, took) = interrupted(&arguments, &[Signal::INT, Signal::INT]);
        assert_eq!(ended.code, 130, "{model}: {}", ended.err);
        assert!(took < Duration::from_secs(3), "{model}: {took:?}");
        assert!(
            ended.err.contains("0 of 0 succeeded in "),
            "nothing has no share: {}",
            ended.err
        );
        for outcome in ended.outcomes() {
            assert_eq!(outcome["status"], "cancelled", "{model}");
        }
    }
}

#[test]
fn standard_input_that_never_ends_does_not_keep_a_job() {
    let mut started = start(triway("run cpu - --work none").stdin(Stdio::piped()));
    let mut stdin = started.stdin();
    stdin.write_all(b"1\n2\n").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    started.signal(Signal::INT);
    let ended = started.end();
    assert_eq!(
        (ended.code, ended.outcomes().len()),
        (130, 2),
        "{}",
        ended.err
    );
    let mut started = start(triway("compare cpu - --work none").stdin(Stdio::piped()));
    let _open = started.stdin();
    std::thread::sleep(Duration::from_millis(200));
    started.signal(Signal::INT);
    assert_eq!(started.end().code, 130);
}

#[test]
fn a_comparison_ends_with_its_running_trial() {
    let arguments = "compare cpu --work spin --n 1000 --inputs 100 --models threads,processes";
    let (ended, took) = interrupted(arguments, &[Signal::INT]);
    assert_eq!((ended.code, &*ended.out), (130, ""), "{}", ended.err);
    assert!(took < Duration::from_millis(1900), "{took:?}");
}

#[test]
fn too_many_failures_stop_the_job() {
    let ended = run("run cpu /proc/cpuinfo --max-failures 3 -m sequential");
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("--max-failures"), "{}", ended.err);
    assert!(
        ended
            .outcomes()
            .iter()
            .any(|outcome| outcome["status"] == "failed")
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for format in ["jsonl", "table"] {
        let arguments = format!("run cpu --work none --inputs 1000000000 --format {format}");
        let mut process = triway(&arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let status = eventually(|| process.try_wait().unwrap());
        let said = std::io::read_to_string(process.stderr.take().unwrap()).unwrap();
        assert_eq!((status.code(), &*said), (Some(0), ""), "{format}");
    }
}

#[test]
fn a_reader_that_left_does_not_hide_what_failed() {
    for format in ["jsonl", "csv", "json", "table"] {
        // The one that fails comes first: those behind it may not be begun any more.
        for (inputs, code) in [("x 1 2", 1), ("1 2 3", 0)] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            // The format is begun with a write of its own, which finds nobody either.
            let mut command = triway(&format!(
                "run cpu -m sequential --format {format} -- {inputs}"
            ));
            let command = command.stdin(Stdio::null()).stdout(writer);
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                (output.status.code(), &*said),
                (Some(code), ""),
                "{format} of {inputs}"
            );
        }
    }
}

#[test]
fn a_reader_of_a_named_pipe_that_left_has_lost_outcomes() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    // Open for both, or opening would wait for the program.
    let reader = fs::File::options()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    let arguments = format!("run cpu - --work none -o {}", pipe.display());
    let mut started = start(triway(&arguments).stdin(Stdio::piped()));
    let mut stdin = started.stdin();
    stdin.write_all(b"1\n").unwrap();
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).unwrap();
    assert!(line.contains("\"ok\""), "{line}");
    // The reader is gone.
    stdin.write_all(b"2\n").unwrap();
    drop(stdin);
    let ended = started.end();
    assert_eq!(ended.code, 3, "{}", ended.err);
    for says in [&*pipe.to_string_lossy(), "Broken pipe"] {
        assert!(ended.err.contains(says), "no {says}: {}", ended.err);
    }
}

#[test]
fn a_trial_that_is_lost_is_told_by_the_exit_code() {
    let arguments = "compare cpu --work spin --n 100 --inputs 10 --models threads@2,async@2 --rounds 2 --format json";
    let mut process = triway(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The warm-up is over when this is said, and the rounds begin.
    let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("will take about")));
    let trial = eventually(|| children(process.id()).into_iter().next());
    kill_process(pid(trial), Signal::KILL).unwrap();
    let report = std::io::read_to_string(process.stdout.take().unwrap()).unwrap();
    assert!(report.contains("a trial gave no figures"), "{report}");
    let status = eventually(|| process.try_wait().unwrap());
    assert_eq!(status.code(), Some(1), "{report}");
}

#[test]
fn a_worker_that_is_killed_costs_one_input_at_most() {
    let arguments = "run cpu --work spin --n 40 --inputs 30 -m processes -c 2 --keep-order";
    let started = start(triway(arguments).stdin(Stdio::null()));
    let worker = eventually(|| workers(started.pid()).into_iter().next());
    std::thread::sleep(Duration::from_millis(150));
    kill_process(pid(worker), Signal::KILL).unwrap();
    let ended = started.end();
    let outcomes = ended.outcomes();
    assert_eq!(outcomes.len(), 30, "{}", ended.err);
    let lost = outcomes
        .iter()
        .filter(|outcome| outcome["status"] != "ok")
        .count();
    assert!(lost <= 1, "{}", ended.out);
    assert!(
        ended.err.contains("died: it was killed by signal 9"),
        "{}",
        ended.err
    );
}

#[test]
fn outcomes_are_seen_while_a_slow_job_still_runs() {
    let mut process = triway("run cpu - --work none")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    for n in 0..3 {
        writeln!(stdin, "{n}").unwrap();
        let asked = Instant::now();
        assert!(lines.next().unwrap().unwrap().contains("\"ok\""));
        assert!(asked.elapsed() < Duration::from_secs(2));
    }
    drop(stdin);
    assert!(eventually(|| process.try_wait().unwrap()).success());
}

#[test]
fn a_guard_that_is_stopped_holds_nobody_up() {
    let started = start(
        triway("run cpu --work spin --n 5 --inputs 100 -m processes -c 2").stdin(Stdio::null()),
    );
    kill_process(pid(guard_of(started.pid())), Signal::STOP).unwrap();
    let ended = started.end();
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(ended.outcomes().len(), 100);
}

/// The guard ends what workers leave behind; workers themselves need none.
#[test]
fn workers_end_with_a_program_whose_guard_is_gone() {
    let started = start(
        triway("run cpu --work spin --n 600000 --inputs 2 -m processes -c 2").stdin(Stdio::null()),
    );
    let workers = eventually(|| Some(workers(started.pid())).filter(|found| found.len() == 2));
    let guard = guard_of(started.pid());
    kill_process(pid(guard), Signal::KILL).unwrap();
    eventually(|| is_gone(guard).then_some(()));
    started.signal(Signal::KILL);
    eventually(|| workers.iter().all(|&worker| is_gone(worker)).then_some(()));
}

#[test]
fn nothing_outlives_a_program_that_is_killed() {
    let arguments = "compare http --models processes@2 --rounds 1000 --budget none";
    let started = start(triway(arguments).stdin(Stdio::null()));
    let descendants = eventually(|| {
        let children = children(started.pid());
        let workers: Vec<u32> = children
            .iter()
            .flat_map(|child| self::children(*child))
            .collect();
        (!workers.is_empty()).then_some([children, workers].concat())
    });
    assert!(
        descendants.len() > 2,
        "a server, a trial and its workers: {descendants:?}"
    );
    started.signal(Signal::KILL);
    eventually(|| {
        descendants
            .iter()
            .all(|process| is_gone(*process))
            .then_some(())
    });
    assert_eq!(started.end().code, 1009);
}

/// Whether a process has ended, reaped or not.
fn is_gone(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}

/// Those of its children that work off inputs.
fn workers(parent: u32) -> Vec<u32> {
    let mut children = children(parent);
    let comm = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm"));
    children.retain(|pid| comm(pid).is_ok_and(|name| name.trim_end() == "triway-worker"));
    children
}

fn guard_of(parent: u32) -> u32 {
    let named = |pid: &u32| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with("triway guard")
    };
    eventually(|| children(parent).into_iter().find(named))
}

/// The children of a process, whichever of its threads started them.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let is_child = |entry: fs::DirEntry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let is = fields.split_whitespace().nth(1)?.parse() == Ok(parent);
        is.then_some(number)
    };
    let processes = fs::read_dir("/proc").unwrap();
    processes.flatten().filter_map(is_child).collect()
}
