//! One HTTP/1.1 connection of the async client, driven by whoever uses it.
//!
//! hyper's connection is a future that must be polled beside the request. Polling it in the lane itself, rather than in
//! a task of its own, saves a switch between tasks for each message, and dropping the lane's future closes all of it.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::{Builder, Connection, SendRequest},
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use triway_core::Failure;

use super::kinds;

/// The longest head of an answer.
pub(super) const MAX_HEAD_BYTES: usize = 32 << 10;

/// What a connection reads at once. It must hold more than a head may have, or neither client would see the excess.
pub(super) const READ_BYTES: usize = 2 * MAX_HEAD_BYTES;

type Nothing = Empty<Bytes>;
type Http1 = Connection<TokioIo<Box<dyn Stream>>, Nothing>;

/// A plain or a secured stream.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection, open as far as anybody knows.
pub(super) struct Wire {
    sender: SendRequest<Nothing>,
    driver: Driver,
}

/// The part of a connection that moves bytes while it is polled.
struct Driver {
    connection: Pin<Box<Http1>>,
    ended: bool,
}

impl Wire {
    /// HTTP over a plain stream.
    pub(super) async fn plain(stream: TcpStream) -> Result<Self, Failure> {
        Self::over(Box::new(stream)).await
    }

    /// HTTP over a stream that is secured first.
    pub(super) async fn secure(
        stream: TcpStream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, Failure> {
        let stream = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| kinds::exchanging(&error))?;
        Self::over(Box::new(stream)).await
    }

    async fn over(stream: Box<dyn Stream>) -> Result<Self, Failure> {
        let (sender, connection) = Builder::new()
            .max_buf_size(READ_BYTES)
            .max_header_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| kinds::protocol(&error))?;
        Ok(Self {
            sender,
            driver: Driver {
                connection: Box::pin(connection),
                ended: false,
            },
        })
    }

    /// Whether a connection that has waited can take a request; `false` if the server closed it.
    pub(super) async fn is_open(&mut self) -> bool {
        let ready = self.driver.beside(self.sender.ready()).await;
        ready.is_ok() && !self.driver.ended
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        request: Request<Nothing>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        self.driver.beside(self.sender.send_request(request)).await
    }

    /// The size of the body's next part, `None` at its end.
    pub(super) async fn read(&mut self, body: &mut Incoming) -> Result<Option<u64>, hyper::Error> {
        match self.driver.beside(body.frame()).await {
            None => Ok(None),
            Some(frame) => Ok(Some(frame?.data_ref().map_or(0, |data| data.len() as u64))),
        }
    }

    /// Lets the connection settle after a whole answer; `false` if it closes now.
    pub(super) async fn settle(&mut self) -> bool {
        poll_fn(|context| {
            self.driver.poll(context);
            Poll::Ready(())
        })
        .await;
        !self.driver.ended && !self.sender.is_closed()
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("ended", &self.driver.ended)
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

    fn poll(&mut self, context: &mut Context<'_>) {
        // How it ended, the request learns as well.
        if !self.ended && self.connection.as_mut().poll(context).is_ready() {
            self.ended = true;
        }
    }
}
