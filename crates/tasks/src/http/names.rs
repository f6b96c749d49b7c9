//! Name look-ups: shared, remembered for a few seconds, and few at once, whatever the form and however many lanes.
//!
//! The system's own resolver answers, and it blocks, for as long as it likes. It does so on threads of this module, at
//! most [`LOOKUPS`] of them; whoever waits for an answer can stop waiting at any moment.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use triway_core::Failure;
use url::Host;

use super::{kinds, origin::Origin};

/// How many look-ups may run at once.
const LOOKUPS: usize = 8;

/// How long an answer is remembered: long enough for a burst of requests, too short for a host that moves.
const REMEMBERED: Duration = Duration::from_secs(10);

/// How long it is remembered that there was none: many inputs of one dead host shall not ask one by one.
const FAILURE_REMEMBERED: Duration = Duration::from_millis(200);

/// How many names are remembered; one more, and all are forgotten.
const MOST_NAMES: usize = 4096;

/// The look-ups of one task.
#[derive(Debug, Default)]
pub(super) struct Names {
    state: Arc<Mutex<State>>,
}

/// Where a host can be reached, and what it took to find out.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) addresses: Vec<SocketAddr>,
    /// Until one of the few look-ups that may run was this one's.
    pub(super) queued: Duration,
    /// From there to the answer; `None` if nobody had to be asked.
    pub(super) took: Option<Duration>,
}

type Answer = Result<Arc<[IpAddr]>, Failure>;

#[derive(Debug, Default)]
struct State {
    names: HashMap<String, Name>,
    queue: VecDeque<String>,
    threads: usize,
}

#[derive(Debug)]
enum Name {
    /// Somebody asks, or will.
    Asked(Asked),
    Known(Known),
}

#[derive(Debug, Default)]
struct Asked {
    /// Whether the system is being asked.
    began: bool,
    /// These want to know.
    waiting: Vec<Waker>,
}

#[derive(Debug)]
struct Known {
    began: Instant,
    answered: Instant,
    answer: Answer,
}

impl Names {
    /// Waits until one of the few look-ups that may run is this origin's, if it needs one. Gives the moment since when
    /// it was wanted.
    pub(super) async fn turn(&self, origin: &Origin) -> Instant {
        let asked = Instant::now();
        if let Host::Domain(name) = &origin.host {
            poll_fn(|context| {
                let known = self.poll(name, origin.port, asked, context).is_ready();
                match known || lock(&self.state).has_begun(name) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
        }
        asked
    }

    /// The addresses of an origin, which were wanted since then.
    pub(super) async fn look_up(&self, origin: &Origin, asked: Instant) -> Result<Found, Failure> {
        let name = match &origin.host {
            Host::Ipv4(address) => return Ok(literal((*address).into(), origin.port)),
            Host::Ipv6(address) => return Ok(literal((*address).into(), origin.port)),
            Host::Domain(name) => name,
        };
        poll_fn(|context| self.poll(name, origin.port, asked, context)).await
    }

    fn poll(
        &self,
        name: &str,
        port: u16,
        asked: Instant,
        context: &Context<'_>,
    ) -> Poll<Result<Found, Failure>> {
        let mut state = lock(&self.state);
        match state.names.get_mut(name) {
            Some(Name::Asked(Asked { waiting, .. })) => {
                if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    waiting.push(context.waker().clone());
                }
                return Poll::Pending;
            }
            Some(Name::Known(known)) if known.is_fresh(asked) => {
                return Poll::Ready(known.found(port, asked));
            }
            _ => {}
        }
        state.ask(name, context.waker().clone());
        state.ensure_thread(&self.state);
        match state.names.get(name) {
            // No thread could be started, and that is the answer.
            Some(Name::Known(known)) => Poll::Ready(known.found(port, asked)),
            _ => Poll::Pending,
        }
    }
}

impl State {
    fn ask(&mut self, name: &str, waker: Waker) {
        if self.names.len() >= MOST_NAMES {
            self.names.retain(|_, name| matches!(name, Name::Asked(_)));
        }
        let asked = Asked {
            began: false,
            waiting: vec![waker],
        };
        self.names.insert(name.to_owned(), Name::Asked(asked));
        self.queue.push_back(name.to_owned());
    }

    fn ensure_thread(&mut self, shared: &Arc<Mutex<Self>>) {
        if self.threads >= LOOKUPS {
            return;
        }
        let answering = Arc::clone(shared);
        let started = thread::Builder::new()
            .name("triway-names".to_owned())
            .spawn(move || answer_all(&answering));
        match started {
            Ok(_) => self.threads += 1,
            // One of those that run will take it up.
            Err(_) if self.threads > 0 => {}
            Err(error) => {
                let now = Instant::now();
                for name in std::mem::take(&mut self.queue) {
                    self.publish(name, now, Err(kinds::shortage(&error)));
                }
            }
        }
    }

    fn has_begun(&self, name: &str) -> bool {
        matches!(self.names.get(name), Some(Name::Asked(asked)) if asked.began)
    }

    /// Tells those who wait for this name that it is their turn.
    fn begin(&mut self, name: &str) {
        if let Some(Name::Asked(asked)) = self.names.get_mut(name) {
            asked.began = true;
            // They come again for the answer.
            for waker in asked.waiting.drain(..) {
                waker.wake();
            }
        }
    }

    fn publish(&mut self, name: String, began: Instant, answer: Answer) {
        let known = Name::Known(Known {
            began,
            answered: Instant::now(),
            answer,
        });
        if let Some(Name::Asked(asked)) = self.names.insert(name, known) {
            for waker in asked.waiting {
                waker.wake();
            }
        }
    }
}

impl Known {
    /// Whether it may answer somebody who asked then: it was remembered, or has been found out since.
    fn is_fresh(&self, asked: Instant) -> bool {
        let remembered = match self.answer {
            Ok(_) => REMEMBERED,
            Err(_) => FAILURE_REMEMBERED,
        };
        self.answered >= asked || self.answered.elapsed() < remembered
    }

    fn found(&self, port: u16, asked: Instant) -> Result<Found, Failure> {
        let addresses = self.answer.as_ref().map_err(Clone::clone)?;
        let waited = self.answered >= asked;
        let queued = self.began.saturating_duration_since(asked);
        Ok(Found {
            addresses: with_port(addresses, port),
            queued: if waited { queued } else { Duration::ZERO },
            took: waited.then(|| self.answered - asked.max(self.began)),
        })
    }
}

/// Answers what is asked until nothing is left to be asked.
fn answer_all(shared: &Mutex<State>) {
    let mut state = lock(shared);
    while let Some(name) = state.queue.pop_front() {
        state.begin(&name);
        drop(state);
        let began = Instant::now();
        let answer = ask(&name);
        state = lock(shared);
        state.publish(name, began, answer);
    }
    state.threads -= 1;
}

fn ask(name: &str) -> Answer {
    let addresses: io::Result<Vec<_>> = (name, 0)
        .to_socket_addrs()
        .map(|addresses| addresses.map(|address| address.ip()).collect());
    match addresses {
        Err(error) => Err(kinds::looking_up(name, &error)),
        Ok(addresses) if addresses.is_empty() => Err(kinds::unknown(name, "it has no address")),
        Ok(addresses) => Ok(addresses.into()),
    }
}

fn literal(address: IpAddr, port: u16) -> Found {
    Found {
        addresses: vec![SocketAddr::new(address, port)],
        queued: Duration::ZERO,
        took: None,
    }
}

fn with_port(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    addresses
        .iter()
        .map(|address| SocketAddr::new(*address, port))
        .collect()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing under this lock panics half-way through a change.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{future::Future as _, pin::pin};

    use super::*;

    #[test]
    fn a_turn_comes_when_the_look_up_begins() {
        let names = Names::default();
        // As if all look-ups that may run were busy with others.
        lock(&names.state).threads = LOOKUPS;
        let origin = Origin::of(&"http://a.test/".parse().unwrap()).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut turn = pin!(names.turn(&origin));
        assert!(turn.as_mut().poll(&mut context).is_pending());
        lock(&names.state).begin("a.test");
        let Poll::Ready(asked) = turn.as_mut().poll(&mut context) else {
            panic!("it is its turn");
        };
        let mut found = pin!(names.look_up(&origin, asked));
        assert!(found.as_mut().poll(&mut context).is_pending());
        let began = asked + Duration::from_secs(1);
        let answer = Ok([IpAddr::from([127, 0, 0, 1])].into());
        lock(&names.state).publish("a.test".to_owned(), began, answer);
        let Poll::Ready(Ok(found)) = found.as_mut().poll(&mut context) else {
            panic!("it is known");
        };
        assert_eq!(found.queued, Duration::from_secs(1));
    }
}
