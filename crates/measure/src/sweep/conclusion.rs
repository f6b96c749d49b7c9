//! What follows from the points: the law, the knee, and how many at once are enough. A pure function of figures.

use triway_core::Model;

use super::{
    knee::{knee, smallest_good},
    law,
    points::{Points, Usable},
    report::{Fit, Knee, Point, Recommended},
    verdict,
};

/// What follows.
#[derive(Debug)]
pub(super) struct Conclusion {
    pub(super) fit: Option<Fit>,
    pub(super) no_fit: Option<String>,
    pub(super) knee: Option<Knee>,
    pub(super) recommended: Option<Recommended>,
    pub(super) verdict: String,
    pub(super) notes: Vec<String>,
}

pub(super) fn conclude(model: Model, measured: &Points) -> Conclusion {
    let points = &measured.points;
    let usable = usable(points);
    let concurrency = |place: usize| points[usable.places[place]].concurrency;
    let (fit, no_fit) = match law::law(&usable.figures) {
        Ok(fit) => (Some(fit), None),
        Err(why) => (None, Some(why)),
    };
    let knee = knee(&usable.figures).map(|place| Knee {
        concurrency: concurrency(place),
    });
    let good = smallest_good(&usable.figures).filter(|_| measured.all_failed.is_none());
    let findings = verdict::Findings {
        model,
        usable: &usable,
        good,
        knee,
        measured,
    };
    let recommended = good.map(|(first, best)| Recommended {
        concurrency: concurrency(first),
        is_open: verdict::is_open(&findings),
        why: verdict::why(&usable.figures, first, best),
    });
    let mut notes: Vec<String> = few(points).into_iter().collect();
    notes.push(match (&fit, &no_fit) {
        (Some(fit), _) => law::told(fit, &usable.figures),
        (None, why) => format!(
            "no Universal Scalability Law is told: {}",
            why.as_deref().unwrap_or("it was not asked for")
        ),
    });
    Conclusion {
        verdict: verdict::sentence(&findings),
        fit,
        no_fit,
        knee,
        recommended,
        notes,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a concurrency needs no more digits than a float has"
)]
fn usable(points: &[Point]) -> Usable {
    let figures = points.iter().enumerate().filter_map(|(place, point)| {
        let (n, throughput) = point.figure()?;
        (throughput > 0.0).then_some((place, (n as f64, throughput)))
    });
    let (places, figures) = figures.unzip();
    Usable { places, figures }
}

/// Says which points have too few inputs to conclude from.
fn few(points: &[Point]) -> Option<String> {
    let few: Vec<String> = points
        .iter()
        .filter(|point| point.too_few_inputs)
        .map(|point| point.concurrency.to_string())
        .collect();
    if few.is_empty() {
        return None;
    }
    Some(format!(
        "too few inputs for {} at once: with fewer than {} for each lane, the first moments and the last stragglers \
         decide, so nothing is concluded from that",
        few.join(", "),
        super::shares::WAVES
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Estimate;

    /// A point of so many at once, with this throughput and inputs enough.
    fn point(concurrency: usize, throughput: f64) -> Point {
        Point {
            concurrency,
            inputs: 1000,
            too_few_inputs: false,
            skipped: None,
            unranked: None,
            succeeded: Some(1000),
            failed: Some(0),
            wall_s: None,
            startup_s: None,
            throughput_per_s: Some(Estimate {
                median: throughput,
                ci95: None,
            }),
            efficiency: None,
            latency_s: None,
            cpu_s: None,
            cpu_per_input_s: None,
            peak_memory_bytes: None,
            context_switches: None,
            latency_distribution: None,
            timeline: None,
            server: None,
            inside: None,
        }
    }

    fn measured(figures: &[(usize, f64)]) -> Points {
        Points {
            points: figures.iter().map(|(n, x)| point(*n, *x)).collect(),
            results_equal: true,
            differences: Vec::new(),
            limit: None,
            all_failed: None,
        }
    }

    #[track_caller]
    fn check(measured: &Points, recommended: Option<usize>, knee: Option<usize>, verdict: &str) {
        let found = conclude(Model::Async, measured);
        assert_eq!(found.verdict, verdict);
        assert_eq!(found.recommended.map(|it| it.concurrency), recommended);
        assert_eq!(found.knee.map(|it| it.concurrency), knee);
        assert_ne!(found.fit.is_some(), found.no_fit.is_some());
    }

    #[test]
    fn what_still_rose_is_not_called_enough() {
        let recommended = |figures: &[_]| conclude(Model::Async, &measured(figures)).recommended;
        assert!(recommended(&[(1, 10.0), (2, 20.0), (4, 40.0)]).is_some_and(|it| it.is_open));
        assert!(recommended(&SLOTS).is_some_and(|it| !it.is_open));
    }

    const SLOTS: [(usize, f64); 5] = [(1, 10.0), (2, 20.0), (4, 39.0), (8, 40.0), (16, 39.5)];

    #[test]
    fn enough_is_what_is_as_good_as_the_best() {
        check(
            &measured(&SLOTS),
            Some(4),
            Some(4),
            "async@4 is enough: 39.0 inputs a second, the smallest within 5 % of the best measured, 40.0 at 8, 3.90 \
             times that of 1.",
        );
        check(
            &measured(&[(1, 10.0), (2, 10.1), (4, 10.2), (8, 9.0)]),
            Some(1),
            None,
            "async@1 is enough: 10.0 inputs a second, the smallest within 5 % of the best measured, 10.2 at 4; more than \
             that, up to 8, gains less than 5 %.",
        );
        check(
            &measured(&[(1, 10.0), (2, 20.0), (4, 40.0)]),
            Some(4),
            None,
            "async@4 did best of those tried: 40.0 inputs a second, the best measured, 4.00 times that of 1; throughput still rose at \
             the last concurrency, so that more may gain more.",
        );
        check(
            &measured(&[(1, 10.0), (8, 60.0), (16, 70.0), (64, 80.0), (256, 60.0)]),
            Some(64),
            Some(16),
            "async@64 is enough: 80.0 inputs a second, the best measured, 8.00 times that of 1; the curve bends at 16.",
        );
    }

    #[test]
    fn what_ends_a_sweep_is_told() {
        let mut refused = measured(&SLOTS);
        refused.limit = Some(8);
        for point in &mut refused.points[3..] {
            point.unranked = Some("more fails than below".to_owned());
            point.failed = Some(300);
        }
        check(
            &refused,
            Some(4),
            None,
            "async@4 is enough: 39.0 inputs a second, the best measured, 3.90 times that of 1; at 8 more fails than \
             below (300 of 1000 inputs), which is where it ends.",
        );
        let mut few = measured(&SLOTS);
        few.points[3].too_few_inputs = true;
        few.points[4].skipped = Some("too few".to_owned());
        check(
            &few,
            Some(4),
            None,
            "async@4 is enough: 39.0 inputs a second, the best measured, 3.90 times that of 1; there are too few inputs \
             to tell whether more would gain.",
        );
        let notes = conclude(Model::Async, &few).notes.join(" ");
        assert!(notes.contains("too few inputs for 8 at once"), "{notes}");
    }

    #[test]
    fn what_fails_everywhere_alike_is_told_of_what_is_recommended() {
        let mut failing = measured(&SLOTS);
        for point in &mut failing.points {
            point.failed = Some(400);
        }
        check(
            &failing,
            Some(4),
            Some(4),
            "async@4 is enough: 39.0 inputs a second, the smallest within 5 % of the best measured, 40.0 at 8, 3.90 \
             times that of 1; of its 1000 inputs 400 failed.",
        );
    }

    #[test]
    fn where_nothing_can_be_told_nothing_is_recommended() {
        let nothing =
            "Nothing is recommended: there is no concurrency whose figures tell anything.";
        check(&measured(&[]), None, None, nothing);
        check(&measured(&[(1, 0.0), (2, 0.0)]), None, None, nothing);
        check(
            &measured(&[(2, 5.0)]),
            Some(2),
            None,
            "async@2 is all that can be told of, with 5.00 inputs a second, so there is nothing to compare it with.",
        );
        let mut failed = measured(&SLOTS);
        failed.all_failed = Some("refused".to_owned());
        let found = conclude(Model::Async, &failed);
        assert_eq!(found.recommended, None);
        assert!(
            found
                .verdict
                .contains("every input failed at every concurrency")
        );
    }
}
