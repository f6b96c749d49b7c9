//! Through a proxy: plain requests are passed on by it, secured ones go through a tunnel.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use triway_tasks::http::{Http, Policy, Proxies, Trust, Url, kinds};

use crate::{
    authority::{Fault, pem, secured},
    both::both,
    servers::{bad, good, head},
};

const PATIENT: Option<Duration> = Some(Duration::from_secs(20));

/// A proxy that wants credentials, and the first lines of what it was asked.
fn proxy() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    let (address, _) = bad(move |mut client| {
        let Some(request) = head(&mut client) else {
            return;
        };
        let first = request.lines().next().unwrap_or("").to_owned();
        log.lock().unwrap().push(first.clone());
        // u:p in base64.
        if !request
            .to_lowercase()
            .contains("proxy-authorization: basic dtpw")
        {
            let _ = client.write_all(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        let target = first.split(' ').nth(1).unwrap_or("");
        if first.starts_with("CONNECT ") {
            let server = TcpStream::connect(target).unwrap();
            client.write_all(b"HTTP/1.1 200 Go on\r\n\r\n").unwrap();
            return exchange(&client, &server);
        }
        pass_on(&mut client, &target.parse().unwrap());
    });
    (address, asked)
}

fn pass_on(client: &mut TcpStream, url: &Url) {
    let mut server = TcpStream::connect(("127.0.0.1", url.port().unwrap())).unwrap();
    let path = url.path();
    let line = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    server.write_all(line.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    client.write_all(&answer).unwrap();
}

fn exchange(one: &TcpStream, other: &TcpStream) {
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    thread::scope(|scope| {
        scope.spawn(|| copy(one, other));
        copy(other, one);
    });
}

fn through(proxy: &str) -> Policy {
    let mut policy = Policy::default();
    policy.trust = Trust::Authorities(pem());
    policy.proxies = Proxies::from_variables(|name| {
        ["http_proxy", "https_proxy"]
            .contains(&name)
            .then(|| proxy.to_owned())
    })
    .unwrap();
    policy
}

#[test]
fn requests_are_passed_on_and_secured_ones_go_through_a_tunnel() {
    let (address, asked) = proxy();
    let task = Http::new(through(&format!("http://u:p@{address}")));
    let plain: Url = format!("http://{}/bytes/7", good()).parse().unwrap();
    let server = secured(Fault::None);
    let tunnelled: Url = format!("https://localhost:{}/", server.port())
        .parse()
        .unwrap();
    for (url, bytes) in [(&plain, 7), (&tunnelled, 2)] {
        for (form, answer) in both(&task, url, PATIENT) {
            let answer = answer.unwrap();
            assert_eq!(
                (answer.status, answer.decoded_bytes),
                (200, bytes),
                "{form}"
            );
            assert_eq!(
                answer.remote, address,
                "{form}: the proxy is who was connected to"
            );
        }
    }
    let asked = asked.lock().unwrap().clone();
    let get = format!("GET {plain} HTTP/1.1");
    let connect = format!("CONNECT localhost:{} HTTP/1.1", server.port());
    assert_eq!(asked, [&*get, &get, &connect, &connect]);
}

#[test]
fn a_proxy_that_refuses_is_told_from_a_server_that_does() {
    let (address, _) = proxy();
    let task = Http::new(through(&format!("http://{address}")));
    let url: Url = format!("https://localhost:{}/", secured(Fault::None).port())
        .parse()
        .unwrap();
    for (form, ended) in both(&task, &url, PATIENT) {
        let failure = ended.unwrap_err();
        assert_eq!(failure.kind, kinds::PROXY, "{form}: {failure}");
        assert!(failure.message.contains("407"), "{form}: {failure}");
    }
}

#[test]
fn a_proxy_that_cannot_be_asked_is_not_taken_for_the_server() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let dead = dead.unwrap();
    let task = Http::new(through(&format!("http://{dead}")));
    for url in ["http://a.test/", "https://a.test/"] {
        for (form, ended) in both(&task, &url.parse().unwrap(), PATIENT) {
            let failure = ended.unwrap_err();
            assert_eq!(failure.kind, kinds::PROXY, "{form}: {failure}");
            let told = failure.message.contains(&format!("the proxy {dead}"));
            assert!(told, "{form}: {failure}");
        }
    }
}

#[test]
fn what_is_denied_is_not_asked_of_a_proxy() {
    let (address, asked) = proxy();
    let mut policy = through(&format!("http://u:p@{address}"));
    policy.reach.deny = vec!["10.0.0.0/8".parse().unwrap()];
    let url: Url = format!("http://{}/", good()).parse().unwrap();
    for (form, ended) in both(&Http::new(policy), &url, PATIENT) {
        assert_eq!(ended.unwrap_err().kind, kinds::DENIED, "{form}");
    }
    assert!(asked.lock().unwrap().is_empty());
}
