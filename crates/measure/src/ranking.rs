//! Who is fastest, and whether the figures carry a winner. Knows nothing of how the figures came about.

use crate::{
    report::Estimate,
    statistics::{log_ratio, median, simultaneous_level},
};

/// The smallest effect that is called a difference: 2 %.
pub const SMALLEST_EFFECT: f64 = 1.02;

/// One arm that takes part, with its seconds in each round; all contenders have the same rounds.
#[derive(Debug, Clone, Copy)]
pub struct Contender<'a> {
    /// Its name.
    pub id: &'a str,
    /// Start-up and work together: what the ranking goes by.
    pub totals: &'a [f64],
    /// Work alone.
    pub walls: &'a [f64],
    /// How many inputs succeeded in the worst round.
    pub succeeded: u64,
}

/// The contenders in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// Places among the contenders, fastest first.
    pub order: Vec<usize>,
    /// The fastest, if the figures carry that.
    pub winner: Option<usize>,
}

/// Orders contenders by their median total.
///
/// The fastest wins if it had successes and, against each other contender, the interval of the paired ratio of totals
/// (95 % for all pairs together) lies above [`SMALLEST_EFFECT`].
#[must_use]
pub fn rank(contenders: &[Contender<'_>]) -> Ranking {
    let order = by_median(contenders, |contender| contender.totals);
    let winner = order.split_first().and_then(|(&first, rest)| {
        let beats = |other: &usize| {
            carried(ratio(
                contenders[*other].totals,
                contenders[first].totals,
                contenders.len(),
            ))
        };
        let eligible = !rest.is_empty() && contenders[first].succeeded > 0;
        (eligible && rest.iter().all(beats)).then_some(first)
    });
    Ranking { order, winner }
}

/// Who is fastest in steady work, if the figures carry that it is not the one that is fastest in total.
#[must_use]
pub fn steadier(contenders: &[Contender<'_>], first: usize) -> Option<(usize, Estimate)> {
    let order = by_median(contenders, |contender| contender.walls);
    let steadiest = *order.first().filter(|steadiest| **steadiest != first)?;
    let walls = |place: usize| contenders[place].walls;
    let ratio = ratio(walls(first), walls(steadiest), contenders.len())?;
    carried(Some(ratio)).then_some((steadiest, ratio))
}

/// How many times longer `slower` took than `faster`: the median of the paired ratios, with the interval that holds
/// for all pairs of `contenders` together with 95 %. `None` of nothing.
#[must_use]
pub fn ratio(slower: &[f64], faster: &[f64], contenders: usize) -> Option<Estimate> {
    let pairs = contenders * contenders.saturating_sub(1) / 2;
    let ratios: Vec<f64> = slower.iter().zip(faster).map(|(a, b)| a / b).collect();
    let interval = log_ratio(slower, faster, simultaneous_level(pairs));
    Some(Estimate {
        median: median(&ratios)?,
        ci95: interval.map(|ratio| ratio.interval.map(f64::exp)),
    })
}

/// Whether a ratio is above the smallest effect with its whole interval.
#[must_use]
pub fn carried(ratio: Option<Estimate>) -> bool {
    let interval = ratio.and_then(|ratio| ratio.ci95);
    interval.is_some_and(|[low, _]| low > SMALLEST_EFFECT)
}

fn by_median<'a>(
    contenders: &[Contender<'a>],
    seconds: impl Fn(&Contender<'a>) -> &'a [f64],
) -> Vec<usize> {
    let medians: Vec<f64> = contenders
        .iter()
        .map(|contender| median(seconds(contender)).unwrap_or(f64::INFINITY))
        .collect();
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    order.sort_by(|a, b| medians[*a].total_cmp(&medians[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seven rounds around `seconds`, each a little off in its own way.
    pub(crate) fn rounds(seconds: f64, noise: f64) -> Vec<f64> {
        let off = [0.3, -0.8, 0.5, 1.0, -0.2, -1.0, 0.2];
        off.iter()
            .map(|off| seconds * (1.0 + noise * off))
            .collect()
    }

    fn winner(arms: &[(f64, f64, u64)]) -> Option<usize> {
        // Each arm's noise is shifted by one round, or pairing would take it out whole.
        let totals: Vec<Vec<f64>> = arms
            .iter()
            .enumerate()
            .map(|(arm, (seconds, noise, _))| {
                let mut rounds = rounds(*seconds, *noise);
                rounds.rotate_left(arm);
                rounds
            })
            .collect();
        let contenders: Vec<Contender<'_>> = arms
            .iter()
            .zip(&totals)
            .map(|((_, _, succeeded), totals)| Contender {
                id: "",
                totals,
                walls: totals,
                succeeded: *succeeded,
            })
            .collect();
        rank(&contenders).winner
    }

    #[test]
    fn a_winner_needs_a_difference_that_the_interval_carries() {
        for (arms, expected, why) in [
            (
                &[(1.0, 0.01, 9), (2.0, 0.01, 9)][..],
                Some(0),
                "twice as fast",
            ),
            (
                &[(2.0, 0.01, 9), (1.0, 0.01, 9)],
                Some(1),
                "in either order",
            ),
            (&[(1.0, 0.01, 9), (1.0, 0.01, 9)], None, "the same"),
            (
                &[(1.0, 0.0, 9), (1.019, 0.0, 9)],
                None,
                "under the smallest effect",
            ),
            (
                &[(1.0, 0.0, 9), (1.021, 0.0, 9)],
                Some(0),
                "over it, without noise",
            ),
            (&[(1.0, 0.2, 9), (1.1, 0.2, 9)], None, "drowned by noise"),
            (
                &[(1.0, 0.01, 9), (1.0, 0.01, 9), (9.0, 0.01, 9)],
                None,
                "two share the first place",
            ),
            (&[(1.0, 0.01, 0), (2.0, 0.01, 9)], None, "fast at failing"),
            (&[(1.0, 0.01, 9)], None, "alone"),
            (&[], None, "nobody"),
        ] {
            assert_eq!(winner(arms), expected, "{why}");
        }
    }

    #[test]
    fn more_pairs_need_wider_intervals() {
        let (a, b) = (rounds(1.1, 0.02), rounds(1.0, 0.0));
        let width = |contenders| {
            let [low, high] = ratio(&a, &b, contenders).unwrap().ci95.unwrap();
            high / low
        };
        assert!(width(4) > width(3) && width(3) > width(2));
    }

    #[test]
    fn steady_work_may_rank_otherwise_but_only_if_carried() {
        let (one, two, three) = (rounds(1.0, 0.0), rounds(2.0, 0.0), rounds(1.01, 0.0));
        let contender = |totals, walls| Contender {
            id: "",
            totals,
            walls,
            succeeded: 1,
        };
        let other = [contender(&one, &one), contender(&two, &two)];
        assert_eq!(steadier(&other, 0), None);
        let slow_to_start = [contender(&one, &two), contender(&two, &one)];
        assert_eq!(steadier(&slow_to_start, 0).map(|(arm, _)| arm), Some(1));
        let hardly = [contender(&one, &three), contender(&two, &one)];
        assert_eq!(steadier(&hardly, 0), None);
    }

    #[test]
    fn ratios_without_enough_rounds_have_no_interval() {
        assert_eq!(ratio(&[], &[], 2), None);
        let one = ratio(&[2.0], &[1.0], 2).unwrap();
        assert_eq!((one.median, one.ci95), (2.0, None));
        assert!(!carried(Some(one)));
    }
}
