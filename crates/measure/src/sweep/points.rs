//! Turns what the trials measured into points: what each shows, and from which of them nothing is concluded, and why.

use std::io;

use super::{failures::Losses, report::Point, shares};
use crate::{
    agreement::{Settled, Standing},
    conclusion::{all_failed, equal, inputs, left_otherwise, told},
    course::{Course, estimate},
    evidence::Evidence,
    report::{ArmReport, Difference},
};

/// All points, and what they say together.
#[derive(Debug)]
pub(super) struct Points {
    /// By rising concurrency.
    pub(super) points: Vec<Point>,
    /// Whether all gave the same.
    pub(super) results_equal: bool,
    /// Where they did not.
    pub(super) differences: Vec<Difference>,
    /// From which concurrency on more inputs fail than below.
    pub(super) limit: Option<usize>,
    /// The most frequent kind of failure, if there was nothing but failure.
    pub(super) all_failed: Option<String>,
}

/// The points that conclusions are drawn from: each place among all, and its figures.
pub(super) struct Usable {
    pub(super) places: Vec<usize>,
    pub(super) figures: Vec<(f64, f64)>,
}

pub(super) fn points(courses: &[Course], evidence: &Evidence) -> io::Result<Points> {
    let ids: Vec<&str> = courses.iter().map(|course| &*course.arm.id).collect();
    let mut settled = evidence.agreement.settle(&ids, None)?;
    for difference in &mut settled.differences {
        difference.index = evidence.place(difference.index);
    }
    let limit = limit(courses, &settled);
    let mut points: Vec<Point> = courses
        .iter()
        .enumerate()
        .map(|(place, course)| Point {
            unranked: unranked(place, courses, &settled, limit),
            ..point(course, evidence)
        })
        .collect();
    share(&mut points);
    Ok(Points {
        points,
        results_equal: equal(courses, &settled),
        limit: limit.map(|place| courses[place].arm.concurrency.get()),
        all_failed: all_failed(courses),
        differences: settled.differences,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a quotient needs no more digits than a float has"
)]
fn point(course: &Course, evidence: &Evidence) -> Point {
    let ArmReport {
        concurrency,
        skipped,
        succeeded,
        failed,
        wall_s,
        startup_s,
        latency_s,
        latency_distribution,
        timeline,
        cpu_s,
        peak_memory_bytes,
        context_switches,
        server,
        inside,
        ..
    } = told(course, evidence);
    let few = skipped.is_none() && shares::too_few(course.inputs, concurrency as u64);
    Point {
        concurrency,
        inputs: course.inputs,
        too_few_inputs: few,
        skipped,
        unranked: None,
        succeeded,
        failed,
        wall_s,
        startup_s,
        throughput_per_s: estimate(&course.throughputs()),
        efficiency: None,
        latency_s,
        latency_distribution,
        timeline,
        cpu_s,
        cpu_per_input_s: cpu_s.map(|cpu| cpu / course.inputs.max(1) as f64),
        peak_memory_bytes,
        context_switches,
        server,
        inside,
    }
}

/// Compares what a lane does with what it does at the smallest concurrency.
#[expect(
    clippy::cast_precision_loss,
    reason = "a concurrency needs no more digits than a float has"
)]
fn share(points: &mut [Point]) {
    let of_lane = |point: &Point| {
        let throughput = point.throughput_per_s?.median;
        Some(throughput / point.concurrency as f64)
    };
    let Some(first) = points.iter().find_map(of_lane) else {
        return;
    };
    for point in points {
        let share = of_lane(point).map(|own| own / first);
        point.efficiency = share.filter(|share| share.is_finite());
    }
}

/// Why nothing is concluded from a point that ran.
fn unranked(
    place: usize,
    courses: &[Course],
    settled: &Settled,
    limit: Option<usize>,
) -> Option<String> {
    let course = &courses[place];
    if course.skipped.is_some() {
        return None;
    }
    if let Some(failure) = course.failures.first() {
        return Some(format!("a trial gave no figures: {failure}"));
    }
    if let Some(stopped) = course.stopped() {
        return Some(format!("it stopped early: {stopped}"));
    }
    let standing = &settled.standings[place];
    if *standing == Standing::Unknown {
        return Some("it gave no outcomes".to_owned());
    }
    if !explained(course, courses, settled, standing) {
        return Some(match standing {
            Standing::Wavers(n) => format!(
                "its outcomes differ between its own rounds, for {}",
                inputs(*n)
            ),
            Standing::Differs(n) => format!(
                "its outcomes differ from those of others, for {}",
                inputs(*n)
            ),
            Standing::Unknown | Standing::Agrees => return None,
        });
    }
    left_otherwise(course, courses, settled).or_else(|| match limit {
        Some(limit) if place == limit => Some(format!(
            "more fails than below: {} of {} in its worst round",
            course.failed().unwrap_or(0),
            course.inputs
        )),
        Some(limit) if place > limit => {
            Some("it is beyond the concurrency at which more begins to fail".to_owned())
        }
        _ => None,
    })
}

/// Whether outcomes are other than those of other rounds or points only because inputs failed.
fn explained(course: &Course, courses: &[Course], settled: &Settled, standing: &Standing) -> bool {
    let failed = |course: &Course| course.failed().unwrap_or(0);
    let reference = settled.reference.map_or(0, |place| failed(&courses[place]));
    match standing {
        Standing::Wavers(n) => *n <= 2 * failed(course),
        Standing::Differs(n) => *n <= failed(course) + reference,
        Standing::Agrees | Standing::Unknown => true,
    }
}

/// The place of the first point at which more fails than at those below it together. Where the same inputs fail in the
/// same way as elsewhere, that is no matter of concurrency.
fn limit(courses: &[Course], settled: &Settled) -> Option<usize> {
    let mut below = Losses::default();
    for (place, (course, standing)) in courses.iter().zip(&settled.standings).enumerate() {
        let own = losses(course);
        if *standing != Standing::Agrees && own.exceed(below) {
            return Some(place);
        }
        below = below.and(own);
    }
    None
}

fn losses(course: &Course) -> Losses {
    let of = |trial: &crate::trial::Measured| Losses {
        failed: trial.tally.failed(),
        executed: trial.tally.total(),
    };
    course
        .trials
        .iter()
        .map(of)
        .fold(Losses::default(), Losses::and)
}
