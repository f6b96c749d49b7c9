//! Time since a job's start, on the machine's monotonic clock.

use std::time::{Duration, Instant};

/// A clock that began with the job. It never goes back, whatever is done to the date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    began: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn instant(&self, at: Duration) -> Instant {
        self.began + at
    }
}
