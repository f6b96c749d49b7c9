//! Opening a TCP connection to a host that may have several addresses: each is tried in turn, in both forms alike.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use triway_core::Failure;

use triway_wait::Io;

use super::{kinds, limits::Limit, policy::Family, reach::Reach};

/// The longest that one address may keep the next from being tried.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects to the first address that answers, of those that may be connected to, and says who that is.
pub(super) async fn dial<I: Io>(
    addresses: &[SocketAddr],
    reach: &Reach,
    limit: &Limit,
) -> Result<(I::Stream, SocketAddr), Failure> {
    let mut last = None;
    let (permitted, denied): (Vec<SocketAddr>, Vec<SocketAddr>) = addresses
        .iter()
        .partition(|address| reach.permits(address.ip()));
    for (i, &address) in permitted.iter().enumerate() {
        let until = share(limit.until(), permitted.len() - i);
        match I::connect(address, until).await {
            Ok(stream) => {
                // A connection that was reset meanwhile has no peer any more; the request fails of it, and says so.
                let peer = I::peer(&stream).unwrap_or(address);
                return Ok((stream, peer));
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut && limit.passes_now() => {
                return Err(limit.failure());
            }
            Err(error) => last = Some(kinds::connecting(address, &error)),
        }
    }
    Err(match (last, denied.first()) {
        (Some(failure), _) => failure,
        (None, Some(address)) => kinds::denied(address.ip()),
        (None, None) => kinds::no_address(),
    })
}

/// The addresses of a family.
pub(super) fn of_family(addresses: Vec<SocketAddr>, family: Family) -> Vec<SocketAddr> {
    let belongs = |address: &SocketAddr| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    addresses.into_iter().filter(belongs).collect()
}

/// Until when an address may be tried when so many are left, itself included; `None` for as long as the system lets it.
fn share(until: Option<Instant>, left: usize) -> Option<Instant> {
    if left == 1 {
        return until;
    }
    let now = Instant::now();
    let remaining = until.map(|until| until.saturating_duration_since(now));
    let share = remaining.map_or(PATIENCE, |remaining| remaining / 2);
    Some(now + share.min(PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_the_last_leaves_time_for_the_others() {
        let now = Instant::now();
        let at = |seconds| Some(now + Duration::from_secs(seconds));
        for (until, left, most) in [
            (None, 2, PATIENCE),
            (at(4), 1, Duration::from_secs(4)),
            (at(4), 3, Duration::from_secs(2)),
            (at(400), 2, PATIENCE),
        ] {
            let share = share(until, left).unwrap().saturating_duration_since(now);
            assert!(
                share <= most + Duration::from_millis(100),
                "{share:?} {most:?}"
            );
        }
        assert_eq!(share(None, 1), None);
    }
}
