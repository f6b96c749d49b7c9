//! Addresses that may not be connected to, however they are written, and however they are come by.

use std::{sync::atomic::Ordering, time::Duration};

use triway_tasks::http::{Http, Policy, Url, kinds};

use crate::{
    both::both,
    servers::{redirect, scripted},
};

const PATIENT: Option<Duration> = Some(Duration::from_secs(20));

fn denying(deny: &str, allow: &[&str]) -> Http {
    let mut policy = Policy::default();
    policy.reach.deny = vec![deny.parse().unwrap()];
    policy.reach.allow = allow.iter().map(|zone| zone.parse().unwrap()).collect();
    Http::new(policy)
}

fn expect_denied(task: &Http, url: &str) {
    let url: Url = url.parse().unwrap();
    for (form, ended) in both(task, &url, PATIENT) {
        let failure = ended.expect_err(form);
        assert_eq!(failure.kind, kinds::DENIED, "{url}, {form}: {failure}");
    }
}

/// The system connects to the machine itself when it is asked for one of these.
#[test]
fn unspecified_addresses_lead_around_no_denial() {
    let (server, connections) = scripted(|_| "HTTP/1.1 204 No Content\r\n\r\n".to_owned());
    for host in ["0.0.0.0", "0", "[::]", "[::ffff:0.0.0.0]"] {
        let url = format!("http://{host}:{}/", server.port());
        for zone in ["loopback", "127.0.0.0/8", "private"] {
            expect_denied(&denying(zone, &[]), &url);
        }
        let (first, asked) = scripted(move |_| redirect(&url));
        let task = denying("loopback", &["127.0.0.1"]);
        expect_denied(&task, &format!("http://{first}/"));
        assert!(
            asked.load(Ordering::Relaxed) > 0,
            "the first hop is allowed"
        );
    }
    assert_eq!(connections.load(Ordering::Relaxed), 0);
}

#[test]
fn the_remote_address_is_whom_the_system_connected_to() {
    let (server, _) = scripted(|_| "HTTP/1.1 204 No Content\r\n\r\n".to_owned());
    let url: Url = format!("http://0.0.0.0:{}/", server.port())
        .parse()
        .unwrap();
    for (form, answer) in both(&Http::default(), &url, PATIENT) {
        assert_eq!(answer.unwrap().remote, server, "{form}");
    }
}
