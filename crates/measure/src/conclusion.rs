//! Turns what all trials measured into the report: who is ranked, in which order, and what is said of it.

use std::{collections::BTreeMap, io};

use triway_core::Model;

use crate::{
    agreement::{Settled, Standing},
    course::Course,
    evidence::Evidence,
    inward,
    ranking::{Contender, Ranking, rank, ratio},
    report::{ArmReport, Difference, Estimate, Timeline},
    verdict::{Findings, sentence},
};

/// What a comparison concludes from its trials.
#[derive(Debug)]
pub(crate) struct Conclusion {
    /// Whether all arms that could run gave the same.
    pub(crate) results_equal: bool,
    /// Where they did not.
    pub(crate) differences: Vec<Difference>,
    /// The arm that speedups refer to.
    pub(crate) baseline: Option<String>,
    /// The arm that won.
    pub(crate) winner: Option<String>,
    /// The sentence.
    pub(crate) verdict: String,
    /// Who won at each concurrency, where several arms have the same and others another; what happened inside workers.
    pub(crate) notes: Vec<String>,
    /// The arms, ranked ones first.
    pub(crate) models: Vec<ArmReport>,
}

/// Draws the conclusion; `wanted` is the id of the arm that speedups are to refer to, if somebody chose one.
pub(crate) fn conclude(
    courses: &[Course],
    evidence: &Evidence,
    wanted: Option<&str>,
) -> io::Result<Conclusion> {
    let ids: Vec<&str> = courses.iter().map(|course| &*course.arm.id).collect();
    let baseline = baseline(courses, wanted);
    let mut settled = evidence.agreement.settle(&ids, baseline)?;
    for difference in &mut settled.differences {
        difference.index = evidence.place(difference.index);
    }
    let reasons = unranked(courses, &settled);
    let field = Field::of(courses, &reasons);
    let contenders = field.contenders(courses);
    let ranking = rank(&contenders);
    let ranked_baseline = baseline.and_then(|baseline| field.contender(baseline));
    let models = in_order(&field.places, &ranking, courses)
        .into_iter()
        .map(|place| {
            let contender = field.contender(place);
            ArmReport {
                unranked: reasons[place].clone(),
                speedup: contender.and_then(|own| speedup(&contenders, ranked_baseline, own)),
                ..told(&courses[place], evidence)
            }
        });
    let models: Vec<ArmReport> = models.collect();
    let mut notes = by_concurrency(courses, &field, &contenders);
    notes.extend(inward::notes(&models));
    Ok(Conclusion {
        notes,
        results_equal: equal(courses, &settled),
        models,
        baseline: baseline.map(|place| ids[place].to_owned()),
        winner: ranking
            .winner
            .map(|winner| contenders[winner].id.to_owned()),
        verdict: verdict(courses, &reasons, &contenders, &ranking, ranked_baseline),
        differences: settled.differences,
    })
}

/// What is told of an arm: of all inputs, and no more than was asked for.
pub(crate) fn told(course: &Course, evidence: &Evidence) -> ArmReport {
    let placed = |timeline: Timeline| timeline.placed(|index| evidence.place(index));
    let mut report = course.report(evidence.runtime_threads);
    report.timeline = report.timeline.map(placed);
    report.latency_distribution.take_if(|_| !evidence.detailed);
    report
}

/// The arms that are ranked: their places among all, and their times.
struct Field {
    places: Vec<usize>,
    totals: Vec<Vec<f64>>,
    walls: Vec<Vec<f64>>,
}

impl Field {
    fn of(courses: &[Course], reasons: &[Option<String>]) -> Self {
        let ranked = |place: &usize| courses[*place].skipped.is_none() && reasons[*place].is_none();
        let places: Vec<usize> = (0..courses.len()).filter(ranked).collect();
        Self {
            totals: places
                .iter()
                .map(|place| courses[*place].totals())
                .collect(),
            walls: places.iter().map(|place| courses[*place].walls()).collect(),
            places,
        }
    }

    fn contenders<'a>(&'a self, courses: &'a [Course]) -> Vec<Contender<'a>> {
        let contender = |(rank, place): (usize, &usize)| Contender {
            id: &courses[*place].arm.id,
            totals: &self.totals[rank],
            walls: &self.walls[rank],
            succeeded: courses[*place].succeeded().unwrap_or(0),
        };
        self.places.iter().enumerate().map(contender).collect()
    }

    /// Which contender the arm at this place is.
    fn contender(&self, place: usize) -> Option<usize> {
        self.places.iter().position(|ranked| *ranked == place)
    }
}

/// The wanted arm if it ran, otherwise sequential, otherwise the first arm that did.
fn baseline(courses: &[Course], wanted: Option<&str>) -> Option<usize> {
    let chosen = |place: &usize| wanted == Some(&*courses[*place].arm.id);
    let ran = |place: &usize| !courses[*place].trials.is_empty();
    let sequential = |place: &usize| courses[*place].arm.model == Model::Sequential;
    let mut places = (0..courses.len()).filter(ran);
    places
        .clone()
        .find(chosen)
        .or_else(|| places.clone().find(sequential))
        .or_else(|| places.next())
}

/// For each arm that ran, why it is not ranked.
fn unranked(courses: &[Course], settled: &Settled) -> Vec<Option<String>> {
    let reference = settled
        .reference
        .map_or("the others", |arm| &courses[arm].arm.id);
    let fewest = courses.iter().filter_map(Course::failed).min().unwrap_or(0);
    let reason = |(course, standing): (&Course, &Standing)| {
        if course.skipped.is_some() {
            return None;
        }
        if let Some(failure) = course.failures.first() {
            return Some(format!("a trial gave no figures: {failure}"));
        }
        if let Some(stopped) = course.stopped() {
            return Some(format!("it stopped early: {stopped}"));
        }
        // What failed in one round alone is no other result: it was not to be had.
        if matches!(standing, Standing::Wavers(_))
            && let Some((best, worst)) = course.failed_unevenly()
        {
            return Some(format!(
                "it failed {} in one of its rounds and {best} in another",
                inputs(worst)
            ));
        }
        match standing {
            Standing::Wavers(n) => Some(format!(
                "its outcomes differ between its own rounds, for {}",
                inputs(*n)
            )),
            Standing::Differs(n) => Some(format!(
                "its outcomes differ from those of {reference}, for {}",
                inputs(*n)
            )),
            Standing::Unknown => Some("it gave no outcomes".to_owned()),
            Standing::Agrees => course
                .failed()
                .filter(|failed| *failed > fewest)
                .map(|failed| format!("it failed {}, others only {fewest}", inputs(failed)))
                .or_else(|| left_otherwise(course, courses, settled)),
        }
    };
    courses.iter().zip(&settled.standings).map(reason).collect()
}

/// What an arm left that is other than what the reference left, or than it left itself in another round.
pub(crate) fn left_otherwise(
    course: &Course,
    courses: &[Course],
    settled: &Settled,
) -> Option<String> {
    let first = course.left.first()?;
    if let Some(other) = course.left.iter().find(|left| *left != first) {
        return Some(format!(
            "it left {first} in one of its rounds and {other} in another"
        ));
    }
    let reference = &courses[settled.reference?];
    if reference.inputs != course.inputs {
        // Of more inputs there is more left.
        return None;
    }
    let theirs = reference.left.first().filter(|theirs| *theirs != first)?;
    Some(format!(
        "it left {first}, and {} left {theirs}",
        reference.arm.id
    ))
}

pub(crate) fn inputs(n: u64) -> String {
    format!("{n} input{}", if n == 1 { "" } else { "s" })
}

pub(crate) fn equal(courses: &[Course], settled: &Settled) -> bool {
    let mut ran = courses
        .iter()
        .zip(&settled.standings)
        .filter(|(course, _)| course.skipped.is_none())
        .peekable();
    ran.peek().is_some()
        && ran.all(|(course, standing)| {
            *standing == Standing::Agrees && left_otherwise(course, courses, settled).is_none()
        })
}

/// Ranked arms, fastest first; then those that ran; then those that did not.
fn in_order(ranked: &[usize], ranking: &Ranking, courses: &[Course]) -> Vec<usize> {
    let mut order: Vec<usize> = ranking.order.iter().map(|place| ranked[*place]).collect();
    let others = |skipped: bool| {
        (0..courses.len()).filter(move |place| {
            !ranked.contains(place) && courses[*place].skipped.is_some() == skipped
        })
    };
    order.extend(others(false));
    order.extend(others(true));
    order
}

fn speedup(
    contenders: &[Contender<'_>],
    baseline: Option<usize>,
    contender: usize,
) -> Option<Estimate> {
    let totals = |place: usize| contenders[place].totals;
    if baseline? == contender {
        return Some(Estimate {
            median: 1.0,
            ci95: Some([1.0, 1.0]),
        });
    }
    ratio(totals(baseline?), totals(contender), contenders.len())
}

fn verdict(
    courses: &[Course],
    reasons: &[Option<String>],
    contenders: &[Contender<'_>],
    ranking: &Ranking,
    baseline: Option<usize>,
) -> String {
    let unranked: Vec<(String, String)> = courses
        .iter()
        .zip(reasons)
        .filter_map(|(course, reason)| Some((course.arm.id.clone(), reason.clone()?)))
        .collect();
    sentence(&Findings {
        contenders,
        ranking,
        baseline,
        unranked: &unranked,
        all_failed: all_failed(courses).as_deref(),
    })
}

/// Who won among arms of one concurrency, for each that several arms have; nothing where that is all of them.
fn by_concurrency(courses: &[Course], field: &Field, contenders: &[Contender<'_>]) -> Vec<String> {
    let mut groups = BTreeMap::<usize, Vec<Contender<'_>>>::new();
    for (place, contender) in field.places.iter().zip(contenders) {
        let concurrency = courses[*place].arm.concurrency.get();
        groups.entry(concurrency).or_default().push(*contender);
    }
    groups.retain(|_, group| group.len() > 1);
    if groups.len() < 2 {
        return Vec::new();
    }
    let told = |(concurrency, group): (usize, Vec<Contender<'_>>)| {
        let found = sentence(&Findings {
            contenders: &group,
            ranking: &rank(&group),
            baseline: None,
            unranked: &[],
            all_failed: None,
        });
        format!("at {concurrency}: {found}")
    };
    groups.into_iter().map(told).collect()
}

/// The most frequent kind of failure, if there was nothing but failure.
pub(crate) fn all_failed(courses: &[Course]) -> Option<String> {
    let ran = || courses.iter().filter(|course| !course.trials.is_empty());
    if ran().next().is_none() || !ran().all(Course::only_failed) {
        return None;
    }
    let mut kinds = BTreeMap::<&str, u64>::new();
    for (kind, n) in ran().flat_map(Course::kinds) {
        *kinds.entry(kind.as_str()).or_default() += n;
    }
    let (kind, _) = kinds.into_iter().max_by_key(|(_, n)| *n)?;
    Some(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use triway_core::{FailureKind, Status};

    use super::*;
    use crate::{arms::parse, tally::Tally, trial::Measured};

    /// One trial in which so many inputs succeeded and failed.
    fn trial(succeeded: u64, failed: u64) -> Measured {
        let mut tally = Tally::default();
        let failures = [
            (Status::Ok, None),
            (Status::Failed, Some(&FailureKind::PANIC)),
        ];
        for ((status, kind), n) in failures.into_iter().zip([succeeded, failed]) {
            (0..n).for_each(|_| tally.record(status, kind, Duration::from_millis(1)));
        }
        Measured {
            inside: None,
            timeline: None,
            startup: Duration::from_millis(1),
            wall: Duration::from_millis(9),
            cost: None,
            peak_memory_bytes: None,
            tally,
            lanes: 1,
            stopped: None,
        }
    }

    fn courses(list: &str, trials: &[&[(u64, u64)]]) -> Vec<Course> {
        let arms = parse(list, 2.try_into().unwrap()).unwrap();
        let course = |(arm, trials): (_, &&[(u64, u64)])| {
            let mut course = Course::new(arm, None);
            course
                .trials
                .extend(trials.iter().map(|(ok, failed)| trial(*ok, *failed)));
            course
        };
        arms.into_iter().zip(trials).map(course).collect()
    }

    fn settled(standings: &[Standing]) -> Settled {
        Settled {
            reference: Some(0),
            standings: standings.to_vec(),
            differences: Vec::new(),
        }
    }

    #[test]
    fn reasons_not_to_be_ranked() {
        use Standing::{Agrees, Differs, Unknown, Wavers};
        let mut arms = courses(
            "sequential,threads,async",
            &[&[(5, 0)], &[(5, 0), (4, 1)], &[(5, 0)]],
        );
        for (standing, expected) in [
            (Agrees, "it failed 1 input, others only 0"),
            (
                Differs(1),
                "its outcomes differ from those of sequential, for 1 input",
            ),
            (
                Wavers(2),
                "it failed 1 input in one of its rounds and 0 in another",
            ),
            (Unknown, "it gave no outcomes"),
        ] {
            let reasons = unranked(&arms, &settled(&[Agrees, standing, Agrees]));
            assert_eq!(reasons, [None, Some(expected.to_owned()), None]);
        }
        let wavering = unranked(&arms, &settled(&[Agrees, Agrees, Wavers(2)]));
        assert_eq!(
            wavering[2].as_deref(),
            Some("its outcomes differ between its own rounds, for 2 inputs")
        );
        arms[2].failures.push("it died".to_owned());
        arms[0].trials[0].stopped = Some("told to".to_owned());
        let reasons = unranked(&arms, &settled(&[Agrees, Agrees, Agrees]));
        assert_eq!(reasons[0].as_deref(), Some("it stopped early: told to"));
        assert_eq!(
            reasons[2].as_deref(),
            Some("a trial gave no figures: it died")
        );
    }

    #[test]
    fn what_is_left_must_be_the_same() {
        let left = |all: [&[&str]; 2]| {
            let mut arms = courses("sequential,threads", &[&[(5, 0)], &[(5, 0)]]);
            for (arm, left) in arms.iter_mut().zip(all) {
                arm.left = left.iter().map(|left| (*left).to_owned()).collect();
            }
            let settled = settled(&[Standing::Agrees, Standing::Agrees]);
            (
                equal(&arms, &settled),
                unranked(&arms, &settled).pop().unwrap(),
            )
        };
        assert_eq!(left([&["5 rows", "5 rows"], &["5 rows"]]), (true, None));
        let said = |words: &str| (false, Some(words.to_owned()));
        assert_eq!(
            left([&["5 rows"], &["4 rows"]]),
            said("it left 4 rows, and sequential left 5 rows")
        );
        assert_eq!(
            left([&["5 rows"], &["5 rows", "4 rows"]]),
            said("it left 5 rows in one of its rounds and 4 rows in another")
        );
    }

    #[test]
    fn the_baseline_is_the_wanted_arm_or_sequential_or_the_first_that_ran() {
        for (list, wanted, trials, expected) in [
            (
                "threads,sequential",
                None,
                [&[(1, 0)][..], &[(1, 0)]],
                Some(1),
            ),
            ("threads,async", None, [&[(1, 0)], &[(1, 0)]], Some(0)),
            (
                "threads,async",
                Some("async"),
                [&[(1, 0)], &[(1, 0)]],
                Some(1),
            ),
            ("threads,async", Some("async"), [&[(1, 0)], &[]], Some(0)),
            ("sequential,async", None, [&[], &[(1, 0)]], Some(1)),
            ("sequential,async", None, [&[], &[]], None),
        ] {
            let got = baseline(&courses(list, &trials), wanted);
            assert_eq!(got, expected, "{list} {wanted:?}");
        }
    }

    #[test]
    fn only_a_job_without_any_success_failed_altogether() {
        for (trials, expected) in [
            ([&[(0, 3)][..], &[(0, 3)]], Some("panic")),
            ([&[(0, 3)], &[(0, 3), (1, 2)]], None),
            ([&[(0, 3)], &[]], Some("panic")),
            ([&[], &[]], None),
        ] {
            let all = all_failed(&courses("sequential,threads", &trials));
            assert_eq!(all.as_deref(), expected);
        }
    }

    #[test]
    fn an_arm_that_died_gave_nothing_equal() {
        let arms = courses("sequential,threads", &[&[(1, 0)], &[]]);
        assert!(!equal(
            &arms,
            &settled(&[Standing::Agrees, Standing::Unknown])
        ));
        assert!(equal(
            &arms,
            &settled(&[Standing::Agrees, Standing::Agrees])
        ));
        assert!(!equal(&[], &settled(&[])));
    }
}
