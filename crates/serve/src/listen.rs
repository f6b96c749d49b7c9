//! Listening, and accepting whatever happens in between: the same for all servers.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;

/// How long to wait before accepting again after the machine had no descriptor left for a connection.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Connections that the kernel may complete before they are accepted: a comparison opens thousands at once.
const BACKLOG: i32 = 16_384;

/// Whether a port is one socket's alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    Alone,
    /// Other sockets of this user may listen on it as well; the kernel deals connections out to all of them.
    Shared,
}

/// Listens on `address`, without blocking; port 0 takes a free one.
pub(crate) fn listen(address: SocketAddr, port: Port) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(port == Port::Shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The next connection, however often the machine refuses one in between.
pub(crate) async fn accept(
    listener: &tokio::net::TcpListener,
) -> io::Result<(TcpStream, SocketAddr)> {
    loop {
        match listener.accept().await {
            Ok(accepted) => return Ok(accepted),
            Err(error) if is_fatal(&error) => return Err(error),
            // No descriptor or no memory left: connections that close will give some back.
            Err(error) if is_shortage(&error) => tokio::time::sleep(ACCEPT_PAUSE).await,
            // The client gave up before it was accepted.
            Err(_) => {}
        }
    }
}

/// The connections that have been made but not accepted, as a server that ends leaves none of them behind: the kernel
/// would reset them. Does not wait, and ends also where there is no end of them.
pub(crate) fn waiting(listener: &TcpListener) -> impl Iterator<Item = std::net::TcpStream> {
    let next = |_| match listener.accept() {
        Ok((stream, _)) => Some(stream.set_nonblocking(true).ok().map(|()| stream)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        Err(error) if is_fatal(&error) || is_shortage(&error) => None,
        Err(_) => Some(None),
    };
    (0..BACKLOG).map_while(next).flatten()
}

/// Whether waiting does not mend it.
pub(crate) fn is_fatal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::NotConnected
    )
}

/// Whether the machine has no more of something that will be given back.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    // The errors of accept(2) that a client has no part in; std has no portable names for ENFILE, EMFILE, ENOBUFS.
    const SHORTAGES: [i32; 4] = [23, 24, 105, 12];
    error
        .raw_os_error()
        .is_some_and(|code| SHORTAGES.contains(&code))
}
