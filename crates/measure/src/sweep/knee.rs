//! Where more concurrency stops paying, among the points that were measured.
//!
//! The knee is that of Kneedle (V. Satopää, J. Albrecht, D. Irwin, B. Raghavan: "Finding a 'Kneedle' in a Haystack:
//! Detecting Knee Points in System Behavior", ICDCS workshops 2011): both axes are scaled to run from 0 to 1, and the knee
//! is where the curve lies highest above the diagonal. Points are few and medians already, so that nothing is smoothed,
//! and only a point that was measured is a knee.
//!
//! What is worth asking for is another question, with another answer: the smallest concurrency that is as good as the best
//! one measured, to within 5 %.

/// How far above the diagonal a knee lies at least: noise makes bends, too.
const BEND: f64 = 0.1;

/// How much the best must exceed the worst; otherwise throughput does not depend on concurrency, and has no knee.
const RISE: f64 = 1.1;

/// What counts as equally good: at least this part of the best.
pub const EQUALLY_GOOD: f64 = 0.95;

/// The place of the knee among points of concurrency and throughput, which rise in concurrency. `None` where throughput
/// bends nowhere, or has fallen from the first point on.
#[must_use]
pub fn knee(points: &[(f64, f64)]) -> Option<usize> {
    let usable = |(n, x): &(f64, f64)| n.is_finite() && x.is_finite() && *x > 0.0;
    if points.len() < 3 || !points.iter().all(usable) {
        return None;
    }
    let (first, last) = (points.first()?.0, points.last()?.0);
    let lowest = points.iter().map(|(_, x)| *x).fold(f64::INFINITY, f64::min);
    let highest = points.iter().map(|(_, x)| *x).fold(0.0, f64::max);
    if !(highest / lowest >= RISE && last > first) {
        return None;
    }
    // Halves, because the difference of two large numbers is none.
    let share = |x: f64| (x / 2.0 - lowest / 2.0) / (highest / 2.0 - lowest / 2.0);
    let above = |(n, x): &(f64, f64)| share(*x) - (n - first) / (last - first);
    let inner = 1..points.len() - 1;
    let knee = inner.max_by(|a, b| above(&points[*a]).total_cmp(&above(&points[*b])))?;
    let first_is_higher = above(&points[0]) >= above(&points[knee]);
    (above(&points[knee]) >= BEND && !first_is_higher).then_some(knee)
}

/// The place of the first point that is as good as the best, and that of the best. `None` of nothing.
#[must_use]
pub fn smallest_good(points: &[(f64, f64)]) -> Option<(usize, usize)> {
    let measured = |(_, x): &(f64, f64)| x.is_finite() && *x > 0.0;
    let places = (0..points.len()).filter(|place| measured(&points[*place]));
    // Of equals the last is `max_by`'s, and the first is wanted.
    let best = places
        .clone()
        .rev()
        .max_by(|a, b| points[*a].1.total_cmp(&points[*b].1))?;
    let enough = points[best].1 * EQUALLY_GOOD;
    let first = places.clone().find(|place| points[*place].1 >= enough)?;
    Some((first, best))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures, where they bend, and what they are.
    type Case = (Vec<(u32, f64)>, Option<u32>, &'static str);

    fn points(figures: &[(u32, f64)]) -> Vec<(f64, f64)> {
        figures.iter().map(|(n, x)| (f64::from(*n), *x)).collect()
    }

    #[test]
    fn knees_are_where_curves_bend() {
        let of =
            |n: u32, x: fn(f64) -> f64| (0..n).map(|k| (1 << k, x(f64::from(1 << k)))).collect();
        let table: [Case; 10] = [
            (of(7, |n| n.min(8.0)), Some(8), "eight slots"),
            (of(5, |n| n.min(2.0)), Some(2), "two processors"),
            (of(7, |n| n), None, "no end in sight"),
            (of(7, |n| n * n), None, "bent the other way"),
            (of(7, |_| 5.0), None, "flat"),
            (of(7, |n| 1.0 / n), None, "falling from the first"),
            (
                of(7, |n| if n <= 8.0 { n } else { 8.0 / n }),
                Some(8),
                "a peak",
            ),
            (of(2, |n| n), None, "two points"),
            (of(7, |n| n.min(8.0) * 1e300), Some(8), "large figures"),
            (
                vec![
                    (1, 1.0),
                    (2, 2.0),
                    (4, 3.9),
                    (8, 7.6),
                    (16, 7.9),
                    (32, 8.1),
                    (64, 7.7),
                ],
                Some(8),
                "noise on the plateau",
            ),
        ];
        for (figures, expected, why) in table {
            let points = points(&figures);
            let found = knee(&points).map(|place| figures[place].0);
            assert_eq!(found, expected, "{why}");
        }
    }

    #[test]
    fn the_smallest_that_is_good_enough_is_enough() {
        for (figures, expected) in [
            (&[(1, 1.0), (2, 2.0), (4, 2.1), (8, 2.0)][..], Some((2, 4))),
            (&[(1, 1.0), (2, 2.0), (4, 2.1), (8, 2.11)], Some((4, 8))),
            (&[(1, 5.0), (2, 5.0)], Some((1, 1))),
            (&[(1, 0.0), (2, f64::NAN), (4, 1.0)], Some((4, 4))),
            (&[(1, 0.0)], None),
            (&[], None),
        ] {
            let found = smallest_good(&points(figures));
            let found = found.map(|(first, best)| (figures[first].0, figures[best].0));
            assert_eq!(found, expected, "{figures:?}");
        }
    }
}
