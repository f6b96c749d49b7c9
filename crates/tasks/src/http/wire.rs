//! One connection on which requests are made.
//!
//! With HTTP/1.1, hyper's connection is a future that must be polled beside the request. Polling it in the lane itself,
//! rather than in a task of its own, saves a switch between tasks for each message, and dropping the lane's future
//! closes all of it. With HTTP/2 many requests share a connection, so that a task of the runtime drives it.

use std::{
    fmt,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio_rustls::TlsConnector;
use triway_core::Failure;
use triway_wait::{Io, Stream};

use super::{kinds, tls::not_after};

/// The longest head of an answer.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// What a connection reads at once. It must hold more than a head may have, or the excess would not be seen.
const READ_BYTES: usize = 2 * MAX_HEAD_BYTES;

type Body = Full<Bytes>;
type Http1 = http1::Connection<TokioIo<Box<dyn Stream>>, Body>;

/// A connection, open as far as anybody knows.
pub(super) struct Wire {
    /// Who is at the other end.
    pub(super) peer: Peer,
    exchange: Exchange,
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// When its certificate expires.
    pub(super) not_after: Option<String>,
}

/// How a connection wants a request to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Path and query, and a `Host` header.
    Path,
    /// The whole URL, and no `Host` header.
    Url,
}

enum Exchange {
    One(http1::SendRequest<Body>, Driver),
    Many(http2::SendRequest<Body>),
}

/// The part of a connection that moves bytes while it is polled; `None` once it has ended. It is dropped then, or a
/// request that it had not begun would wait for it for ever.
struct Driver(Option<Pin<Box<Http1>>>);

impl Wire {
    /// HTTP over a plain stream.
    pub(super) async fn plain(stream: impl Stream, address: SocketAddr) -> Result<Self, Failure> {
        let not_after = None;
        Self::one(Box::new(stream), Peer { address, not_after }).await
    }

    /// HTTP over a stream that is secured first.
    pub(super) async fn secure<I: Io>(
        stream: impl Stream,
        address: SocketAddr,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, Failure> {
        let stream = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| kinds::securing(&error))?;
        let session = stream.get_ref().1;
        let certificates = session.peer_certificates();
        let leaf = certificates.and_then(<[_]>::first);
        let not_after = leaf.and_then(not_after);
        let peer = Peer { address, not_after };
        if I::HAS_RUNTIME && session.alpn_protocol() == Some(b"h2") {
            return Self::many(stream, peer).await;
        }
        Self::one(Box::new(stream), peer).await
    }

    async fn one(stream: Box<dyn Stream>, peer: Peer) -> Result<Self, Failure> {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(READ_BYTES)
            .max_header_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| kinds::protocol(&error))?;
        let driver = Driver(Some(Box::pin(connection)));
        Ok(Self {
            peer,
            exchange: Exchange::One(sender, driver),
        })
    }

    async fn many(stream: impl Stream, peer: Peer) -> Result<Self, Failure> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| kinds::protocol(&error))?;
        // It ends when the last sender is gone; how, the requests learn as well.
        tokio::spawn(connection);
        Ok(Self {
            peer,
            exchange: Exchange::Many(sender),
        })
    }

    /// How requests on it are to be written.
    pub(super) fn target(&self) -> Target {
        match self.exchange {
            Exchange::One(..) => Target::Path,
            Exchange::Many(_) => Target::Url,
        }
    }

    /// Another handle on the same connection, if many requests may share it.
    pub(super) fn share(&self) -> Option<Self> {
        match &self.exchange {
            Exchange::One(..) => None,
            Exchange::Many(sender) => Some(Self {
                peer: self.peer.clone(),
                exchange: Exchange::Many(sender.clone()),
            }),
        }
    }

    /// Whether a connection that has waited can take a request; `false` if the server closed it.
    pub(super) async fn is_open(&mut self) -> bool {
        match &mut self.exchange {
            Exchange::One(sender, driver) => {
                // The sender learns of an end from the driver alone, and that only when it looks.
                driver.look().await;
                driver.beside(sender.ready()).await.is_ok() && !driver.has_ended()
            }
            Exchange::Many(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        match &mut self.exchange {
            Exchange::One(sender, driver) => driver.beside(sender.send_request(request)).await,
            Exchange::Many(sender) => sender.send_request(request).await,
        }
    }

    /// The body's next part, `None` at its end.
    pub(super) async fn read(
        &mut self,
        body: &mut Incoming,
    ) -> Result<Option<Bytes>, hyper::Error> {
        let frame = match &mut self.exchange {
            Exchange::One(_, driver) => driver.beside(body.frame()).await,
            Exchange::Many(_) => body.frame().await,
        };
        match frame {
            None => Ok(None),
            // What is no data is a trailer, which nobody wants.
            Some(frame) => Ok(Some(frame?.into_data().unwrap_or_default())),
        }
    }

    /// Lets the connection settle after a whole answer; `false` if it closes now.
    pub(super) async fn settle(&mut self) -> bool {
        match &mut self.exchange {
            Exchange::One(sender, driver) => {
                driver.look().await;
                !driver.has_ended() && !sender.is_closed()
            }
            Exchange::Many(sender) => !sender.is_closed(),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Driver {
    /// Waits for `future` and drives the connection meanwhile.
    async fn beside<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            // First what has already arrived, then what the connection makes arrive.
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            self.poll(context);
            future.as_mut().poll(context)
        })
        .await
    }

    /// Goes on as far as that is possible at once.
    async fn look(&mut self) {
        poll_fn(|context| {
            self.poll(context);
            Poll::Ready(())
        })
        .await;
    }

    fn has_ended(&self) -> bool {
        self.0.is_none()
    }

    fn poll(&mut self, context: &mut Context<'_>) {
        // How it ended, the request learns as well.
        if let Some(connection) = &mut self.0
            && connection.as_mut().poll(context).is_ready()
        {
            self.0 = None;
        }
    }
}
