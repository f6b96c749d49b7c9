//! `serve http`.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use rustix::process::{Signal, kill_process};

use crate::program::{eventually, pid, run, triway};

/// A server that ends with the pipe on its standard input, and its address.
pub(crate) fn server(arguments: &str) -> (Child, String) {
    listening(&mut triway(arguments))
}

/// Starts what will say where it listens.
pub(crate) fn listening(command: &mut Command) -> (Child, String) {
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = process.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").unwrap();
    let (_, address) = address.split_once("://").unwrap();
    (process, address.to_owned())
}

pub(crate) fn ends(process: &mut Child) -> Option<i32> {
    eventually(|| process.try_wait().unwrap()).code()
}

#[test]
fn it_says_where_it_listens_serves_and_stops_when_asked() {
    for signal in [Signal::INT, Signal::TERM] {
        let (mut process, address) = server("serve http --port 0");
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /status/204 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        kill_process(pid(process.id()), signal).unwrap();
        assert_eq!(ends(&mut process), Some(0));
    }
}

/// The first signal lets a request in flight have its answer, the second does not.
#[test]
fn a_second_signal_does_not_wait_for_requests_in_flight() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (mut process, address) = server("serve http --port 0");
        let mut stream = TcpStream::connect(&address).unwrap();
        stream
            .write_all(b"GET /drip?seconds=60&bytes=60 HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        stream.read_exact(&mut [0; 10]).unwrap();
        kill_process(pid(process.id()), signal).unwrap();
        // It has heeded the first when it takes no further connection.
        eventually(|| TcpStream::connect(&address).err());
        assert!(process.try_wait().unwrap().is_none(), "it did not wait");
        kill_process(pid(process.id()), signal).unwrap();
        assert_eq!(ends(&mut process), Some(code));
    }
}

#[test]
fn an_address_that_nobody_can_be_told_is_an_error() {
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    for stdout in [Stdio::from(full()), Stdio::from(writer)] {
        let mut process = triway("serve http --port 0")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(ends(&mut process), Some(3));
        let mut said = String::new();
        let mut stderr = process.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        let named = "the server's address could not be written to standard output";
        assert!(said.contains(named), "{said}");
    }
}

#[test]
fn a_file_that_is_no_certificate_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.pem");
    let serve = || {
        server(&format!(
            "serve http --port 0 --until-stdin-closes --tls --write-ca {}",
            file.display()
        ))
    };
    let key = "-----BEGIN PRIVATE KEY-----\n";
    let one = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
    for other in ["my notes", key, &one.repeat(2), &[one, key].concat()] {
        fs::write(&file, other).unwrap();
        let ended = run(&format!(
            "serve http --port 0 --tls --write-ca {}",
            file.display()
        ));
        assert_eq!(ended.code, 3, "{other}: {}", ended.err);
        assert!(ended.err.contains("notes.pem is there"), "{}", ended.err);
        assert_eq!(fs::read_to_string(&file).unwrap(), other);
    }
    for other in ["", one] {
        fs::write(&file, other).unwrap();
        let (mut process, _) = serve();
        drop(process.stdin.take());
        assert_eq!(ends(&mut process), Some(0));
        let written = fs::read_to_string(&file).unwrap();
        assert!(written.starts_with("-----BEGIN CERTIFICATE") && written != one);
    }
}

#[test]
fn the_example_server_ends_with_its_standard_input() {
    let (mut process, _) = server("serve http --port 0 --until-stdin-closes");
    drop(process.stdin.take());
    assert_eq!(ends(&mut process), Some(0));
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ended = run(&format!("serve http --port {port}"));
    assert_eq!(ended.code, 3);
    assert!(
        ended.err.contains(&format!("--port {port}")),
        "{}",
        ended.err
    );
}

#[test]
fn with_tls_it_writes_whom_to_trust() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let ca = ca.display();
    let (mut process, address) = server(&format!(
        "serve http --port 0 --until-stdin-closes --tls --tls-name here.test --write-ca {ca}"
    ));
    let port = address.split(':').nth(1).unwrap();
    for url in [
        format!("https://{address}/get"),
        format!("https://here.test:{port}/get"),
    ] {
        let curl = Command::new("curl")
            .args(["-sS", "--max-time", "20", "--cacert", &ca.to_string()])
            .args(["--connect-to", &format!("::127.0.0.1:{port}"), &url])
            .output()
            .unwrap();
        let answer = String::from_utf8(curl.stdout).unwrap();
        assert!(answer.contains(&url), "{answer}");
    }
    drop(process.stdin.take());
    assert_eq!(ends(&mut process), Some(0));
}

#[test]
fn options_of_tls_that_cannot_be_met_are_named() {
    for (arguments, code, named) in [
        ("--write-ca ca.pem", 2, "--tls"),
        (
            "--tls --write-ca /nowhere/ca.pem",
            3,
            "--write-ca: cannot write /nowhere/ca.pem",
        ),
        (
            "--tls --tls-name h\u{e9}re.test",
            3,
            "--tls-name: no certificate can be made for h\u{e9}re.test",
        ),
    ] {
        let ended = run(&format!("serve http --port 0 {arguments}"));
        assert_eq!(ended.code, code, "{arguments}: {}", ended.err);
        assert!(ended.err.contains(named), "{arguments}: {}", ended.err);
    }
}

/// Connections beyond what the process may open wait, and the server is none the worse for them.
#[test]
fn it_outlives_a_lack_of_descriptors() {
    let (mut process, address) = {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "ulimit -n 30; exec \"$0\" serve http --port 0 --until-stdin-closes",
        ]);
        listening(shell.arg(env!("CARGO_BIN_EXE_triway")))
    };
    let crowd: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(&address).unwrap())
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(process.try_wait().unwrap().is_none(), "it has ended");
    drop(crowd);
    let mut stream = TcpStream::connect(&address).unwrap();
    stream
        .write_all(b"GET /status/204 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    drop(process.stdin.take());
    assert_eq!(ends(&mut process), Some(0));
}

#[test]
fn the_example_has_as_many_urls_as_late_as_was_asked() {
    let ended = run("run http --urls 5 --delay 50ms -m threads -c 5");
    assert_eq!(ended.code, 0, "{}", ended.err);
    let outcomes = ended.outcomes();
    assert_eq!(outcomes.len(), 5);
    for outcome in outcomes {
        let input = outcome["input"].as_str().unwrap();
        assert!(input.ends_with("/delay/0.05"), "{input}");
        assert!(outcome["run_s"].as_f64().unwrap() >= 0.05, "{outcome}");
    }
}
