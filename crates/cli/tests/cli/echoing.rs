//! `serve echo` under each of its models, spoken to by programs that nobody here wrote and by clients that misbehave.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    net::sockopt::set_socket_linger,
    process::{Signal, kill_process},
};

use crate::{
    program::{LIMIT, eventually, pid, run, run_with, start, triway},
    serving::{ends, listening, server},
};

const MODELS: [&str; 3] = ["async", "threads", "processes --workers 2"];

/// A server, and where it is.
fn echo(options: &str) -> (Child, SocketAddr) {
    let (process, address) = server(&format!(
        "serve echo --port 0 --until-stdin-closes --model {options}"
    ));
    (process, address.parse().unwrap())
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

fn says(stream: &mut TcpStream, message: &str, answer: &str) {
    stream.write_all(message.as_bytes()).unwrap();
    let mut read = vec![0; answer.len()];
    stream.read_exact(&mut read).unwrap();
    assert_eq!(String::from_utf8_lossy(&read), answer);
}

/// All that a server sends until it closes; a reset is an end as well.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => all,
    }
}

#[test]
fn nc_and_asyncio_are_answered() {
    let script = "import asyncio, sys
async def client(n):
    reader, writer = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]))
    for text in ('hello', 'grüß dich', '', 'x' * 9000):
        writer.write(f'{text} {n}\\r\\n'.encode())
        assert await reader.readline() == f'Echo: {text} {n}\\n'.encode(), text
    writer.close()
    await writer.wait_closed()
async def main():
    await asyncio.gather(*(client(n) for n in range(5)))
asyncio.run(main())";
    for model in MODELS {
        let (_server, address) = echo(model);
        let port = address.port().to_string();
        let python = Command::new("python3")
            .args(["-c", script, &port])
            .output()
            .unwrap();
        assert!(python.status.success(), "{model}: {python:?}");
        let mut nc = Command::new("nc")
            .args(["-N", "127.0.0.1", &port])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        nc.stdin
            .take()
            .unwrap()
            .write_all(b"one\ntwo\n\nwithout an end")
            .unwrap();
        let said = nc.wait_with_output().unwrap().stdout;
        assert_eq!(
            String::from_utf8_lossy(&said),
            "Echo: one\nEcho: two\nEcho: \nEcho: without an end\n",
            "{model}"
        );
    }
}

/// Each costs itself its connection, and the next client is served.
#[test]
fn clients_that_misbehave_harm_nobody_else() {
    for model in MODELS {
        let (mut process, address) = echo(&format!(
            "{model} --max-message-bytes 1000 --idle 700ms --max-age 20s"
        ));
        let began = Instant::now();
        // Half a line, and then nothing; a line byte by byte, which takes too long as a whole; nothing at all.
        let mut half = connect(address);
        half.write_all(b"half a li").unwrap();
        let mut silent = connect(address);
        let mut slow = connect(address);
        while slow.write_all(b"x").is_ok() && began.elapsed() < LIMIT {
            thread::sleep(Duration::from_millis(50));
        }
        for stream in [&mut half, &mut silent, &mut slow] {
            assert_eq!(rest(stream), b"", "{model}");
        }
        assert!(began.elapsed() < LIMIT / 2, "{model}");
        let mut among = connect(address);
        let long = format!("short\n{}\n", "x".repeat(1001));
        among.write_all(long.as_bytes()).unwrap();
        let said = String::from_utf8(rest(&mut among)).unwrap();
        assert!(
            said.ends_with("Error: a message is at most 1000 bytes\n"),
            "{model}: {said}"
        );
        for _ in 0..50 {
            let mut reset = connect(address);
            reset
                .write_all(b"never to be answered, and not whole")
                .unwrap();
            set_socket_linger(&reset, Some(Duration::ZERO)).unwrap();
        }
        says(
            &mut connect(address),
            "still there?\n",
            "Echo: still there?\n",
        );
        drop(process.stdin.take());
        assert_eq!(ends(&mut process), Some(0), "{model}");
    }
}

/// Long before it would be closed for having nothing whole to say.
#[test]
fn an_endless_line_is_not_listened_to() {
    for model in MODELS {
        let (_server, address) = echo(&format!("{model} --max-message-bytes 1000"));
        let mut endless = connect(address);
        let _cut_off = endless.write_all(&[b'x'; 200_000]);
        assert_eq!(
            String::from_utf8_lossy(&rest(&mut endless)),
            "Error: a message is at most 1000 bytes\n",
            "{model}"
        );
    }
}

/// What is not taken is not answered any further, so the server holds a message and no more.
#[test]
fn a_reader_that_does_not_read_is_not_written_for() {
    for model in MODELS {
        let (process, address) = echo(&format!("{model} --idle 1s"));
        let mut greedy: Vec<_> = (0..20).map(|_| connect(address)).collect();
        for stream in &greedy {
            stream.set_nonblocking(true).unwrap();
        }
        let line = format!("{}\n", "x".repeat(60_000));
        let until = Instant::now() + Duration::from_secs(4);
        let (mut sent, mut ended) = (0, 0);
        while ended < greedy.len() && Instant::now() < until {
            ended = 0;
            for stream in &mut greedy {
                match stream.write(line.as_bytes()) {
                    Ok(bytes) => sent += bytes,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => ended += 1,
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(
            ended,
            greedy.len(),
            "{model}: of 20 clients that take nothing, after {sent} bytes"
        );
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kilobytes < 100_000, "{model}: {peak}");
        says(&mut connect(address), "next\n", "Echo: next\n");
    }
}

/// A third connection waits until one of two ends; with few descriptors, accepting goes on when some come back.
#[test]
fn connections_beyond_the_limit_wait() {
    for model in ["async", "threads", "processes --workers 2"] {
        let (_server, address) = echo(&format!("{model} --max-connections 2"));
        let mut two = [connect(address), connect(address)];
        for stream in &mut two {
            says(stream, "a\n", "Echo: a\n");
        }
        let mut third = connect(address);
        third.write_all(b"b\n").unwrap();
        third
            .set_read_timeout(Some(Duration::from_millis(400)))
            .unwrap();
        let waited = third.read(&mut [0; 9]).unwrap_err();
        assert_eq!(waited.kind(), ErrorKind::WouldBlock, "{model}");
        third.set_read_timeout(Some(LIMIT)).unwrap();
        drop(two);
        says(&mut third, "", "Echo: b\n");
    }
    for model in ["async", "threads", "processes --workers 1"] {
        let program = env!("CARGO_BIN_EXE_triway");
        let script = format!(
            "ulimit -n 40; exec {program} serve echo --port 0 --until-stdin-closes --model {model}"
        );
        let (_server, address) = listening(Command::new("sh").args(["-c", &script]));
        let address: SocketAddr = address.parse().unwrap();
        let mut many: Vec<_> = (0..60).map(|_| connect(address)).collect();
        says(&mut many[0], "first\n", "Echo: first\n");
        many.drain(..40);
        for stream in &mut many {
            says(stream, "later\n", "Echo: later\n");
        }
    }
}

/// What has arrived is answered, what is idle is closed, nothing new is accepted, and the exit code is 0.
#[test]
fn told_to_end_it_answers_what_has_arrived() {
    for model in MODELS {
        let (mut process, address) = server(&format!(
            "serve echo --port 0 --delay 600ms --model {model}"
        ));
        let address: SocketAddr = address.parse().unwrap();
        let (mut idle, mut busy) = (connect(address), connect(address));
        busy.write_all(b"last words\n").unwrap();
        thread::sleep(Duration::from_millis(200));
        kill_process(pid(process.id()), Signal::TERM).unwrap();
        says(&mut busy, "", "Echo: last words\n");
        assert_eq!(rest(&mut busy), b"", "{model}");
        assert_eq!(rest(&mut idle), b"", "{model}");
        assert_eq!(ends(&mut process), Some(0), "{model}");
        assert!(TcpStream::connect(address).is_err(), "{model}");
    }
}

/// A worker that is killed costs its own connections; its port goes on being served.
#[test]
fn a_worker_that_is_killed_is_replaced() {
    let (process, address) = echo("processes --workers 2");
    let workers = || -> Vec<u32> {
        // Each thread has the children that it has started.
        let threads = fs::read_dir(format!("/proc/{}/task", process.id())).unwrap();
        let lists = threads
            .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok());
        let ids = |list: String| {
            list.split_whitespace()
                .map(|id| id.parse().unwrap())
                .collect::<Vec<_>>()
        };
        lists.flat_map(ids).collect()
    };
    let before = eventually(|| Some(workers()).filter(|workers| workers.len() == 2));
    for worker in &before {
        kill_process(pid(*worker), Signal::KILL).unwrap();
    }
    // One that is about to die may still accept.
    eventually(|| (!workers().iter().any(|worker| before.contains(worker))).then_some(()));
    // Connections wait in the socket, which the parent keeps.
    let mut streams: Vec<_> = (0..8).map(|_| connect(address)).collect();
    for stream in &mut streams {
        says(stream, "anybody?\n", "Echo: anybody?\n");
    }
    let after = eventually(|| Some(workers()).filter(|workers| workers.len() == 2));
    assert!(
        after.iter().all(|worker| !before.contains(worker)),
        "{before:?} {after:?}"
    );
}

#[test]
fn ten_thousand_clients_at_once_are_all_answered() {
    for model in MODELS {
        let (_server, address) = echo(model);
        let ended = run(&format!(
            "run echo --to {address} -m async -c 10000 --messages 30000 --timeout 20s --format csv -o /dev/null"
        ));
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        assert!(
            ended.err.contains("30000 of 30000 succeeded"),
            "{model}: {}",
            ended.err
        );
    }
}

#[test]
fn messages_go_as_they_stand() {
    for model in MODELS {
        let (_server, address) = echo(model);
        let input = b"  two\t\n\ta b \n\n   \nx\0y\n";
        let ended = run_with(&format!("run echo - --to {address} --keep-order"), input);
        assert_eq!(ended.code, 0, "{model}: {ended:?}");
        let outcomes = ended.outcomes();
        let replies: Vec<_> = outcomes
            .iter()
            .map(|one| one["output"]["reply"].as_str().unwrap())
            .collect();
        assert_eq!(
            replies,
            [
                "Echo:   two\t",
                "Echo: \ta b ",
                "Echo: ",
                "Echo:    ",
                "Echo: x\0y"
            ],
            "{model}"
        );
    }
}

/// Also where the next message is there already, and where a message takes longer than that.
#[test]
fn a_connection_lasts_as_long_as_it_may() {
    for model in MODELS {
        let (_server, address) = echo(&format!("{model} --max-age 700ms --delay 50ms"));
        let mut busy = connect(address);
        busy.write_all("line\n".repeat(2000).as_bytes()).unwrap();
        let began = Instant::now();
        let answers = rest(&mut busy);
        assert!(
            began.elapsed() < Duration::from_secs(5) && answers.len() < 60 * 11,
            "{model}: {} bytes",
            answers.len()
        );
        let (_server, address) = echo(&format!("{model} --max-age 500ms --delay 60s"));
        let mut waits = connect(address);
        waits.write_all(b"line\n").unwrap();
        assert_eq!(rest(&mut waits), b"", "{model}");
    }
}

#[test]
fn times_that_no_clock_reaches_are_long_times() {
    for model in MODELS {
        let (mut process, address) = echo(&format!(
            "{model} --idle 500000000000years --max-age 500000000000years --drain 500000000000years \
             --max-connections 18446744073709551615"
        ));
        says(&mut connect(address), "hello\n", "Echo: hello\n");
        drop(process.stdin.take());
        assert_eq!(ends(&mut process), Some(0), "{model}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    for model in MODELS {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let ended = run(&format!("serve echo --port {port} --model {model}"));
        assert_eq!(ended.code, 3, "{model}");
        let named = format!("--port {port}: something listens on 127.0.0.1:{port} already");
        assert!(ended.err.contains(&named), "{model}: {}", ended.err);
    }
    let ended = run("serve echo --model threads --workers 2 --port 0");
    assert!(
        ended.code == 3 && ended.err.contains("--workers"),
        "{ended:?}"
    );
}

/// Root may listen anywhere, unless it is without that capability.
#[test]
fn a_privileged_port_is_named() {
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap();
    if first.trim().parse::<u16>().unwrap() <= 81 {
        eprintln!("SKIPPED: on this machine everybody may listen on port 81");
        return;
    }
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--bounding-set=-net_bind_service",
            env!("CARGO_BIN_EXE_triway"),
        ]);
        command
    } else {
        Command::new(env!("CARGO_BIN_EXE_triway"))
    };
    let ended = start(command.args(["serve", "echo", "--port", "81"])).end();
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.err.contains("--port 81: this user may not listen"),
        "{ended:?}"
    );
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
    let mut python = Command::new("python3")
        .args(["-c", PYTHON])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(python.stdout.take().unwrap()),
        &mut port,
    )
    .unwrap();
    for model in ["sequential", "threads -c 1", "processes -c 1", "async -c 1"] {
        let mut command = triway(&format!(
            "run echo --to 127.0.0.1:{} --timeout 2s -m {model} --",
            port.trim()
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
    python.kill().unwrap();
    python.wait().unwrap();
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

#[test]
fn the_examples_need_nothing() {
    let ended = run("run echo -o /dev/null");
    assert!(
        ended.code == 0 && ended.err.contains("1000 of 1000 succeeded"),
        "{ended:?}"
    );
    let ended = run("compare echo --rounds 1 --messages 200 -o /dev/null");
    assert_eq!(ended.code, 0, "{ended:?}");
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
