//! How long commands may take: a time of the task's own, or a share of what those before took.

use std::{
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure};

use super::kinds;

/// How long a command may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Limit {
    /// So long.
    Time(Duration),
    /// So many per cent of the median of those that have succeeded; without a limit until three have.
    Percent(NonZeroU32),
}

/// Before so many have succeeded, their median is anybody's guess.
const FEWEST: u64 = 3;

/// How often a limit is looked up that may have changed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Steps to each doubling of a time. The middle of a step is at most 1.6 % off.
const STEPS: u64 = 32;

/// How long the commands of a job took, in a room that does not grow with their number.
#[derive(Debug, Default)]
pub(super) struct Times {
    counts: Mutex<Counts>,
    median_ns: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    steps: Vec<u32>,
    all: u64,
}

impl Times {
    /// A command took so long and succeeded.
    pub(super) fn record(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let at = step(nanos);
        if counts.steps.len() <= at {
            counts.steps.resize(at + 1, 0);
        }
        counts.steps[at] = counts.steps[at].saturating_add(1);
        counts.all += 1;
        if counts.all >= FEWEST {
            self.median_ns.store(counts.median(), Ordering::Relaxed);
        }
    }

    /// The median, once there is one.
    pub(super) fn median(&self) -> Option<Duration> {
        match self.median_ns.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }
}

impl Counts {
    fn median(&self) -> u64 {
        let mut before = 0;
        for (at, count) in self.steps.iter().enumerate() {
            before += u64::from(*count);
            if 2 * before >= self.all {
                return middle(at as u64);
            }
        }
        0
    }
}

/// Which step a time falls on.
fn step(nanos: u64) -> usize {
    let power = u64::from(nanos.max(STEPS).ilog2() - STEPS.ilog2());
    let step = power * STEPS + (nanos >> power);
    usize::try_from(step).unwrap_or(usize::MAX)
}

/// The middle of a step's times.
fn middle(step: u64) -> u64 {
    let power = (step / STEPS).saturating_sub(1);
    let low = (step - power * STEPS) << power;
    low + ((1 << power) >> 1)
}

/// What an attempt has to keep.
pub(super) struct Bounds<'a> {
    pub(super) limit: Option<Limit>,
    pub(super) times: &'a Times,
    pub(super) began: Instant,
    pub(super) context: &'a Context<'a>,
}

impl Bounds<'_> {
    /// How long it may take, as far as that is known by now.
    pub(super) fn time(&self) -> Option<Duration> {
        match self.limit? {
            Limit::Time(time) => Some(time),
            Limit::Percent(percent) => {
                let median = self.times.median()?;
                Some(median.saturating_mul(percent.get()) / 100)
            }
        }
    }

    /// When the command is asked to end.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.time().and_then(|time| self.began.checked_add(time))
    }

    /// When whoever makes the attempt gives it up.
    pub(super) fn given_up(&self) -> Option<Instant> {
        self.context.deadline()
    }

    /// When to look at the deadline again.
    pub(super) fn next_look(&self) -> Option<Instant> {
        matches!(self.limit, Some(Limit::Percent(_))).then(|| Instant::now() + LOOK_EVERY)
    }

    /// Whether to go on at all.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.context.is_cancelled() {
            return Err(kinds::cancelled());
        }
        match self.context.remaining() {
            Some(Duration::ZERO) => Err(kinds::given_up()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_known_from_the_third_on_and_near_enough() {
        let times = Times::default();
        for (ms, expected) in [
            (100, None),
            (1, None),
            (10, Some(10.0)),
            (10_000, Some(10.0)),
            (20, Some(20.0)),
        ] {
            times.record(Duration::from_millis(ms));
            let median = times.median().map(|it| it.as_secs_f64() * 1e3);
            match (median, expected) {
                (Some(median), Some(expected)) => {
                    assert!(
                        (median / expected - 1.0f64).abs() < 0.02,
                        "{median} {expected}"
                    );
                }
                (median, expected) => assert_eq!(median, expected),
            }
        }
    }

    #[test]
    fn steps_cover_all_times_and_take_little_room() {
        for nanos in [1, 2, 31, 32, 33, 63, 64, 1000, 123_456_789, u64::MAX] {
            let back = middle(step(nanos) as u64);
            let off = back.abs_diff(nanos) as f64 / nanos as f64;
            assert!(off < 0.017, "{nanos} {back}");
        }
        assert!(step(u64::MAX) < 2048);
    }
}
