//! Commands in both forms: real programs, real signals, real process groups.

use std::{
    fs,
    num::NonZeroU32,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use triway_core::{Failure, FailureKind, Task};
use triway_tasks::sh::{Limit, Policy, Ran, Sh, kinds};

use crate::both::{both, run_async, run_blocking, run_cancelled, runtime};

/// No test waits longer than this for a process to be gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for a shell to start what it is told to, on a busy machine.
const STARTED: Duration = Duration::from_millis(700);

fn line(bytes: impl AsRef<[u8]>) -> Arc<[u8]> {
    bytes.as_ref().into()
}

fn sh(command: &str, change: impl FnOnce(&mut Policy)) -> Sh {
    let mut policy = Policy::new(command);
    change(&mut policy);
    Sh::new(policy).unwrap()
}

/// What both forms gave, which must be the same.
#[track_caller]
fn alike(task: &Sh, input: &Arc<[u8]>) -> Result<Ran, Failure> {
    let [(_, blocking), (_, nonblocking)] = both(task, input, None);
    assert_eq!(blocking, nonblocking);
    nonblocking
}

/// The kind that an attempt counts as; `ok` for a success.
fn kind(task: &Sh, result: &Result<Ran, Failure>) -> String {
    let judged = match result {
        Ok(ran) => task.judge(ran),
        Err(failure) => Err(failure.clone()),
    };
    judged.map_or_else(|failure| failure.kind.to_string(), |()| "ok".to_owned())
}

/// An argument of `sleep` that no other process on this machine has.
fn marker() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("98765.{}{next:04}", std::process::id())
}

/// The numbers of the processes with this among their arguments that have not ended.
fn processes_with(marker: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let numbers = all.map(|entry| entry.file_name().into_string().unwrap_or_default());
    numbers
        .filter(|number| {
            let line = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(marker)
        })
        .collect()
}

#[track_caller]
fn wait_for(marker: &str, there: bool) {
    let until = Instant::now() + PATIENCE;
    while processes_with(marker).is_empty() == there {
        assert!(Instant::now() < until, "{marker} there: {}", !there);
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn both_forms_tell_the_same_of_every_end() {
    for (command, input, expected, stdout, stderr) in [
        ("true", "", "ok", "", ""),
        ("echo", "a  b", "ok", "a  b\n", ""),
        ("printf %s-%s {} {#}", "x", "ok", "x-1", ""),
        ("false", "x", "exit-code", "", ""),
        (
            "sh -c 'echo o; echo e >&2; exit 7' {}",
            "",
            "exit-code",
            "o\n",
            "e\n",
        ),
        ("sh -c 'kill -9 $$' {}", "", "signal", "", ""),
        ("sh -c 'kill -TERM $$' {}", "", "signal", "", ""),
        (
            "sh -c 'exec >&- 2>&-; sleep 0.1; exit 3' {}",
            "",
            "exit-code",
            "",
            "",
        ),
        ("/nowhere/at-all", "x", "start", "", ""),
        ("/etc/hostname", "x", "start", "", ""),
        (
            "cat",
            "/nowhere",
            "exit-code",
            "",
            "cat: /nowhere: No such file or directory\n",
        ),
    ] {
        let task = sh(command, |_| ());
        let result = alike(&task, &line(input));
        assert_eq!(kind(&task, &result), expected, "{command}: {result:?}");
        if let Ok(ran) = result {
            assert_eq!(String::from_utf8(ran.stdout.kept).unwrap(), stdout);
            assert_eq!(String::from_utf8(ran.stderr.kept).unwrap(), stderr);
            assert!(!ran.left_behind);
        }
    }
}

#[test]
fn a_failure_says_how_it_ended_and_what_it_said_last() {
    for (command, expected) in [
        ("sh -c 'exit 3'", "exit code 3"),
        (
            "sh -c 'echo a >&2; echo why >&2; exit 3'",
            "exit code 3: why",
        ),
        ("sh -c 'kill -9 $$'", "ended by signal 9 (KILL)"),
    ] {
        let task = sh(command, |_| ());
        let ran = alike(&task, &line("")).unwrap();
        assert_eq!(task.judge(&ran).unwrap_err().message, expected);
    }
    let missing = alike(&sh("no-such-program", |_| ()), &line("")).unwrap_err();
    assert_eq!(missing.message, "there is no program `no-such-program`");
    let folder = tempfile::tempdir().unwrap();
    for (begins, told) in [
        ("", "names no interpreter"),
        ("#!/nowhere\n", "but not the interpreter"),
    ] {
        let script = folder.path().join("script");
        fs::write(&script, format!("{begins}echo hi\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        let task = sh(script.to_str().unwrap(), |_| ());
        let failure = alike(&task, &line("")).unwrap_err();
        assert!(failure.message.contains(told), "{failure}");
    }
    let long = alike(&sh("true", |_| ()), &line(vec![b'x'; 1 << 20])).unwrap_err();
    assert!(long.message.contains("--stdin"), "{long}");
    assert_eq!((long.kind, long.retryable), (kinds::START, false));
}

#[test]
fn an_input_is_never_read_as_code() {
    let folder = tempfile::tempdir().unwrap();
    let pwned = folder.path().join("pwned");
    let path = pwned.display();
    for input in [
        format!("; touch {path}"),
        format!("$(touch {path})"),
        format!("`touch {path}`"),
        format!("\"; touch {path}; \""),
        format!("'; touch {path}; '"),
        format!("| touch {path} &"),
    ] {
        for (command, shell) in [
            ("printf %s", false),
            ("printf %s '{}'", false),
            ("sh -c 'printf %s \"$1\"' sh", false),
            ("printf %s {}", true),
            ("printf %s \"{}\"", true),
            ("printf %s '{}'", true),
            ("x=\"{}\"; printf %s \"$x\"", true),
        ] {
            let task = sh(command, |policy| policy.shell = shell);
            let ran = alike(&task, &line(&input)).unwrap();
            let printed = String::from_utf8(ran.stdout.kept).unwrap();
            assert_eq!(printed, input, "{command}, shell: {shell}");
            assert!(!pwned.exists(), "{command} with {input}, shell: {shell}");
        }
    }
}

#[test]
fn bytes_go_through_as_they_are_and_a_nul_fails_its_input_alone() {
    let bytes = b"\xff\xfe\x80 \x01\x7f".as_slice();
    for shell in [false, true] {
        let task = sh("printf %s", |policy| policy.shell = shell);
        assert_eq!(alike(&task, &line(bytes)).unwrap().stdout.kept, bytes);
    }
    let failure = alike(&sh("printf %s", |_| ()), &line("a\0b")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::BAD_INPUT);
    assert!(failure.message.contains("NUL at byte 1"), "{failure}");
    let fed = sh("cat", |policy| policy.stdin = true);
    assert_eq!(alike(&fed, &line("a\0b")).unwrap().stdout.kept, b"a\0b");
}

#[test]
fn ten_megabytes_of_input_pass_through_without_a_deadlock() {
    let input: Vec<u8> = (0..10_000_000_u32).map(|n| (n % 251) as u8).collect();
    let input = line(input);
    let fed = |command| {
        sh(command, |policy| {
            policy.stdin = true;
            policy.max_output_bytes = 16 << 20;
        })
    };
    assert_eq!(*alike(&fed("cat"), &input).unwrap().stdout.kept, *input);
    let counted = alike(&fed("wc -c"), &input).unwrap().stdout.kept;
    assert_eq!(counted.trim_ascii(), b"10000000");
    // Who does not read it is no failure either.
    assert_eq!(alike(&fed("true"), &input).unwrap().exit_code, Some(0));
    let head = alike(&fed("head -c 5"), &input).unwrap();
    assert_eq!(head.stdout.kept, input[..5]);
}

#[test]
fn output_is_kept_up_to_the_cap_and_counted_to_its_end() {
    let task = sh(
        "sh -c 'yes | head -c 5000000; yes | head -c 70 >&2'",
        |policy| {
            policy.max_output_bytes = 1000;
            policy.limit = Some(Limit::Time(PATIENCE));
        },
    );
    let ran = alike(&task, &line("")).unwrap();
    assert_eq!((ran.stdout.kept.len(), ran.stdout.bytes), (1000, 5_000_000));
    assert_eq!((ran.stderr.kept.len(), ran.stderr.bytes), (70, 70));
    assert!(ran.stdout.is_cut() && !ran.stderr.is_cut());
}

#[test]
fn an_output_without_end_meets_the_time_limit() {
    let task = sh("yes", |policy| {
        policy.max_output_bytes = 1000;
        policy.limit = Some(Limit::Time(Duration::from_millis(300)));
    });
    for form in [run_blocking::<Sh>, run_async::<Sh>] {
        let ended = form(&task, &line("x"), None);
        assert_eq!(kind(&task, &ended), "timeout");
        let ran = ended.unwrap();
        assert_eq!(ran.timed_out_s, Some(0.3));
        assert_eq!(ran.stdout.kept, b"x\n".repeat(500), "what it wrote is kept");
        assert!(ran.stdout.is_cut());
    }
}

#[test]
fn a_time_limit_ends_the_whole_group() {
    for silent in ["", ">/dev/null 2>&1"] {
        for form in [run_blocking::<Sh>, run_async::<Sh>] {
            let marker = marker();
            let ignoring = format!("(trap \"\" TERM; sleep {marker}) {silent} &");
            let obeying = format!("(sleep {marker} & wait) {silent} &");
            let task = sh(&format!("sh -c '{ignoring} {obeying} wait'"), |policy| {
                policy.limit = Some(Limit::Time(STARTED));
                policy.grace = Duration::from_millis(300);
            });
            thread::scope(|scope| {
                let run = scope.spawn(|| form(&task, &line(""), None));
                wait_for(&marker, true);
                assert_eq!(kind(&task, &run.join().unwrap()), "timeout");
            });
            wait_for(&marker, false);
        }
    }
}

#[test]
fn who_ignores_term_is_killed_after_the_grace() {
    let (limit, grace) = (STARTED, Duration::from_millis(300));
    for form in [run_blocking::<Sh>, run_async::<Sh>] {
        let marker = marker();
        let command = format!("sh -c 'trap \"\" TERM; while :; do sleep 0.02; done' {marker}");
        let task = sh(&command, |policy| {
            policy.limit = Some(Limit::Time(limit));
            policy.grace = grace;
        });
        let began = Instant::now();
        let ended = form(&task, &line(""), None);
        assert_eq!(kind(&task, &ended), "timeout");
        assert!(began.elapsed() >= limit + grace, "it had no grace");
        wait_for(&marker, false);
    }
}

#[test]
fn who_obeys_term_can_clean_up_wherever_in_the_group() {
    let folder = tempfile::tempdir().unwrap();
    let cleaned = |who: &str| folder.path().join(who);
    let clean = |who: &str| {
        let file = cleaned(who);
        format!(
            "trap \"touch {}; exit\" TERM; while :; do sleep 0.02; done",
            file.display()
        )
    };
    let command = format!("sh -c '({}) & {}'", clean("child"), clean("first"));
    let task = sh(&command, |policy| {
        policy.limit = Some(Limit::Time(STARTED));
        policy.grace = PATIENCE;
    });
    let ended = run_blocking(&task, &line(""), None);
    assert_eq!(kind(&task, &ended), "timeout");
    assert!(cleaned("first").exists() && cleaned("child").exists());
}

#[test]
fn a_child_that_holds_the_output_is_waited_for_and_ended() {
    for form in [run_blocking::<Sh>, run_async::<Sh>] {
        let marker = marker();
        let command = format!("sh -c 'sleep {marker} & echo hi'");
        let task = sh(&command, |policy| policy.grace = Duration::from_millis(200));
        let ran = form(&task, &line(""), None).unwrap();
        assert_eq!((ran.exit_code, &*ran.stdout.kept), (Some(0), &b"hi\n"[..]));
        assert!(ran.left_behind);
        wait_for(&marker, false);
    }
    // One that is done within the grace is part of the command.
    let task = sh("sh -c '(sleep 0.1; echo late) & echo early'", |policy| {
        policy.grace = PATIENCE;
    });
    let ran = alike(&task, &line("")).unwrap();
    assert_eq!(ran.stdout.kept, b"early\nlate\n");
    assert!(!ran.left_behind);
}

#[test]
fn a_child_that_let_go_of_the_output_is_left_alone() {
    let marker = marker();
    let command = format!("sh -c 'sleep {marker} >/dev/null 2>&1 & echo $!'");
    let ran = run_async(&sh(&command, |_| ()), &line(""), None).unwrap();
    assert!(!ran.left_behind);
    wait_for(&marker, true);
    let number = String::from_utf8(ran.stdout.kept).unwrap();
    let number = number
        .trim()
        .parse()
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(number.unwrap(), rustix::process::Signal::KILL).unwrap();
}

#[test]
fn an_attempt_that_is_given_up_leaves_nothing() {
    let task = |marker: &str| {
        let command = format!("sh -c 'trap \"\" TERM; sleep {marker} & wait; sleep {marker}'");
        sh(&command, |policy| policy.grace = Duration::from_millis(200))
    };
    // Cancelled by being dropped, as a runtime does it.
    let marker_dropped = marker();
    let dropped = task(&marker_dropped);
    runtime().block_on(async {
        let attempt = async { run_owned(dropped).await };
        assert!(tokio::time::timeout(STARTED, attempt).await.is_err());
    });
    wait_for(&marker_dropped, false);
    // By the deadline of whoever makes it.
    let marker_late = marker();
    let late = run_blocking(&task(&marker_late), &line(""), Some(STARTED)).unwrap_err();
    assert_eq!(late.kind, FailureKind::TIMEOUT);
    wait_for(&marker_late, false);
    // By an abort of the job.
    let marker_aborted = marker();
    let aborted = run_cancelled(&task(&marker_aborted), &line(""), STARTED).unwrap_err();
    assert_eq!(aborted.kind, FailureKind::CANCELLED);
    wait_for(&marker_aborted, false);
}

async fn run_owned(task: Sh) -> Result<Ran, Failure> {
    let cancelled = std::sync::atomic::AtomicBool::new(false);
    let context = triway_core::Context::new(0, 1, None, &cancelled);
    task.run_async(&mut (), &line(""), &context).await
}

#[test]
fn a_limit_can_be_a_share_of_the_median() {
    let task = || {
        sh("sleep", |policy| {
            policy.limit = NonZeroU32::new(500).map(Limit::Percent);
        })
    };
    for form in [run_blocking::<Sh>, run_async::<Sh>] {
        let task = task();
        for _ in 0..3 {
            assert_eq!(form(&task, &line("0.1"), None).unwrap().exit_code, Some(0));
        }
        let ended = form(&task, &line("60"), None);
        assert_eq!(kind(&task, &ended), "timeout");
    }
}
