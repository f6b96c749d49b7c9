//! One connection of the test server: its handshake, and its requests until it closes, goes quiet or the server drains.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{either::Either, sync::CancellationToken};

use super::{
    limits::Limits,
    patience::{Activity, Watched},
    routes::{self, Asked},
};

/// What all connections share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) limits: Arc<Limits>,
    pub(super) tls: Option<TlsAcceptor>,
    /// How long a client may do nothing.
    pub(super) patience: Duration,
    /// Ends connections with the request in flight.
    pub(super) drain: CancellationToken,
    /// Ends them at once.
    pub(super) abort: CancellationToken,
}

/// Serves `stream` until it closes, the client goes quiet, or the server ends.
pub(super) async fn serve(stream: TcpStream, origin: SocketAddr, shared: Shared) {
    let activity = Arc::new(Activity::default());
    tokio::select! {
        () = speak(stream, origin, &shared, &activity) => {}
        () = activity.gone_quiet(shared.patience) => {}
        () = shared.abort.cancelled() => {}
    }
}

async fn speak(stream: TcpStream, origin: SocketAddr, shared: &Shared, activity: &Arc<Activity>) {
    // Without it a small answer can wait for the client's delayed acknowledgement. A socket that is already closed
    // refuses, and serving it ends at once.
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(Asked {
        limits: Arc::clone(&shared.limits),
        origin,
        scheme: if shared.tls.is_some() {
            "https"
        } else {
            "http"
        },
        patience: shared.patience,
    });
    let activity = Arc::clone(activity);
    let answer = move |request| answer(request, Arc::clone(&asked), Arc::clone(&activity));
    let secured = shared.drain.run_until_cancelled(secured(stream, shared));
    // What ends a handshake or a connection (a client that went away, bytes that are no HTTP) is the client's business.
    let Some(Ok(stream)) = secured.await else {
        return;
    };
    let http2 = is_http2(&stream);
    let io = TokioIo::new(stream);
    if http2 {
        let connection =
            http2::Builder::new(TokioExecutor::new()).serve_connection(io, service_fn(answer));
        until_drained(
            connection,
            &shared.drain,
            http2::Connection::graceful_shutdown,
        )
        .await;
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // `Activity` measures it, from the connection's first moment and on every protocol.
            .header_read_timeout(None)
            .serve_connection(io, service_fn(answer));
        until_drained(
            connection,
            &shared.drain,
            http1::Connection::graceful_shutdown,
        )
        .await;
    }
}

type Secured = Either<TcpStream, TlsStream<TcpStream>>;

/// The stream that requests come on: as it is, or after a handshake.
async fn secured(stream: TcpStream, shared: &Shared) -> io::Result<Secured> {
    Ok(match &shared.tls {
        None => Either::Left(stream),
        Some(tls) => Either::Right(tls.accept(stream).await?),
    })
}

fn is_http2(stream: &Secured) -> bool {
    matches!(stream, Either::Right(tls) if tls.get_ref().1.alpn_protocol() == Some(b"h2"))
}

async fn answer(
    request: Request<Incoming>,
    asked: Arc<Asked>,
    activity: Arc<Activity>,
) -> Result<Response<Watched>, Infallible> {
    let _answering = activity.answering();
    let reply = routes::answer(request, &asked).await;
    Ok(reply.map(|body| Watched::new(body, activity)))
}

async fn until_drained<C: Future>(
    connection: C,
    drain: &CancellationToken,
    shut_down: impl FnOnce(Pin<&mut C>),
) {
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = drain.cancelled() => shut_down(connection.as_mut()),
    }
    connection.await;
}
