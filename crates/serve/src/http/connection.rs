//! One connection of the test server: requests on it are answered in turn until it closes or the server drains.

use std::{convert::Infallible, pin::pin, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::routes;

/// How long a client may take to send the head of a request, the idle time of a kept connection included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves `stream` until it closes. After `drain` it ends with the request in flight, after `abort` at once.
pub(super) async fn serve(stream: TcpStream, drain: CancellationToken, abort: CancellationToken) {
    // Without it a small answer can wait for the client's delayed acknowledgement. A socket that is already closed
    // refuses, and serving it ends at once.
    let _ = stream.set_nodelay(true);
    let origin = stream.peer_addr().ok();
    let answer =
        service_fn(async |request| Ok::<_, Infallible>(routes::answer(&request, origin).await));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    // What ends a connection (a client that went away, bytes that are no HTTP) is the client's business, not ours.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = drain.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = abort.cancelled() => {}
    }
}
