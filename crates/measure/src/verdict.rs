//! What a comparison says in one plain sentence: which model wins and by how much, or why none does.

use crate::{
    ranking::{Contender, Ranking, SMALLEST_EFFECT, carried, ratio, steadier},
    report::Estimate,
};

/// All that the sentence depends on.
#[derive(Debug, Clone, Copy)]
pub struct Findings<'a> {
    /// The arms that are ranked.
    pub contenders: &'a [Contender<'a>],
    /// How they are ranked.
    pub ranking: &'a Ranking,
    /// Which contender speedups refer to, if it is ranked.
    pub baseline: Option<usize>,
    /// Arms that ran and are not ranked, with the reason.
    pub unranked: &'a [(String, String)],
    /// Whether not one input succeeded in any arm, and the kind of failure that was most frequent.
    pub all_failed: Option<&'a str>,
}

/// The sentence.
#[must_use]
pub fn sentence(findings: &Findings<'_>) -> String {
    let told = match (findings.all_failed, findings.contenders.len()) {
        (Some(kind), _) => {
            return format!(
                "No winner: every input failed under every model, most often with `{kind}`."
            );
        }
        (None, 0) => return nobody(findings.unranked),
        (None, 1) => format!(
            "No winner: only {} is ranked, so there is nothing to compare it with",
            findings.contenders[0].id
        ),
        _ => match findings.ranking.winner {
            Some(winner) => won(findings, winner),
            None => open(findings),
        },
    };
    format!("{told}{}{}.", steady(findings), left_out(findings.unranked))
}

fn nobody(unranked: &[(String, String)]) -> String {
    match unranked {
        [] => "No winner: no model could run this job.".to_owned(),
        some => format!("No winner: no model is ranked{}.", left_out(some)),
    }
}

fn won(findings: &Findings<'_>, winner: usize) -> String {
    // A winner has somebody to win against: with one contender this is not asked.
    let runner_up = findings.ranking.order[1];
    let told = format!(
        "{} wins: it is {}",
        findings.contenders[winner].id,
        against(findings, runner_up, winner)
    );
    match findings.baseline {
        Some(baseline) if ![winner, runner_up].contains(&baseline) => {
            format!(
                "{told}, the runner-up, and {}",
                against(findings, baseline, winner)
            )
        }
        _ => told,
    }
}

/// Nobody wins: says what the two fastest differ by, and whether they at least beat the baseline.
fn open(findings: &Findings<'_>) -> String {
    let [first, second] = [findings.ranking.order[0], findings.ranking.order[1]];
    let ids = [
        findings.contenders[first].id,
        findings.contenders[second].id,
    ];
    let between = between(findings, second, first);
    let told = match between.and_then(|ratio| ratio.ci95) {
        None => format!(
            "No winner: {} was fastest, but so few rounds ({}) tell nothing",
            ids[0],
            findings.contenders[first].totals.len()
        ),
        Some([low, high]) if 1.0 / SMALLEST_EFFECT <= low && high <= SMALLEST_EFFECT => format!(
            "No winner: {} and {} are equally fast to within 2 %",
            ids[0], ids[1]
        ),
        Some(_) => format!(
            "No winner: the figures carry no difference of 2 % or more between {} and {}: {}",
            ids[0],
            ids[1],
            between.map_or_else(String::new, times)
        ),
    };
    match findings
        .baseline
        .filter(|baseline| ![first, second].contains(baseline))
    {
        Some(baseline) if carried(self::between(findings, baseline, first)) => {
            format!(
                "{told}; {} is {}",
                ids[0],
                against(findings, baseline, first)
            )
        }
        _ => told,
    }
}

fn steady(findings: &Findings<'_>) -> String {
    let first = findings.ranking.order.first();
    match first.and_then(|first| steadier(findings.contenders, *first)) {
        Some((steadiest, ratio)) => format!(
            "; in steady work, without start-up, {} is {} as fast as {}",
            findings.contenders[steadiest].id,
            times(ratio),
            findings.contenders[findings.ranking.order[0]].id
        ),
        None => String::new(),
    }
}

fn left_out(unranked: &[(String, String)]) -> String {
    unranked
        .iter()
        .map(|(id, reason)| format!("; {id} is not ranked: {reason}"))
        .collect()
}

fn against(findings: &Findings<'_>, slower: usize, faster: usize) -> String {
    let id = findings.contenders[slower].id;
    match between(findings, slower, faster) {
        Some(ratio) => format!("{} as fast as {id}", times(ratio)),
        None => format!("faster than {id}"),
    }
}

fn between(findings: &Findings<'_>, slower: usize, faster: usize) -> Option<Estimate> {
    let contenders = findings.contenders;
    ratio(
        contenders[slower].totals,
        contenders[faster].totals,
        contenders.len(),
    )
}

/// Such as `1.92 times (1.85 to 1.99)`.
fn times(ratio: Estimate) -> String {
    let median = figure(ratio.median);
    match (ratio.telling_interval(), ratio.ci95) {
        (Some([low, high]), _) => format!("{median} times ({} to {})", figure(low), figure(high)),
        (None, Some(_)) => format!("{median} times (too few rounds for an interval)"),
        (None, None) => format!("{median} times"),
    }
}

/// Three digits, more or less.
fn figure(value: f64) -> String {
    match value {
        small if small < 10.0 => format!("{small:.2}"),
        middle if middle < 100.0 => format!("{middle:.1}"),
        large if large < 1e6 => format!("{large:.0}"),
        _ => "over a million".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::rank;

    /// An arm's name and its seconds: start-up and steady work, the same in every round but for `noise`.
    type Row = (&'static str, f64, f64, f64);

    fn told(rows: &[Row], rounds: usize, unranked: &[(&str, &str)]) -> String {
        let series = |base: f64, noise: f64, arm: usize| -> Vec<f64> {
            let off = [0.3, -0.8, 0.5, 1.0, -0.2, -1.0, 0.2];
            (0..rounds)
                .map(|round| base * (1.0 + noise * off[(round + arm) % 7]))
                .collect()
        };
        let of = |column: fn(&Row) -> f64| -> Vec<Vec<f64>> {
            let rows = rows.iter().enumerate();
            rows.map(|(arm, row)| series(column(row), row.3, arm))
                .collect()
        };
        let (totals, walls) = (of(|row| row.1 + row.2), of(|row| row.2));
        let contenders: Vec<Contender<'_>> = (0..rows.len())
            .map(|arm| Contender {
                id: rows[arm].0,
                totals: &totals[arm],
                walls: &walls[arm],
                succeeded: 1,
            })
            .collect();
        let unranked: Vec<_> = unranked
            .iter()
            .map(|(a, b)| ((*a).into(), (*b).into()))
            .collect();
        sentence(&Findings {
            contenders: &contenders,
            ranking: &rank(&contenders),
            baseline: rows.iter().position(|row| row.0 == "sequential"),
            unranked: &unranked,
            all_failed: None,
        })
    }

    const SEQUENTIAL: Row = ("sequential", 0.0, 4.0, 0.0);

    #[track_caller]
    fn check(rows: &[Row], unranked: &[(&str, &str)], expected: &str) {
        assert_eq!(told(rows, 7, unranked), expected);
    }

    #[test]
    fn winners_are_told_with_what_they_beat() {
        check(
            &[
                SEQUENTIAL,
                ("threads", 0.0, 1.0, 0.0),
                ("async", 0.0, 0.5, 0.0),
            ],
            &[],
            "async wins: it is 2.00 times (2.00 to 2.00) as fast as threads, the runner-up, and 8.00 times (8.00 to \
             8.00) as fast as sequential.",
        );
        check(
            &[SEQUENTIAL, ("threads", 0.0, 40.0, 0.0)],
            &[],
            "sequential wins: it is 10.0 times (10.0 to 10.0) as fast as threads.",
        );
        check(
            &[("threads", 0.1, 2.0, 0.0), ("processes", 5.0, 1.0, 0.0)],
            &[("async", "it failed")],
            "threads wins: it is 2.86 times (2.86 to 2.86) as fast as processes; in steady work, without start-up, \
             processes is 2.00 times (2.00 to 2.00) as fast as threads; async is not ranked: it failed.",
        );
    }

    #[test]
    fn where_nobody_wins_the_reason_is_told() {
        check(
            &[
                SEQUENTIAL,
                ("threads", 0.0, 1.0, 0.0),
                ("async", 0.0, 1.0, 0.0),
            ],
            &[],
            "No winner: threads and async are equally fast to within 2 %; threads is 4.00 times (4.00 to 4.00) as fast \
             as sequential.",
        );
        // Interval: scipy.stats.t.interval(.95, 6, loc=d.mean(), scale=scipy.stats.sem(d)) of the log ratios d.
        check(
            &[("threads", 0.0, 1.0, 0.1), ("async", 0.0, 1.05, 0.1)],
            &[],
            "No winner: the figures carry no difference of 2 % or more between threads and async: 1.06 times (0.95 to \
             1.16).",
        );
        assert_eq!(
            told(
                &[("threads", 0.0, 1.0, 0.3), ("async", 0.0, 1.28, 0.3)],
                2,
                &[]
            ),
            "No winner: the figures carry no difference of 2 % or more between threads and async: 1.41 times (too few \
             rounds for an interval)."
        );
        assert_eq!(
            told(
                &[("threads", 0.0, 1.0, 0.0), ("async", 0.0, 2.0, 0.0)],
                1,
                &[]
            ),
            "No winner: threads was fastest, but so few rounds (1) tell nothing."
        );
    }

    #[test]
    fn with_fewer_than_two_ranked_arms_there_is_no_contest() {
        check(
            &[SEQUENTIAL],
            &[("threads", "it failed")],
            "No winner: only sequential is ranked, so there is nothing to compare it with; threads is not ranked: it \
             failed.",
        );
        check(&[], &[], "No winner: no model could run this job.");
        check(
            &[],
            &[("async", "it failed")],
            "No winner: no model is ranked; async is not ranked: it failed.",
        );
    }

    #[test]
    fn a_job_that_only_failed_has_no_winner() {
        let ranking = Ranking {
            order: vec![],
            winner: None,
        };
        let findings = Findings {
            contenders: &[],
            ranking: &ranking,
            baseline: None,
            unranked: &[],
            all_failed: Some("refused"),
        };
        let expected =
            "No winner: every input failed under every model, most often with `refused`.";
        assert_eq!(sentence(&findings), expected);
    }
}
