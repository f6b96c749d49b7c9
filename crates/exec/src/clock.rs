//! Time since a job's start, on the machine's monotonic clock, the same in every process of the job.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A clock that began with the job. It never goes back, whatever is done to the date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    began: Instant,
    /// The same moment as every process of this machine counts it: nanoseconds on the monotonic clock.
    began_ns: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
            began_ns: monotonic_ns(),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn instant(&self, at: Duration) -> Instant {
        self.began + at
    }

    /// When something happened that another process noted by [`monotonic_ns`].
    pub(crate) fn at(&self, noted_ns: u64) -> Duration {
        Duration::from_nanos(noted_ns.saturating_sub(self.began_ns))
    }
}

/// The monotonic clock in nanoseconds; comparable between the processes of one machine.
pub(crate) fn monotonic_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    // Both parts are never negative on this clock.
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
