//! Waiting for a command on a runtime: each of its pipes, and the descriptor that tells of its end, is registered there.

use std::{
    io,
    os::fd::OwnedFd,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{Interest, unix::AsyncFd};
use triway_core::Failure;

use super::{
    capture::Progress,
    course::Cause,
    kinds,
    limit::Bounds,
    running::{Next, Place, Running},
};

/// What is registered for a command, in the order of [`Place::ALL`].
struct Watches([Option<AsyncFd<Arc<OwnedFd>>>; Place::ALL.len()]);

/// Waits until a command has ended.
pub(super) async fn wait(
    running: &mut Running,
    bounds: &Bounds<'_>,
) -> Result<Option<Cause>, Failure> {
    let mut watches = Watches::new(running).map_err(|error| kinds::waiting(&error))?;
    loop {
        let until = match running.next(bounds.deadline()) {
            Next::Done(cause) => return Ok(cause),
            Next::Wait(until) => {
                bounds.check()?;
                until.into_iter().chain(bounds.next_look()).min()
            }
        };
        let news = std::future::poll_fn(|context| watches.poll(running, context));
        match until {
            None => news.await,
            Some(until) => {
                // Either is a reason to look what to do next.
                let _in_time = tokio::time::timeout_at(until.into(), news).await;
            }
        }
    }
}

impl Watches {
    fn new(running: &Running) -> io::Result<Self> {
        let mut watches = Self([const { None }; Place::ALL.len()]);
        for (watch, place) in watches.0.iter_mut().zip(Place::ALL) {
            let interest = match place {
                Place::Feed => Interest::WRITABLE,
                _ => Interest::READABLE,
            };
            *watch = match running.source(place) {
                Some(source) => Some(registered(Arc::clone(source), interest)?),
                None => None,
            };
        }
        Ok(watches)
    }

    /// Goes on at every place that is ready; ready itself once a place has ended.
    fn poll(&mut self, running: &mut Running, context: &mut Context<'_>) -> Poll<()> {
        let mut news = Poll::Pending;
        for (watch, place) in self.0.iter_mut().zip(Place::ALL) {
            if let Some(source) = watch
                && advance(source, place, running, context).is_ready()
            {
                // Taken out of the runtime before the descriptor is closed.
                *watch = None;
                news = Poll::Ready(());
            }
        }
        news
    }
}

#[expect(
    deprecated,
    reason = "what replaces it is unsafe, for descriptors that may be closed or exchanged while they are registered; \
              this one is held by what is registered and cannot be"
)]
fn registered(source: Arc<OwnedFd>, interest: Interest) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    AsyncFd::with_interest(source, interest)
}

/// Ready when the place has ended.
fn advance(
    source: &AsyncFd<Arc<OwnedFd>>,
    place: Place,
    running: &mut Running,
    context: &mut Context<'_>,
) -> Poll<()> {
    loop {
        let readiness = match place {
            Place::Feed => ready!(source.poll_write_ready(context)),
            _ => ready!(source.poll_read_ready(context)),
        };
        let Ok(mut readiness) = readiness else {
            // The runtime is being shut down, and everything on it given up.
            return Poll::Pending;
        };
        match running.advance(place) {
            Progress::More => {}
            Progress::Blocked => readiness.clear_ready(),
            Progress::Ended => return Poll::Ready(()),
        }
    }
}
