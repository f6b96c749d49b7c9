//! Servers that behave, and servers that do not.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use triway_serve::http::HttpServer;

use crate::both::runtime;

/// The address of Triway's own test server, which runs as long as the tests do.
pub(crate) fn good() -> SocketAddr {
    static GOOD: LazyLock<SocketAddr> = LazyLock::new(|| {
        runtime().block_on(async {
            let server = HttpServer::bind("127.0.0.1:0".parse().unwrap())
                .await
                .unwrap();
            let address = server.local_addr().unwrap();
            tokio::spawn(server.run(std::future::pending()));
            address
        })
    });
    *GOOD
}

/// The address of a server that does to each connection whatever `serve` does, and how many there were.
pub(crate) fn bad(
    serve: impl Fn(TcpStream) + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::Relaxed);
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream.unwrap()));
        }
    });
    (address, count)
}

/// A server that answers each request with these bytes, word for word, and then closes.
pub(crate) fn canned(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    bad(move |mut stream| {
        if head(&mut stream).is_some() {
            let _ = stream.write_all(&answer);
        }
    })
    .0
}

/// A server that answers every path with what `answer` makes of it, and keeps its connections.
pub(crate) fn scripted(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    bad(move |mut stream| {
        while let Some(head) = head(&mut stream) {
            let path = head.split(' ').nth(1).unwrap_or("");
            if stream.write_all(answer(path).as_bytes()).is_err() {
                return;
            }
        }
    })
}

/// A redirect to `location`.
pub(crate) fn redirect(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 4\r\n\r\nmove")
}

/// The head of the next request on a connection; `None` at its end.
pub(crate) fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}
