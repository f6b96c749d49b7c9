//! Both clients against the same servers: they must agree on every row.

use std::{
    io::Write,
    net::{Shutdown, TcpListener},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use triway_core::{Failure, FailureKind, Task};
use triway_tasks::http::{Answer, Http, Policy, Url, kinds};

use crate::{
    both::{both, run_async, run_blocking},
    servers::{bad, canned, good, head, redirect, scripted},
};

const PATIENT: Option<Duration> = Some(Duration::from_secs(20));
const SHORT: Option<Duration> = Some(Duration::from_millis(300));

/// The kind each client fails with on a task that allows 100 000 bytes.
fn expect_failure(row: &str, url: &str, limit: Option<Duration>, kind: &FailureKind) {
    let mut policy = Policy::default();
    policy.max_body_bytes = 100_000;
    let task = Http::new(policy);
    let url: Url = url.parse().unwrap();
    for (client, ended) in both(&task, &url, limit) {
        let failure = ended.expect_err(row);
        assert_eq!(failure.kind, *kind, "{row}, {client}: {failure}");
        let named = url.host_str().unwrap();
        assert!(
            failure.message.contains(named),
            "{row}, {client}: {failure}"
        );
    }
}

#[test]
fn connections_that_never_come_about() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let plain = bad(|mut stream| {
        let _ = stream.write_all(b"220 no TLS here\r\n");
        wait_for_end(&stream);
    });
    for (row, url, kind) in [
        (
            "refused",
            format!("http://{}/", closed.unwrap()),
            kinds::REFUSED,
        ),
        ("name", "http://no-such-host.invalid/".into(), kinds::NAME),
        ("scheme", "ftp://host/".into(), FailureKind::BAD_INPUT),
        ("no TLS", format!("https://{}/", plain.0), kinds::TLS),
        (
            "no TLS, name",
            format!("https://localhost:{}/", good().port()),
            kinds::TLS,
        ),
    ] {
        expect_failure(row, &url, PATIENT, &kind);
    }
}

#[test]
fn servers_that_misbehave() {
    let reset = bad(|mut stream| {
        head(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            .unwrap();
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    });
    for (row, server, kind) in [
        ("closes at once", bad(drop).0, kinds::RESET),
        ("closes without answer", canned(""), kinds::RESET),
        (
            "closes within the head",
            canned("HTTP/1.1 200 OK\r\nContent-"),
            kinds::RESET,
        ),
        (
            "closes within the body",
            canned("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
            kinds::RESET,
        ),
        (
            "closes within a chunk",
            canned("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"),
            kinds::RESET,
        ),
        ("resets within the body", reset.0, kinds::RESET),
        (
            "speaks something else",
            canned("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            kinds::PROTOCOL,
        ),
        ("speaks nonsense", canned([0xff; 200]), kinds::PROTOCOL),
        (
            "sends no chunk",
            canned("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"),
            kinds::PROTOCOL,
        ),
        (
            "sends an endless head",
            canned(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(200_000))),
            kinds::PROTOCOL,
        ),
        (
            "redirects to a place that is none",
            canned(redirect("gopher://elsewhere/")),
            kinds::PROTOCOL,
        ),
    ] {
        expect_failure(row, &format!("http://{server}/"), PATIENT, &kind);
    }
}

#[test]
fn redirects_that_lead_nowhere() {
    let (looping, _) = scripted(|path| redirect(if path == "/a" { "/b" } else { "/a" }));
    let (endless, _) = scripted(|path| redirect(&format!("{path}x")));
    let start = format!("http://{looping}/");
    expect_failure("loop", &start, PATIENT, &kinds::REDIRECT_LOOP);
    let start = format!("http://{endless}/");
    expect_failure("endless", &start, PATIENT, &kinds::TOO_MANY_REDIRECTS);
}

#[test]
fn bodies_over_the_limit() {
    let exact = format!("http://{}/bytes/100000", good());
    for (client, answer) in answers(&Http::new(small()), &exact) {
        assert_eq!(answer.bytes, 100_000, "{client}");
    }
    let over = format!("http://{}/bytes/100001", good());
    expect_failure("too large", &over, PATIENT, &kinds::TOO_LARGE);
    let (endless, _) = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let url = format!("http://{endless}/");
    expect_failure("endless", &url, PATIENT, &kinds::TOO_LARGE);
}

/// Nothing is ever waited for here, and what is sent decodes to nothing.
#[test]
fn bodies_that_come_for_ever_and_hold_nothing() {
    let nothing = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let nothing = nothing.finish().unwrap().repeat(1000);
    let members = bad(move |mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
        while stream.write_all(&nothing).is_ok() {}
    });
    let chunks = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(&b"1\r\nx\r\n".repeat(1000)).is_ok() {}
    });
    let members = format!("http://{}/", members.0);
    expect_failure("nothing", &members, PATIENT, &kinds::TOO_LARGE);
    let mut roomy = Policy::default();
    roomy.max_body_bytes = 1 << 40;
    let task = Http::new(roomy);
    for url in [members, format!("http://{}/", chunks.0)] {
        let start = Instant::now();
        for (client, ended) in both(&task, &url.parse().unwrap(), SHORT) {
            let failure = ended.unwrap_err();
            assert_eq!(failure.kind, kinds::TIMEOUT_TOTAL, "{url}, {client}");
        }
        let took = start.elapsed();
        assert!(took < Duration::from_secs(3), "{url} took {took:?}");
    }
}

#[test]
fn a_deadline_covers_everything() {
    let silent = bad(|stream| wait_for_end(&stream)).0;
    let half = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        wait_for_end(&stream);
    });
    let dribble = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let (hops, _) = scripted(|path| {
        std::thread::sleep(Duration::from_millis(100));
        redirect(&format!("{path}x"))
    });
    for (row, url) in [
        ("silent", format!("http://{silent}/")),
        ("silent TLS", format!("https://{silent}/")),
        ("half a body", format!("http://{}/", half.0)),
        ("dribbling", format!("http://{}/", dribble.0)),
        ("slow redirects", format!("http://{hops}/")),
        ("slow", format!("http://{}/delay/5", good())),
    ] {
        let start = Instant::now();
        expect_failure(row, &url, SHORT, &kinds::TIMEOUT_TOTAL);
        let took = start.elapsed();
        assert!(took < Duration::from_millis(1500), "{row} took {took:?}");
    }
    let over = Some(Duration::ZERO);
    let url = format!("http://{}/", good());
    expect_failure("passed before it began", &url, over, &kinds::TIMEOUT_TOTAL);
}

#[test]
fn statuses_are_judged_and_kept() {
    let task = Http::default();
    for (status, verdict, retryable) in [
        (200, Ok(()), false),
        (204, Ok(()), false),
        (304, Ok(()), false),
        (404, Err(()), false),
        (429, Err(()), true),
        (503, Err(()), true),
    ] {
        let url = format!("http://{}/status/{status}", good());
        for (client, answer) in answers(&task, &url) {
            assert_eq!(answer.status, status, "{client}");
            let judged = task.judge(&answer);
            assert_eq!(judged.as_ref().map_err(|_| ()).copied(), verdict);
            if let Err(failure) = judged {
                assert_eq!(failure.kind, kinds::HTTP_STATUS);
                assert_eq!(failure.retryable, retryable, "{status}");
            }
        }
    }
}

#[test]
fn redirects_are_followed_and_told() {
    let end = format!("http://user:secret@{}/bytes/7", good());
    let (server, connections) = scripted(move |path| match path {
        "/2" => redirect("1"),
        "/1" => redirect("//localhost/").replace("//localhost/", &end),
        _ => redirect("/2"),
    });
    let url = format!("http://{server}/");
    for (client, answer) in answers(&Http::default(), &url) {
        assert_eq!(
            (answer.status, answer.bytes, answer.hops),
            (200, 7, 3),
            "{client}"
        );
        let shown = format!("http://***@{}/bytes/7", good());
        assert!(
            answer.url.as_deref() == Some(&shown.replace("***@", "")),
            "{client}: {:?}",
            answer.url
        );
    }
    let opened = connections.load(Ordering::Relaxed);
    assert_eq!(
        opened, 2,
        "each client keeps its connection across redirects"
    );
}

#[test]
fn kept_connections_are_used_again_and_cost_nothing_to_open() {
    let url: Url = format!("http://localhost:{}/bytes/1000", good().port())
        .parse()
        .unwrap();
    type Run = fn(&Http, &Url, Option<Duration>) -> Result<Answer, Failure>;
    for run in [run_blocking as Run, run_async] {
        let task = Http::default();
        let first = run(&task, &url, None).unwrap();
        assert!(first.dns_s.is_some() && first.connect_s.is_some());
        assert!(first.tls_s.is_none() && first.first_byte_s > 0.0);
        let second = run(&task, &url, None).unwrap();
        assert_eq!((second.dns_s, second.connect_s), (None, None));
        assert_eq!(second.bytes, 1000);
    }
}

#[test]
fn a_kept_connection_that_was_closed_is_replaced() {
    // One answer a connection, although it promises to keep it; the end comes with the next request.
    let (server, connections) = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        head(&mut stream);
        let _ = stream.shutdown(Shutdown::Both);
    });
    let task = Http::default();
    let url: Url = format!("http://{server}/").parse().unwrap();
    for _ in 0..3 {
        for (client, ended) in both(&task, &url, PATIENT) {
            assert_eq!(ended.unwrap().bytes, 2, "{client}");
        }
    }
    assert_eq!(connections.load(Ordering::Relaxed), 6);
}

#[test]
fn a_kept_connection_that_was_closed_while_it_waited_is_replaced() {
    // As every server does after some seconds: it says that it keeps the connection, and then closes it.
    let (server, connections) = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    let mut policy = Policy::default();
    // What was not sent may be sent again, whatever it is.
    policy.method = "POST".to_owned();
    let task = Http::new(policy);
    let url: Url = format!("http://{server}/").parse().unwrap();
    for _ in 0..3 {
        for (client, ended) in both(&task, &url, PATIENT) {
            assert_eq!(ended.unwrap().bytes, 2, "{client}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(connections.load(Ordering::Relaxed), 6);
}

#[test]
fn the_time_is_in_the_phase_where_it_was_spent() {
    let url = format!("http://{}/delay/0.2", good());
    for (client, answer) in answers(&Http::default(), &url) {
        assert!(answer.first_byte_s >= 0.2, "{client}: {answer:?}");
        assert!(answer.connect_s.unwrap() < 0.2 && answer.body_s < 0.2);
    }
    let (slow_body, _) = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
        std::thread::sleep(Duration::from_millis(200));
        let _ = stream.write_all(b"k");
    });
    for (client, answer) in answers(&Http::default(), &format!("http://{slow_body}/")) {
        assert!(answer.body_s >= 0.15, "{client}: {answer:?}");
        assert!(answer.first_byte_s < 0.15, "{client}: {answer:?}");
    }
}

#[test]
fn both_clients_send_the_same_request() {
    let (heads, sent) = std::sync::mpsc::channel();
    let (server, _) = bad(move |mut stream| {
        let mut lines: Vec<String> = head(&mut stream)
            .unwrap()
            .lines()
            .map(str::to_lowercase)
            .collect();
        lines.sort();
        heads.send(lines).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    });
    let url = format!("http://user:pass@{server}/x?y#z");
    answers(&Http::default(), &url);
    let (blocking, nonblocking) = (sent.recv().unwrap(), sent.recv().unwrap());
    assert_eq!(blocking, nonblocking);
    let agent = format!("user-agent: triway/{}", env!("CARGO_PKG_VERSION"));
    for line in [
        "get /x?y http/1.1",
        "authorization: basic dxnlcjpwyxnz",
        &agent,
    ] {
        assert!(blocking.iter().any(|sent| sent == line), "{blocking:?}");
    }
}

#[test]
fn failures_never_show_credentials() {
    let (server, _) = bad(drop);
    let url: Url = format!("http://user:secret@{server}/").parse().unwrap();
    for (client, ended) in both(&Http::default(), &url, PATIENT) {
        let message = ended.unwrap_err().message;
        assert!(!message.contains("secret"), "{client}: {message}");
    }
}

fn answers(task: &Http, url: &str) -> [(&'static str, Answer); 2] {
    let url = url.parse().unwrap();
    both(task, &url, PATIENT).map(|(client, ended)| (client, ended.unwrap()))
}

fn small() -> Policy {
    let mut policy = Policy::default();
    policy.max_body_bytes = 100_000;
    policy
}

fn wait_for_end(mut stream: &std::net::TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}
