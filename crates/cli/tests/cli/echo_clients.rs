//! `run echo` against servers that nobody here wrote and that misbehave.

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::tempdir;

use crate::{
    echoing::echo,
    program::{run, start, triway},
};

/// A server of Python's, which prints its port first.
pub(crate) struct Python {
    process: Child,
    pub(crate) says: Lines<BufReader<ChildStdout>>,
    pub(crate) port: String,
}

impl Python {
    pub(crate) fn start(script: &str) -> Self {
        let mut process = Command::new("python3")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = says.next().unwrap().unwrap();
        Self {
            process,
            says,
            port,
        }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// A server of Python's that behaves as the message says.
const PYTHON: &str = "import asyncio
async def serve(reader, writer):
    while line := await reader.readline():
        match line.decode().split()[0]:
            case 'close': break
            case 'reset': writer.transport.abort(); return
            case 'half': writer.write(b'half an ans'); break
            case 'sleep': await asyncio.sleep(60)
            case 'endless':
                for _ in range(300): writer.write(b'x' * 65536); await writer.drain()
            case 'bytes': writer.write(b'\\xff\\xfe\\r\\n')
            case 'again': writer.write(line); await writer.drain(); break
            case _: writer.write(line)
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())";

/// What is sent, the status, and the reply or the kind of failure.
const SENT: &[(&str, &str, &str)] = &[
    ("plain", "ok", "plain"),
    ("close", "failed", "reset"),
    ("after", "ok", "after"),
    ("reset", "failed", "reset"),
    ("half", "failed", "reset"),
    ("sleep", "timeout", "timeout"),
    ("bytes", "ok", "\u{fffd}\u{fffd}"),
    ("endless", "failed", "too-large"),
    ("again", "ok", "again"),
    ("plain once more", "ok", "plain once more"),
];

#[test]
fn servers_that_misbehave_fail_their_message_alone() {
    let python = Python::start(PYTHON);
    for model in ["sequential", "threads -c 1", "processes -c 1", "async -c 1"] {
        let mut command = triway(&format!(
            "run echo --to 127.0.0.1:{} --timeout 2s -m {model} --",
            python.port
        ));
        let ended = start(
            command
                .args(SENT.iter().map(|(sent, ..)| sent))
                .stdin(Stdio::null()),
        )
        .end();
        assert_eq!(ended.code, 1, "{ended:?}");
        for (outcome, (sent, status, what)) in ended.outcomes().iter().zip(SENT) {
            assert_eq!(outcome["status"], *status, "{model}: {sent}: {outcome}");
            let said = match *status {
                "ok" => &outcome["output"]["reply"],
                _ => &outcome["error"]["kind"],
            };
            assert_eq!(said, *what, "{model}: {sent}: {outcome}");
        }
    }
    for (to, code, said) in [
        ("127.0.0.1:1", 1, "refuses connections"),
        ("127.0.0.1", 2, "write HOST:PORT"),
        ("nobody.invalid:1", 2, "--to nobody.invalid:1"),
    ] {
        let ended = run(&format!("run echo --to {to} -- x"));
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(
            format!("{}{}", ended.out, ended.err).contains(said),
            "{ended:?}"
        );
    }
}

/// A server that takes 100 ms for each message, with one lane and a message each 20 ms: the wait of those behind shows in
/// the response and not in the run time.
#[test]
fn with_a_rate_the_response_counts_from_the_planned_time() {
    let (_server, address) = echo("async --delay 100ms");
    for (lanes, late) in [(1, true), (20, false)] {
        let ended = run(&format!(
            "run echo --to {address} -c {lanes} --messages 20 --rate 50/s -m async"
        ));
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(
            ended
                .err
                .contains("from the moment at which each was planned"),
            "{}",
            ended.err
        );
        for (n, outcome) in (0_u32..).zip(ended.outcomes()) {
            let seconds = |name: &str| outcome[name].as_f64().unwrap();
            let waits = if late { f64::from(n) * 0.08 } else { 0.0 };
            assert!(seconds("run_s") < 0.2 + waits / 4.0, "{outcome}");
            assert!(seconds("response_s") > 0.1 + waits * 0.9, "{outcome}");
            let started = seconds("response_s") - seconds("run_s");
            assert!(late || started < 0.1, "{outcome}");
        }
    }
    let closed = run(&format!("run echo --to {address} --messages 3 -m async"));
    assert!(
        closed
            .outcomes()
            .iter()
            .all(|outcome| outcome.get("response_s").is_none()),
        "{closed:?}"
    );
}

/// A server of Python's that reads every second message of a connection and then closes it; it prints what it read.
const FORGETFUL: &str = "import asyncio
async def serve(reader, writer):
    for answered in (True, False):
        line = await reader.readline()
        if line: print(line.decode().strip(), flush=True)
        if answered: writer.write(line); await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())";

/// Otherwise it is, on a new connection: the server may have closed the old one before it read the message.
#[test]
fn with_at_most_once_nothing_is_sent_twice() {
    for model in ["async", "threads", "processes"] {
        let mut python = Python::start(FORGETFUL);
        let port = &python.port;
        let job = format!("run echo --to 127.0.0.1:{port} -c 1 -m {model} --messages 6");
        let ended = run(&format!("{job} --at-most-once"));
        assert_eq!(ended.code, 1, "{model}: {ended:?}");
        let ok = ended
            .outcomes()
            .iter()
            .filter(|one| one["status"] == "ok")
            .count();
        assert_eq!(ok, 3, "{model}: {ended:?}");
        let mut read: Vec<String> = (0..6)
            .map(|_| python.says.next().unwrap().unwrap())
            .collect();
        read.sort();
        read.dedup();
        assert_eq!(read.len(), 6, "{model}: {read:?}");
        let ended = run(&job);
        assert_eq!(ended.code, 0, "{model}: {ended:?}");
    }
}

/// A server of Python's that gives back what it reads as it comes, and reads no further until that is taken; to `more` it
/// says something else afterwards.
const AT_ONCE: &str = "import asyncio
async def serve(reader, writer):
    while some := await reader.read(65536):
        writer.write(some)
        await writer.drain()
        if some.startswith(b'more'):
            await asyncio.sleep(0.02)
            writer.write(b'unasked\\n')
            await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())";

/// Or the answers of all messages after it would be those of the ones before.
#[test]
fn what_a_server_says_unasked_is_no_answer() {
    let python = Python::start(AT_ONCE);
    for model in ["async", "threads", "processes"] {
        let to = format!("run echo --to 127.0.0.1:{} -c 1 -m {model}", python.port);
        let mut command = triway(&format!("{to} --rate 10/s -- more b more d"));
        let ended = start(command.stdin(Stdio::null())).end();
        assert_eq!(ended.code, 0, "{model}: {ended:?}");
        let outcomes = ended.outcomes();
        assert_eq!(outcomes.len(), 4, "{model}: {ended:?}");
        for outcome in outcomes {
            assert_eq!(outcome["output"]["reply"], outcome["input"], "{model}");
        }
    }
}

/// A client that wrote the whole message first would wait for a server that waits for it.
#[test]
fn a_long_message_is_written_while_its_answer_comes() {
    let python = Python::start(AT_ONCE);
    let folder = tempdir().unwrap();
    let list = folder.path().join("long");
    fs::write(&list, "x".repeat(14_000_000)).unwrap();
    for model in ["async", "threads"] {
        let ended = run(&format!(
            "run echo --to 127.0.0.1:{} -m {model} --timeout 30s {}",
            python.port,
            list.display()
        ));
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        let reply = &ended.outcomes()[0]["output"]["reply"];
        assert_eq!(reply.as_str().map(str::len), Some(14_000_000), "{model}");
    }
}

#[test]
fn an_answer_that_tells_of_an_error_is_a_failure() {
    let (_server, address) = echo("async --max-message-bytes 10");
    let mut command = triway(&format!("run echo --to {address} -- short"));
    let ended = start(command.arg("longer than that").stdin(Stdio::null())).end();
    assert_eq!(ended.code, 1, "{ended:?}");
    let outcomes = ended.outcomes();
    let of = |input: &str| outcomes.iter().find(|one| one["input"] == input).unwrap();
    assert_eq!(of("short")["status"], "ok");
    let long = of("longer than that");
    assert_eq!(long["error"]["kind"], "error-reply", "{long}");
    let said = long["error"]["message"].as_str().unwrap();
    assert!(said.contains("at most 10 bytes"), "{long}");
}

/// Lanes that have a connection go on with it; those that get none leave.
#[test]
fn with_few_descriptors_as_many_run_as_have_a_connection() {
    let (_server, address) = echo("async --delay 20ms");
    for model in ["async", "threads"] {
        let script = format!(
            "ulimit -n 60; exec {} run echo --to {address} -m {model} -c 200 --messages 2000",
            env!("CARGO_BIN_EXE_triway"),
        );
        let ended = start(Command::new("sh").args(["-c", &script])).end();
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        assert_eq!(ended.outcomes().len(), 2000, "{model}");
        let line = ended
            .err
            .lines()
            .find(|line| line.contains("at once in the end"));
        let number = line.and_then(|line| line.split(' ').next()?.parse::<usize>().ok());
        assert!(
            number.is_some_and(|number| (25..60).contains(&number)),
            "{model}: {}",
            ended.err
        );
    }
}

/// Attempts that follow others take no moment of the schedule, CSV has the figure as well, and a journal keeps it.
#[test]
fn response_times_are_told_wherever_outcomes_are() {
    let (_server, address) = echo("async");
    let folder = tempdir().unwrap();
    let journal = folder.path().join("journal");
    let job = format!("run echo --to {address} --messages 5 --rate 50/s");
    let csv = run(&format!("{job} --format csv"));
    let mut lines = csv.out.lines();
    assert!(
        lines.next().unwrap().ends_with(",run_s,response_s"),
        "{csv:?}"
    );
    for line in lines {
        let response: f64 = line.rsplit(',').next().unwrap().parse().unwrap();
        assert!(response > 0.0, "{line}");
    }
    let kept = run(&format!("{job} --journal {}", journal.display()));
    assert_eq!(kept.code, 0, "{kept:?}");
    let shown = run(&format!(
        "journal show {} --format jsonl",
        journal.display()
    ));
    let response = |ended: &crate::program::Ended| -> Vec<String> {
        let mut all = ended.outcomes();
        all.sort_by_key(|one| one["index"].as_u64());
        all.iter()
            .map(|one| one["response_s"].to_string())
            .collect()
    };
    assert_eq!(response(&kept), response(&shown), "{shown:?}");
    assert!(response(&kept).iter().all(|one| one != "null"), "{kept:?}");
}
