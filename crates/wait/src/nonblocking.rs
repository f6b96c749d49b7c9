//! Waiting without holding the thread: tokio's sockets and timers.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    time::Instant,
};

use tokio::net::TcpStream;

use crate::way::Io;

/// What the async form waits with. Needs a tokio runtime with timers and sockets.
#[derive(Debug)]
pub struct NonBlocking;

impl Io for NonBlocking {
    const HAS_RUNTIME: bool = true;

    type Stream = TcpStream;

    async fn connect(address: SocketAddr, until: Option<Instant>) -> io::Result<TcpStream> {
        let connect = TcpStream::connect(address);
        let stream = match until {
            None => connect.await?,
            Some(until) => Self::until(until, pin!(connect))
                .await
                .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?,
        };
        // Without it, small requests wait for the other side's delayed acknowledgement.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn adopt(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        TcpStream::from_std(stream)
    }

    fn peer(stream: &TcpStream) -> io::Result<SocketAddr> {
        stream.peer_addr()
    }

    async fn breathe() {
        tokio::task::consume_budget().await;
    }

    async fn until<F: Future + Send>(until: Instant, future: Pin<&mut F>) -> Option<F::Output> {
        tokio::time::timeout_at(until.into(), future).await.ok()
    }
}
