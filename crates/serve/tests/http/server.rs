//! A server for one test, and a request to it over a plain socket.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::oneshot;
use triway_serve::http::HttpServer;

/// A server on a thread of its own, until it is told to stop.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) thread: JoinHandle<()>,
}

pub(crate) fn start(max_connections: usize) -> Running {
    start_with(move |server| server.with_max_connections(max_connections))
}

pub(crate) fn start_with(
    prepare: impl FnOnce(HttpServer) -> HttpServer + Send + 'static,
) -> Running {
    let (address, bound) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = HttpServer::bind("127.0.0.1:0".parse().unwrap());
            let server = prepare(server.await.unwrap());
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

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

/// Status, head and body of one request on a connection of its own.
pub(crate) fn ask(address: SocketAddr, method: &str, target: &str) -> (u16, String, Vec<u8>) {
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
