//! The client: hyper's connections, opened here, so that looking up, connecting and securing are timed apart. It is
//! written once; what it waits with decides whether it blocks.

use std::{
    error::Error,
    io,
    marker::PhantomData,
    pin::pin,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use hyper::Response;
use rustls::ClientConfig;
use triway_core::Failure;
use triway_wait::Io;

use super::{
    answer::Fetched,
    decode::Incoming,
    dial::{dial, of_family},
    idle::Idle,
    journey::{Head, Journey, Next, Opening},
    kinds,
    limits::Limit,
    names::Names,
    origin::Origin,
    policy::Policy,
    route::Route,
    template::PolicyError,
    tls::{client_config, server_name},
    tunnel::tunnel,
    wire::Wire,
};

/// How much of a redirect's body is read to keep the connection; a longer one costs more than a new connection.
const DRAIN_BYTES: usize = 64 << 10;

/// How long that may take, for the same reason. What a server sends with the head is there by then.
const DRAIN_TIME: Duration = Duration::from_millis(200);

/// What the lanes of one form share.
#[derive(Debug)]
pub(super) struct Client<I> {
    names: Arc<Names>,
    /// Read when it is first needed: the system's authorities take some milliseconds.
    tls: OnceLock<Result<Arc<ClientConfig>, PolicyError>>,
    idle: Idle,
    waits: PhantomData<fn() -> I>,
}

/// The head of an answer, the connection its body will come on, and what it took to get here.
struct Exchange {
    response: Response<hyper::body::Incoming>,
    wire: Wire,
    opening: Opening,
    first_byte: Duration,
}

impl<I: Io> Client<I> {
    pub(super) fn new(names: Arc<Names>) -> Self {
        Self {
            names,
            tls: OnceLock::new(),
            idle: Idle::new(),
            waits: PhantomData,
        }
    }

    /// Makes the journey until it ends or its deadline passes; keeps the body for the caller if `keep`.
    pub(super) async fn fetch(
        &self,
        mut journey: Journey<'_>,
        deadline: Option<Instant>,
        keep: bool,
    ) -> Result<Fetched, Failure> {
        let total = Limit::total(deadline);
        loop {
            let route = journey.route().clone();
            let Exchange {
                response,
                mut wire,
                opening,
                first_byte,
            } = self.exchange(&journey, &total).await?;
            let (parts, mut body) = response.into_parts();
            let next = journey.arrived(&Head {
                status: parts.status,
                version: parts.version,
                headers: &parts.headers,
                opening,
                first_byte,
            })?;
            match next {
                Next::Follow => {
                    let drained = async { Ok(drain::<I>(&mut wire, &mut body).await) };
                    if total.watch::<I, _>(pin!(drained)).await? {
                        self.keep(&journey, route, wire).await;
                    }
                }
                Next::Read => {
                    let incoming = journey.body(&parts.headers, keep)?;
                    let read = read::<I>(&mut wire, &mut body, incoming, &total);
                    let (read, kept) = total.watch::<I, _>(pin!(read)).await?;
                    let peer = wire.peer.clone();
                    self.keep(&journey, route, wire).await;
                    return Ok(Fetched {
                        answer: journey.finish(peer, read.received, read.decoded, read.took),
                        headers: parts.headers,
                        body: kept,
                    });
                }
            }
        }
    }

    /// One request and the head of its answer; once more on a fresh connection if a kept one turned out to be closed.
    async fn exchange(&self, journey: &Journey<'_>, total: &Limit) -> Result<Exchange, Failure> {
        if let Some(wire) = self.kept(journey.route()).await {
            match send::<I>(wire, journey, Opening::default(), total).await? {
                Ok(exchange) => return Ok(exchange),
                Err(error) if may_repeat(&error, journey) => {}
                Err(error) => return Err(failure(&error)),
            }
        }
        // Boxed, because it is rare: otherwise every request would carry the room for it around, some 20 KB.
        let (wire, opening) = Box::pin(self.open_in_time(journey, total)).await?;
        send::<I>(wire, journey, opening, total)
            .await?
            .map_err(|error| failure(&error))
    }

    async fn kept(&self, route: &Route) -> Option<Wire> {
        loop {
            let mut wire = self.idle.take(route)?;
            if wire.is_open().await {
                return Some(wire);
            }
            self.idle.forget_shared(route);
        }
    }

    async fn keep(&self, journey: &Journey<'_>, route: Route, mut wire: Wire) {
        if journey.policy().reuse && wire.settle().await {
            self.idle.put(route, wire);
        }
    }

    /// A new connection. Its own limit begins when its name is looked up: that others are before it is no fault of the
    /// server's.
    async fn open_in_time(
        &self,
        journey: &Journey<'_>,
        total: &Limit,
    ) -> Result<(Wire, Opening), Failure> {
        let first = journey.route().first();
        let turn = async { Ok(self.names.turn(&first).await) };
        let asked = total.watch::<I, _>(pin!(turn)).await?;
        let limit = total.connecting(journey.policy().connect_limit);
        let open = self.open(journey, &first, asked, &limit);
        limit.watch::<I, _>(pin!(open)).await
    }

    async fn open(
        &self,
        journey: &Journey<'_>,
        first: &Origin,
        asked: Instant,
        limit: &Limit,
    ) -> Result<(Wire, Opening), Failure> {
        let (policy, route) = (journey.policy(), journey.route());
        let proxy = route.proxy.as_ref();
        let no_way = |failure| match proxy {
            Some(_) => kinds::no_proxy(first, failure),
            None => failure,
        };
        let found = self.names.look_up(first, asked).await.map_err(no_way)?;
        let addresses = of_family(found.addresses, policy.family);
        let start = Instant::now();
        let dialled = dial::<I>(&addresses, &policy.reach, limit).await;
        let (mut stream, address) = dialled.map_err(no_way)?;
        if let Some(proxy) = proxy
            && route.origin.secure
        {
            tunnel(&mut stream, &route.origin, proxy).await?;
        }
        let mut opening = Opening {
            queue: found.took.map(|_| found.queued),
            dns: found.took,
            connect: Some(start.elapsed()),
            tls: None,
        };
        if !route.origin.secure {
            return Ok((Wire::plain(stream, address).await?, opening));
        }
        let name = server_name(&route.origin.host)?;
        let config = self.tls(policy)?;
        let start = Instant::now();
        let wire = Wire::secure::<I>(stream, address, config, name).await?;
        opening.tls = Some(start.elapsed());
        Ok((wire, opening))
    }

    fn tls(&self, policy: &Policy) -> Result<Arc<ClientConfig>, Failure> {
        let config = self
            .tls
            .get_or_init(|| client_config(policy, I::HAS_RUNTIME));
        config.clone().map_err(|error| kinds::policy(&error))
    }
}

async fn send<I: Io>(
    mut wire: Wire,
    journey: &Journey<'_>,
    opening: Opening,
    total: &Limit,
) -> Result<Result<Exchange, hyper::Error>, Failure> {
    let request = journey.request(wire.target())?;
    let limit = total.first_byte(journey.policy().first_byte_limit);
    let start = Instant::now();
    let sent = async { Ok(wire.send(request).await) };
    let response = limit.watch::<I, _>(pin!(sent)).await?;
    Ok(response.map(|response| Exchange {
        response,
        wire,
        opening,
        first_byte: start.elapsed(),
    }))
}

/// What came of a body.
struct Read {
    received: u64,
    decoded: u64,
    took: Duration,
}

/// Reads a body to its end.
async fn read<I: Io>(
    wire: &mut Wire,
    body: &mut hyper::body::Incoming,
    mut incoming: Incoming,
    total: &Limit,
) -> Result<(Read, Option<Vec<u8>>), Failure> {
    let start = Instant::now();
    while let Some(part) = wire.read(body).await.map_err(|error| failure(&error))? {
        // Where there is always more, nothing is waited for, and no timer would be heard.
        if incoming.received > 0 {
            I::breathe().await;
            if total.has_passed() {
                return Err(total.failure());
            }
        }
        incoming.push(&part)?;
    }
    let received = incoming.received;
    let (decoded, kept) = incoming.finish()?;
    let took = start.elapsed();
    let read = Read {
        received,
        decoded,
        took,
    };
    Ok((read, kept))
}

/// Reads what is left of a redirect's body; `false` if its connection cannot be used again, or costs more than it saves.
async fn drain<I: Io>(wire: &mut Wire, body: &mut hyper::body::Incoming) -> bool {
    let until = Instant::now() + DRAIN_TIME;
    I::until(until, pin!(drain_to_end(wire, body)))
        .await
        .unwrap_or(false)
}

async fn drain_to_end(wire: &mut Wire, body: &mut hyper::body::Incoming) -> bool {
    let mut bytes = 0;
    while bytes <= DRAIN_BYTES {
        match wire.read(body).await {
            Ok(Some(part)) => bytes += part.len(),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
    false
}

/// Whether a kept connection that the server closed can be the reason, and the request may be sent once more.
fn may_repeat(error: &hyper::Error, journey: &Journey<'_>) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    // A request that never left may always be sent.
    error.is_canceled()
        || journey.may_repeat()
            && (error.is_incomplete_message()
                || error.is_closed()
                || cause(error).is_some_and(|error| {
                    matches!(
                        error.kind(),
                        BrokenPipe | ConnectionAborted | ConnectionReset
                    )
                }))
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
