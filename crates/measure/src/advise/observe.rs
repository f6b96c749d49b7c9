//! Looks at outcomes on their way to a sink, and makes a slice of those that one stretch of the job had.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use triway_core::{Event, Failure, FailureKind, Outcome, Status, Task};
use triway_exec::{Sink, stretch::Ran};

use super::{
    detail::Closely,
    slice::{ENOUGH_A_LANE, Slice},
};
use crate::{statistics::median, tally::MOST_KINDS};

/// So many attempts are looked at one by one; beyond that their first and last make no difference.
const MOST_TIMES: usize = 8192;

/// Lanes that waited for inputs for more than this part of the time show how inputs come, not what the setting does.
const STARVED_PART: u32 = 10;

/// Bytes of an outcome's input and output.
pub type Sizes<T> =
    Box<dyn Fn(&Outcome<<T as Task>::Input, <T as Task>::Output>) -> (usize, usize) + Send>;

/// A sink that is looked at.
pub struct Observed<T: Task, S> {
    sink: S,
    sizes: Sizes<T>,
    seen: Arc<Mutex<Seen>>,
}

/// What was seen since somebody looked last. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct View(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// Whether nothing else is of interest, and this is called too often for more than that.
    counts_only: bool,
    inputs: u64,
    failed: u64,
    retried: u64,
    kinds: HashMap<FailureKind, u64>,
    /// How often the other side asked to be left alone.
    told_to_wait: u64,
    run: Moments,
    longest: f64,
    cpu: Option<Duration>,
    input_bytes: u64,
    output_bytes: u64,
    /// When attempts began and ended.
    times: Vec<(Duration, Duration)>,
    /// When each lane ended its last.
    lanes: HashMap<u32, Duration>,
    /// All of them, where somebody wants to see more.
    closely: Option<Closely>,
}

/// Count, mean and squared distance from it (Welford 1962).
#[derive(Debug, Default, Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let distance = value - self.mean;
        self.mean += distance / self.count;
        self.squares += distance * (value - self.mean);
    }

    fn deviation(&self) -> f64 {
        match self.count > 1.0 {
            true => (self.squares / (self.count - 1.0)).sqrt(),
            false => 0.0,
        }
    }
}

impl<T: Task, S> Observed<T, S> {
    pub(super) fn new(sink: S, sizes: Sizes<T>) -> (Self, View) {
        let seen = Arc::<Mutex<Seen>>::default();
        let view = View(Arc::clone(&seen));
        (Self { sink, sizes, seen }, view)
    }

    pub(super) fn look_closely(&self) {
        lock(&self.seen).closely = Some(Closely::new());
    }

    /// The sink itself.
    pub fn into_inner(self) -> S {
        self.sink
    }

    /// The sink itself, to be told something before the first outcome.
    pub fn inner(&mut self) -> &mut S {
        &mut self.sink
    }
}

impl<T: Task, S: Sink<T>> Sink<T> for Observed<T, S> {
    fn outcome(&mut self, outcome: Outcome<T::Input, T::Output>) -> io::Result<()> {
        self.sink.outcome(outcome)
    }

    /// Here and not where outcomes are passed on, which may be much later.
    fn settled(&mut self, outcome: &Outcome<T::Input, T::Output>) {
        if outcome.status != Status::Cancelled && outcome.attempts > 0 {
            let mut seen = lock(&self.seen);
            if seen.counts_only {
                seen.count(outcome.error.as_ref());
                drop(seen);
                return self.sink.settled(outcome);
            }
            let sizes = (self.sizes)(outcome);
            let kind = outcome.error.as_ref().map(|failure| &failure.kind);
            let times = (outcome.started, outcome.run, outcome.cpu);
            seen.record(kind, times, sizes);
            seen.note_failure(outcome.error.as_ref());
            seen.note_lane(outcome.worker, outcome.started + outcome.run);
            if let Some(closely) = &mut seen.closely {
                closely.record(outcome);
            }
            drop(seen);
        }
        self.sink.settled(outcome);
    }

    fn event(&mut self, event: &Event) {
        if let Event::Retrying { failure, .. } = event {
            let mut seen = lock(&self.seen);
            seen.retried += 1;
            seen.count_kind(&failure.kind);
            seen.note_failure(Some(failure));
        }
        self.sink.event(event);
    }
}

impl Seen {
    fn record(
        &mut self,
        kind: Option<&FailureKind>,
        (started, run, cpu): (Duration, Duration, Option<Duration>),
        (input, output): (usize, usize),
    ) {
        self.inputs += 1;
        if let Some(kind) = kind {
            self.failed += 1;
            self.count_kind(kind);
        }
        let seconds = run.as_secs_f64();
        self.run.add(seconds);
        self.longest = self.longest.max(seconds);
        if let Some(cpu) = cpu {
            *self.cpu.get_or_insert_default() += cpu;
        }
        self.input_bytes += input as u64;
        self.output_bytes += output as u64;
        if self.times.len() < MOST_TIMES {
            self.times.push((started, started + run));
        }
    }

    fn count(&mut self, failure: Option<&Failure>) {
        self.inputs += 1;
        self.failed += u64::from(failure.is_some());
    }

    fn note_failure(&mut self, failure: Option<&Failure>) {
        let asked = failure.is_some_and(|failure| failure.retry_after.is_some());
        self.told_to_wait += u64::from(asked);
    }

    fn note_lane(&mut self, lane: Option<u32>, end: Duration) {
        if let Some(lane) = lane {
            let last = self.lanes.entry(lane).or_default();
            *last = end.max(*last);
        }
    }

    /// Seconds from where the lanes stood ready to a lane's last end, the mean of all lanes that had something to do. Where more
    /// take turns than are at work, the last ends are those of the lanes that were at work when the last attempt began.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a mean needs no more digits than a float has"
    )]
    fn lanes_s(&self, ready: Duration, at_work: usize) -> f64 {
        let mut ends: Vec<_> = self.lanes.values().collect();
        ends.sort_unstable_by(|one, other| other.cmp(one));
        ends.truncate(at_work);
        let worked = ends.iter().map(|end| end.saturating_sub(ready));
        worked.sum::<Duration>().as_secs_f64() / ends.len().max(1) as f64
    }

    /// The middle of those that were looked at one by one.
    fn median_run_s(&self) -> f64 {
        let runs = self
            .times
            .iter()
            .map(|(started, end)| end.saturating_sub(*started));
        let runs: Vec<f64> = runs.map(|run| run.as_secs_f64()).collect();
        median(&runs).unwrap_or(0.0)
    }

    fn count_kind(&mut self, kind: &FailureKind) {
        if let Some(count) = self.kinds.get_mut(kind) {
            *count += 1;
        } else if self.kinds.len() < MOST_KINDS {
            self.kinds.insert(kind.clone(), 1);
        }
    }

    /// Outcomes a second while all lanes were busy.
    ///
    /// At the end of a stretch lanes fall idle one after the other, so what counts is what had ended when the last attempt
    /// began. Where there were few attempts a lane that is nothing much, and the wall time has to do. To divide the lanes by
    /// the mean time of an attempt would be no way out: attempts that wait for each other, as at a lock, take longer and
    /// longer, and those that wait for their event loop have not begun.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more digits than a float has"
    )]
    fn rate(&self, (ready, end): (Duration, Duration), lanes: usize) -> f64 {
        let count = self.times.len();
        let wall = end.saturating_sub(ready).as_secs_f64();
        if count == MOST_TIMES {
            return self.inputs as f64 / wall;
        }
        let lanes = lanes.min(count).max(1);
        if lanes == 1 || (count as u64) < ENOUGH_A_LANE * lanes as u64 {
            return count as f64 / wall;
        }
        let last = self.times.iter().map(|(started, _)| *started).max();
        let last = last.unwrap_or_default();
        let ended = self.times.iter().filter(|(_, end)| *end <= last).count();
        ended as f64 / last.saturating_sub(ready).as_secs_f64()
    }

    /// When the first attempts began, the mean of as many as there are lanes, but no later than one attempt takes: threads may have
    /// been started for them.
    fn at_work_from(&self, ready: Duration, lanes: usize) -> Duration {
        let mut began: Vec<_> = self.times.iter().map(|(started, _)| *started).collect();
        began.sort_unstable();
        began.truncate(lanes);
        let after = began.iter().map(|began| began.saturating_sub(ready));
        let mean = after.sum::<Duration>() / u32::try_from(began.len().max(1)).unwrap_or(u32::MAX);
        let most = Duration::try_from_secs_f64(self.median_run_s()).unwrap_or_default();
        ready + mean.min(most)
    }

    /// All that was seen, as what came of a stretch with these lanes, which are those of before or stood ready when it began.
    #[expect(
        clippy::cast_precision_loss,
        reason = "means need no more digits than a float has"
    )]
    fn slice(&self, ran: &Ran, (lanes, of_before): (usize, bool)) -> Slice {
        let ready = match of_before {
            true => self.at_work_from(ran.ready, lanes),
            false => ran.ready,
        };
        let end = ran.ready + ran.wall;
        let each = self.inputs.max(1) as f64;
        let successes = (self.inputs - self.failed) as f64 / each;
        let most = self.kinds.iter().max_by_key(|(_, count)| **count);
        Slice {
            concurrency: lanes,
            refused: ran.refused.clone(),
            inputs: self.inputs,
            failed: self.failed,
            retried: self.retried,
            failure: most.map(|(kind, _)| kind.to_string()),
            startup_s: ran.startup.as_secs_f64(),
            wall_s: ran.wall.as_secs_f64(),
            rate_per_s: match self.inputs {
                0 => 0.0,
                _ => successes * self.rate((ready, end), lanes),
            },
            told_to_wait: self.told_to_wait,
            lanes_s: self.lanes_s(ready, lanes),
            run_s: self.run.mean,
            run_sd_s: self.run.deviation(),
            run_median_s: self.median_run_s(),
            run_max_s: self.longest,
            attempts_cpu_s: self.cpu.map(|cpu| cpu.as_secs_f64()),
            run_queue_s: ran.inside.map(|inside| inside.run_queue.as_secs_f64()),
            serialising_s: ran.inside.map(|inside| inside.serialising.as_secs_f64()),
            longest_hold_s: ran
                .inside
                .and_then(|inside| inside.longest_hold)
                .map(|(hold, _)| hold.as_secs_f64()),
            input_bytes: self.input_bytes as f64 / each,
            output_bytes: self.output_bytes as f64 / each,
            starved: ran.starved > ran.wall / STARVED_PART,
            ..Slice::default()
        }
    }
}

impl View {
    /// What was seen of a stretch by whoever looks closely; to be asked before all else is taken. The next one is looked at, too.
    pub(super) fn take_closely(&self) -> Option<Closely> {
        let mut seen = lock(&self.0);
        let closely = seen.closely.as_mut()?;
        Some(std::mem::replace(closely, Closely::new()))
    }

    /// What was seen of a stretch that has ended, with so many lanes, which may be those of before; forgets it.
    pub(super) fn take(&self, ran: &Ran, lanes: (usize, bool)) -> Slice {
        let mut seen = lock(&self.0);
        let slice = seen.slice(ran, lanes);
        *seen = Seen {
            closely: seen.closely.take(),
            ..Seen::default()
        };
        slice
    }

    /// The same, and remembers it.
    pub(super) fn look(&self, ran: &Ran, lanes: (usize, bool)) -> Slice {
        lock(&self.0).slice(ran, lanes)
    }

    /// From here on only counts what succeeds, until it is taken.
    pub(super) fn count_only(&self) {
        lock(&self.0).counts_only = true;
    }

    /// How many inputs have succeeded since a stretch was taken last, and how many attempts have failed.
    pub(super) fn counted(&self) -> (u64, u64) {
        let seen = lock(&self.0);
        (seen.inputs - seen.failed, seen.failed + seen.retried)
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn lanes_that_take_turns_are_as_many_as_are_at_work() {
        let mut seen = Seen::default();
        for (lane, end) in [(0, 10), (1, 40), (2, 20), (3, 30), (2, 15)] {
            seen.note_lane(Some(lane), milliseconds(end));
        }
        let lanes_s = |at_work| seen.lanes_s(milliseconds(5), at_work);
        assert!((lanes_s(2) - 0.030).abs() < 1e-9, "{}", lanes_s(2));
        assert!((lanes_s(8) - 0.020).abs() < 1e-9, "{}", lanes_s(8));
        assert!(Seen::default().lanes_s(milliseconds(5), 2).abs() < 1e-9);
    }

    #[test]
    fn no_more_than_an_attempt_is_taken_for_the_start_of_threads() {
        let from = |began: &[u64]| {
            let at = |began: &u64| (milliseconds(*began), milliseconds(began + 10));
            let times = began.iter().map(at).collect();
            let seen = Seen {
                times,
                ..Seen::default()
            };
            seen.at_work_from(milliseconds(100), 2)
        };
        assert_eq!(from(&[]), milliseconds(100));
        assert_eq!(from(&[112, 104, 130]), milliseconds(108));
        assert_eq!(from(&[100, 190]), milliseconds(110));
    }
}
