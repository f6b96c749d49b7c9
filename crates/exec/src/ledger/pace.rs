//! How often attempts may begin.

use std::time::Duration;

use triway_core::Rate;

/// How far behind its schedule a pace may fall and still catch up.
///
/// Timers fire late by some tens of microseconds; without any catching up a rate of 1000/s would end at 950/s. With
/// it, any span of time T sees at most (T + 10 ms) / interval + 1 starts.
const CATCH_UP: Duration = Duration::from_millis(10);

/// Starts spaced evenly, one an interval.
pub(super) struct Pace {
    interval: Duration,
    next: Duration,
    /// Whether all that comes late is made up for.
    keeps: bool,
    begun: bool,
}

impl Pace {
    pub(super) fn new(rate: Rate, keeps: bool) -> Self {
        Self {
            interval: rate.interval(),
            next: Duration::ZERO,
            keeps,
            begun: false,
        }
    }

    pub(super) fn allows(&self, now: Duration) -> bool {
        now >= self.next
    }

    /// Books a start, and says when it was planned where there is a schedule to keep. That begins with the first start.
    pub(super) fn started(&mut self, now: Duration) -> Option<Duration> {
        if !self.keeps {
            self.next = self.next.max(now.saturating_sub(CATCH_UP)) + self.interval;
            return None;
        }
        let planned = if self.begun { self.next } else { now };
        self.begun = true;
        self.next = planned + self.interval;
        Some(planned)
    }

    /// When the next start may be.
    pub(super) fn next(&self) -> Duration {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_timer_does_not_slow_the_rate() {
        let mut pace = Pace::new("100/s".parse().unwrap(), false);
        let mut starts = 0;
        // A clock that is looked at every 3 ms, never at the right moment.
        for tick in 0..1000 {
            let now = Duration::from_millis(3 * tick);
            while pace.allows(now) {
                pace.started(now);
                starts += 1;
            }
        }
        assert!((299..=301).contains(&starts), "{starts} starts in 3 s");
    }

    #[test]
    fn a_schedule_is_kept_whatever_comes_between() {
        let mut pace = Pace::new("100/s".parse().unwrap(), true);
        let second = Duration::from_secs(1);
        assert_eq!(pace.started(second), Some(second));
        let late = second + Duration::from_millis(35);
        let mut planned = Vec::new();
        while pace.allows(late) {
            planned.extend(pace.started(late));
        }
        let millis = |n| second + Duration::from_millis(n);
        assert_eq!(planned, [10, 20, 30].map(millis));
    }

    #[test]
    fn a_long_pause_is_not_made_up_for() {
        let mut pace = Pace::new("100/s".parse().unwrap(), false);
        pace.started(Duration::ZERO);
        let now = Duration::from_secs(60);
        let mut starts = 0;
        while pace.allows(now) {
            pace.started(now);
            starts += 1;
        }
        assert!(starts <= 2, "{starts} at once after a pause");
    }
}
