//! How connections are kept, limited and ended.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::server::{connect, start};

#[test]
fn connections_are_kept_and_garbage_harms_nobody() {
    let server = start(100);
    let mut garbage = connect(server.address);
    garbage.write_all(b"\x16\x03\x01\0\0\r\n\r\n").unwrap();
    let mut kept = connect(server.address);
    let mut answer = [0; 4096];
    for _ in 0..3 {
        kept.write_all(b"GET /status/204 HTTP/1.1\r\nHost: test\r\n\r\n")
            .unwrap();
        let read = kept.read(&mut answer).unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 204"));
    }
}

#[test]
fn a_connection_over_the_limit_waits_for_its_turn() {
    let server = start(1);
    let first = connect(server.address);
    let mut second = connect(server.address);
    second
        .write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    second
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let mut byte = [0];
    assert!(second.read(&mut byte).is_err(), "served over the limit");
    drop(first);
    second
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    assert_eq!(second.read(&mut byte).unwrap(), 1);
}

#[test]
fn shutting_down_finishes_what_is_in_flight_and_takes_nothing_new() {
    let server = start(100);
    let mut slow = connect(server.address);
    slow.write_all(b"GET /delay/0.5 HTTP/1.1\r\nHost: test\r\n\r\n")
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let address = server.address;
    server.stop.send(()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.thread.join().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_full_server_still_shuts_down() {
    let server = start(1);
    let _idle = connect(server.address);
    std::thread::sleep(Duration::from_millis(100));
    server.stop.send(()).unwrap();
    server.thread.join().unwrap();
}

/// HTTP/1.0 knows no such header, and a client that sends two may mean either.
#[test]
fn a_request_names_its_host_once() {
    let server = start(10);
    for (head, status) in [
        ("HTTP/1.1\r\nHost: a\r\n", "200"),
        ("HTTP/1.1\r\n", "400"),
        ("HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "400"),
        ("HTTP/1.0\r\n", "200"),
    ] {
        let mut stream = connect(server.address);
        write!(stream, "GET /get {head}Connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let got = answer.split(' ').nth(1);
        assert_eq!(got, Some(status), "{head:?}: {answer}");
    }
}
