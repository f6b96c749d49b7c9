//! Every fault that a request can meet, and the kind that both forms give it: the table that operators rely on.

use std::{
    io::Write as _,
    net::TcpListener,
    time::{Duration, Instant},
};

use triway_core::FailureKind;
use triway_tasks::http::{Family, Http, Policy, Trust, Url, kinds};

use crate::{
    authority::{Fault, pem, secured},
    both::both,
    servers::{bad, canned, good, head, redirect, scripted},
};

/// No row takes longer than this; rows about time take less than [`SHORT`] and some.
const PATIENT: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

struct Row {
    name: &'static str,
    kind: FailureKind,
    /// What its message says, where that is more than a name.
    says: &'static str,
    url: String,
    policy: Policy,
    limit: Duration,
}

impl Row {
    fn new(name: &'static str, kind: FailureKind, url: String) -> Self {
        let mut policy = Policy::default();
        policy.max_body_bytes = 100_000;
        policy.trust = Trust::Authorities(pem());
        Self {
            name,
            kind,
            says: "",
            url,
            policy,
            limit: PATIENT,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    fn says(mut self, words: &'static str) -> Self {
        self.says = words;
        self
    }

    fn short(mut self) -> Self {
        self.limit = SHORT;
        self
    }

    fn check(self) {
        let task = Http::new(self.policy);
        let url: Url = self.url.parse().unwrap();
        for (form, ended) in both(&task, &url, Some(self.limit)) {
            let row = self.name;
            let kind = match ended {
                Err(failure) => {
                    for named in [url.host_str().unwrap(), self.says] {
                        assert!(failure.message.contains(named), "{row}, {form}: {failure}");
                    }
                    failure.kind
                }
                Ok(answer) => {
                    let judged = triway_core::Task::judge(&task, &answer);
                    judged.expect_err(row).kind
                }
            };
            assert_eq!(kind, self.kind, "{row}, {form}");
        }
    }
}

fn http(address: impl std::fmt::Display) -> String {
    format!("http://{address}/")
}

fn silent() -> std::net::SocketAddr {
    bad(|mut stream| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    })
    .0
}

#[test]
fn connections() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let reset = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
    });
    let deny = |policy: &mut Policy| policy.reach.deny = vec!["private".parse().unwrap()];
    let (inwards, _) = scripted(|_| redirect("http://127.0.0.2:1/"));
    for row in [
        Row::new(
            "name",
            kinds::NAME,
            "http://no-such-host.invalid/".to_owned(),
        ),
        Row::new("no such family", kinds::NAME, http(good()))
            .with(|policy| policy.family = Family::V6),
        Row::new("refused", kinds::REFUSED, http(closed)),
        // The kernel opens no stream to a broadcast address.
        Row::new(
            "unreachable",
            kinds::UNREACHABLE,
            "http://255.255.255.255/".to_owned(),
        ),
        Row::new("reset", kinds::RESET, http(reset.0)),
        Row::new("closed at once", kinds::RESET, http(bad(drop).0)),
        Row::new("denied", kinds::DENIED, http(good())).with(deny),
        Row::new(
            "denied, mapped",
            kinds::DENIED,
            format!("http://[::ffff:127.0.0.1]:{}/", good().port()),
        )
        .with(deny),
        Row::new(
            "denied, in hexadecimal",
            kinds::DENIED,
            format!("http://0x7f000001:{}/", good().port()),
        )
        .with(deny),
        Row::new(
            "denied, by a name",
            kinds::DENIED,
            format!("http://localhost:{}/", good().port()),
        )
        .with(deny),
        Row::new("denied, at a hop", kinds::DENIED, http(inwards)).with(|policy| {
            policy.reach.deny = vec!["127.0.0.2".parse().unwrap()];
        }),
    ] {
        row.check();
    }
}

#[test]
fn certificates() {
    let at = |fault| format!("https://localhost:{}/", secured(fault).port());
    for row in [
        Row::new("expired", kinds::TLS_EXPIRED, at(Fault::Expired))
            .says("the certificate expired at 2002-01-01T00:00:00Z"),
        Row::new(
            "not yet valid",
            kinds::TLS_NOT_YET_VALID,
            at(Fault::NotYetValid),
        )
        .says("the certificate is not valid before 2"),
        Row::new("wrong host", kinds::TLS_WRONG_HOST, at(Fault::WrongHost))
            .says("the certificate is for elsewhere.test, not for localhost"),
        Row::new(
            "wrong host, an address",
            kinds::TLS_WRONG_HOST,
            at(Fault::None).replace("localhost", "127.0.0.1"),
        ),
        Row::new("self-signed", kinds::TLS_UNTRUSTED, at(Fault::SelfSigned)),
        Row::new("untrusted", kinds::TLS_UNTRUSTED, at(Fault::None))
            .with(|policy| policy.trust = Trust::Usual)
            .says("nobody who is trusted vouches for the certificate; --cacert"),
        Row::new(
            "no TLS",
            kinds::TLS,
            format!("https://localhost:{}/", good().port()),
        )
        .says("is the URL to begin with http://?"),
        Row::new(
            "half a handshake",
            kinds::RESET,
            format!("https://{}/", half_a_handshake()),
        ),
    ] {
        row.check();
    }
}

/// Answers a handshake with the beginning of a record, and closes.
fn half_a_handshake() -> std::net::SocketAddr {
    bad(|mut stream| {
        let mut hello = [0; 5];
        let _ = std::io::Read::read_exact(&mut stream, &mut hello);
        let _ = stream.write_all(b"\x16\x03\x03\x00\x7a\x02\x00");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    })
    .0
}

#[test]
fn time_limits() {
    let dribbling = bad(|mut stream| {
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
    let connect = |policy: &mut Policy| policy.connect_limit = Some(SHORT);
    let first_byte = |policy: &mut Policy| policy.first_byte_limit = Some(SHORT);
    for row in [
        Row::new(
            "silent in the handshake",
            kinds::TIMEOUT_CONNECT,
            format!("https://{}/", silent()),
        )
        .with(connect),
        Row::new("silent", kinds::TIMEOUT_FIRST_BYTE, http(silent())).with(first_byte),
        Row::new("silent as a whole", kinds::TIMEOUT_TOTAL, http(silent())).short(),
        Row::new("dribbling", kinds::TIMEOUT_TOTAL, http(dribbling.0)).short(),
        Row::new("slow redirects", kinds::TIMEOUT_TOTAL, http(hops)).short(),
    ] {
        let name = row.name;
        let start = Instant::now();
        row.check();
        let took = start.elapsed();
        assert!(
            took < 2 * SHORT + Duration::from_millis(700),
            "{name}: {took:?}"
        );
    }
}

#[test]
fn answers() {
    let (looping, _) = scripted(|path| redirect(if path == "/a" { "/b" } else { "/a" }));
    let (endless, _) = scripted(|path| redirect(&format!("{path}x")));
    let endless_body = bad(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    for row in [
        Row::new(
            "too large",
            kinds::TOO_LARGE,
            format!("http://{}/bytes/100001", good()),
        ),
        Row::new("endless body", kinds::TOO_LARGE, http(endless_body.0)),
        Row::new("bomb", kinds::TOO_LARGE, http(bomb())),
        Row::new("redirect loop", kinds::REDIRECT_LOOP, http(looping)),
        Row::new(
            "endless redirects",
            kinds::TOO_MANY_REDIRECTS,
            http(endless),
        ),
        Row::new(
            "another protocol",
            kinds::PROTOCOL,
            http(canned("SSH-2.0-OpenSSH_9.2\r\n\r\n")),
        ),
        Row::new(
            "endless head",
            kinds::PROTOCOL,
            http(canned(format!(
                "HTTP/1.1 200 OK\r\nX: {}",
                "x".repeat(200_000)
            ))),
        ),
        Row::new(
            "more than 100 headers",
            kinds::PROTOCOL,
            http(canned(headers(101))),
        ),
        Row::new(
            "no gzip",
            kinds::PROTOCOL,
            http(canned(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\ntext",
            )),
        ),
        Row::new(
            "shorter than it says",
            kinds::RESET,
            http(canned("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")),
        ),
        Row::new(
            "status",
            kinds::HTTP_STATUS,
            format!("http://{}/status/404", good()),
        ),
    ] {
        row.check();
    }
}

/// An answer with so many headers.
fn headers(count: usize) -> String {
    format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: x\r\n".repeat(count))
}

/// A server whose small body decodes to ten million bytes.
fn bomb() -> std::net::SocketAddr {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; 10 << 20]).unwrap();
    let body = gzip.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    canned([head.into_bytes(), body].concat())
}

#[test]
fn a_secured_answer_tells_of_its_certificate_and_is_kept() {
    let mut policy = Policy::default();
    policy.trust = Trust::Authorities(pem());
    let task = Http::new(policy.clone());
    let url: Url = format!("https://localhost:{}/", secured(Fault::None).port())
        .parse()
        .unwrap();
    for again in [false, true] {
        for (form, answer) in both(&task, &url, Some(PATIENT)) {
            let answer = answer.unwrap();
            assert_eq!(
                answer.not_after.as_deref(),
                Some("2091-02-03T00:00:00Z"),
                "{form}"
            );
            assert_eq!(answer.tls_s.is_some(), !again, "{form}");
        }
    }
    policy.trust = Trust::Anybody;
    let credulous = Http::new(policy);
    let url: Url = format!("https://localhost:{}/", secured(Fault::Expired).port())
        .parse()
        .unwrap();
    for (form, answer) in both(&credulous, &url, Some(PATIENT)) {
        assert_eq!(answer.unwrap().status, 200, "{form}");
    }
}
