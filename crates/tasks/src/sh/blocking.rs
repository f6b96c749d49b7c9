//! Waiting for a command on the thread that calls, in `poll(2)`: for its pipes, its end and its deadline at once.

use std::{
    os::fd::AsFd as _,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use triway_core::Failure;

use super::{
    capture::Progress,
    course::Cause,
    limit::Bounds,
    running::{Next, Place, Running},
};

/// How long a wait takes at most: a job that is aborted rings no bell.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often a place is gone on with before the others have their turn.
const READS: u32 = 16;

/// Waits until a command has ended.
pub(super) fn wait(running: &mut Running, bounds: &Bounds<'_>) -> Result<Option<Cause>, Failure> {
    loop {
        match running.next(bounds.deadline()) {
            Next::Done(cause) => return Ok(cause),
            Next::Wait(until) => {
                bounds.check()?;
                let look = Instant::now() + LOOK_EVERY;
                let earliest = until.into_iter().chain(bounds.given_up()).chain([look]);
                sleep(running, earliest.min());
            }
        }
    }
}

/// Waits until a command that was given up has ended, and collects it.
pub(super) fn see_off(mut running: Running) {
    loop {
        match running.next(None) {
            Next::Done(cause) => {
                // Nobody wants to know how.
                let _unheard = running.finish(cause);
                return;
            }
            Next::Wait(until) => sleep(&mut running, until),
        }
    }
}

fn sleep(running: &mut Running, until: Option<Instant>) {
    let waited = Place::ALL.into_iter().filter_map(|place| {
        let source = running.source(place)?;
        let flags = match place {
            Place::Feed => PollFlags::OUT,
            _ => PollFlags::IN,
        };
        Some((place, PollFd::from_borrowed_fd(source.as_fd(), flags)))
    });
    let (places, mut polled): (Vec<_>, Vec<_>) = waited.unzip();
    // If it ends early, by a signal or an error, nothing is ready and everything is looked at again.
    let ended = poll(&mut polled, until.map(timespec).as_ref());
    let ready: Vec<_> = polled.iter().map(|it| !it.revents().is_empty()).collect();
    if ended.is_ok() {
        let places = places.into_iter().zip(ready);
        for (place, _) in places.filter(|(_, ready)| *ready) {
            // A stream without end must not keep the deadline from being seen.
            (0..READS).any(|_| running.advance(place) != Progress::More);
        }
    }
}

fn timespec(until: Instant) -> Timespec {
    let left = until.saturating_duration_since(Instant::now());
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}
