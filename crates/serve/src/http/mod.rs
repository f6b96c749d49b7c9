//! An HTTP test server in the manner of httpbin: its answers are as slow, as large or as unsuccessful as the path
//! asks for.
//!
//! It must not be what limits a comparison, so it copies no body, looks up its routes in one `match` and logs nothing.

mod body;
mod certificate;
mod connection;
mod echo;
mod limits;
mod patience;
mod replies;
mod routes;
mod shaped;
mod upload;

use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use certificate::Secured;

use crate::listen::{Port, accept, listen};
use connection::Shared;

/// How many connections may be open at once, unless told otherwise.
pub const DEFAULT_MAX_CONNECTIONS: usize = 20_000;

/// How long a client may do nothing, unless told otherwise.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(60);

/// How long requests in flight may still take once the server was told to shut down.
const DRAIN: Duration = Duration::from_secs(5);

/// A listening test server; [`HttpServer::run`] serves it.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    max_connections: usize,
    patience: Duration,
    secured: Option<Secured>,
}

impl HttpServer {
    /// Listens on `address`; port 0 takes a free one, which [`HttpServer::local_addr`] tells.
    ///
    /// # Errors
    /// What the system said when the address could not be had.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[expect(
        clippy::unused_async,
        reason = "only inside a runtime can a listener be registered; a caller sees that by the `await`"
    )]
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::from_std(listen(address, Port::Alone)?)?,
            max_connections: DEFAULT_MAX_CONNECTIONS,
            patience: DEFAULT_PATIENCE,
            secured: None,
        })
    }

    /// The same server with another limit on open connections; further ones wait in the kernel's queue.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self {
            max_connections,
            ..self
        }
    }

    /// The same server with another patience. A client that for so long, or up to twice that, sends no whole head of a
    /// request and takes nothing of an answer loses its connection; a request's body may take so long.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same server, secured.
    #[must_use]
    pub fn with_tls(self, secured: Secured) -> Self {
        Self {
            secured: Some(secured),
            ..self
        }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// What the system said.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` ends, then takes no further connection, lets requests in flight finish for up to five
    /// seconds, and closes the rest.
    ///
    /// # Errors
    /// An error of the listening socket that waiting does not mend.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let connections = TaskTracker::new();
        let shared = Shared {
            limits: Arc::default(),
            patience: self.patience,
            tls: self
                .secured
                .map(|secured| TlsAcceptor::from(secured.config)),
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
        };
        let mut shutdown = pin!(shutdown);
        let permits = Arc::new(Semaphore::new(self.max_connections));
        let ended = loop {
            let accepted = async {
                // Nobody closes the semaphore, so there is always a permit in the end.
                let permit = Arc::clone(&permits).acquire_owned().await.ok();
                Ok((accept(&self.listener).await?, permit))
            };
            let ((stream, origin), permit) = tokio::select! {
                biased;
                () = &mut shutdown => break Ok(()),
                accepted = accepted => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => break Err(error),
                },
            };
            let served = connection::serve(stream, origin, shared.clone());
            connections.spawn(async move {
                served.await;
                drop(permit);
            });
        };
        drop(self.listener);
        shared.drain.cancel();
        connections.close();
        if tokio::time::timeout(DRAIN, connections.wait())
            .await
            .is_err()
        {
            shared.abort.cancel();
            connections.wait().await;
        }
        ended
    }
}
