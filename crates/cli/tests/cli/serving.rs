//! `serve http`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
};

use rustix::process::{Signal, kill_process};

use crate::program::{eventually, pid, run, triway};

/// A server that ends with the pipe on its standard input, and its address.
pub(crate) fn server(arguments: &str) -> (Child, String) {
    let mut process = triway(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = process.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let address = line
        .trim_end()
        .strip_prefix("listening on http://")
        .unwrap();
    (process, address.to_owned())
}

fn ends(process: &mut Child) -> Option<i32> {
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
