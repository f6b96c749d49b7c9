//! The test server over real connections: every route, what it refuses, and how it shuts down.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use triway_serve::http::HttpServer;

/// A server on a thread of its own, until it is told to stop.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

fn start(max_connections: usize) -> Running {
    let (address, bound) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = HttpServer::bind("127.0.0.1:0".parse().unwrap())
                .await
                .unwrap()
                .with_max_connections(max_connections);
            address.send(server.local_addr().unwrap()).unwrap();
            let shutdown = async {
                let _ = stopped.await;
            };
            server.run(shutdown).await.unwrap();
        });
    });
    Running {
        address: bound.recv().unwrap(),
        stop,
        thread,
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

/// Status, head and body of one request on a connection of its own.
fn ask(address: SocketAddr, method: &str, target: &str) -> (u16, String, Vec<u8>) {
    let mut stream = connect(address);
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: test\r\nX-Twice: 1\r\nX-Twice: 2\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head_end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..head_end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), answer[head_end + 4..].to_vec())
}

#[test]
fn every_path_has_its_status() {
    let server = start(100);
    for (method, target, expected) in [
        ("GET", "/", 200),
        ("GET", "/status/200", 200),
        ("GET", "/status/404", 404),
        ("HEAD", "/status/599", 599),
        ("GET", "/status/99", 400),
        ("GET", "/status/100", 400),
        ("GET", "/status/600", 400),
        ("GET", "/status/x", 400),
        ("GET", "/status/", 400),
        ("GET", "/status", 404),
        ("GET", "/delay/0", 200),
        ("GET", "/delay/60.1", 400),
        ("GET", "/delay/-1", 400),
        ("GET", "/delay/nan", 400),
        ("GET", "/delay/1e400", 400),
        ("GET", "/bytes/0", 200),
        ("GET", "/bytes/104857601", 400),
        ("GET", "/bytes/-1", 400),
        ("GET", "/get?a=b", 200),
        ("GET", "/headers", 200),
        ("GET", "/headers/x", 404),
        ("GET", "/nowhere", 404),
        ("POST", "/get", 405),
        ("DELETE", "/", 405),
    ] {
        let (status, _, _) = ask(server.address, method, target);
        assert_eq!(status, expected, "{method} {target}");
    }
}

#[test]
fn bodies_are_as_long_as_asked_and_always_the_same() {
    let server = start(100);
    for size in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let (_, head, body) = ask(server.address, "GET", &format!("/bytes/{size}"));
        assert_eq!(body.len(), size);
        assert!(head.contains(&format!("content-length: {size}")), "{head}");
        let again = ask(server.address, "GET", &format!("/bytes/{size}")).2;
        assert!(
            body == again,
            "{size} bytes differ from one time to the next"
        );
    }
    let (_, head, body) = ask(server.address, "HEAD", "/bytes/1000");
    assert!(head.contains("content-length: 1000") && body.is_empty());
}

#[test]
fn get_shows_the_request() {
    let server = start(100);
    let (_, head, body) = ask(server.address, "GET", "/get?a=1&b=x%20y&a=2");
    assert!(head.contains("content-type: application/json"), "{head}");
    let shown: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        shown["args"],
        serde_json::json!({"a": ["1", "2"], "b": "x y"})
    );
    assert_eq!(shown["headers"]["x-twice"], serde_json::json!(["1", "2"]));
    assert_eq!(shown["url"], "http://test/get?a=1&b=x%20y&a=2");
    assert_eq!(shown["origin"], "127.0.0.1");
}

#[test]
fn a_delay_takes_its_time() {
    let server = start(100);
    let start = Instant::now();
    assert_eq!(ask(server.address, "GET", "/delay/0.2").0, 200);
    assert!(start.elapsed() >= Duration::from_millis(200));
}

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
