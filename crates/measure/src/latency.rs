//! How long attempts took: a histogram that stays small however many there were, and its percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::report::{Latency, LatencyCount};

/// The longest latency told apart from longer ones: an hour.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// How finely a distribution tells times apart.
const STEPS_TO_TEN: f64 = 20.0;

/// Latencies from a nanosecond to an hour, each to three digits. Takes about a quarter of a megabyte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Recorded", into = "Recorded")]
pub struct Latencies {
    histogram: Histogram<u64>,
}

/// What travels between processes: the values that occurred, in nanoseconds, and how often.
#[derive(Serialize, Deserialize)]
struct Recorded(Vec<(u64, u64)>);

impl Latencies {
    /// A histogram of nothing yet.
    ///
    /// # Panics
    /// Never: the bounds are constants that the library accepts.
    #[must_use]
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, nanoseconds(LONGEST), 3)
            .expect("constant bounds are valid");
        Self { histogram }
    }

    /// Counts one attempt; one longer than [`LONGEST`] counts as that.
    pub fn record(&mut self, run: Duration) {
        self.histogram.saturating_record(nanoseconds(run));
    }

    /// Adds what another histogram counted.
    pub fn merge(&mut self, other: &Self) {
        for value in other.histogram.iter_recorded() {
            self.histogram
                .saturating_record_n(value.value_iterated_to(), value.count_at_value());
        }
    }

    /// How many attempts were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// How many attempts took how long, in steps that grow with the time, twenty to a factor of ten; `None` of nothing.
    #[must_use]
    pub fn distribution(&self) -> Option<Vec<LatencyCount>> {
        let mut counts: Vec<LatencyCount> = Vec::new();
        let mut open = None;
        for value in self.histogram.iter_recorded() {
            let step = step_of(value.value_iterated_to());
            match counts.last_mut().filter(|_| open == Some(step)) {
                Some(last) => last.count += value.count_at_value(),
                None => counts.push(LatencyCount {
                    from_s: step_ends(step),
                    to_s: step_ends(step + 1),
                    count: value.count_at_value(),
                }),
            }
            open = Some(step);
        }
        (!counts.is_empty()).then_some(counts)
    }

    /// The percentiles in seconds; `None` of nothing.
    #[must_use]
    pub fn percentiles(&self) -> Option<Latency> {
        if self.histogram.is_empty() {
            return None;
        }
        let at = |quantile| seconds(self.histogram.value_at_quantile(quantile));
        Some(Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: seconds(self.histogram.max()),
        })
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Latencies> for Recorded {
    fn from(latencies: Latencies) -> Self {
        let recorded = latencies.histogram.iter_recorded();
        Self(
            recorded
                .map(|value| (value.value_iterated_to(), value.count_at_value()))
                .collect(),
        )
    }
}

impl From<Recorded> for Latencies {
    fn from(recorded: Recorded) -> Self {
        let mut latencies = Self::new();
        for (value, count) in recorded.0 {
            latencies.histogram.saturating_record_n(value, count);
        }
        latencies
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// In which of the growing steps a time is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "an hour has four hundred steps, and a step needs no more digits than a float has"
)]
fn step_of(nanoseconds: u64) -> i32 {
    let exponent = (nanoseconds.max(1) as f64).log10();
    (exponent * STEPS_TO_TEN).floor() as i32
}

/// Where a step begins, in seconds.
fn step_ends(step: i32) -> f64 {
    10_f64.powf(f64::from(step) / STEPS_TO_TEN) * 1e-9
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::new();
        for value in milliseconds {
            latencies.record(Duration::from_millis(value));
        }
        latencies
    }

    #[track_caller]
    fn near(got: f64, expected: f64) {
        assert!((got / expected - 1.0).abs() < 1e-3, "{got} for {expected}");
    }

    #[test]
    fn percentiles_are_right_to_three_digits() {
        let latency = of(1..=1000).percentiles().unwrap();
        near(latency.p50, 0.5);
        near(latency.p90, 0.9);
        near(latency.p99, 0.99);
        near(latency.max, 1.0);
        assert_eq!(of([]).percentiles(), None);
    }

    #[test]
    fn a_distribution_has_every_attempt_once_in_steps_that_grow() {
        let counts = of(1..=1000).distribution().unwrap();
        assert_eq!(counts.iter().map(|step| step.count).sum::<u64>(), 1000);
        assert!((40..=70).contains(&counts.len()), "{}", counts.len());
        for pair in counts.windows(2) {
            assert!(pair[0].to_s <= pair[1].from_s, "{pair:?}");
            near(pair[0].to_s / pair[0].from_s, 1.122);
        }
        let one = of([8]).distribution().unwrap();
        assert!(one[0].from_s <= 0.008 && 0.008 <= one[0].to_s, "{one:?}");
        assert_eq!(of([]).distribution(), None);
    }

    #[test]
    fn the_ends_of_the_range_are_counted() {
        let mut latencies = of([]);
        latencies.record(Duration::ZERO);
        latencies.record(LONGEST * 10);
        assert_eq!(latencies.count(), 2);
        near(latencies.percentiles().unwrap().max, 3600.0);
    }

    #[test]
    fn merging_and_sending_keep_every_count() {
        let mut merged = of(1..=10);
        merged.merge(&of(11..=20));
        assert_eq!(merged, of(1..=20));
        let bytes = postcard::to_stdvec(&merged).unwrap();
        let back: Latencies = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(back.percentiles(), merged.percentiles());
        assert_eq!(back.count(), 20);
    }
}
