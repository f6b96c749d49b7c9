//! Time since a job's start, on the machine's monotonic clock, without the time for which the whole program was stopped.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

/// A moment on the machine's monotonic clock, in nanoseconds. It means the same in every process of this machine, so it
/// can travel between them, which an [`Instant`] cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub u64);

impl Moment {
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
        Self(seconds * 1_000_000_000 + nanos)
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn plus(self, time: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// When the whole program was stopped, as by Ctrl-Z, and went on.
#[derive(Debug, Default)]
pub(crate) struct Stops {
    /// How many nanoseconds were lost so far; or, with [`FROZEN`], the moment of the stop that goes on, less what was lost
    /// before. In one word, so that nobody sees one without the other.
    state: AtomicU64,
    all: Mutex<Vec<(Moment, Moment)>>,
}

const FROZEN: u64 = 1 << 63;

impl Stops {
    /// From here on the time stands still.
    pub(crate) fn begin(&self) -> Moment {
        let now = Moment::now();
        let lost = self.state.load(Ordering::Acquire);
        self.state
            .store(now.0.saturating_sub(lost) | FROZEN, Ordering::Release);
        now
    }

    /// It has stood still since then, and goes on.
    pub(crate) fn end(&self, since: Moment) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Moment::now();
        all.push((since, now));
        let lost = all.iter().map(|&(from, to)| to.0 - from.0).sum();
        self.state.store(lost, Ordering::Release);
    }

    /// The moment, less all that was lost.
    fn now(&self) -> u64 {
        loop {
            let state = self.state.load(Ordering::Acquire);
            if state & FROZEN != 0 {
                return state ^ FROZEN;
            }
            let now = Moment::now();
            // A stop between the two would be taken for time that has passed.
            if self.state.load(Ordering::Acquire) == state {
                return now.0.saturating_sub(state);
            }
        }
    }

    /// Each stop there was, if there was any.
    fn all(&self) -> Vec<(Moment, Moment)> {
        match self.state.load(Ordering::Acquire) {
            0 => Vec::new(),
            _ => self
                .all
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }
}

/// A clock that began with the job. It never goes back, whatever is done to the date, and stands still while the program
/// does.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// Less what was lost before.
    began: u64,
    moment: Moment,
    stops: Arc<Stops>,
}

impl Clock {
    pub(crate) fn start(stops: Arc<Stops>) -> Self {
        Self {
            began: stops.now(),
            moment: Moment::now(),
            stops,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.stops.now().saturating_sub(self.began))
    }

    /// The instant at which it will be so late, if the program is not stopped before.
    pub(crate) fn instant(&self, at: Duration) -> Instant {
        let now = self.now();
        let instant = Instant::now() + at.saturating_sub(now);
        instant
            .checked_sub(now.saturating_sub(at))
            .unwrap_or(instant)
    }

    /// A moment that another process took.
    pub(crate) fn at(&self, moment: Moment) -> Duration {
        let stops = self.stops.all();
        let lost = stops
            .iter()
            .map(|&(from, to)| to.min(moment).since(from.max(self.moment)));
        moment.since(self.moment).saturating_sub(lost.sum())
    }

    /// Whether the program was stopped for a while since then. Where the stop has just ended, nobody may have noted its
    /// end yet.
    pub(crate) fn stopped_since(&self, at: Duration) -> bool {
        if self.stops.state.load(Ordering::Acquire) & FROZEN != 0 {
            return true;
        }
        let stops = self.stops.all();
        stops.iter().any(|&(from, _)| self.at(from) >= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_while_the_program_does() {
        let stops = Arc::new(Stops::default());
        let second = Duration::from_secs(1);
        // As if it had begun ten seconds ago and had been stopped from the second to the fifth.
        let began = Moment(Moment::now().0 - 10 * 1_000_000_000);
        let clock = Clock {
            began: began.0,
            moment: began,
            stops: Arc::clone(&stops),
        };
        assert!(clock.now() >= 10 * second);
        let stop = (began.plus(2 * second), began.plus(5 * second));
        stops.all.lock().unwrap().push(stop);
        stops.state.store(3_000_000_000, Ordering::Release);
        assert!(clock.now() >= 7 * second && clock.now() < 8 * second);
        for (moment, expected) in [(1, 1), (2, 2), (4, 2), (5, 2), (9, 6)] {
            let at = clock.at(began.plus(moment * second));
            assert_eq!(at, expected * second, "{moment}");
        }
        assert!(clock.stopped_since(second));
        assert!(!clock.stopped_since(3 * second));
        let since = stops.begin();
        let frozen = clock.now();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(clock.now(), frozen);
        stops.end(since);
        assert!(clock.now() >= frozen && clock.now() < frozen + second);
    }
}
