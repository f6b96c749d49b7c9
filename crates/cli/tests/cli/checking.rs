//! `check`: what is wrong with each URL, and where the URLs come from.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tempfile::tempdir;

use crate::program::{run, run_with};

/// A server that answers a path with status, further headers and body, and closes.
pub(crate) fn server(
    answer: impl Fn(&str) -> (u16, String, Vec<u8>) + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut head = String::new();
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                while lines.read_line(&mut head).unwrap_or(0) > 2 {}
                let path = head.split(' ').nth(1).unwrap_or("").to_owned();
                let (status, headers, body) = answer(&path);
                let head = format!(
                    "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
                    body.len()
                );
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            });
        }
    });
    address
}

pub(crate) fn plain(path: &str) -> (u16, String, Vec<u8>) {
    match path {
        "/missing" => (404, String::new(), Vec::new()),
        "/beyond" => (999, String::new(), Vec::new()),
        "/slow" => {
            thread::sleep(Duration::from_millis(3_000));
            (200, "X-Kind: page\r\n".to_owned(), b"a fine text".to_vec())
        }
        "/other-text" => (
            200,
            "X-Kind: page\r\n".to_owned(),
            b"something else".to_vec(),
        ),
        "/other-header" => (200, "X-Kind: image\r\n".to_owned(), b"a fine text".to_vec()),
        "/no-header" => (200, String::new(), b"a fine text".to_vec()),
        "/packed" => (
            200,
            "Content-Encoding: gzip, br\r\n".to_owned(),
            b"a fine text".to_vec(),
        ),
        "/loop" => (302, "Location: /loop\r\n".to_owned(), Vec::new()),
        "/inwards" => (302, "Location: http://10.0.0.1/\r\n".to_owned(), Vec::new()),
        "/json" => (
            200,
            "X-Kind: page\r\n".to_owned(),
            br#"{"state":"a fine text"}"#.to_vec(),
        ),
        _ => (200, "X-Kind: page\r\n".to_owned(), b"a fine text".to_vec()),
    }
}

#[test]
fn each_fault_is_named() {
    let address = server(plain);
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let rows = [
        (format!("http://{address}/fine"), "ok"),
        (format!("http://{address}/missing"), "http-status"),
        (format!("http://{address}/slow"), "slow"),
        (format!("http://{address}/other-text"), "content"),
        (format!("http://{address}/other-header"), "header"),
        (format!("http://{address}/no-header"), "header"),
        (format!("http://{address}/loop"), "redirect-loop"),
        (format!("http://{address}/inwards"), "denied"),
        (format!("http://{closed}/"), "refused"),
        (format!("https://{address}/"), "tls"),
        ("http://no-such-host.invalid/".to_owned(), "name"),
        ("no url".to_owned(), "bad-input"),
    ];
    let list: Vec<_> = rows.iter().map(|(url, _)| format!("{url}\n")).collect();
    let options =
        "check - --retries 0 --max-latency 2s --header X-Kind=pa* --deny private --allow 127.0.0.1";
    for model in ["sequential", "threads", "processes", "async"] {
        let words = format!("{options} --model {model} --format jsonl");
        // A text with a blank in it cannot stand among words that blanks part.
        let ended = run_with(
            &format!("{words} --contains fine"),
            list.concat().as_bytes(),
        );
        assert_eq!(ended.code, 1, "{model}: {}", ended.err);
        for (outcome, (url, kind)) in ended.outcomes().iter().zip(&rows) {
            let found = outcome["error"]["kind"].as_str().unwrap_or("ok");
            assert_eq!(found, *kind, "{model} {url}: {outcome}");
        }
        for says in ["healthy", "unhealthy", "2 header"] {
            assert!(ended.err.contains(says), "{model}: {}", ended.err);
        }
    }
    let table = run_with(
        &format!("{options} --contains fine --format table"),
        list.concat().as_bytes(),
    );
    assert!(
        !table.out.contains("/fine"),
        "what is healthy has no line: {}",
        table.out
    );
    assert_eq!(table.out.lines().count(), rows.len() - 1);
}

#[test]
fn a_healthy_list_is_quiet_and_ends_with_0() {
    let address = server(plain);
    let ended = run(&format!(
        "check --format table --json state!=x --contains fine -- http://{address}/"
    ));
    assert_eq!(ended.code, 2, "no rule: {}", ended.err);
    let ended = run(&format!(
        "check --format table --contains fine --header x-kind -- http://{address}/ http://{address}/b"
    ));
    assert_eq!((ended.code, &*ended.out), (0, ""), "{}", ended.err);
    assert!(ended.err.contains("2 of 2 succeeded"), "{}", ended.err);
}

#[test]
fn statuses_that_no_standard_names_can_be_accepted() {
    let url = format!("http://{}/beyond", server(plain));
    for (accept, code) in [("999", 0), ("200,600..=999", 0), ("200..=599", 1)] {
        let ended = run(&format!("check --retries 0 --accept {accept} -- {url}"));
        assert_eq!(ended.code, code, "{accept}: {}", ended.err);
    }
    let ended = run(&format!("check --accept 1000 -- {url}"));
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("100 to 999"), "{}", ended.err);
}

#[test]
fn what_succeeds_after_a_retry_is_flaky() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let address = server(move |_| {
        let status = if counter.fetch_add(1, Ordering::SeqCst) < 2 {
            503
        } else {
            200
        };
        (status, String::new(), Vec::new())
    });
    let ended = run(&format!("check --format table -- http://{address}/"));
    assert_eq!(ended.code, 0, "{}", ended.err);
    let told = "(3 attempts, before it http-status: status 503";
    assert!(ended.out.contains(told), "{}", ended.out);
    let row = ended
        .err
        .lines()
        .find(|line| line.starts_with(&address.to_string()));
    let counts: Vec<_> = row.unwrap().split_whitespace().skip(1).take(3).collect();
    assert_eq!(counts, ["0", "1", "0"], "{}", ended.err);
}

#[test]
fn rules_may_stand_in_a_file_by_pattern() {
    let address = server(plain);
    let folder = tempdir().unwrap();
    let config = folder.path().join("triway.toml");
    let rules = "[[rule]]\nmatch = \"*/json\"\njson = [\"state==a fine text\"]\n\
                 [[rule]]\nmatch = \"*/missing\"\naccept = \"404\"\n";
    fs::write(&config, rules).unwrap();
    let arguments = format!(
        "check --config {} -- http://{address}/json http://{address}/missing",
        config.display()
    );
    let ended = run(&arguments);
    assert_eq!(ended.code, 0, "{}", ended.err);
    fs::write(&config, "[[rule]]\njson = [\"state==x\"]\n").unwrap();
    let ended = run(&arguments);
    assert_eq!(ended.code, 1, "{}", ended.err);
    fs::write(&config, "[[rule]]\nmax-latncy = \"1s\"\n").unwrap();
    let ended = run(&arguments);
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("triway.toml") && ended.err.contains("max-latncy"),
        "{}",
        ended.err
    );
}

#[test]
fn links_of_documents_are_checked_where_they_stand() {
    let address = server(plain);
    let folder = tempdir().unwrap();
    let (readme, page) = (
        folder.path().join("README.md"),
        folder.path().join("page.html"),
    );
    let text = format!("# Title\n\n[a](http://{address}/a)\n\n[gone](/missing)\n[m](mailto:x@y)\n");
    fs::write(&readme, text).unwrap();
    fs::write(&page, format!("<p>\n<img src='http://{address}/missing'>")).unwrap();
    let (readme, page) = (readme.display(), page.display());
    let ended = run(&format!(
        "check --links {readme} --links {page} --format github"
    ));
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(
        ended.err.contains("1 relative link left out"),
        "{}",
        ended.err
    );
    assert_eq!(ended.out.lines().count(), 1, "{}", ended.out);
    assert!(
        ended.out.contains(&format!("file={page},line=2")),
        "{}",
        ended.out
    );
    let ended = run(&format!(
        "check --links {readme} --base http://{address}/ --format github"
    ));
    assert!(
        ended.out.contains(&format!("file={readme},line=5")),
        "{}",
        ended.out
    );
}

#[test]
fn a_body_that_nobody_can_decode_is_not_searched() {
    let url = format!("http://{}/packed", server(plain));
    for rule in ["--contains fine", "--contains nothing", "--json a==1"] {
        let ended = run(&format!("check --retries 0 --format jsonl {rule} -- {url}"));
        let error = &ended.outcomes()[0]["error"];
        assert_eq!(error["kind"], "content", "{rule}: {error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("its encoding `gzip, br`"), "{message}");
    }
    let ended = run(&format!("check --retries 0 -- {url}"));
    assert_eq!(ended.code, 0, "without such a rule: {}", ended.out);
}

#[test]
fn an_impossible_header_is_refused() {
    for header in [":", "a:b=c", "=x"] {
        let ended = run(&format!("check --header {header} -- http://127.0.0.1:1/"));
        assert_eq!(ended.code, 2, "{header}: {}", ended.err);
        assert!(ended.err.contains("no header can have"), "{}", ended.err);
    }
}

/// Whoever reads a line sees the URL in it already.
#[test]
fn a_url_is_told_once() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let folder = tempdir().unwrap();
    let list = folder.path().join("urls.txt");
    let list = list.display();
    for (written, shown) in [
        (format!("http://{closed}/here"), "/here"),
        (format!("http://{closed}"), &*closed.to_string()),
        (format!("http://me:secret@{closed}/here?token=x"), "/here"),
    ] {
        fs::write(list.to_string(), &written).unwrap();
        for format in ["table", "junit", "github", "md"] {
            let ended = run(&format!("check --retries 0 --format {format} {list}"));
            // The reason names the address as well.
            let urls = ended.out.matches("http://").count();
            assert_eq!(urls, 1, "{format}: {}", ended.out);
            assert!(ended.out.contains(shown), "{format}: {}", ended.out);
            assert!(ended.out.contains("refuses connections"), "{}", ended.out);
        }
    }
}
