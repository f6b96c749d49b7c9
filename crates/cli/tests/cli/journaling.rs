//! Runs with a journal that are killed, interrupted, out of room or given something else, and go on. A server of the
//! tests' own counts what is executed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::program::{Ended, eventually, run, run_with, start, triway};

/// Answers every request after some milliseconds, and notes which were made.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<u64>>>,
}

impl Server {
    fn start(takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || answer(stream, &noted, takes));
            }
        });
        Self { address, requests }
    }

    /// A list of URLs in a file.
    fn list(&self, folder: &Path, urls: u64) -> String {
        let lines: Vec<_> = (0..urls)
            .map(|n| format!("http://{}/{n}\n", self.address))
            .collect();
        let list = folder.join("urls");
        fs::write(&list, lines.concat()).unwrap();
        list.display().to_string()
    }

    /// The requests since this was asked last.
    fn requests(&self) -> Vec<u64> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

/// Whoever is killed may leave half a request.
fn answer(mut stream: TcpStream, noted: &Mutex<Vec<u64>>, takes: Duration) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    while let Some(Ok(first)) = lines.next() {
        let path = first.split(' ').nth(1)?.to_owned();
        while !lines.next()?.ok()?.is_empty() {}
        noted.lock().unwrap().push(path[1..].parse().ok()?);
        thread::sleep(takes);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer).ok()?;
    }
    Some(())
}

fn folder() -> (TempDir, String) {
    let folder = tempdir().unwrap();
    let journal = folder.path().join("journal").display().to_string();
    (folder, journal)
}

fn values(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn indexes(text: &str) -> Vec<u64> {
    let outcomes = values(text);
    let mut indexes: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome["index"].as_u64().unwrap())
        .collect();
    indexes.sort_unstable();
    indexes
}

/// The indexes that a journal holds; none where it is not there yet.
fn recorded(journal: &str) -> BTreeSet<u64> {
    if fs::metadata(journal).map_or(0, |it| it.len()) < 100 {
        return BTreeSet::new();
    }
    let shown = run(&format!("journal show {journal} --format jsonl"));
    assert_eq!(shown.code, 0, "{}", shown.err);
    indexes(&shown.out).into_iter().collect()
}

#[track_caller]
fn says(ended: &Ended, code: i32, texts: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    for text in texts {
        assert!(ended.err.contains(text), "no {text}: {}", ended.err);
    }
}

#[test]
fn a_run_that_is_killed_again_and_again_executes_nothing_twice_that_it_had() {
    const ALL: u64 = 300;
    for (model, durability) in [
        ("async", "flush"),
        ("threads", "full"),
        ("processes", "flush"),
    ] {
        let (folder, journal) = folder();
        let server = Server::start(Duration::from_millis(10));
        let list = server.list(folder.path(), ALL);
        let out = folder.path().join("out.jsonl");
        let arguments = format!(
            "run http {list} -m {model} -c 6 --journal {journal} --resume --durability {durability} -o {}",
            out.display()
        );
        let mut kills = 0;
        let last = loop {
            let had = recorded(&journal);
            let started = start(triway(&arguments).stdin(Stdio::null()));
            // Longer each time, so that it comes to an end on a slow machine as well.
            thread::sleep(Duration::from_millis(
                60 + 10 * kills + fastrand::u64(..120),
            ));
            started.signal(Signal::KILL);
            let ended = started.end();
            let requested: BTreeSet<_> = server.requests().into_iter().collect();
            let twice: Vec<_> = requested.intersection(&had).collect();
            assert!(twice.is_empty(), "{model}: {twice:?} after {kills} kills");
            let left: Vec<_> = (0..ALL).filter(|index| !had.contains(index)).collect();
            if ended.code == 0 {
                break left;
            }
            kills += 1;
            assert_eq!(ended.code, 1009, "{}", ended.err);
            assert!(recorded(&journal).is_superset(&had), "{model}");
        };
        assert!(kills > 2 && last.len() < 300, "{model}: {kills} kills");
        let written = fs::read_to_string(&out).unwrap();
        assert_eq!(indexes(&written), (0..ALL).collect::<Vec<_>>(), "{model}");
        assert_eq!(recorded(&journal).len(), 300);
    }
}

/// Asked once, what is in flight may end; asked twice, it is given up and has no outcome.
#[test]
fn the_command_that_an_interrupted_run_tells_completes_it() {
    for (signals, says_why, millis, urls) in [
        (1, "what was in flight has ended", 20, 60),
        (2, "was given up", 400, 20),
    ] {
        let (folder, journal) = folder();
        let server = Server::start(Duration::from_millis(millis));
        let list = server.list(folder.path(), urls);
        let out = folder.path().join("an outcome a line.jsonl");
        // While it is measured, there are moments in which nothing is in flight.
        let words = format!("run http {list} -m threads -c 2 --journal {journal} -o");
        let mut command = triway(&words);
        let started = start(command.arg(&out).stdin(Stdio::null()));
        eventually(|| (recorded(&journal).len() > 5).then_some(()));
        for _ in 0..signals {
            started.signal(Signal::INT);
            thread::sleep(Duration::from_millis(100));
        }
        let ended = started.end();
        says(&ended, 130, &["stopped: ", says_why]);
        let had = recorded(&journal);
        let requested = server.requests().len();
        let unfinished = requested - had.len();
        assert!(
            unfinished <= if signals == 1 { 0 } else { 2 },
            "{unfinished}"
        );
        let told = ended
            .err
            .lines()
            .find_map(|line| line.strip_prefix("to go on: "));
        let mut shell = Command::new("sh");
        let resumed = start(shell.args(["-c", told.unwrap()]).stdin(Stdio::null())).end();
        let earlier = format!(
            "{} of them in earlier runs; {} now",
            had.len(),
            urls - had.len() as u64
        );
        let all = format!("{urls} of {urls} succeeded");
        says(&resumed, 0, &[&all, &earlier]);
        let requested: BTreeSet<_> = server.requests().into_iter().collect();
        assert_eq!(
            requested,
            (0..urls).filter(|it| !had.contains(it)).collect()
        );
        let written = fs::read_to_string(&out).unwrap();
        assert_eq!(indexes(&written), (0..urls).collect::<Vec<_>>());
    }
}

#[test]
fn what_could_not_be_delivered_is_not_executed_again() {
    let (folder, journal) = folder();
    let server = Server::start(Duration::ZERO);
    let list = server.list(folder.path(), 5);
    let arguments = format!("run http {list} --journal {journal}");
    let full = run(&format!("{arguments} -o /dev/full"));
    says(
        &full,
        3,
        &["5 outcomes were not written", "to go on: ", "--resume"],
    );
    assert_eq!(server.requests().len(), 5);
    let resumed = run(&format!("{arguments} --resume"));
    says(&resumed, 0, &["5 of them in earlier runs; 0 now"]);
    assert_eq!(resumed.outcomes().len(), 5);
    assert!(server.requests().is_empty());
}

/// The journal may be no larger than some blocks of 512 bytes.
#[test]
fn a_disk_without_room_for_the_journal_costs_no_outcome() {
    let (folder, journal) = folder();
    let server = Server::start(Duration::from_millis(1));
    let list = server.list(folder.path(), 600);
    let arguments = format!("run http {list} -c 4 --journal {journal}");
    let program = env!("CARGO_BIN_EXE_triway");
    let script = format!("ulimit -f 300; exec {program} {arguments}");
    let ended = start(Command::new("sh").args(["-c", &script])).end();
    says(
        &ended,
        3,
        &[
            "cannot be written: File too large",
            "to go on: ",
            "--resume",
        ],
    );
    let reported = values(&ended.out).into_iter();
    let reported = reported.filter(|outcome| outcome["status"] == "ok");
    let had = recorded(&journal);
    assert!(had.len() > 50, "{} outcomes", had.len());
    assert_eq!(reported.count(), had.len());
    assert_eq!(server.requests().len(), had.len(), "all that ran fits");
    let resumed = run(&format!("{arguments} --resume"));
    assert_eq!(resumed.code, 0, "{}", resumed.err);
    assert_eq!(resumed.outcomes().len(), 600);
    let mut executed = had;
    for index in server.requests() {
        assert!(executed.insert(index), "{index} was executed twice");
    }
}

/// They are so quick that each round hands out more of them than the one before.
#[test]
fn a_full_disk_costs_no_outcome_of_quick_inputs() {
    for durability in ["none", "flush", "full"] {
        fills_the_disk(5000, &format!("--durability {durability}"));
    }
}

/// What is written with the next of them fills all the room that there is.
#[test]
fn a_full_disk_costs_no_outcome_that_was_only_gathered() {
    for blocks in (132..192).step_by(4) {
        fills_the_disk(blocks, "--durability none -m threads -c 2");
    }
}

/// Runs quick inputs whose journal may have so many blocks of 512 bytes: it has all that is reported.
fn fills_the_disk(blocks: usize, options: &str) {
    let (_folder, journal) = folder();
    let program = env!("CARGO_BIN_EXE_triway");
    let arguments = format!("run cpu --work none --inputs 200000 --journal {journal} {options}");
    let script = format!("ulimit -f {blocks}; exec {program} {arguments}");
    let ended = start(Command::new("sh").args(["-c", &script])).end();
    says(
        &ended,
        3,
        &["cannot be written: File too large", "to go on: "],
    );
    let lost = ended.err.contains("not written");
    assert!(!lost, "{blocks} blocks, {options}: {}", ended.err);
    let ok = ended.out.matches("\"status\":\"ok\"").count();
    assert_eq!(ok, recorded(&journal).len(), "{blocks} blocks, {options}");
}

/// A journal that needs some 40 KiB of 512.
#[test]
fn a_disk_with_room_for_all_of_it_stops_nothing() {
    for options in ["-m threads -c 2", "-m auto", "-m async -c 100"] {
        let (_folder, journal) = folder();
        let program = env!("CARGO_BIN_EXE_triway");
        let arguments = format!(
            "run cpu --work none --inputs 600 --journal {journal} --durability none {options}"
        );
        let script = format!("ulimit -f 1024; exec {program} {arguments}");
        let ended = start(Command::new("sh").args(["-c", &script])).end();
        says(&ended, 0, &["600 of 600 succeeded"]);
        assert_eq!(recorded(&journal).len(), 600, "{options}");
    }
}

/// An outcome that does not even fit into the room that was kept.
#[test]
fn a_journal_that_cannot_take_an_outcome_reports_none_that_it_lacks() {
    let (folder, journal) = folder();
    let list = folder.path().join("numbers");
    fs::write(&list, "1\n".repeat(20) + &"2".repeat(90_000) + "\n3\n").unwrap();
    let arguments = format!(
        "run cpu {} -m sequential --journal {journal}",
        list.display()
    );
    let program = env!("CARGO_BIN_EXE_triway");
    let script = format!("ulimit -f 140; exec {program} {arguments}");
    let ended = start(Command::new("sh").args(["-c", &script])).end();
    says(
        &ended,
        3,
        &["cannot be written: File too large", "to go on: "],
    );
    let had = recorded(&journal);
    let ends = values(&ended.out).into_iter();
    let reported = ends.filter(|outcome| outcome["status"] != "cancelled");
    let reported: BTreeSet<_> = reported.map(|it| it["index"].as_u64().unwrap()).collect();
    assert_eq!(reported, (0..20).collect());
    // The one behind it may have come to its end as well, too late to be reported.
    assert!(reported.is_subset(&had) && !had.contains(&20), "{had:?}");
    let resumed = run(&format!("{arguments} --resume"));
    assert_eq!(resumed.code, 1, "{}", resumed.err);
    assert_eq!(resumed.outcomes().len(), 22);
}

#[test]
fn standard_input_may_grow_and_not_change() {
    let (folder, journal) = folder();
    let out = folder.path().join("out.jsonl");
    let arguments = format!(
        "run cpu - --work none --journal {journal} -o {}",
        out.display()
    );
    let numbers = |range: std::ops::Range<u64>| range.map(|n| format!("{n}\n")).collect::<String>();
    says(&run_with(&arguments, numbers(0..10).as_bytes()), 0, &[]);
    let again = run_with(&arguments, numbers(0..10).as_bytes());
    says(&again, 2, &["outcomes of 10 inputs already", "--resume"]);
    assert_eq!(indexes(&fs::read_to_string(&out).unwrap()).len(), 10);
    let resume = format!("{arguments} --resume -m threads -c 3 --retries 1 --timeout 5s");
    let grown = run_with(&resume, numbers(0..15).as_bytes());
    says(
        &grown,
        0,
        &["15 of 15", "5 inputs are new since the journal was written"],
    );
    let whole = fs::read_to_string(&out).unwrap();
    assert_eq!(indexes(&whole), (0..15).collect::<Vec<_>>());
    for (input, told) in [
        (numbers(1..20), "input 1 is not the one"),
        (numbers(0..14), "there are 14 inputs"),
    ] {
        let refused = run_with(&resume, input.as_bytes());
        says(&refused, 2, &[told, "nothing was executed"]);
        let kept = fs::read_to_string(&out).unwrap();
        assert_eq!(kept, whole, "a refused run leaves what there was");
    }
    let other = resume.replace("--work none", "--work spin");
    let refused = run_with(&other, numbers(0..15).as_bytes());
    says(&refused, 2, &["another configuration of cpu"]);
}

#[test]
fn limits_may_differ_and_the_task_may_not() {
    let (folder, journal) = folder();
    let server = Server::start(Duration::ZERO);
    let list = server.list(folder.path(), 3);
    let arguments = format!("run http {list} --journal {journal} --resume");
    for (options, code, told) in [
        ("", 0, "there is no journal"),
        (
            "--connect-timeout 3s --no-reuse -m sequential",
            0,
            "3 inputs have",
        ),
        ("--first-byte-timeout none --http2", 0, "3 inputs have"),
        ("--max-redirects 3", 2, "another configuration of http"),
        ("-H A:b", 2, "another configuration of http"),
    ] {
        let ended = run(&format!("{arguments} {options}"));
        says(&ended, code, &[told]);
    }
    let check = arguments.replace("run http", "check");
    says(&run(&check), 2, &["of the task http, not of check"]);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_journal_in_use_is_shown_and_not_shared() {
    let (_folder, journal) = folder();
    let arguments =
        format!("run cpu --work spin --n 50 --inputs 1000 -c 2 --journal {journal} --resume");
    let started = start(triway(&arguments).stdin(Stdio::null()));
    eventually(|| (recorded(&journal).len() > 2).then_some(()));
    says(&run(&arguments), 3, &["another run is writing the journal"]);
    let seen = recorded(&journal);
    eventually(|| (recorded(&journal).len() > seen.len()).then_some(()));
    started.signal(Signal::TERM);
    assert_eq!(started.end().code, 143);
    assert!(recorded(&journal).is_superset(&seen));
}

#[test]
fn a_failed_input_is_executed_again_and_alone() {
    let (folder, journal) = folder();
    let list = folder.path().join("numbers");
    fs::write(&list, "1\nx\n2\n").unwrap();
    let arguments = format!("run cpu {} --work none --journal {journal}", list.display());
    says(&run(&arguments), 1, &["2 of 3 succeeded"]);
    let again = run(&format!("{arguments} --retry-failed"));
    says(&again, 1, &["2 of them in earlier runs; 1 now"]);
    let told = "1 of them failed and are executed again";
    says(&again, 1, &[told]);
    let resumed = run(&format!("{arguments} --resume"));
    says(&resumed, 1, &["3 of them in earlier runs; 0 now"]);
}

#[test]
fn every_format_shows_a_journal_as_it_shows_the_run() {
    let (folder, journal) = folder();
    for (nth, format) in ["jsonl", "json", "csv", "md", "table"].iter().enumerate() {
        let journal = format!("{journal}{nth}");
        let out = folder.path().join(format);
        let arguments = format!(
            "run cpu --work none -m sequential --inputs 5 --format {format} --journal {journal} -o {}",
            out.display()
        );
        says(&run(&arguments), 0, &[]);
        let shown = run(&format!("journal show {journal} --format {format}"));
        assert_eq!(shown.out, fs::read_to_string(&out).unwrap(), "{format}");
        says(&shown, 0, &["cpu: 5 outcomes of 5 inputs"]);
    }
    let torn = fs::read(format!("{journal}0")).unwrap();
    fs::write(&journal, &torn[..torn.len() - 30]).unwrap();
    let shown = run(&format!("journal show {journal}"));
    says(&shown, 0, &["4 outcomes so far", "are no whole record"]);
    let mut bad = torn;
    bad[120] ^= 1;
    fs::write(&journal, &bad).unwrap();
    let shown = run(&format!("journal show {journal}"));
    says(&shown, 2, &["is damaged at byte ", "truncate -s "]);
    fs::write(&journal, "1\n2\n").unwrap();
    says(
        &run(&format!("journal show {journal}")),
        2,
        &["is no journal"],
    );
    let same = format!("journal show {journal}0 -o {journal}0");
    says(
        &run(&same),
        2,
        &["is the journal; write the outcomes elsewhere"],
    );
}

#[test]
fn secrets_are_not_in_the_journal() {
    let (folder, journal) = folder();
    let server = Server::start(Duration::ZERO);
    let list = folder.path().join("urls");
    let address = &server.address;
    let mut urls = format!(
        "http://user:hunter2@{address}/1\nhttp://{address}/2?token=hunter2\nhttp://{address}/3?u=http://a:hunter2@b/\n"
    )
    .into_bytes();
    urls.extend(format!("http://user:hunter2@{address}/4").into_bytes());
    urls.extend(b"\xff\n");
    fs::write(&list, urls).unwrap();
    let arguments = format!(
        "run http {} --bearer env:SECRET -H X:hunter2 --data hunter2 --max-redirects 0 --journal {journal}",
        list.display()
    );
    let mut command = triway(&arguments);
    let started = start(command.env("SECRET", "hunter2").stdin(Stdio::null()));
    let ended = started.end();
    assert_eq!(ended.outcomes().len(), 4, "{}", ended.err);
    let bytes = fs::read(&journal).unwrap();
    let shown = run(&format!("journal show {journal}"));
    let everything = [&bytes, ended.err.as_bytes(), shown.out.as_bytes()].concat();
    assert!(!everything.windows(7).any(|window| window == b"hunter2"));
    assert_eq!(indexes(&shown.out), [0, 1, 2, 3]);
    // The digests are of the true inputs all the same.
    let changed = fs::read(&list).unwrap();
    let changed = String::from_utf8_lossy(&changed).replacen("hunter2", "hunter3", 1);
    fs::write(&list, changed).unwrap();
    let mut command = triway(&format!("{arguments} --resume"));
    let resumed = start(command.env("SECRET", "hunter2").stdin(Stdio::null())).end();
    says(&resumed, 2, &["input 1 is not the one"]);
}

#[test]
fn what_cannot_be_a_journal_of_this_run_is_refused_in_words() {
    let (folder, journal) = folder();
    let arguments = format!("run cpu --work none --inputs 3 -q --journal {journal}");
    run(&arguments);
    let whole = fs::read(&journal).unwrap();
    for (at, told) in [
        (3, "is no journal"),
        (15, "is of another version"),
        (30, "the header of the journal"),
    ] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&journal, &changed).unwrap();
        for arguments in [
            format!("{arguments} --resume"),
            format!("journal show {journal}"),
        ] {
            says(&run(&arguments), 2, &[told, "another file"]);
        }
        assert_eq!(fs::read(&journal).unwrap(), changed, "it is left as it is");
    }
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let shown = run(&format!("journal show {}", pipe.display()));
    says(&shown, 2, &["is no plain file"]);
    let out = folder.path().join("out");
    let program = env!("CARGO_BIN_EXE_triway");
    let script = format!(
        "{program} run cpu --work none --inputs 3 --journal /dev/stdout > {}",
        out.display()
    );
    let ended = start(Command::new("sh").args(["-c", &script])).end();
    says(&ended, 2, &["/dev/stdout is standard output"]);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let (folder, journal) = folder();
    let list = folder.path().join("numbers");
    fs::write(&list, "1\n").unwrap();
    let list = list.display();
    for (options, told) in [
        ("--resume", "--resume is about a journal"),
        ("--retry-failed", "--retry-failed is about a journal"),
        ("--durability full", "--durability is about a journal"),
        (&*format!("--journal {list}"), "is an input"),
        (
            &*format!("--journal {journal} -o {journal}"),
            "where the outcomes go",
        ),
        ("--journal /dev/full", "is no plain file"),
        ("--journal /", "is no plain file"),
    ] {
        let ended = run(&format!("run cpu {list} --work none {options}"));
        says(&ended, 2, &[told]);
    }
    let told = "unexpected argument '--journal'";
    says(
        &run(&format!("compare cpu --journal {journal}")),
        2,
        &[told],
    );
    let mut counts = BTreeMap::new();
    for line in run("run cpu --help").out.lines() {
        *counts.entry(line.contains("--journal")).or_insert(0) += 1;
    }
    assert!(counts[&true] > 0, "the help tells of it");
}
