//! What every way to wait can do.

use std::{
    fmt,
    future::Future,
    io,
    net::{SocketAddr, TcpStream},
    pin::Pin,
    time::Instant,
};

use tokio::io::{AsyncRead, AsyncWrite};

/// A stream to or from a server.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

/// A way to wait.
pub trait Io: fmt::Debug + Send + Sync + 'static {
    /// Whether there is a runtime, on which a connection that many requests share can be driven.
    const HAS_RUNTIME: bool;

    /// A connection.
    type Stream: Stream;

    /// Connects, until some moment at the latest.
    fn connect(
        address: SocketAddr,
        until: Option<Instant>,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Takes over a connection that was made elsewhere.
    ///
    /// # Errors
    /// The system or the runtime does not want it.
    ///
    /// # Panics
    /// [`Io::HAS_RUNTIME`], and there is none.
    fn adopt(stream: TcpStream) -> io::Result<Self::Stream>;

    /// Whom a stream leads to: not always the address that was asked for.
    ///
    /// # Errors
    /// What the system says.
    fn peer(stream: &Self::Stream) -> io::Result<SocketAddr>;

    /// Lets others have their turn where something that is always ready would keep it from them.
    fn breathe() -> impl Future<Output = ()> + Send;

    /// Waits for `future` until some moment; `None` if it passes. It is borrowed: what is given to an async function
    /// takes its room twice, and so on through each layer.
    fn until<F: Future + Send>(
        until: Instant,
        future: Pin<&mut F>,
    ) -> impl Future<Output = Option<F::Output>> + Send;
}
