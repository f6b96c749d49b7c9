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
    program::{LIMIT, eventually, pid, run, run_with, start},
    serving::{ends, listening, server},
};

const MODELS: [&str; 3] = ["async", "threads", "processes --workers 2"];

/// A server, and where it is.
pub(crate) fn echo(options: &str) -> (Child, SocketAddr) {
    let (process, address) = server(&format!(
        "serve echo --port 0 --until-stdin-closes --model {options}"
    ));
    (process, address.parse().unwrap())
}

fn children(process: u32) -> Vec<u32> {
    // Each thread has the children that it has started.
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok());
    let ids = |list: String| -> Vec<u32> {
        let ids = list.split_whitespace();
        ids.map(|id| id.parse().unwrap()).collect()
    };
    lists.flat_map(ids).collect()
}

/// A server process and its workers.
fn all_of(process: u32) -> Vec<u32> {
    std::iter::once(process).chain(children(process)).collect()
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
        let (most, more) = ("x".repeat(1000), "x".repeat(1001));
        let long = format!("short\n{most}\r\n{more}\nbehind it\n");
        among.write_all(long.as_bytes()).unwrap();
        let said = String::from_utf8(rest(&mut among)).unwrap();
        let limit = "Error: a message is at most 1000 bytes";
        assert_eq!(
            said,
            format!("Echo: short\nEcho: {most}\n{limit}\n"),
            "{model}"
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
        let (mut process, address) =
            server(&format!("serve echo --port 0 --delay 2s --model {model}"));
        let address: SocketAddr = address.parse().unwrap();
        let (mut idle, mut busy) = (connect(address), connect(address));
        busy.write_all(b"last words\n").unwrap();
        thread::sleep(Duration::from_millis(200));
        kill_process(pid(process.id()), Signal::TERM).unwrap();
        // Nobody else is let in, while the answer is still to come.
        eventually(|| TcpStream::connect(address).is_err().then_some(()));
        busy.set_nonblocking(true).unwrap();
        let peeked = busy.peek(&mut [0]).map_err(|error| error.kind());
        assert_eq!(peeked, Err(ErrorKind::WouldBlock), "{model}");
        busy.set_nonblocking(false).unwrap();
        says(&mut busy, "", "Echo: last words\n");
        assert_eq!(rest(&mut busy), b"", "{model}");
        assert_eq!(rest(&mut idle), b"", "{model}");
        assert_eq!(ends(&mut process), Some(0), "{model}");
        assert!(TcpStream::connect(address).is_err(), "{model}");
    }
}

/// Connections that the kernel made while the server did not look are served as well.
#[test]
fn told_to_end_it_serves_who_waits_to_be_accepted() {
    for model in MODELS {
        let (mut process, address) = server(&format!("serve echo --port 0 --model {model}"));
        let address: SocketAddr = address.parse().unwrap();
        says(&mut connect(address), "there?\n", "Echo: there?\n");
        let group = all_of(process.id());
        let tell = |signal| {
            for one in &group {
                kill_process(pid(*one), signal).unwrap();
            }
        };
        tell(Signal::STOP);
        let mut waiting: Vec<_> = (0..50).map(|_| connect(address)).collect();
        for stream in &mut waiting {
            stream.write_all(b"last words\n").unwrap();
        }
        kill_process(pid(process.id()), Signal::TERM).unwrap();
        tell(Signal::CONT);
        for stream in &mut waiting {
            says(stream, "", "Echo: last words\n");
        }
        assert_eq!(ends(&mut process), Some(0), "{model}");
    }
}

/// A worker that is killed costs its own connections; its port goes on being served.
#[test]
fn a_worker_that_is_killed_is_replaced() {
    let (process, address) = echo("processes --workers 2");
    let workers = || children(process.id());
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
