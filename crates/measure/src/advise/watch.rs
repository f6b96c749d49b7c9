//! Whether a job that goes on under what was advised still does what was measured.

use std::time::{Duration, Instant};

use super::{progress::Progress, slice::Slice};

/// How often the throughput of the advised model is looked at: so often, and no more often than a few inputs take that come
/// one after the other.
const WATCH_S: f64 = 2.0;
const WATCHED_INPUTS: f64 = 4.0;
/// How often failures are looked at: who is refused is so at once, and loses many inputs in a second.
pub(super) const FAILURES_S: f64 = 0.2;
/// So many failures, and so large a share of what came to an end of late, above what was measured, are a reason to measure anew.
const MANY_FAILURES: u64 = 10;
const FAILING: f64 = 0.5;
/// Throughput that has fallen to this share of what was measured is not what was promised.
const FALLEN: f64 = 0.5;
/// How often it has to be so low in a row before it is measured anew.
const LOW_LOOKS: u32 = 3;

/// What was measured, and what has come of it since.
pub(super) struct Work {
    promised: f64,
    /// The share of attempts that failed when it was measured.
    failing: f64,
    /// Successes and failures until somebody looked at the failures last.
    looked: (u64, u64),
    /// How often throughput is looked at, when that was last, and the successes until then.
    every: Duration,
    since: Instant,
    counted: u64,
    /// How often somebody looked since, and how often lanes had nothing to do meanwhile.
    looks: u32,
    starved: u32,
    low: u32,
    /// Why it is to be measured anew as soon as lanes have had inputs from one look at throughput to the next.
    again: Option<Progress>,
}

impl Work {
    /// So many successes a second and such a share of failures were promised by these slices, after so many successes and failures.
    pub(super) fn new(
        (promised, failing): (f64, f64),
        looked: (u64, u64),
        slices: &[Slice],
    ) -> Self {
        Self {
            promised,
            failing,
            looked,
            every: watch(slices),
            since: Instant::now(),
            counted: looked.0,
            looks: 0,
            starved: 0,
            low: 0,
            again: None,
        }
    }

    /// The same, that is to be measured anew in a while for this reason, if there is one.
    pub(super) fn again(self, again: Option<Progress>) -> Self {
        Self { again, ..self }
    }

    /// Why it is to be measured anew, after so many successes and failures.
    pub(super) fn falls_behind(&mut self, counted: (u64, u64), starved: bool) -> Option<Progress> {
        self.fails(counted)
            .or_else(|| self.has_fallen(counted.0, starved))
    }

    /// Whether far more fails of late than when it was measured.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more digits than a float has"
    )]
    fn fails(&mut self, counted: (u64, u64)) -> Option<Progress> {
        let failed = counted.1 - self.looked.1;
        let attempts = failed + counted.0 - self.looked.0;
        if attempts < MANY_FAILURES {
            return None;
        }
        self.looked = counted;
        let share = failed as f64 / attempts as f64;
        let many =
            failed >= MANY_FAILURES && share >= self.failing + FAILING * (1.0 - self.failing);
        many.then_some(Progress::Fails { failed, attempts })
    }

    /// Whether throughput is far below what was measured, for the last few looks.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more digits than a float has"
    )]
    fn has_fallen(&mut self, successes: u64, starved: bool) -> Option<Progress> {
        self.looks += 1;
        self.starved += u32::from(starved);
        let seconds = self.since.elapsed();
        if seconds < self.every {
            return None;
        }
        let promised = self.promised;
        let found = (successes - self.counted) as f64 / seconds.as_secs_f64();
        // Pauses now and then do not take half of it away.
        let explained = self.starved > self.looks / 2;
        let low = !explained && found < FALLEN * promised;
        self.low = if low { self.low + 1 } else { 0 };
        (self.since, self.counted) = (Instant::now(), successes);
        (self.looks, self.starved) = (0, 0);
        let again = self.again.take_if(|_| !explained);
        again.or_else(|| (self.low >= LOW_LOOKS).then_some(Progress::Fell { promised, found }))
    }
}

/// How long it takes at least until outcomes can be expected.
fn watch(slices: &[Slice]) -> Duration {
    let longest = slices.iter().map(|slice| slice.run_max_s);
    let longest = longest.fold(0.0, f64::max);
    let seconds = WATCH_S.max(WATCHED_INPUTS * longest);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use triway_core::Model;

    use super::*;

    /// A tenth failed when it was measured.
    #[test]
    fn what_begins_to_fail_is_seen_at_once() {
        let work = || Work {
            promised: 1.0,
            failing: 0.1,
            looked: (1000, 100),
            every: Duration::from_secs(2),
            since: Instant::now(),
            counted: 1000,
            looks: 0,
            starved: 0,
            low: 0,
            again: None,
        };
        let fails = |successes, failures| work().fails((successes, failures)).is_some();
        assert!(!fails(1000, 109));
        assert!(fails(1000, 110));
        assert!(!fails(1010, 110));
        assert!(fails(1008, 112));
        assert!(!fails(2000, 200));
        // Few of them are put together with those that follow.
        let mut waits = work();
        assert_eq!(waits.fails((1001, 105)), None);
        assert!(waits.fails((1003, 115)).is_some());
    }

    /// Pauses of whoever brings inputs, in one look out of five and in each of them.
    #[test]
    fn pauses_that_explain_it_are_no_fall() {
        let falls = |starved_of_ten: u32| {
            let mut work = Work::new((100.0, 0.0), (0, 0), &[]);
            work.every = Duration::ZERO;
            let mut told = None;
            for _ in 0..LOW_LOOKS {
                (work.looks, work.starved) = (9, starved_of_ten.min(9));
                work.since = Instant::now() - Duration::from_secs(2);
                told = work.has_fallen(work.counted + 20, starved_of_ten > 9);
            }
            told.is_some()
        };
        assert!(falls(0));
        assert!(falls(2));
        assert!(!falls(10));
    }

    /// Not at once, and not while lanes have nothing to do.
    #[test]
    fn what_is_doubtful_is_measured_anew_once() {
        let anew = |why: Option<Progress>| {
            let mut work = Work::new((100.0, 0.0), (0, 0), &[]).again(why);
            let at_once = work.falls_behind((0, 0), false);
            work.every = Duration::ZERO;
            work.starved = 1;
            let looks = [true, false, false];
            let later = looks.map(|starved| work.falls_behind((1_000_000, 0), starved));
            (at_once, later)
        };
        let why = Progress::Unexplained;
        assert_eq!(anew(Some(why.clone())), (None, [None, Some(why), None]));
        assert_eq!(anew(None), (None, [None, None, None]));
    }

    #[test]
    fn slow_inputs_are_waited_for() {
        let slices = [Slice {
            model: Some(Model::Async),
            concurrency: 50,
            run_max_s: 12.0,
            ..Slice::default()
        }];
        assert_eq!(watch(&slices), Duration::from_secs(48));
        assert_eq!(watch(&[]), Duration::from_secs(2));
    }
}
