//! What a redirect is given to take along, and what it may cost.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use triway_tasks::http::{Http, Payload, Policy, Secret, Url, kinds};

use crate::{
    both::both,
    servers::{bad, head, scripted},
};

const PATIENT: Option<Duration> = Some(Duration::from_secs(20));

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// A server that tells the heads and bodies of its requests, in lower case, and answers with these bytes.
fn listening(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (SocketAddr, Receiver<String>) {
    let (tell, told) = channel();
    let (address, _) = bad(move |mut stream| {
        while let Some(head) = head(&mut stream) {
            let request = head.to_lowercase() + &body(&mut stream, &head.to_lowercase());
            let path = head.split(' ').nth(1).unwrap_or("");
            if tell.send(request).is_err() || stream.write_all(answer(path).as_bytes()).is_err() {
                return;
            }
        }
    });
    (address, told)
}

fn body(stream: &mut TcpStream, head: &str) -> String {
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn moved(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

fn giving(headers: &[(&str, &str)]) -> Policy {
    let mut policy = Policy::default();
    policy.headers = headers
        .iter()
        .map(|&(name, value)| (name.to_owned(), Secret::new(value)))
        .collect();
    policy
}

#[test]
fn headers_that_somebody_gave_stay_with_the_first_origin() {
    const SECRETS: [(&str, &str); 4] = [
        ("Proxy-Authorization", "Basic c2VjcmV0"),
        ("Cookie", "session=c2VjcmV0"),
        ("X-Api-Key", "c2VjcmV0"),
        ("Authorization", "Bearer c2VjcmV0"),
    ];
    const HARMLESS: [(&str, &str); 3] = [
        ("Accept-Language", "pl"),
        ("Accept", "text/html"),
        ("User-Agent", "someone"),
    ];
    let (elsewhere, heard_elsewhere) = listening(|_| NO_CONTENT.to_owned());
    let (first, heard_first) = listening(move |path| match path {
        "/" => moved(302, "/same"),
        _ => moved(302, &format!("http://{elsewhere}/")),
    });
    let task = Http::new(giving(&[&SECRETS[..], &HARMLESS[..]].concat()));
    let url: Url = format!("http://{first}/").parse().unwrap();
    for (form, answer) in both(&task, &url, PATIENT) {
        assert_eq!(answer.unwrap().hops, 2, "{form}");
        let at_home = [heard_first.recv().unwrap(), heard_first.recv().unwrap()];
        let abroad = heard_elsewhere.recv().unwrap();
        for (name, value) in SECRETS.map(|(name, value)| (name.to_lowercase(), value)) {
            let line = format!("\r\n{name}: {}\r\n", value.to_lowercase());
            assert!(
                at_home.iter().all(|head| head.contains(&line)),
                "{form}: {at_home:?}"
            );
            assert!(!abroad.contains(&name), "{form}: {abroad}");
        }
        assert!(!abroad.contains("c2vjcmv0"), "{form}: {abroad}");
        for (name, value) in HARMLESS {
            let line = format!("\r\n{}: {value}\r\n", name.to_lowercase());
            assert!(abroad.contains(&line), "{form}: {abroad}");
        }
    }
}

#[test]
fn a_body_is_sent_on_within_its_origin_alone() {
    let (elsewhere, heard_elsewhere) = listening(|_| NO_CONTENT.to_owned());
    let (first, heard_first) = listening(move |path| match path {
        "/within" => moved(307, "/end"),
        "/out" => moved(308, &format!("http://{elsewhere}/")),
        // What becomes a GET has no body any more.
        "/out-as-get" => moved(303, &format!("http://{elsewhere}/")),
        _ => NO_CONTENT.to_owned(),
    });
    let mut policy = giving(&[]);
    policy.method = "POST".to_owned();
    policy.body = Some(Payload::new("my secret"));
    let task = Http::new(policy);
    let at = |path: &str| format!("http://{first}{path}").parse::<Url>().unwrap();
    for (form, answer) in both(&task, &at("/within"), PATIENT) {
        assert_eq!(answer.unwrap().status, 204, "{form}");
        for _ in 0..2 {
            let request = heard_first.recv().unwrap();
            assert!(request.ends_with("my secret"), "{form}: {request}");
        }
    }
    for (form, ended) in both(&task, &at("/out"), PATIENT) {
        let failure = ended.expect_err(form);
        assert_eq!(failure.kind, kinds::DENIED, "{form}: {failure}");
        let named = failure.message.contains(&elsewhere.to_string());
        assert!(named && !failure.retryable, "{form}: {failure}");
    }
    assert!(heard_elsewhere.try_recv().is_err(), "nobody else was asked");
    for (form, answer) in both(&task, &at("/out-as-get"), PATIENT) {
        assert_eq!(answer.unwrap().hops, 1, "{form}");
        let request = heard_elsewhere.recv().unwrap();
        assert!(
            request.starts_with("get ") && !request.contains("secret"),
            "{request}"
        );
    }
}

/// What every form on the web does.
#[test]
fn a_redirect_to_the_same_url_is_no_loop_after_a_post() {
    let (server, _) = bad(|mut stream| {
        let request = head(&mut stream).unwrap_or_default();
        let answer = match request.starts_with("POST ") {
            true => "HTTP/1.1 303 See Other\r\nLocation: /\r\n",
            false => "HTTP/1.1 204 No Content\r\n",
        };
        let _ = write!(
            stream,
            "{answer}Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
    });
    let mut policy = giving(&[]);
    policy.method = "POST".to_owned();
    let url: Url = format!("http://{server}/").parse().unwrap();
    for (form, answer) in both(&Http::new(policy), &url, PATIENT) {
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.hops), (204, 1), "{form}");
    }
}

/// The connection cannot be used again then, but the way on is known.
#[test]
fn a_redirect_whose_body_does_not_end_is_followed() {
    let (end, _) = scripted(|_| NO_CONTENT.to_owned());
    let start = |length: usize| {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{end}/\r\nContent-Length: {length}\r\n\r\nabc"
        )
    };
    let (stalling, dribbling) = (start(9), start(9_999));
    let (closed, closings) = channel();
    let (stalling, _) = bad(move |mut stream| {
        head(&mut stream);
        let _ = stream.write_all(stalling.as_bytes());
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
        closed.send(()).unwrap();
    });
    let (dribbling, _) = bad(move |mut stream| {
        head(&mut stream);
        let _ = stream.write_all(dribbling.as_bytes());
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for server in [stalling, dribbling] {
        let url: Url = format!("http://{server}/").parse().unwrap();
        let task = Http::default();
        for (form, answer) in both(&task, &url, Some(Duration::from_secs(5))) {
            assert_eq!(answer.unwrap().status, 204, "{form}");
        }
        if server == stalling {
            // The task still lives, and would have kept what it means to use again.
            for _ in 0..2 {
                closings.recv_timeout(Duration::from_secs(5)).unwrap();
            }
        }
    }
}
