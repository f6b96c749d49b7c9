//! TLS: the certificate is the server's own, and HTTP/2 is spoken where the client wants it.

use tempfile::TempDir;
use triway_serve::http::Secured;

use crate::{
    curl::curl,
    server::{Running, start_with},
};

/// A server for `localhost`, 127.0.0.1, ::1 and `here.test`, and the file with its authority.
fn secured() -> (Running, TempDir, String) {
    let secured = Secured::with_names(["here.test".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, secured.authority()).unwrap();
    let server = start_with(|server| server.with_tls(secured));
    (server, folder, file.display().to_string())
}

#[test]
fn who_trusts_the_authority_is_served_under_every_name() {
    let (server, _folder, ca) = secured();
    let port = server.address.port();
    for (name, expected) in [
        ("127.0.0.1", 0),
        ("localhost", 0),
        ("here.test", 0),
        // What curl says of a certificate for somebody else.
        ("elsewhere.test", 60),
    ] {
        let to_here = format!("--connect-to ::127.0.0.1:{port}");
        let answer = curl(&format!(
            "--cacert {ca} {to_here} https://{name}:{port}/get"
        ));
        assert_eq!(answer.code, expected, "{name}: {answer:?}");
        if expected == 0 {
            let url = format!("https://{name}:{port}/get");
            assert!(answer.out.contains(&url), "{answer:?}");
        }
    }
}

#[test]
fn who_does_not_trust_the_authority_goes_away() {
    let (server, _folder, _) = secured();
    let (_other, _folder, ca) = secured();
    for trust in ["", &format!("--cacert {ca}")] {
        let answer = curl(&format!("{trust} https://{}/", server.address));
        assert_eq!(answer.code, 60, "{trust}: {answer:?}");
    }
}

#[test]
fn the_client_chooses_the_protocol() {
    let (server, _folder, ca) = secured();
    for (option, expected) in [("--http2", "2"), ("--http1.1", "1.1"), ("--no-alpn", "1.1")] {
        let url = format!("https://{}/anything", server.address);
        let answer = curl(&format!("--cacert {ca} {option} -d text {url}"));
        assert!(answer.out.contains("\"data\":\"text\""), "{answer:?}");
        assert_eq!(answer.written("%{http_version}"), expected, "{option}");
    }
}

#[test]
fn answers_without_a_body_have_none_in_http2_either() {
    let (server, _folder, ca) = secured();
    for target in [
        "status/204",
        "status/205",
        "status/304",
        "status/200 -I",
        "bytes/100000 -I",
    ] {
        let answer = curl(&format!(
            "--cacert {ca} --http2 https://{}/{target}",
            server.address
        ));
        assert_eq!(answer.code, 0, "{target}: {answer:?}");
        assert_eq!(answer.written("%{size_download}"), "0", "{target}");
    }
    let head = curl(&format!(
        "--cacert {ca} -I https://{}/bytes/123",
        server.address
    ));
    assert!(head.out.contains("content-length: 123"), "{head:?}");
}

#[test]
fn a_large_body_comes_whole_in_both_protocols() {
    let (server, _folder, ca) = secured();
    for option in ["--http2", "--http1.1"] {
        let url = format!("https://{}/bytes/5000000", server.address);
        let answer = curl(&format!("--cacert {ca} {option} -o /dev/null {url}"));
        assert_eq!(answer.written("%{size_download}"), "5000000", "{option}");
    }
}

#[test]
fn a_name_that_no_certificate_holds_is_refused() {
    assert!(Secured::with_names(["not ascii: \u{e9}".to_owned()]).is_err());
}
