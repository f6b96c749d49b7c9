//! Answers that depend on how many others ask, and on chance.

use std::{
    io::Write,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use crate::server::{ask, connect, start};

/// The statuses of so many requests at once, each from a client of its own, and how long all took.
fn at_once(address: SocketAddr, count: usize, target: &str) -> (Vec<u16>, Duration) {
    let start = Instant::now();
    let statuses = thread::scope(|scope| {
        let clients: Vec<_> = (0..count)
            .map(|_| scope.spawn(|| ask(address, "GET", target).0))
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    (statuses, start.elapsed())
}

#[test]
fn a_rate_is_shared_by_all_clients_and_begins_anew() {
    let server = start(100);
    let began = Instant::now();
    let (statuses, _) = at_once(server.address, 12, "/rate/5");
    let (_, head, _) = ask(server.address, "GET", "/rate/5");
    // On a machine that takes a second for this, a new second has begun.
    if began.elapsed() < Duration::from_secs(1) {
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 5);
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 7);
        assert!(
            head.contains("429") && head.contains("retry-after: 1"),
            "{head}"
        );
    }
    assert_eq!(ask(server.address, "GET", "/rate/6").0, 200);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(ask(server.address, "GET", "/rate/5").0, 200);
}

#[test]
fn slots_are_taken_in_turn() {
    let server = start(100);
    let (statuses, took) = at_once(server.address, 6, "/slots/2?seconds=0.2");
    assert_eq!(statuses, [200; 6]);
    assert!(
        took >= Duration::from_millis(600),
        "{took:?} for three turns"
    );
}

#[test]
fn enough_slots_let_all_in_at_once() {
    let server = start(100);
    let (_, took) = at_once(server.address, 8, "/slots/8?seconds=0.5");
    assert!(took < Duration::from_secs(2), "{took:?}, as if in turn");
}

#[test]
fn who_waits_for_a_slot_and_goes_away_takes_none() {
    let server = start(100);
    let streams: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = connect(server.address);
            stream
                .write_all(b"GET /slots/1?seconds=1 HTTP/1.1\r\nHost: x\r\n\r\n")
                .unwrap();
            stream
        })
        .collect();
    // They queue by now, all but the first.
    thread::sleep(Duration::from_millis(200));
    drop(streams);
    let (statuses, took) = at_once(server.address, 1, "/slots/1?seconds=0");
    assert_eq!(statuses, [200]);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn flaky_fails_as_often_as_asked() {
    let server = start(100);
    let failed = (0..400)
        .filter(|_| ask(server.address, "GET", "/flaky/50").0 == 503)
        .count();
    // Ten standard deviations: chance does not come that far.
    assert!((100..300).contains(&failed), "{failed} of 400");
}
