//! Opening a TCP connection to a host that may have several addresses: each is tried in turn, on both clients alike.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::net::TcpStream;
use triway_core::Failure;

use super::kinds;

/// The longest that one address may keep the next from being tried.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects on the thread that calls.
pub(super) fn dial_blocking(
    addresses: &[SocketAddr],
    deadline: Option<Instant>,
) -> Result<std::net::TcpStream, Failure> {
    let mut last = kinds::timeout();
    for (i, address) in addresses.iter().enumerate() {
        let connected = match share(deadline, addresses.len() - i) {
            Some(Duration::ZERO) => return Err(kinds::timeout()),
            Some(limit) => std::net::TcpStream::connect_timeout(address, limit),
            None => std::net::TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => return no_delay(stream.set_nodelay(true), stream, *address),
            Err(error) => last = kinds::connecting(*address, &error),
        }
    }
    Err(late(deadline).unwrap_or(last))
}

/// Connects without blocking the thread that polls.
pub(super) async fn dial(
    addresses: &[SocketAddr],
    deadline: Option<Instant>,
) -> Result<TcpStream, Failure> {
    let mut last = kinds::timeout();
    for (i, address) in addresses.iter().enumerate() {
        let connect = TcpStream::connect(address);
        let connected = match share(deadline, addresses.len() - i) {
            Some(Duration::ZERO) => return Err(kinds::timeout()),
            Some(limit) => limited(limit, connect).await,
            None => connect.await,
        };
        match connected {
            Ok(stream) => return no_delay(stream.set_nodelay(true), stream, *address),
            Err(error) => last = kinds::connecting(*address, &error),
        }
    }
    Err(late(deadline).unwrap_or(last))
}

/// How long an address may take when so many are left, itself included; `None` for as long as the system lets it.
fn share(deadline: Option<Instant>, left: usize) -> Option<Duration> {
    let remaining = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if left == 1 {
        return remaining;
    }
    let share = remaining.map_or(PATIENCE, |remaining| remaining / 2);
    Some(share.min(PATIENCE))
}

async fn limited<T>(
    limit: Duration,
    connect: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    tokio::time::timeout(limit, connect)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn late(deadline: Option<Instant>) -> Option<Failure> {
    deadline
        .is_some_and(|deadline| deadline <= Instant::now())
        .then(kinds::timeout)
}

/// Without it, small requests wait for the other side's delayed acknowledgement.
fn no_delay<S>(set: io::Result<()>, stream: S, address: SocketAddr) -> Result<S, Failure> {
    match set {
        Ok(()) => Ok(stream),
        Err(error) => Err(kinds::connecting(address, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_the_last_leaves_time_for_the_others() {
        let soon = Some(Instant::now() + Duration::from_secs(4));
        let far = Some(Instant::now() + Duration::from_secs(400));
        for (deadline, left, most) in [
            (None, 1, None),
            (None, 2, Some(PATIENCE)),
            (soon, 1, Some(Duration::from_secs(4))),
            (soon, 3, Some(Duration::from_secs(2))),
            (far, 2, Some(PATIENCE)),
            (Some(Instant::now()), 1, Some(Duration::ZERO)),
        ] {
            let share = share(deadline, left);
            assert_eq!(share.is_some(), most.is_some());
            assert!(share <= most, "{share:?} {most:?}");
        }
    }
}
