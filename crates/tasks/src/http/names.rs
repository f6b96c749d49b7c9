//! Name look-ups, shared by both clients and remembered for a few seconds.
//!
//! The system's own resolver answers, and it blocks. On the blocking client it does so on the lane's own thread. On the
//! async client it hides on the runtime's blocking threads, at most [`LOOKUPS`] of them at once for all lanes together.
//! A look-up that is under way cannot be interrupted; a deadline is seen when it ends.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use triway_core::Failure;
use url::Host;

use super::{journey::Origin, kinds};

/// How many look-ups of the async client may run at once.
const LOOKUPS: usize = 4;

/// How long an answer is remembered: long enough for a burst of requests, too short for a host that moves.
const REMEMBERED: Duration = Duration::from_secs(10);

/// How many names are remembered; one more, and all are forgotten.
const MOST_NAMES: usize = 4096;

/// The look-ups of one task.
#[derive(Debug)]
pub(super) struct Names {
    known: Mutex<HashMap<String, Known>>,
    permits: Arc<Semaphore>,
}

/// When a name was asked for, and the answer.
type Known = (Instant, Arc<[IpAddr]>);

/// Where a host can be reached, and how long it took to find out, if it had to be asked for.
pub(super) type Found = (Vec<SocketAddr>, Option<Duration>);

impl Names {
    pub(super) fn new() -> Self {
        Self {
            known: Mutex::default(),
            permits: Arc::new(Semaphore::new(LOOKUPS)),
        }
    }

    /// The addresses of an origin, found on the thread that calls.
    pub(super) fn look_up_blocking(&self, origin: &Origin) -> Result<Found, Failure> {
        let name = match literal(origin) {
            Ok(found) => return Ok(found),
            Err(name) => name,
        };
        let start = Instant::now();
        let addresses = match self.recall(name) {
            Some(addresses) => addresses,
            None => self.remember(name, ask(name))?,
        };
        Ok((with_port(&addresses, origin.port), Some(start.elapsed())))
    }

    /// The addresses of an origin, found without blocking the thread that polls.
    pub(super) async fn look_up(&self, origin: &Origin) -> Result<Found, Failure> {
        let name = match literal(origin) {
            Ok(found) => return Ok(found),
            Err(name) => name,
        };
        let start = Instant::now();
        let addresses = match self.recall(name) {
            Some(addresses) => addresses,
            None => self.ask_elsewhere(name).await?,
        };
        Ok((with_port(&addresses, origin.port), Some(start.elapsed())))
    }

    async fn ask_elsewhere(&self, name: &str) -> Result<Arc<[IpAddr]>, Failure> {
        // Nobody closes the semaphore. The permit goes with the look-up, which goes on when the attempt is dropped.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        // Whoever had the permit before may have asked for the same name.
        if let Some(addresses) = self.recall(name) {
            return Ok(addresses);
        }
        let owned = name.to_owned();
        let answer = tokio::task::spawn_blocking(move || {
            let _until_answered = permit;
            ask(&owned)
        })
        .await
        .unwrap_or_else(|stopped| Err(io::Error::other(stopped)));
        self.remember(name, answer)
    }

    fn recall(&self, name: &str) -> Option<Arc<[IpAddr]>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, addresses) = known.get(name)?;
        (since.elapsed() < REMEMBERED).then(|| Arc::clone(addresses))
    }

    fn remember(
        &self,
        name: &str,
        answer: io::Result<Vec<IpAddr>>,
    ) -> Result<Arc<[IpAddr]>, Failure> {
        let addresses: Arc<[IpAddr]> = answer
            .map_err(|error| kinds::looking_up(name, &error))?
            .into();
        if addresses.is_empty() {
            return Err(kinds::unknown(name, "it has no address"));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_NAMES {
            known.clear();
        }
        known.insert(name.to_owned(), (Instant::now(), Arc::clone(&addresses)));
        Ok(addresses)
    }
}

/// The address that needs no look-up, or the name that does.
fn literal(origin: &Origin) -> Result<Found, &str> {
    let address = match &origin.host {
        Host::Ipv4(address) => IpAddr::from(*address),
        Host::Ipv6(address) => IpAddr::from(*address),
        Host::Domain(name) => return Err(name),
    };
    Ok((vec![SocketAddr::new(address, origin.port)], None))
}

fn ask(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0)
        .to_socket_addrs()?
        .map(|address| address.ip())
        .collect())
}

fn with_port(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    addresses
        .iter()
        .map(|address| SocketAddr::new(*address, port))
        .collect()
}
