//! How the blocking client opens connections, in place of ureq's own resolver and connectors.
//!
//! ureq runs them on the thread that makes the request, so what they have to tell travels in a thread-local: how long
//! each phase took, and whether a connection was opened at all.

use std::{
    cell::RefCell,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::Uri;
use rustls::{ClientConfig, ClientConnection};
use triway_core::Failure;
use ureq::{
    Error,
    config::Config,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{
            ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
            TransportAdapter, time,
        },
    },
};

use super::{
    dial::dial_blocking,
    journey::{Opening, Origin},
    names::Names,
    tls::server_name,
    transport::{TcpTransport, TlsTransport},
};

thread_local! {
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// What became of the connection for the request that this thread is making.
#[derive(Debug, Default)]
pub(super) struct Opened {
    origin: Option<Origin>,
    dns: Option<Duration>,
    opening: Opening,
    fresh: bool,
    ready: Option<Instant>,
}

impl Opened {
    /// A request to `origin` begins on this thread.
    pub(super) fn forget(origin: &Origin) {
        OPENED.replace(Self {
            origin: Some(origin.clone()),
            ..Self::default()
        });
    }

    /// Whether a connection was opened for it, rather than a kept one used.
    pub(super) fn is_fresh() -> bool {
        OPENED.with_borrow(|opened| opened.fresh)
    }

    /// What opening it took, and when the request could be sent.
    pub(super) fn take() -> (Opening, Option<Instant>) {
        OPENED.with_borrow(|opened| (opened.opening, opened.ready))
    }

    fn origin() -> Result<Origin, Error> {
        OPENED
            .with_borrow(|opened| opened.origin.clone())
            .ok_or(Error::HostNotFound)
    }
}

/// A failure on its way through ureq, which knows errors alone.
#[derive(Debug)]
pub(super) struct Carried(pub(super) Failure);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Carried {}

/// Wraps a failure, to be unwrapped on the other side of ureq.
pub(super) fn carried(failure: Failure) -> Error {
    Error::Other(Box::new(Carried(failure)))
}

/// Looks names up as the async client does. ureq asks before it knows whether a kept connection will do.
#[derive(Debug)]
pub(super) struct Look(pub(super) Arc<Names>);

impl Resolver for Look {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let deadline = deadline(timeout);
        let (addresses, took) = self
            .0
            .look_up_blocking(&Opened::origin()?)
            .map_err(carried)?;
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(Error::Timeout(timeout.reason));
        }
        OPENED.with_borrow_mut(|opened| {
            opened.dns = took;
            opened.ready = Some(Instant::now());
        });
        let mut resolved = self.empty();
        // ureq has room for sixteen.
        for address in addresses.into_iter().take(16) {
            resolved.push(address);
        }
        Ok(resolved)
    }
}

/// Opens the TCP connection.
#[derive(Debug)]
pub(super) struct Dial;

impl Connector for Dial {
    type Out = TcpTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<TcpTransport>, Error> {
        let start = Instant::now();
        OPENED.with_borrow_mut(|opened| opened.fresh = true);
        let stream = dial_blocking(&details.addrs, deadline(details.timeout)).map_err(carried)?;
        OPENED.with_borrow_mut(|opened| {
            opened.opening.dns = opened.dns;
            opened.opening.connect = Some(start.elapsed());
            opened.ready = Some(Instant::now());
        });
        Ok(Some(TcpTransport::new(stream, buffers(details.config))))
    }
}

/// Secures the connection where the URL asks for it.
#[derive(Debug)]
pub(super) struct Secure(pub(super) Arc<ClientConfig>);

impl<In: Transport> Connector<In> for Secure {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let start = Instant::now();
        let name = server_name(&Opened::origin()?.host).map_err(carried)?;
        let mut session = ClientConnection::new(Arc::clone(&self.0), name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(NextTimeout {
            after: left(details),
            ..details.timeout
        });
        session.complete_io(&mut socket)?;
        OPENED.with_borrow_mut(|opened| {
            opened.opening.tls = Some(start.elapsed());
            opened.ready = Some(Instant::now());
        });
        let buffers = buffers(details.config);
        Ok(Some(Either::B(TlsTransport::new(session, socket, buffers))))
    }
}

fn buffers(config: &Config) -> LazyBuffers {
    LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size())
}

fn deadline(timeout: NextTimeout) -> Option<Instant> {
    match timeout.after {
        time::Duration::Exact(after) => Some(Instant::now() + after),
        time::Duration::NotHappening => None,
    }
}

/// What is left of a connection's time limit, which ureq measured before the connection was opened.
fn left(details: &ConnectionDetails<'_>) -> time::Duration {
    match (details.timeout.after, details.now) {
        (time::Duration::Exact(after), time::Instant::Exact(then)) => {
            time::Duration::Exact(after.saturating_sub(then.elapsed()))
        }
        (after, _) => after,
    }
}
