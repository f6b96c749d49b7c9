//! What a sweep says in one plain sentence: how many at once are enough, why, and what ends it.

use triway_core::Model;

use super::{
    points::{Points, Usable},
    report::{Knee, Point},
};

/// All that the sentence depends on.
pub(super) struct Findings<'a> {
    pub(super) model: Model,
    /// The points that conclusions are drawn from.
    pub(super) usable: &'a Usable,
    /// Places among those: the smallest that is good enough, and the best.
    pub(super) good: Option<(usize, usize)>,
    pub(super) knee: Option<Knee>,
    /// All points.
    pub(super) measured: &'a Points,
}

/// Why the concurrency at `first` is recommended, in words.
pub(super) fn why(figures: &[(f64, f64)], first: usize, best: usize) -> String {
    let told = format!("{} inputs a second", rate(figures[first].1));
    match first == best {
        true => format!("{told}, the best measured"),
        false => format!(
            "{told}, the smallest within 5 % of the best measured, {} at {}",
            rate(figures[best].1),
            figures[best].0
        ),
    }
}

/// The sentence.
pub(super) fn sentence(findings: &Findings<'_>) -> String {
    let Findings {
        model,
        usable,
        good,
        measured,
        ..
    } = findings;
    if let Some(kind) = &measured.all_failed {
        return format!(
            "Nothing is recommended: every input failed at every concurrency, most often with `{kind}`."
        );
    }
    let figures = &usable.figures;
    let told = match (good, figures.len()) {
        (None, _) => {
            "Nothing is recommended: there is no concurrency whose figures tell anything".to_owned()
        }
        (Some(_), 1) => format!(
            "{model}@{} is all that can be told of, with {} inputs a second, so there is nothing to compare it with",
            figures[0].0,
            rate(figures[0].1)
        ),
        (Some((0, best)), _) => {
            let top = figures[figures.len() - 1].0;
            format!(
                "{model}@{} is enough: {}; more than that, up to {top}, gains less than 5 %",
                figures[0].0,
                why(figures, 0, *best)
            )
        }
        (Some((first, best)), _) => format!(
            "{model}@{} {}: {}, {} times that of {}",
            figures[*first].0,
            // Where more may gain more, nobody knows what is enough.
            if is_open(findings) {
                "did best of those tried"
            } else {
                "is enough"
            },
            why(figures, *first, *best),
            factor(figures[*first].1 / figures[0].1),
            figures[0].0
        ),
    };
    let [failing, bend, end] = [failing, bend, end].map(|part| part(findings));
    format!("{told}{failing}{bend}{end}.")
}

/// What is recommended, among all points.
fn recommended<'a>(findings: &Findings<'a>) -> Option<&'a Point> {
    let (first, _) = findings.good?;
    Some(&findings.measured.points[findings.usable.places[first]])
}

/// How many inputs fail there all the same.
fn failing(findings: &Findings<'_>) -> String {
    let point = recommended(findings);
    let failed = point.and_then(|point| Some((point.failed.filter(|failed| *failed > 0)?, point)));
    failed.map_or_else(String::new, |(failed, point)| {
        format!("; of its {} inputs {failed} failed", point.inputs)
    })
}

/// Where the curve bends, if that is elsewhere.
fn bend(findings: &Findings<'_>) -> String {
    let elsewhere = |point: &Point| {
        let knee = findings.knee?.concurrency;
        (knee != point.concurrency).then(|| format!("; the curve bends at {knee}"))
    };
    recommended(findings)
        .and_then(elsewhere)
        .unwrap_or_default()
}

/// Whether throughput still rose at the last concurrency.
pub(super) fn is_open(findings: &Findings<'_>) -> bool {
    let usable = &findings.usable.places;
    let (Some((first, _)), Some(last)) = (findings.good, usable.last()) else {
        return false;
    };
    let above = findings.measured.points.get(last + 1);
    first + 1 == usable.len() && above.is_none() && findings.measured.limit.is_none()
}

/// What ends the sweep: failures, or that there is nothing above.
fn end(findings: &Findings<'_>) -> String {
    let points = &findings.measured.points;
    if let Some(limit) = findings.measured.limit {
        let point = points.iter().find(|point| point.concurrency == limit);
        let failed = point.and_then(|point| Some((point.failed?, point.inputs)));
        return match failed {
            Some((failed, inputs)) => {
                format!(
                    "; at {limit} more fails than below ({failed} of {inputs} inputs), which is where it ends"
                )
            }
            None => format!("; at {limit} more fails than below, which is where it ends"),
        };
    }
    let last = findings.usable.places.last();
    let (Some((first, _)), Some(last)) = (findings.good, last) else {
        return String::new();
    };
    let usable = findings.usable.places.len();
    if first + 1 < usable {
        return String::new();
    }
    match points.get(last + 1) {
        // Of one alone nobody knows.
        None if usable < 2 => String::new(),
        None => {
            "; throughput still rose at the last concurrency, so that more may gain more".to_owned()
        }
        Some(above) if above.too_few_inputs || above.skipped.is_some() => {
            "; there are too few inputs to tell whether more would gain".to_owned()
        }
        Some(_) => String::new(),
    }
}

/// Throughput with three digits, more or less.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        small if small < 9.995 => format!("{small:.2}"),
        middle if middle < 99.95 => format!("{middle:.1}"),
        large if large < 1e12 => format!("{large:.0}"),
        _ => format!("{per_second:.2e}"),
    }
}

fn factor(times: f64) -> String {
    rate(times)
}
