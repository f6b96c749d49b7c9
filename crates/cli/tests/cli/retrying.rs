//! Inputs that need more than one attempt, against a server that wants to be left alone at first.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::program::{Ended, run};

/// A server that answers its first requests with 429, the others with 200, and notes when each came.
struct Busy {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Instant>>>,
}

impl Busy {
    fn start(refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let came = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&came);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || serve(&stream.unwrap(), &noted, refusals));
            }
        });
        Self { address, came }
    }

    fn intervals(&self) -> Vec<Duration> {
        let mut came = self.came.lock().unwrap().clone();
        came.sort();
        came.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// Answers one request on this connection; whoever opens one and says nothing is not counted.
fn serve(stream: &TcpStream, came: &Mutex<Vec<Instant>>, refusals: usize) {
    let mut lines = BufReader::new(stream).lines();
    let head = lines.by_ref().map_while(Result::ok);
    if head.take_while(|line| !line.is_empty()).count() == 0 {
        return;
    }
    let nth = {
        let mut came = came.lock().unwrap();
        came.push(Instant::now());
        came.len()
    };
    let status = match nth <= refusals {
        true => "429 Too Many Requests\r\nRetry-After: 1",
        false => "200 OK",
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let mut stream = stream;
    stream.write_all(answer.as_bytes()).unwrap();
}

fn only(ended: &Ended) -> Value {
    let mut outcomes = ended.outcomes();
    assert_eq!(outcomes.len(), 1, "{}", ended.err);
    outcomes.remove(0)
}

#[test]
fn every_attempt_is_in_the_record_and_none_is_hidden_by_a_success() {
    for model in ["sequential", "threads", "processes", "async"] {
        let server = Busy::start(2);
        let url = format!("http://user:secret@{}/", server.address);
        let ended = run(&format!("run http -m {model} --retries 2 -- {url}"));
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        let outcome = only(&ended);
        let tried = outcome["tried"].as_array().unwrap();
        assert_eq!(
            (tried.len(), &outcome["attempts"]),
            (2, &3.into()),
            "{model}"
        );
        for attempt in tried {
            let keys: Vec<_> = attempt.as_object().unwrap().keys().collect();
            assert_eq!(keys, ["kind", "message", "run_s", "started_s", "worker"]);
            assert_eq!(attempt["kind"], "http-status", "{model}");
            assert!(attempt["message"].as_str().unwrap().contains("429"));
        }
        let started = |one: &Value| one["started_s"].as_f64().unwrap();
        assert!(started(&tried[0]) < started(&tried[1]), "{model}");
        assert!(started(&tried[1]) < started(&outcome), "{model}");
        assert!(!ended.out.contains("secret"), "{model}: {}", ended.out);
        let says = "1 of 1 succeeded (100 %), 1 of them after a retry, in ";
        assert!(ended.err.contains(says), "{model}: {}", ended.err);
    }
}

#[test]
fn requests_to_one_host_are_apart() {
    for model in ["threads", "processes", "async"] {
        let server = Busy::start(0);
        let urls: Vec<_> = (0..4)
            .map(|n| format!("http://{}/{n}", server.address))
            .collect();
        let urls = urls.join(" ");
        let ended = run(&format!(
            "run http -m {model} --host-interval 200ms -- {urls}"
        ));
        assert_eq!(ended.code, 0, "{model}: {}", ended.err);
        let intervals = server.intervals();
        assert_eq!(intervals.len(), 3, "{model}");
        for interval in &intervals {
            // The way of a request to the server is not always equally long.
            assert!(
                *interval >= Duration::from_millis(150),
                "{model}: {intervals:?}"
            );
        }
        for outcome in ended.outcomes() {
            assert_eq!(
                outcome.get("tried"),
                None,
                "there was one attempt: {outcome}"
            );
        }
    }
}
