//! What each route answers, and what it refuses.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    curl::curl,
    server::{ask, connect, start},
};

#[test]
fn every_path_has_its_status() {
    let server = start(100);
    for (method, target, expected) in [
        ("GET", "/", 200),
        ("GET", "/status/200", 200),
        ("GET", "/status/404", 404),
        ("HEAD", "/status/599", 599),
        ("GET", "/status", 404),
        ("GET", "/delay/0", 200),
        ("GET", "/bytes/0", 200),
        ("GET", "/get?a=b", 200),
        ("GET", "/headers", 200),
        ("GET", "/headers/x", 404),
        ("GET", "/nowhere", 404),
        ("POST", "/status/201", 201),
        ("PATCH", "/bytes/3", 200),
        ("OPTIONS", "/headers", 200),
        ("DELETE", "/delay/0", 200),
        ("CONNECT", "/status/200", 405),
        ("GET", "/drip?seconds=0&bytes=1", 200),
        ("GET", "/drip/1", 404),
        ("GET", "/gzip", 200),
        ("HEAD", "/bomb", 200),
        ("GET", "/redirect/1", 302),
        ("GET", "/redirect/1000", 302),
        ("POST", "/redirect-loop", 302),
        ("GET", "/cookies", 200),
        ("GET", "/basic-auth/a/b", 401),
        ("GET", "/basic-auth/a", 404),
        ("PUT", "/anything/below/it", 200),
        ("GET", "/rate/1", 200),
        ("GET", "/slots/1", 200),
        ("GET", "/flaky/0", 200),
        ("GET", "/flaky/100", 503),
        ("POST", "/get", 405),
        ("DELETE", "/", 405),
    ] {
        let (status, _, _) = ask(server.address, method, target);
        assert_eq!(status, expected, "{method} {target}");
    }
}

#[test]
fn what_makes_no_sense_or_is_too_much_is_refused_with_a_word() {
    let server = start(100);
    for target in [
        "/status/99",
        "/status/100",
        "/status/600",
        "/status/x",
        "/status/",
        "/delay/60.1",
        "/delay/-1",
        "/delay/nan",
        "/delay/1e400",
        "/bytes/104857601",
        "/bytes/-1",
        "/drip?seconds=61",
        "/drip?seconds=-0.1",
        "/drip?bytes=100001",
        "/drip?bytes=many",
        "/redirect/1001",
        "/redirect/-1",
        "/rate/0",
        "/rate/1000001",
        "/rate/x",
        "/slots/0",
        "/slots/1000001",
        "/slots/1?seconds=61",
        "/flaky/100.1",
        "/flaky/-1",
        "/flaky/nan",
    ] {
        let (status, _, body) = ask(server.address, "GET", target);
        assert_eq!(status, 400, "{target}");
        assert!(body.ends_with(b"\n"), "{target} is refused without a word");
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
    let shown: Value = serde_json::from_slice(&body).unwrap();
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
fn the_list_names_every_route() {
    let server = start(100);
    let (_, _, list) = ask(server.address, "GET", "/");
    let list = String::from_utf8(list).unwrap();
    for route in [
        "/status/",
        "/delay/",
        "/bytes/",
        "/drip?",
        "/gzip",
        "/bomb",
        "/redirect/",
        "/redirect-loop",
        "/headers",
        "/cookies",
        "/anything",
        "/basic-auth/",
        "/rate/",
        "/slots/",
        "/flaky/",
        "/get",
    ] {
        assert!(list.contains(route), "{route}");
    }
}

#[test]
fn redirects_are_followed_to_their_end_and_loops_have_none() {
    let server = start(100);
    let answer = curl(&format!("-L http://{}/redirect/7", server.address));
    assert!(answer.out.contains("\"url\""), "{answer:?}");
    assert_eq!(answer.written("%{num_redirects}"), "7");
    let answer = curl(&format!(
        "-L --max-redirs 5 http://{}/redirect-loop",
        server.address
    ));
    assert_eq!(answer.code, 47, "{answer:?}");
}

#[test]
fn a_drip_comes_byte_by_byte_over_its_time() {
    let server = start(100);
    let mut stream = connect(server.address);
    stream
        .write_all(
            b"GET /drip?seconds=0.5&bytes=5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
    let start = Instant::now();
    let mut pieces = 0;
    let mut buffer = [0; 4096];
    let mut all = Vec::new();
    while let read @ 1.. = stream.read(&mut buffer).unwrap() {
        all.extend_from_slice(&buffer[..read]);
        pieces += 1;
    }
    assert!(start.elapsed() >= Duration::from_millis(500));
    assert!(pieces > 2, "it came in {pieces} pieces");
    assert!(all.ends_with(b"\r\n\r\n*****"));
}

#[test]
fn gzip_is_decoded_and_a_bomb_is_far_larger_than_it_looks() {
    let server = start(100);
    let answer = curl(&format!("--compressed http://{}/gzip", server.address));
    let shown: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(shown["gzipped"], true);
    let bomb = format!("http://{}/bomb", server.address);
    let (_, head, body) = ask(server.address, "GET", "/bomb");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(body.len() < 200_000, "{} bytes", body.len());
    let answer = curl(&format!("--compressed -o /dev/null {bomb}"));
    // What curl counts is what came; what it wrote is not told. So it is decoded once more, and counted.
    assert_eq!(answer.written("%{size_download}"), body.len().to_string());
    let script = format!("curl -sS --compressed {bomb} | wc -c");
    let counted = std::process::Command::new("sh")
        .args(["-c", &script])
        .output();
    assert_eq!(counted.unwrap().stdout.trim_ascii(), b"67108864");
}

#[test]
fn cookies_are_shown() {
    let server = start(100);
    let url = format!("http://{}/cookies", server.address);
    let answer = curl(&format!("-b a=1;b=x=y {url}"));
    let shown: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(shown, json!({"cookies": {"a": "1", "b": "x=y"}}));
}

#[test]
fn credentials_are_checked() {
    let server = start(100);
    let url = format!("http://{}/basic-auth/ann/s%20ecret", server.address);
    for (options, expected) in [
        ("", "401"),
        ("-u ann:wrong", "401"),
        ("-H Authorization:Bearer", "401"),
        ("-H Authorization:&Basic&YW5uOnMgZWNyZXQ=", "200"),
        ("-H Authorization:&basic&YW5uOnMgZWNyZXQ=", "200"),
    ] {
        let answer = curl(&format!("{options} {url}"));
        assert_eq!(answer.written("%{http_code}"), expected, "{options}");
    }
    let (_, head, _) = ask(server.address, "GET", "/basic-auth/a/b");
    assert!(head.contains("www-authenticate: basic realm"), "{head}");
}

#[test]
fn anything_shows_all_of_a_request() {
    let server = start(100);
    let url = format!("http://{}/anything/below?a=1", server.address);
    let answer = curl(&format!("-X PUT -H X-Mine:yes -d text {url}"));
    let shown: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(shown["method"], "PUT");
    assert_eq!(shown["args"], json!({"a": "1"}));
    assert_eq!(shown["headers"]["x-mine"], "yes");
    assert_eq!(shown["data"], "text");
    assert_eq!(shown["url"], url);
    assert_eq!(shown["origin"], "127.0.0.1");
}

#[test]
fn a_body_may_be_large_but_not_too_large_on_every_route() {
    let server = start(100);
    let folder = tempfile::tempdir().unwrap();
    for (size, expected) in [(1 << 20, "200"), ((1 << 20) + 1, "413")] {
        let file = folder.path().join(size.to_string());
        std::fs::write(&file, vec![b'x'; size]).unwrap();
        for route in ["anything", "status/200"] {
            for chunked in ["", "-H Transfer-Encoding:chunked"] {
                let url = format!("http://{}/{route}", server.address);
                let file = file.display();
                let answer = curl(&format!("--data-binary @{file} {chunked} {url}"));
                assert_eq!(
                    answer.written("%{http_code}"),
                    expected,
                    "{size} {route} {chunked}"
                );
            }
        }
    }
}

#[test]
fn a_connection_is_kept_after_a_body_that_the_route_does_not_want() {
    let server = start(100);
    let url = format!("http://{}/status/200", server.address);
    let answer = curl(&format!("-d text {url} -d text {url}"));
    assert_eq!(answer.written("%{num_connects}"), "10", "{answer:?}");
}
