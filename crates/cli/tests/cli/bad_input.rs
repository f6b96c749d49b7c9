//! Whatever is wrong with options or inputs: a message that names it, or an outcome for that input alone.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    program::{Ended, run, run_with, start, triway},
    serving::server,
};

/// What is typed (with a good file, its folder and a missing file), and what is said about it. All of it ends with 2.
const REFUSED: &[(&str, &[&str])] = &[
    ("run cpu FOLDER", &["FOLDER is a directory"]),
    ("run cpu MISSING", &["there is no file MISSING"]),
    ("run cpu LIST FOLDER", &["is a directory"]),
    ("run cpu - -", &["`-` stands there twice"]),
    ("run cpu -c 0", &["--concurrency", "whole number from 1"]),
    ("run cpu -c 1000000", &["--concurrency 1000000", "16384"]),
    (
        "run cpu -m async --runtime-threads 5000",
        &["--runtime-threads 5000", "at most 1024"],
    ),
    (
        "compare cpu --runtime-threads 5000",
        &["--runtime-threads 5000", "at most 1024"],
    ),
    ("run cpu -c x", &["--concurrency"]),
    ("run cpu -c -1", &["--concurrency", "whole number from 1"]),
    (
        "run cpu --concurrency=-1",
        &["--concurrency", "whole number from 1"],
    ),
    ("run cpu --timeout -1s", &["--timeout", "such as 5s"]),
    ("run cpu --grace -1s", &["--grace", "such as 5s"]),
    ("run cpu --rate -1/s", &["--rate", "no rate"]),
    (
        "run cpu --retries -1",
        &["--retries", "whole number from 0"],
    ),
    ("run cpu --max-failures -5%", &["--max-failures", "-5%"]),
    ("run cpu --per-host -1", &["--per-host", "from 1"]),
    (
        "run cpu --host-interval -1s",
        &["--host-interval", "such as 5s"],
    ),
    (
        "run cpu --host-interval 11years",
        &["interval", "ten years"],
    ),
    ("run cpu --inputs -1", &["--inputs", "whole number from 0"]),
    (
        "run http LIST --max-redirects -1",
        &["--max-redirects", "whole number from 0"],
    ),
    ("compare cpu LIST --rounds -1", &["--rounds", "from 0"]),
    ("compare cpu LIST --budget -1s", &["--budget", "such as 5s"]),
    (
        "run cpu -m sequential -c 8",
        &["--model sequential", "--concurrency 8", "one at a time"],
    ),
    ("run cpu --timeout 0s", &["--timeout", "zero"]),
    ("run cpu --timeout 0", &["--timeout"]),
    ("run cpu --timeout 5", &["--timeout", "unit"]),
    ("run cpu --rate 0/s", &["--rate", "no rate"]),
    ("run cpu --max-failures 200%", &["--max-failures", "200%"]),
    (
        "run cpu -m fibers",
        &["fibers", "sequential, threads, processes, async"],
    ),
    ("run cpu --n x", &["--n x"]),
    ("run cpu --work spin --n -1", &["--n -1"]),
    ("run cpu LIST --n 3", &["--n"]),
    ("run cpu LIST --format xml", &["--format", "xml"]),
    ("run cpu LIST -o LIST", &["LIST is an input"]),
    ("run cpu LIST -o FOLDER/no/such", &["--output", "no/such"]),
    ("run http LIST --accept 1000", &["--accept", "1000"]),
    ("run http LIST --urls 5", &["--urls"]),
    ("run http --delay 1s -- x", &["--delay"]),
    ("run http --urls 0", &["--urls", "from 1"]),
    ("run http --delay 61s", &["--delay", "a minute at most"]),
    (
        "compare cpu LIST --models threads@0",
        &["--models", "threads@0"],
    ),
    ("compare cpu LIST --models threads,", &["--models", "empty"]),
    ("compare cpu LIST -c 1000000", &["threads", "16384"]),
    ("compare cpu LIST --rounds 0", &["--rounds"]),
    ("compare cpu LIST --sample 0", &["--sample"]),
    ("compare cpu LIST --budget 0s", &["--budget"]),
    (
        "compare cpu LIST --baseline x",
        &["--baseline", "sequential"],
    ),
    (
        "compare cpu LIST --format junit",
        &["--format junit", "table, jsonl, json, csv, md"],
    ),
    (
        "compare cpu LIST -o FOLDER/report.xml",
        &["--format junit", "no such form"],
    ),
    ("compare cpu LIST --format github", &["--format github"]),
    ("compare cpu /dev/null", &["/dev/null is empty"]),
    (
        "compare cpu --inputs 0",
        &["the list of generated inputs is empty"],
    ),
    ("run fly", &["fly"]),
    ("run cup", &["cup", "similar", "'cpu'"]),
    ("rnu cpu", &["rnu", "similar", "'run'"]),
    ("", &["Usage"]),
];

#[test]
fn what_cannot_be_done_is_refused_by_name() {
    let folder = tempdir().unwrap();
    let path = folder.path().display().to_string();
    let list = format!("{path}/list");
    fs::write(&list, "1\n").unwrap();
    let fill = |text: &str| {
        text.replace("LIST", &list)
            .replace("FOLDER", &path)
            .replace("MISSING", &format!("{path}/missing"))
    };
    for (arguments, says) in REFUSED {
        let ended = run(&fill(arguments));
        assert_eq!((ended.code, &*ended.out), (2, ""), "{arguments}: {ended:?}");
        for words in *says {
            let words = fill(words);
            assert!(
                ended.err.contains(&words),
                "{arguments} does not say {words}: {}",
                ended.err
            );
        }
    }
    let kept = fs::read_to_string(&list).unwrap();
    assert_eq!(kept, "1\n", "a refused command writes nothing");
}

#[test]
fn an_input_that_is_wrong_fails_alone_and_says_where_it_stood() {
    let input = b"3\nx\n\n3\r\n\xff\na\0b\n 3 \n-1\n3";
    for model in ["sequential", "threads", "processes", "async"] {
        let ended = run_with(&format!("run cpu - -m {model}"), input);
        assert_eq!(ended.code, 1, "{model}: {}", ended.err);
        let outcomes = ended.outcomes();
        let got: Vec<_> = outcomes
            .iter()
            .map(|outcome| {
                (
                    outcome["input"].clone(),
                    outcome["status"].as_str().unwrap(),
                )
            })
            .collect();
        let expected = [
            (json!("3"), "ok"),
            (json!("x"), "failed"),
            (json!(""), "failed"),
            (json!("3"), "ok"),
            (json!(null), "failed"),
            (json!("a\0b"), "failed"),
            (json!(" 3 "), "ok"),
            (json!("-1"), "failed"),
            (json!("3"), "ok"),
        ];
        assert_eq!(got, expected, "{model}");
        assert_eq!(outcomes[4]["input_b64"], "/w==");
        for (place, says) in [(1, "`x`"), (2, "is empty"), (4, "not UTF-8"), (5, "NUL")] {
            let error = &outcomes[place]["error"];
            assert_eq!(error["kind"], "bad-input");
            let message = error["message"].as_str().unwrap();
            let place = format!("standard input:{}:", place + 1);
            assert!(
                message.starts_with(&place) && message.contains(says),
                "{message}"
            );
        }
        assert!(ended.err.contains("5 bad-input"), "{}", ended.err);
    }
}

#[test]
fn a_line_that_is_no_url_fails_alone_and_secrets_are_not_shown() {
    let input = b"nonsense\nftp://x/\nhttp://user:secret@127.0.0.1:1/\nhttp://user:secret@[/\nhttp://u:secret@\xff/\nhttp://127.0.0.1:1/?to=http://u:secret@b/\nhttp://127.0.0.1:1/?token=secret\n";
    let ended = run_with("run http - -c 2", input);
    assert_eq!(ended.code, 1);
    let outcomes = ended.outcomes();
    assert_eq!(outcomes.len(), 7);
    assert_eq!(outcomes[0]["error"]["kind"], "bad-input");
    assert_eq!(outcomes[2]["input"], "http://***@127.0.0.1:1/");
    assert_eq!(outcomes[2]["error"]["kind"], "refused");
    assert_eq!(outcomes[6]["input"], "http://127.0.0.1:1/?token=…");
    assert!(!format!("{ended:?}").contains("secret"), "{ended:?}");
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let hidden = STANDARD
        .decode(outcomes[4]["input_b64"].as_str().unwrap())
        .unwrap();
    assert!(!String::from_utf8_lossy(&hidden).contains("secret"));
}

#[test]
fn a_secret_is_not_read_for_ever() {
    for option in ["--bearer file:/dev/zero", "--basic file:/dev/zero"] {
        let ended = run(&format!("run http {option} -- http://127.0.0.1:1/"));
        assert_eq!(ended.code, 2, "{option}: {}", ended.err);
        assert!(ended.err.contains("/dev/zero"), "{}", ended.err);
    }
}

#[test]
fn an_empty_file_is_an_empty_job() {
    for (format, out) in [("jsonl", ""), ("json", "[\n]\n")] {
        let ended = run(&format!("run cpu /dev/null --format {format}"));
        assert_eq!((ended.code, &*ended.out), (0, out));
        assert!(ended.err.contains("/dev/null is empty"), "{}", ended.err);
    }
}

#[test]
fn files_values_and_standard_input_follow_each_other() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("numbers.txt");
    fs::write(&file, "1\n2\n").unwrap();
    let arguments = format!(
        "run cpu {0} - {0} --work none --keep-order -- 7 x",
        file.display()
    );
    let ended = run_with(&arguments, b"3\n4");
    let inputs: Vec<_> = ended.outcomes();
    let inputs: Vec<_> = inputs
        .iter()
        .map(|outcome| outcome["input"].as_str().unwrap())
        .collect();
    assert_eq!(inputs.concat(), "1234127x");
    assert!(ended.out.contains("value 2: `x`"), "{}", ended.out);
    assert_eq!(ended.outcomes().len(), ended.out.lines().count());
}

#[test]
fn a_full_disk_stops_the_job() {
    for arguments in [
        "run cpu --work none --inputs 3 -o /dev/full",
        "run cpu --work none --inputs 3 --format csv -o /dev/full",
        "run cpu --work none --inputs 1000000000 -o /dev/full",
        "compare cpu --work none --inputs 3 --rounds 1 --models threads,async -o /dev/full",
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, 3, "{arguments}: {}", ended.err);
        assert!(
            ended.err.contains("/dev/full: No space left"),
            "{}",
            ended.err
        );
    }
    let mut command = triway("run cpu --work none --inputs 3");
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_machine_without_so_many_threads_says_so() {
    for arguments in [
        "run cpu --work none -m async --runtime-threads 1000",
        "compare cpu --work none --models async --rounds 1 --runtime-threads 1000",
    ] {
        let triway = env!("CARGO_BIN_EXE_triway");
        // A thread has two MiB for its stack.
        let script = format!("ulimit -v 1500000; exec {triway} {arguments}");
        let run = || {
            let mut command = Command::new("sh");
            start(command.args(["-c", &script]).stdin(Stdio::null())).end()
        };
        // Where the last bytes are just enough for a thread and not for its second stack, which catches overflows of the
        // first, the standard library ends the program, and nothing here is asked.
        let by_library = |ended: &Ended| ended.err.contains("an alternative stack");
        let mut tries = (0..5).map(|_| run());
        let ended = tries.find(|ended| !by_library(ended)).unwrap();
        assert_eq!(ended.code, 3, "{arguments}: {}", ended.err);
        for says in ["1000 for the async runtime", "ask for fewer"] {
            let all = format!("{}{}", ended.err, ended.out);
            assert!(all.contains(says), "no {says}: {all}");
        }
    }
}

#[test]
fn help_that_cannot_be_written_is_an_error() {
    for arguments in [
        "--version",
        "--help",
        "run --help",
        "man",
        "completions bash",
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let output = triway(arguments).stdout(full.unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments}: {said}");
        assert!(said.contains("No space left"), "{arguments}: {said}");
    }
}

#[test]
fn without_a_standard_output_nothing_is_done_that_would_be_lost() {
    let shell = |line: &str| {
        let script = line.replace("triway", env!("CARGO_BIN_EXE_triway"));
        start(
            Command::new("sh")
                .args(["-c", &script])
                .stdin(Stdio::null()),
        )
        .end()
    };
    for line in [
        "exec triway run cpu --work none --inputs 3 --format jsonl >&-",
        "exec triway compare cpu --work none --inputs 3 --rounds 1 --models threads,async >&-",
        "exec triway check >&-",
        "exec triway man >&-",
        "exec triway --version >&-",
    ] {
        let ended = shell(line);
        assert_eq!(ended.code, 3, "{line}: {}", ended.err);
        let says = "standard output is closed";
        assert!(ended.err.contains(says), "{line}: {}", ended.err);
        assert!(!ended.err.contains("succeeded"), "{line}: {}", ended.err);
    }
    for line in [
        "exec triway run cpu --work none --inputs 3 -o /dev/null >&-",
        "exec triway run cpu --work none --inputs 3 >/dev/null",
        // Whoever starts a program so, as daemons are, wants its exit code alone.
        "exec triway run cpu --work none --inputs 3 1<>/dev/null 2<>/dev/null",
    ] {
        let ended = shell(line);
        assert_eq!(ended.code, 0, "{line}: {}", ended.err);
    }
}

/// How many outcomes stand whole in a file of this format, and nothing else but its frame.
fn whole_outcomes(format: &str, written: &str) -> u64 {
    let whole = |line: &str| match format {
        "jsonl" => serde_json::from_str::<Value>(line).is_ok(),
        // The JSON of an output holds no comma here.
        "csv" => line.split(',').count() == 13,
        _ => line.ends_with('|'),
    };
    if format == "json" {
        let outcomes: Vec<Value> = serde_json::from_str(written).unwrap();
        return outcomes.len() as u64;
    }
    assert!(written.ends_with('\n'), "{format} ends in a torn line");
    let lines: Vec<_> = written.lines().collect();
    let head = match format {
        "csv" => 1,
        "md" => 2,
        _ => 0,
    };
    assert!(lines.iter().all(|line| whole(line)), "{format}: {written}");
    (lines.len() - head) as u64
}

#[test]
fn a_disk_that_fills_up_keeps_whole_outcomes_and_the_summary_counts_no_others() {
    let folder = tempdir().unwrap();
    let inputs = folder.path().join("numbers");
    let lines: Vec<_> = (1..=3000).map(|n| format!("{n}\n")).collect();
    fs::write(&inputs, lines.concat()).unwrap();
    for format in ["jsonl", "json", "csv", "md"] {
        for to in ["-o out", "> out"] {
            // A limit on the size of files cuts a write short in the middle, as a full disk does.
            let script = format!(
                "ulimit -f 80; exec env --default-signal=XFSZ {} run cpu {} --work none --keep-order --format {format} {to}",
                env!("CARGO_BIN_EXE_triway"),
                inputs.display(),
            );
            let mut shell = Command::new("sh");
            let ended = start(shell.args(["-c", &script]).current_dir(folder.path())).end();
            assert_eq!(ended.code, 3, "{script}: {}", ended.err);
            let written = fs::read_to_string(folder.path().join("out")).unwrap();
            let whole = whole_outcomes(format, &written);
            assert!(whole > 10, "{written}");
            for says in [
                format!("{whole} of {whole} succeeded"),
                format!("tail -n +{} ", whole + 1),
            ] {
                assert!(ended.err.contains(&says), "no {says}: {}", ended.err);
            }
        }
    }
}

#[test]
fn a_disk_without_any_room_leaves_the_first_input_to_do() {
    let ended = run("run cpu --work none -o /dev/full -- 1 2 3");
    assert_eq!(ended.code, 3);
    let says = "3 outcomes were not written, the first that of value 1";
    assert!(ended.err.contains(says), "no {says}: {}", ended.err);
}

#[test]
fn too_few_descriptors_cost_time_and_no_input() {
    let (_server, address) = server("serve http --port 0 --until-stdin-closes");
    let folder = tempdir().unwrap();
    let urls: Vec<_> = (0..200)
        .map(|n| format!("http://{address}/delay/0.02?{n}\n"))
        .collect();
    let list = folder.path().join("urls");
    fs::write(&list, urls.concat()).unwrap();
    for (model, descriptors) in [
        ("async", 64),
        ("threads", 64),
        ("processes", 64),
        ("async", 20),
    ] {
        let script = format!(
            "ulimit -n {descriptors}; exec {} run http -m {model} -c 150 {}",
            env!("CARGO_BIN_EXE_triway"),
            list.display(),
        );
        let ended = start(Command::new("sh").args(["-c", &script])).end();
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        assert_eq!(ended.outcomes().len(), 200);
        for says in [
            "fewer than 150 at once",
            "Too many open files",
            "at once in the end",
        ] {
            assert!(ended.err.contains(says), "no {says}: {}", ended.err);
        }
    }
}

#[test]
fn inputs_that_end_in_an_error_are_told_and_what_was_read_has_outcomes() {
    // It opens like any file, and fails at the first read.
    let ended = run("run cpu /proc/self/mem");
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.err.contains("/proc/self/mem: Input/output error"),
        "{}",
        ended.err
    );
}

/// A limit that somebody believes in must be there.
#[test]
fn options_of_worker_processes_need_worker_processes() {
    for (arguments, option) in [
        (
            "run cpu -m threads --worker-memory 64MiB",
            "--worker-memory",
        ),
        ("run cpu --recycle 3", "--recycle"),
        ("run cpu -m async --crash-retries 1", "--crash-retries"),
        ("run cpu -m processes --processes 3", "--processes"),
        ("run cpu -m processes --inner async", "--inner"),
        ("compare cpu --models threads,async --batch 3", "--batch"),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, 2, "{arguments}: {}", ended.err);
        let told = format!("{option} means nothing without -m ");
        assert!(ended.err.contains(&told), "{arguments}: {}", ended.err);
    }
    let ended =
        run("compare cpu --work none --inputs 1 --rounds 1 --models threads,processes --batch 3");
    assert_eq!(ended.code, 0, "{}", ended.err);
}
