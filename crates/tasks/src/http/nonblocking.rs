//! The client that truly does not block: hyper on single connections, with a connector of our own, so that looking up,
//! connecting and securing are timed apart.

use std::{
    error::Error,
    future::Future,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::{Response, body::Incoming};
use rustls::ClientConfig;
use triway_core::Failure;

use super::{
    answer::Answer,
    blocking::DRAIN_BYTES,
    dial::dial,
    idle::Idle,
    journey::{Journey, Next, Opening, Origin},
    kinds,
    names::Names,
    tls::server_name,
    wire::Wire,
};

/// What the async lanes share.
#[derive(Debug)]
pub(super) struct AsyncClient {
    names: Arc<Names>,
    tls: Arc<ClientConfig>,
    idle: Idle,
}

/// The head of an answer, the connection its body will come on, and what it took to get here.
struct Exchange {
    response: Response<Incoming>,
    wire: Wire,
    opening: Opening,
    first_byte: Duration,
}

impl AsyncClient {
    pub(super) fn new(names: Arc<Names>, tls: Arc<ClientConfig>) -> Self {
        Self {
            names,
            tls,
            idle: Idle::new(),
        }
    }

    /// Makes the journey until it ends or its deadline passes.
    pub(super) async fn fetch(
        &self,
        journey: Journey<'_>,
        deadline: Option<Instant>,
    ) -> Result<Answer, Failure> {
        let travel = self.travel(journey, deadline);
        match deadline {
            None => travel.await,
            Some(deadline) => in_time(deadline, travel).await,
        }
    }

    async fn travel(
        &self,
        mut journey: Journey<'_>,
        deadline: Option<Instant>,
    ) -> Result<Answer, Failure> {
        loop {
            let origin = journey.origin().clone();
            let Exchange {
                response,
                mut wire,
                opening,
                first_byte,
            } = self.exchange(&journey, deadline).await?;
            let (head, mut body) = response.into_parts();
            match journey.arrived(head.status, &head.headers, opening, first_byte)? {
                Next::Follow => {
                    if drain(&mut wire, &mut body).await {
                        self.keep(&origin, wire).await;
                    }
                }
                Next::Read => {
                    let start = Instant::now();
                    let bytes = read(&mut wire, &mut body, &journey).await?;
                    let took = start.elapsed();
                    self.keep(&origin, wire).await;
                    return Ok(journey.finish(bytes, took));
                }
            }
        }
    }

    /// One request and the head of its answer; once more on a fresh connection if a kept one turned out to be closed.
    async fn exchange(
        &self,
        journey: &Journey<'_>,
        deadline: Option<Instant>,
    ) -> Result<Exchange, Failure> {
        if let Some(wire) = self.kept(journey.origin()).await {
            match send(wire, journey, Opening::default()).await? {
                Ok(exchange) => return Ok(exchange),
                Err(error) if is_stale(&error) => {}
                Err(error) => return Err(failure(&error)),
            }
        }
        let (wire, opening) = self.open(journey.origin(), deadline).await?;
        send(wire, journey, opening)
            .await?
            .map_err(|error| failure(&error))
    }

    async fn kept(&self, origin: &Origin) -> Option<Wire> {
        loop {
            let mut wire = self.idle.take(origin)?;
            if wire.is_open().await {
                return Some(wire);
            }
        }
    }

    async fn keep(&self, origin: &Origin, mut wire: Wire) {
        if wire.settle().await {
            self.idle.put(origin, wire);
        }
    }

    async fn open(
        &self,
        origin: &Origin,
        deadline: Option<Instant>,
    ) -> Result<(Wire, Opening), Failure> {
        let (addresses, dns) = self.names.look_up(origin).await?;
        let start = Instant::now();
        let stream = dial(&addresses, deadline).await?;
        let mut opening = Opening {
            dns,
            connect: Some(start.elapsed()),
            tls: None,
        };
        if !origin.secure {
            return Ok((Wire::plain(stream).await?, opening));
        }
        let start = Instant::now();
        let name = server_name(&origin.host)?;
        let wire = Wire::secure(stream, Arc::clone(&self.tls), name).await?;
        opening.tls = Some(start.elapsed());
        Ok((wire, opening))
    }
}

async fn in_time<T>(
    deadline: Instant,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    // Tokio's timers tick in milliseconds and would let something that is ready pass a deadline that has passed.
    if deadline <= Instant::now() {
        return Err(kinds::timeout());
    }
    tokio::time::timeout_at(deadline.into(), future)
        .await
        .unwrap_or_else(|_| Err(kinds::timeout()))
}

async fn send(
    mut wire: Wire,
    journey: &Journey<'_>,
    opening: Opening,
) -> Result<Result<Exchange, hyper::Error>, Failure> {
    let request = journey.wire_request()?;
    let start = Instant::now();
    let response = wire.send(request).await;
    Ok(response.map(|response| Exchange {
        response,
        wire,
        opening,
        first_byte: start.elapsed(),
    }))
}

/// Reads a body to its end and counts it.
async fn read(wire: &mut Wire, body: &mut Incoming, journey: &Journey<'_>) -> Result<u64, Failure> {
    let mut bytes = 0;
    while let Some(part) = wire.read(body).await.map_err(|error| failure(&error))? {
        bytes += part;
        journey.check_body(bytes)?;
    }
    Ok(bytes)
}

/// Reads what is left of a redirect's body; `false` if its connection cannot be used again.
async fn drain(wire: &mut Wire, body: &mut Incoming) -> bool {
    let mut bytes = 0;
    while bytes <= DRAIN_BYTES {
        match wire.read(body).await {
            Ok(Some(part)) => bytes += part,
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    false
}

/// Whether a kept connection that the server closed can be the reason.
fn is_stale(error: &hyper::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || cause(error).is_some_and(|error| {
            matches!(
                error.kind(),
                BrokenPipe | ConnectionAborted | ConnectionReset
            )
        })
}

fn failure(error: &hyper::Error) -> Failure {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return kinds::closed();
    }
    match cause(error) {
        Some(error) => kinds::exchanging(error),
        None => kinds::protocol(error),
    }
}

fn cause(error: &hyper::Error) -> Option<&io::Error> {
    error.source()?.downcast_ref()
}
