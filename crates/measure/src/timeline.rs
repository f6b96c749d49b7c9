//! Who ran what when: a bounded, even choice of a trial's attempts, and those that took longest.

use std::time::Duration;

use triway_core::{Outcome, Status};

use crate::report::{Span, Timeline};

/// How many attempts are kept of however many there are.
const MOST: usize = 2000;

/// How many of those that took longest are kept besides, because a straggler is what people look for.
const LONGEST: usize = 50;

/// Keeps attempts while a job runs. What it costs is a multiplication an attempt, and a copy for those it keeps.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    attempts: u64,
    kept: Vec<Span>,
    /// One input of two to the power of this is kept.
    sparseness: u32,
    longest: Vec<Span>,
    /// What an attempt must exceed to be among the longest.
    threshold: f64,
}

impl Recording {
    /// Takes note of all attempts of an input.
    pub(crate) fn record<I, O>(&mut self, outcome: &Outcome<I, O>) {
        let index = outcome.index;
        for tried in &outcome.tried {
            let (started, run) = (tried.started, tried.run);
            self.attempt(span(tried.worker, index, (started, run), Status::Failed));
        }
        if let Some(worker) = outcome.worker {
            let times = (outcome.started, outcome.run);
            self.attempt(span(worker, index, times, outcome.status));
        }
    }

    /// What was recorded of a trial that took so long.
    pub(crate) fn finish(self, startup: Duration, wall: Duration) -> Timeline {
        let (bits, mut spans) = (self.sparseness, self.kept);
        let others = self.longest.into_iter();
        spans.extend(others.filter(|span| !is_kept(span.index, bits)));
        spans.sort_by(|one, other| one.started_s.total_cmp(&other.started_s));
        Timeline {
            startup_s: startup.as_secs_f64(),
            wall_s: wall.as_secs_f64(),
            attempts: self.attempts,
            spans,
        }
    }

    fn attempt(&mut self, span: Span) {
        self.attempts += 1;
        if self.longest.len() < LONGEST || span.run_s > self.threshold {
            self.keep_longest(span);
        }
        if !is_kept(span.index, self.sparseness) {
            return;
        }
        if self.kept.len() == MOST {
            self.sparseness += 1;
            let bits = self.sparseness;
            self.kept.retain(|span| is_kept(span.index, bits));
            // Attempts of one input alone cannot be thinned out by input.
            self.kept.truncate(MOST - 1);
            if !is_kept(span.index, bits) {
                return;
            }
        }
        self.kept.push(span);
    }

    fn keep_longest(&mut self, span: Span) {
        let shortest = |longest: &[Span]| {
            let places = longest.iter().enumerate();
            places
                .min_by(|(_, one), (_, other)| one.run_s.total_cmp(&other.run_s))
                .map(|(place, span)| (place, span.run_s))
        };
        if self.longest.len() == LONGEST
            && let Some((place, _)) = shortest(&self.longest)
        {
            self.longest.swap_remove(place);
        }
        self.longest.push(span);
        self.threshold = shortest(&self.longest).map_or(0.0, |(_, run)| run);
    }
}

impl Timeline {
    /// The same, where what is recorded counts from somewhere else and this began so much later.
    pub(crate) fn since(mut self, began: Duration) -> Self {
        for span in &mut self.spans {
            span.started_s -= began.as_secs_f64();
        }
        self
    }

    /// The same with the inputs' places among all of the job.
    pub(crate) fn placed(mut self, place: impl Fn(u64) -> u64) -> Self {
        for span in &mut self.spans {
            span.index = place(span.index);
        }
        self
    }
}

fn span(worker: u32, index: u64, (started, run): (Duration, Duration), status: Status) -> Span {
    Span {
        worker,
        index,
        started_s: started.as_secs_f64(),
        run_s: run.as_secs_f64(),
        status,
    }
}

/// Multiples of the golden ratio are spread evenly and in step with no number of lanes, where every second input might be
/// one lane's alone (Fibonacci hashing: Knuth, The Art of Computer Programming 3, 6.4).
fn is_kept(index: u64, bits: u32) -> bool {
    let spread = index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    spread.leading_zeros() >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(index: u64, worker: u32, run: Duration) -> Outcome<(), ()> {
        let mut outcome = Outcome::new(index, (), Status::Ok);
        outcome.worker = Some(worker);
        outcome.started = Duration::from_micros(index);
        outcome.run = run;
        outcome
    }

    #[test]
    fn an_even_choice_stays_small_and_misses_no_straggler_and_no_lane() {
        let (inputs, lanes) = (1_000_000_u64, 8);
        let mut recording = Recording::default();
        for index in 0..inputs {
            let run = if index == 777_777 { 1000 } else { 1 };
            let worker = u32::try_from(index % lanes).unwrap();
            recording.record(&outcome(index, worker, Duration::from_micros(run)));
        }
        let timeline = recording.finish(Duration::ZERO, Duration::from_secs(1));
        let spans = &timeline.spans;
        assert_eq!(timeline.attempts, inputs);
        assert!(
            (900..=MOST + LONGEST).contains(&spans.len()),
            "{}",
            spans.len()
        );
        assert!(spans.iter().any(|span| span.index == 777_777));
        for lane in 0..lanes {
            let of = spans.iter().filter(|span| u64::from(span.worker) == lane);
            assert!(of.count() > spans.len() / 16, "lane {lane} is missing");
        }
        let tenths = (0..10).map(|tenth| {
            let range = tenth * inputs / 10..(tenth + 1) * inputs / 10;
            spans
                .iter()
                .filter(|span| range.contains(&span.index))
                .count()
        });
        assert!(tenths.into_iter().all(|n| n > spans.len() / 20));
    }

    #[test]
    fn few_attempts_are_all_there_also_those_that_were_tried_again() {
        let mut recording = Recording::default();
        let failure = triway_core::Failure::new(triway_core::FailureKind::PANIC, "no");
        let mut retried = outcome(1, 0, Duration::from_millis(3));
        retried.tried.push(triway_core::Tried::new(
            failure,
            4,
            Duration::from_micros(5),
            Duration::from_millis(1),
        ));
        recording.record(&retried);
        recording.record(&Outcome::<(), ()>::new(2, (), Status::Cancelled));
        let timeline = recording
            .finish(Duration::ZERO, Duration::ZERO)
            .placed(|index| 2 * index);
        let told: Vec<_> = timeline
            .spans
            .iter()
            .map(|span| (span.worker, span.index, span.status))
            .collect();
        assert_eq!(told, [(0, 2, Status::Ok), (4, 2, Status::Failed)]);
        assert_eq!(timeline.attempts, 2);
    }

    #[test]
    fn endless_attempts_of_one_input_fit_as_well() {
        let mut recording = Recording::default();
        for _ in 0..10_000 {
            recording.record(&outcome(0, 0, Duration::ZERO));
        }
        assert!(recording.finish(Duration::ZERO, Duration::ZERO).spans.len() <= MOST + LONGEST);
    }
}
