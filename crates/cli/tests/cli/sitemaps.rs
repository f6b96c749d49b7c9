//! `check --sitemap`: what sitemaps lead to, and what becomes of those that cannot be read.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    checking::{plain, server},
    program::{Ended, run},
};

/// An index of maps that stand beside it.
fn index(maps: &[&str]) -> (u16, String, Vec<u8>) {
    let maps: Vec<_> = maps
        .iter()
        .map(|map| format!("<sitemap><loc>{map}</loc></sitemap>"))
        .collect();
    let text = format!("<sitemapindex>{}</sitemapindex>", maps.concat());
    (200, String::new(), text.into_bytes())
}

/// The last step of each input's path, and the kind of its failure.
fn told(ended: &Ended) -> Vec<(String, String)> {
    let one = |outcome: &serde_json::Value| {
        let input = outcome["input"].as_str().unwrap();
        let kind = outcome["error"]["kind"].as_str().unwrap_or("ok");
        (
            input.rsplit('/').next().unwrap().to_owned(),
            kind.to_owned(),
        )
    };
    ended.outcomes().iter().map(one).collect()
}

#[test]
fn maps_are_read_however_pages_are_asked_for() {
    let address = server(|path| match path {
        "/map.txt" => (200, String::new(), b"http://127.0.0.1:1/a".to_vec()),
        _ => plain(path),
    });
    for options in ["-X HEAD", "--data x"] {
        let ended = run(&format!(
            "check --retries 0 {options} --format jsonl --sitemap http://{address}/map.txt"
        ));
        let expected = [("a".to_owned(), "refused".to_owned())];
        assert_eq!(told(&ended), expected, "{options}: {}", ended.err);
    }
}

#[test]
fn a_map_that_cannot_be_read_is_one_that_is_not_healthy() {
    let address = server(|path| match path {
        "/index.xml" => index(&[
            "/missing",
            "http://[::1/none",
            "/broken.xml",
            "/index.xml",
            "/fine.txt",
        ]),
        "/broken.xml" => (200, String::new(), b"<urlset><url>".to_vec()),
        "/fine.txt" => (200, String::new(), b"http://127.0.0.1:1/a".to_vec()),
        _ => plain(path),
    });
    for model in ["async", "processes"] {
        let ended = run(&format!(
            "check --retries 0 -m {model} --format jsonl --sitemap http://{address}/index.xml"
        ));
        assert_eq!(ended.code, 1, "{}", ended.err);
        let expected = [
            ("missing", "http-status"),
            ("none", "sitemap"),
            ("broken.xml", "sitemap"),
            ("a", "refused"),
        ];
        let expected = expected.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        assert_eq!(told(&ended), expected, "{}", ended.err);
        let outcomes = ended.outcomes();
        for (place, says) in [
            "the sitemap cannot be fetched: status 404",
            "leads to it, and it is no URL",
            "breaks off",
        ]
        .iter()
        .enumerate()
        {
            let message = outcomes[place]["error"]["message"].as_str().unwrap();
            assert!(message.contains(says), "{message}");
            assert_eq!(outcomes[place]["attempts"], 1);
        }
    }
}

#[test]
fn a_map_is_fetched_again_as_often_as_a_page_is() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let address = server(move |path| match path {
        "/map.txt" if counter.fetch_add(1, Ordering::SeqCst) % 3 < 2 => {
            (503, String::new(), Vec::new())
        }
        "/map.txt" => (200, String::new(), b"http://127.0.0.1:1/a".to_vec()),
        _ => plain(path),
    });
    let options = format!("check --format jsonl --sitemap http://{address}/map.txt");
    let ended = run(&format!("{options} --retries 2"));
    assert_eq!(ended.outcomes().len(), 1, "{}", ended.err);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let ended = run(&format!("{options} --retries 1"));
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert_eq!(asked.load(Ordering::SeqCst), 5);
}

#[test]
fn a_site_without_pages_is_not_healthy() {
    let address = server(|path| match path {
        "/index.xml" => index(&["/empty.xml"]),
        "/empty.xml" => (200, String::new(), b"<urlset></urlset>".to_vec()),
        _ => plain(path),
    });
    for map in ["index.xml", "empty.xml"] {
        let ended = run(&format!("check --sitemap http://{address}/{map}"));
        assert_eq!(ended.code, 1, "{}", ended.err);
        assert_eq!(told(&ended), [(map.to_owned(), "sitemap".to_owned())]);
        assert!(ended.out.contains("it lists no pages"), "{}", ended.out);
    }
}

#[test]
fn a_page_of_several_maps_is_checked_once() {
    let address = server(|path| match path {
        "/index.xml" => index(&["/one.txt", "/two.txt"]),
        "/one.txt" => (200, String::new(), b"http://127.0.0.1:1/a\n".to_vec()),
        "/two.txt" => {
            let pages = b"http://127.0.0.1:1/b\nHTTP://127.0.0.1:1/a#x\n";
            (200, String::new(), pages.to_vec())
        }
        _ => plain(path),
    });
    let map = |name: &str| format!("--sitemap http://{address}/{name}");
    for maps in [
        map("index.xml"),
        format!("{} {}", map("one.txt"), map("two.txt")),
        format!("{} {}", map("index.xml"), map("one.txt")),
    ] {
        let ended = run(&format!("check --retries 0 --format jsonl {maps}"));
        assert_eq!(ended.outcomes().len(), 2, "{maps}: {}", ended.err);
    }
}

#[test]
fn what_is_no_url_of_a_sitemap_is_refused_at_once() {
    for map in ["file:///etc/hostname", "maps/sitemap.xml", "ftp://h/map"] {
        let ended = run(&format!("check --sitemap {map}"));
        assert_eq!(ended.code, 2, "{map}: {}", ended.err);
        for says in ["--sitemap", "http:// or https://"] {
            assert!(ended.err.contains(says), "{map}: {}", ended.err);
        }
        assert!(!ended.err.contains("no input was run"), "{}", ended.err);
    }
}

#[test]
fn sitemaps_lead_to_their_pages() {
    let index = "<sitemapindex><sitemap><loc>/one.xml</loc></sitemap><sitemap><loc>/two.xml</loc></sitemap></sitemapindex>";
    let one = "<urlset><url><loc>http://HOST/a</loc></url><url><loc>http://HOST/missing</loc></url></urlset>";
    let two = "http://HOST/b\nhttp://HOST/c\n";
    let address = server(move |path| {
        let document = match path.split('?').next() {
            Some("/index.xml") => index,
            Some("/one.xml") => one,
            Some("/two.xml") => two,
            Some("/broken.xml") => "<urlset><url>",
            _ => return plain(path),
        };
        let host = path
            .split("host=")
            .nth(1)
            .unwrap_or("127.0.0.1:1")
            .to_owned();
        (
            200,
            String::new(),
            document.replace("HOST", &host).into_bytes(),
        )
    });
    let ended = run(&format!(
        "check --retries 0 --format jsonl --sitemap http://{address}/one.xml?host={address} --sitemap http://{address}/two.xml?host={address}"
    ));
    let inputs: Vec<_> = ended
        .outcomes()
        .iter()
        .map(|outcome| {
            outcome["input"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(inputs, ["a", "missing", "b", "c"], "{}", ended.err);
    assert_eq!(ended.code, 1);
    let ended = run(&format!(
        "check --retries 0 --sitemap http://{address}/index.xml"
    ));
    assert_eq!(ended.outcomes().len(), 4, "{}", ended.err);
    for (map, says) in [("broken.xml", "broken.xml"), ("missing", "status 404")] {
        let ended = run(&format!("check --sitemap http://{address}/{map}"));
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains(says), "{}", ended.err);
    }
}

#[test]
fn a_sitemap_that_cannot_be_fetched_says_of_what_kind_the_failure_is() {
    let address = server(plain);
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (rest, kind) in [
        (format!("http://{address}/map.xml --deny private"), "denied"),
        (format!("http://{address}/missing"), "http-status"),
        (format!("http://{closed}/map.xml"), "refused"),
    ] {
        let ended = run(&format!("check --retries 0 --sitemap {rest}"));
        assert_eq!(ended.code, 2, "{}", ended.err);
        let cause = format!(": {kind}: the sitemap cannot be fetched: ");
        assert!(ended.err.contains(&cause), "{}", ended.err);
        let nothing = ended.err.contains("no input was run");
        assert!(nothing && !ended.err.contains("0 of 0"), "{}", ended.err);
        let how = "nothing was read from http://";
        assert!(ended.err.contains(how), "{}", ended.err);
    }
}
