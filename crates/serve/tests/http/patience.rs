//! Clients that dawdle lose their connection; those who wait for the server keep it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use triway_serve::http::Secured;

use crate::server::{Running, connect, start_with};

const PATIENCE: Duration = Duration::from_millis(300);

fn impatient() -> Running {
    start_with(|server| server.with_patience(PATIENCE))
}

/// Whether the server ends the connection before the test's own patience does.
fn is_ended(mut stream: TcpStream) -> bool {
    let mut rest = Vec::new();
    // A reset is an end as well; a time limit of the socket is none.
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn a_client_that_says_nothing_or_never_ends_is_left() {
    let server = impatient();
    for head in [
        "",
        "GET /get HT",
        "GET /get HTTP/1.1\r\nHost: x\r\nX-More: ",
    ] {
        let mut stream = connect(server.address);
        stream.write_all(head.as_bytes()).unwrap();
        assert!(is_ended(stream), "{head:?} holds a connection");
    }
}

#[test]
fn a_head_that_comes_letter_by_letter_is_no_request() {
    let server = impatient();
    let mut stream = connect(server.address);
    let start = Instant::now();
    // Each letter is a sign of life to the socket, but not to the server.
    while stream.write_all(b"G").is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "still taken");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_kept_connection_is_left_when_it_is_idle() {
    let server = impatient();
    let mut stream = connect(server.address);
    stream
        .write_all(b"GET /status/204 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    assert!(is_ended(stream));
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = impatient();
    let mut stream = connect(server.address);
    stream
        .write_all(b"POST /anything HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[test]
fn an_answer_that_nobody_reads_is_given_up() {
    let server = impatient();
    let mut stream = connect(server.address);
    stream
        .write_all(b"GET /bytes/104857600 HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    std::thread::sleep(PATIENCE * 8);
    let mut came = 0_u64;
    let mut buffer = [0; 64 << 10];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        came += read as u64;
    }
    assert!(came < 104_857_600, "all of it came");
}

#[test]
fn a_handshake_that_stops_half_way_is_left() {
    let server = start_with(|server| {
        server
            .with_patience(PATIENCE)
            .with_tls(Secured::for_this_machine().unwrap())
    });
    let mut stream = connect(server.address);
    stream.write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
    assert!(is_ended(stream));
}

#[test]
fn an_answer_that_takes_the_server_longer_than_its_patience_is_given() {
    let server = impatient();
    for target in [
        "/delay/1.5",
        "/drip?seconds=1.5&bytes=1",
        "/slots/1?seconds=1.5",
    ] {
        let (status, _, body) = crate::server::ask(server.address, "GET", target);
        assert_eq!(status, 200, "{target}");
        assert!(!body.is_empty(), "{target}");
    }
}
