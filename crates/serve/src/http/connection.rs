//! One connection of the test server: requests on it are answered until it closes or the server drains.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    limits::Limits,
    routes::{self, Asked},
};

/// How long a client may take to send the head of a request, the idle time of a kept connection included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long it may take to secure a connection.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// What all connections share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) limits: Arc<Limits>,
    pub(super) tls: Option<TlsAcceptor>,
    /// Ends connections with the request in flight.
    pub(super) drain: CancellationToken,
    /// Ends them at once.
    pub(super) abort: CancellationToken,
}

/// Serves `stream` until it closes, or the server ends.
pub(super) async fn serve(stream: TcpStream, shared: Shared) {
    // Without it a small answer can wait for the client's delayed acknowledgement. A socket that is already closed
    // refuses, and serving it ends at once.
    let _ = stream.set_nodelay(true);
    let origin = stream.peer_addr().ok();
    let Some(acceptor) = shared.tls.clone() else {
        return speak_http1(stream, origin, "http", shared).await;
    };
    let securing = timeout(TLS_TIMEOUT, acceptor.accept(stream));
    let secured = tokio::select! {
        secured = securing => secured,
        () = shared.drain.cancelled() => return,
    };
    // Who cannot be secured, or takes for ever, is not served.
    let Ok(Ok(stream)) = secured else {
        return;
    };
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => speak_http2(stream, origin, shared).await,
        _ => speak_http1(stream, origin, "https", shared).await,
    }
}

/// What ends a connection in both of these (a client that went away, bytes that are no HTTP) is the client's business.
async fn speak_http1(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    origin: Option<SocketAddr>,
    scheme: &'static str,
    shared: Shared,
) {
    let limits = &*shared.limits;
    let answer = service_fn(async |request| {
        let asked = Asked {
            limits,
            origin,
            scheme,
        };
        Ok::<_, Infallible>(routes::answer(request, asked).await)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shared.drain.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = shared.abort.cancelled() => {}
    }
}

async fn speak_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    origin: Option<SocketAddr>,
    shared: Shared,
) {
    let limits = Arc::clone(&shared.limits);
    let answer = service_fn(move |request| {
        let limits = Arc::clone(&limits);
        async move {
            let asked = Asked {
                limits: &limits,
                origin,
                scheme: "https",
            };
            Ok::<_, Infallible>(routes::answer(request, asked).await)
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shared.drain.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = shared.abort.cancelled() => {}
    }
}
