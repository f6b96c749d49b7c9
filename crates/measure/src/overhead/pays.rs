//! From which duration of an input a model pays: a pure function of figures.
//!
//! One after the other, an input that takes `d` costs `d + b`, where `b` is what sequential itself needs for an input.
//! On lanes that together are `p` times as fast as one, it costs `d / p + h`, where `h` is the hand-over, and its share of
//! the start-up, `s / n` in a job of `n` inputs. The second is less than the first where
//!
//! `d > (h - b + s / n) / (1 - 1 / p)`.
//!
//! For inputs that compute, `p` is measured. For inputs that wait it is the number of lanes, because waits take nothing
//! from each other.

use super::report::{Figure, Pays, Work};
use super::told::time;

/// The formula, for whoever reads a report.
pub(super) const FORMULA: &str = "d > (hand-over - sequential + start-up / inputs) / (1 - 1 / times as fast), where what \
                                  computes is as many times as fast as was measured, and what waits as there are lanes";

/// The inputs of a job whose start matters.
const SHORT_JOB: f64 = 100.0;

/// Lanes that together are hardly faster than one never pay, and what is left is noise.
pub(super) const SMALLEST_GAIN: f64 = 1.05;

/// One model on one kind of inputs, and its figures.
struct Case {
    row: &'static str,
    name: &'static str,
    work: Work,
    base: &'static str,
    hand: &'static str,
    ready: &'static str,
    /// Of those that compute.
    parallel: Option<&'static str>,
}

const fn computes(
    row: &'static str,
    name: &'static str,
    [base, hand, ready, parallel]: [&'static str; 4],
) -> Case {
    Case {
        row,
        name,
        work: Work::Computes,
        base,
        hand,
        ready,
        parallel: Some(parallel),
    }
}

const fn waits(
    row: &'static str,
    name: &'static str,
    [base, hand, ready]: [&'static str; 3],
) -> Case {
    Case {
        row,
        name,
        work: Work::Waits,
        base,
        hand,
        ready,
        parallel: None,
    }
}

const CASES: &[Case] = &[
    computes(
        "threads",
        "threads",
        [
            "hand.sequential",
            "hand.threads",
            "ready.threads",
            "parallel.threads",
        ],
    ),
    computes(
        "processes",
        "processes",
        [
            "hand.sequential",
            "hand.processes",
            "ready.processes",
            "parallel.processes",
        ],
    ),
    waits(
        "threads",
        "threads",
        ["hand.sequential", "hand.threads_100", "ready.threads_100"],
    ),
    waits(
        "async",
        "async",
        ["hand.sequential", "hand.async", "ready.async"],
    ),
    computes(
        "python-threads",
        "Python threads",
        [
            "python.hand.sequential",
            "python.hand.threads",
            "python.ready.threads",
            "python.parallel.threads",
        ],
    ),
    computes(
        "python-processes",
        "Python processes",
        [
            "python.hand.sequential",
            "python.hand.processes",
            "python.ready.processes",
            "python.parallel.processes",
        ],
    ),
    waits(
        "python-threads",
        "Python threads",
        [
            "python.hand.sequential",
            "python.hand.threads_100",
            "python.ready.threads_100",
        ],
    ),
    waits(
        "python-async",
        "Python async",
        [
            "python.hand.sequential",
            "python.hand.async",
            "python.ready.async",
        ],
    ),
];

/// Every model on the inputs that it is for. Lanes are of those that compute, and of those that wait.
pub(super) fn pays_from(figures: &[Figure], lanes: [usize; 2], python: bool) -> Vec<Pays> {
    let cases = CASES
        .iter()
        .filter(|case| python || !case.row.starts_with("python"));
    cases.map(|case| case.pays(figures, lanes)).collect()
}

impl Case {
    fn pays(&self, figures: &[Figure], [computing, waiting]: [usize; 2]) -> Pays {
        let lanes = match self.work {
            Work::Computes => computing,
            Work::Waits => waiting,
        };
        let mut pays = Pays {
            row: self.row.to_owned(),
            name: self.name.to_owned(),
            work: self.work,
            lanes,
            times: None,
            long_job_s: None,
            hundred_inputs_s: None,
            why_not: None,
        };
        if let Err(why_not) = self.fill(&mut pays, figures) {
            pays.why_not = Some(why_not);
        }
        pays
    }

    fn fill(&self, pays: &mut Pays, figures: &[Figure]) -> Result<(), String> {
        let measured = |id: &str| {
            let figure = figures.iter().find(|figure| figure.id == id);
            figure
                .and_then(|figure| figure.median)
                .ok_or_else(|| format!("{id} was not measured"))
        };
        let times = match self.parallel {
            Some(id) => measured(id)?,
            None => as_float(pays.lanes),
        };
        pays.times = Some(times);
        let more = measured(self.hand)? - measured(self.base)?;
        let start = measured(self.ready)?;
        if times < SMALLEST_GAIN {
            return Err(format!(
                "{} lanes that compute are {times:.2} times as fast as one",
                pays.lanes
            ));
        }
        pays.long_job_s = Some(least(more, times));
        pays.hundred_inputs_s = Some(least(more + start / SHORT_JOB, times));
        Ok(())
    }
}

/// The duration at which what is more is gained back.
fn least(more: f64, times: f64) -> f64 {
    more.max(0.0) / (1.0 - 1.0 / times)
}

/// In words: from when on, or why never.
pub(super) fn in_words(pays: &Pays) -> String {
    let doing = match pays.work {
        Work::Computes => "compute",
        Work::Waits => "wait",
    };
    match (pays.long_job_s, pays.times, &pays.why_not) {
        (Some(0.0), ..) => format!("inputs that {doing}, however short"),
        (Some(least), ..) => format!("inputs that {doing} for {} or more", time(least)),
        (None, Some(times), _) if times < SMALLEST_GAIN => format!(
            "not for inputs that {doing}: {} lanes are {times:.2} times as fast as one",
            pays.lanes
        ),
        _ => format!("inputs that {doing}: (not measured)"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "lanes are few")]
fn as_float(lanes: usize) -> f64 {
    lanes as f64
}

#[cfg(test)]
mod tests {
    use super::{super::report::Unit, *};

    fn figure((id, median): (&str, f64)) -> Figure {
        Figure {
            id: id.to_owned(),
            name: id.to_owned(),
            unit: Unit::Seconds,
            median: Some(median),
            ci95: None,
            range: None,
            rounds: 1,
            how: String::new(),
            missing: None,
        }
    }

    fn find<'a>(all: &'a [Pays], row: &str, work: Work) -> &'a Pays {
        let mut found = all.iter();
        found
            .find(|pays| pays.row == row && pays.work == work)
            .unwrap()
    }

    #[track_caller]
    fn close(got: Option<f64>, expected: f64) {
        let got = got.unwrap();
        assert!((got - expected).abs() < 1e-9 * expected, "{got}");
    }

    #[test]
    fn what_is_more_must_be_gained_back() {
        let figures = [
            ("hand.sequential", 1e-6),
            ("hand.threads", 3e-6),
            ("ready.threads", 1e-4),
            ("parallel.threads", 2.0),
            ("hand.processes", 0.5e-6),
            ("ready.processes", 1e-2),
            ("parallel.processes", 1.01),
            ("hand.async", 2e-6),
            ("ready.async", 0.0),
        ]
        .map(figure);
        let all = pays_from(&figures, [2, 100], false);
        assert_eq!(all.len(), 4, "Python is left out");
        // Two lanes gain back half of an input: 2 µs more, and 1 µs of a start-up of 100 µs.
        let threads = find(&all, "threads", Work::Computes);
        close(threads.long_job_s, 4e-6);
        close(threads.hundred_inputs_s, 6e-6);
        assert_eq!(in_words(threads), "inputs that compute for 4.0 µs or more");
        // A hundred that wait gain back nearly all of it.
        let waits = find(&all, "async", Work::Waits);
        close(waits.long_job_s, 1e-6 / 0.99);
        assert_eq!((waits.lanes, waits.times), (100, Some(100.0)));
    }

    #[test]
    fn what_gains_nothing_never_pays() {
        let figures = [
            ("hand.sequential", 1e-6),
            ("hand.processes", 0.5e-6),
            ("ready.processes", 1e-2),
            ("parallel.processes", 1.01),
        ]
        .map(figure);
        let all = pays_from(&figures, [2, 100], true);
        let processes = find(&all, "processes", Work::Computes);
        assert_eq!(processes.long_job_s, None);
        let why = "2 lanes that compute are 1.01 times as fast as one";
        assert_eq!(processes.why_not.as_deref(), Some(why));
        assert!(in_words(processes).starts_with("not for inputs that compute"));
        let threads = find(&all, "python-threads", Work::Computes);
        let why = "python.parallel.threads was not measured";
        assert_eq!(threads.why_not.as_deref(), Some(why));
    }

    #[test]
    fn what_costs_less_than_sequential_pays_at_once() {
        let figures = [
            ("hand.sequential", 1e-6),
            ("hand.threads", 0.5e-6),
            ("ready.threads", 1e-4),
            ("parallel.threads", 2.0),
        ]
        .map(figure);
        let all = pays_from(&figures, [2, 100], false);
        let threads = find(&all, "threads", Work::Computes);
        assert_eq!(threads.long_job_s, Some(0.0));
        assert_eq!(in_words(threads), "inputs that compute, however short");
        close(threads.hundred_inputs_s, 1e-6);
    }
}
