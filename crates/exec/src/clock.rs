//! Time since a job's start, on the machine's monotonic clock.

use std::time::{Duration, Instant};

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
}

/// A clock that began with the job. It never goes back, whatever is done to the date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    began: Instant,
    moment: Moment,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
            moment: Moment::now(),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn instant(&self, at: Duration) -> Instant {
        self.began + at
    }

    /// A moment that another process took.
    pub(crate) fn at(&self, moment: Moment) -> Duration {
        moment.since(self.moment)
    }
}
