//! The client that truly blocks: ureq, with a connector and a resolver of our own, so that the phases are timed like
//! the async client's and no hidden thread is started (ureq's own resolver starts one whenever there is a time limit).

use std::{
    io::Read,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::Response;
use rustls::ClientConfig;
use triway_core::Failure;
use ureq::{Agent, Body, config::Config, unversioned::transport::Connector};

use super::{
    answer::Answer,
    connector::{Carried, Dial, Look, Opened, Secure, carried},
    idle::{MAX_IDLE_AGE, max_idle},
    journey::{Journey, Next, Opening},
    kinds,
    names::Names,
    wire::{MAX_HEAD_BYTES, READ_BYTES},
};

/// How much of a redirect's body is read to keep the connection; a longer one costs more than a new connection.
pub(super) const DRAIN_BYTES: u64 = 64 << 10;

/// What the lanes on threads share.
#[derive(Debug)]
pub(super) struct BlockingClient {
    agent: Agent,
}

/// The head of an answer and what it took to get it.
struct Exchange {
    response: Response<Body>,
    opening: Opening,
    first_byte: Duration,
}

impl BlockingClient {
    pub(super) fn new(names: Arc<Names>, tls: Arc<ClientConfig>) -> Self {
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(max_idle())
            .max_idle_connections_per_host(max_idle())
            .max_idle_age(MAX_IDLE_AGE)
            .max_response_header_size(MAX_HEAD_BYTES)
            .input_buffer_size(READ_BYTES)
            .output_buffer_size(16 << 10)
            .build();
        let connector = ().chain(Dial).chain(Secure(tls));
        Self {
            agent: Agent::with_parts(config, connector, Look(names)),
        }
    }

    /// Makes the journey, blocking until it ends or its deadline passes.
    pub(super) fn fetch(
        &self,
        mut journey: Journey<'_>,
        deadline: Option<Instant>,
    ) -> Result<Answer, Failure> {
        loop {
            let exchange = self.exchange(&journey, deadline)?;
            let Exchange {
                mut response,
                opening,
                first_byte,
            } = exchange;
            let status = response.status();
            match journey.arrived(status, response.headers(), opening, first_byte)? {
                Next::Follow => drain(response.body_mut()),
                Next::Read => {
                    let start = Instant::now();
                    let bytes = read(response.body_mut(), &journey)?;
                    return Ok(journey.finish(bytes, start.elapsed()));
                }
            }
        }
    }

    /// One request and the head of its answer; once more on a fresh connection if a kept one turned out to be closed.
    fn exchange(
        &self,
        journey: &Journey<'_>,
        deadline: Option<Instant>,
    ) -> Result<Exchange, Failure> {
        Opened::forget(journey.origin());
        match self.send(journey, deadline, MAX_IDLE_AGE) {
            Err(error) if is_stale(&error) && !Opened::is_fresh() => {
                self.send(journey, deadline, Duration::ZERO)
            }
            ended => ended,
        }
        .map_err(failure)
    }

    fn send(
        &self,
        journey: &Journey<'_>,
        deadline: Option<Instant>,
        max_idle_age: Duration,
    ) -> Result<Exchange, ureq::Error> {
        let start = Instant::now();
        let request = journey.request::<()>().map_err(carried)?;
        let remaining = deadline.map(|deadline| deadline.saturating_duration_since(start));
        if remaining == Some(Duration::ZERO) {
            return Err(carried(kinds::timeout()));
        }
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(remaining)
            .max_idle_age(max_idle_age)
            .build();
        let response = self.agent.run(request)?;
        let (opening, ready) = Opened::take();
        Ok(Exchange {
            response,
            opening,
            first_byte: ready.unwrap_or(start).elapsed(),
        })
    }
}

/// Reads a body to its end and counts it.
fn read(body: &mut Body, journey: &Journey<'_>) -> Result<u64, Failure> {
    let mut reader = body.as_reader();
    let mut chunk = vec![0; 32 << 10];
    let mut bytes = 0;
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Ok(bytes),
            Ok(read) => bytes += read as u64,
            Err(error) => return Err(failure(error.into())),
        }
        journey.check_body(bytes)?;
    }
}

/// Reads what is left of a redirect's body, so that its connection can be used again; if that fails, it cannot.
fn drain(body: &mut Body) {
    let _ = std::io::copy(
        &mut body.as_reader().take(DRAIN_BYTES),
        &mut std::io::sink(),
    );
}

/// Whether a kept connection that the server closed can be the reason.
fn is_stale(error: &ureq::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error, ureq::Error::Io(error) if matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    ))
}

fn failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Other(other) => match other.downcast::<Carried>() {
            Ok(carried) => carried.0,
            Err(other) => Failure::new(kinds::PROTOCOL, other.to_string()),
        },
        ureq::Error::Timeout(_) => kinds::timeout(),
        ureq::Error::Io(error) => kinds::exchanging(&error),
        ureq::Error::Rustls(error) => kinds::tls(&error),
        error => kinds::protocol(&error),
    }
}
