//! Who ran what when: a row a lane, attempts in two tones in turn, so that one can be told from the next.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use triway_core::Status;

use super::{
    distributions::axis,
    scale::{Scale, coordinate, per_cent},
};
use crate::{findings::Span, people::figures};

/// How many lanes have a row.
const MOST_ROWS: usize = 64;

/// Units across in which attempts are drawn, whatever their size on the screen.
const WIDTH: f64 = 1000.0;

/// The narrowest attempt, so that there is one to be seen.
const NARROWEST: f64 = 0.7;

/// What the lanes of one execution did.
pub(super) struct Lanes<'a> {
    pub(super) startup: f64,
    pub(super) attempts: u64,
    pub(super) spans: &'a [Span],
}

/// The outlines of attempts, by how they look.
#[derive(Default)]
struct Outlines {
    tones: [String; 2],
    failed: String,
}

/// The rows, the axis below them, and what is to be said of both.
pub(super) fn draw(lanes: &Lanes<'_>) -> Markup {
    let all: BTreeSet<u32> = lanes.spans.iter().map(|span| span.worker).collect();
    let rows = chosen(&all, longest(lanes.spans));
    let ends = lanes.spans.iter().map(|span| span.to);
    let scale = Scale::from_zero(ends.chain([lanes.startup]));
    let row = row_height(rows.len());
    let height = coordinate(row * count(rows.len().max(1)));
    let Outlines { tones, failed } = outlines(lanes.spans, &rows, scale, row);
    let [one, other] = tones;
    html! {
        div.lanes {
            (names(&rows, row))
            svg.rows height=(height) role="img" aria-label="attempts of each lane" {
                rect.room x="0" y="0" width="100%" height=(height) {}
                rect.startup x="0" y="0" width=(per_cent(scale.share(lanes.startup))) height=(height) {
                    title { "start-up: " (figures::time(lanes.startup)) }
                }
                svg width="100%" height=(height) viewBox={ "0 0 " (WIDTH) " " (height) } preserveAspectRatio="none" {
                    path.one d=(one) {}
                    path.other d=(other) {}
                    path.failed d=(failed) {}
                }
            }
            span {}
            (axis(scale, figures::time))
        }
        p.note { (note(lanes, all.len(), rows.len())) }
    }
}

fn note(lanes: &Lanes<'_>, all: usize, rows: usize) -> String {
    let mut parts = vec![format!("start-up {}", figures::time(lanes.startup))];
    let shown = lanes.spans.len() as u64;
    parts.push(match lanes.attempts > shown {
        true => format!(
            "{shown} of {} attempts, evenly chosen, and the longest",
            figures::count(lanes.attempts)
        ),
        false => figures::counted(shown, "attempt", "attempts"),
    });
    parts.push(match all > rows {
        true => format!("{rows} of {all} lanes"),
        false => figures::counted(all as u64, "lane", "lanes"),
    });
    if let Some(longest) = longest(lanes.spans) {
        let took = figures::time(longest.to - longest.from);
        parts.push(format!(
            "the longest: {took}, input {} on lane {}",
            longest.index, longest.worker
        ));
    }
    let failed = lanes.spans.iter().filter(|span| has_failed(span)).count();
    if failed > 0 {
        parts.push(format!("{failed} of those shown failed"));
    }
    parts.join(" · ")
}

fn longest(spans: &[Span]) -> Option<&Span> {
    let took = |span: &&Span| span.to - span.from;
    spans
        .iter()
        .max_by(|one, other| took(one).total_cmp(&took(other)))
}

/// The lanes that have a row: an even choice where there are too many, and the one that had the longest attempt.
fn chosen(all: &BTreeSet<u32>, longest: Option<&Span>) -> Vec<u32> {
    let lanes: Vec<u32> = all.iter().copied().collect();
    if lanes.len() <= MOST_ROWS {
        return lanes;
    }
    let mut rows: BTreeSet<u32> = (0..MOST_ROWS - 1)
        .map(|row| lanes[row * lanes.len() / (MOST_ROWS - 1)])
        .collect();
    rows.extend(longest.map(|span| span.worker));
    rows.into_iter().collect()
}

fn row_height(rows: usize) -> f64 {
    match rows {
        0..=8 => 22.0,
        9..=24 => 12.0,
        _ => 7.0,
    }
}

/// The lanes' numbers; where rows are low, of some.
fn names(rows: &[u32], row: f64) -> Markup {
    let every = if row >= 12.0 { 1 } else { 4 };
    html! {
        svg.beside height=(coordinate(row * count(rows.len().max(1)))) aria-hidden="true" {
            @for (place, lane) in rows.iter().enumerate().step_by(every) {
                text x="100%" y=(coordinate(row * count(place) + row / 2.0 + 4.0)) text-anchor="end" { (lane) }
            }
        }
    }
}

fn outlines(spans: &[Span], rows: &[u32], scale: Scale, row: f64) -> Outlines {
    let mut outlines = Outlines::default();
    let places: BTreeMap<u32, usize> = rows
        .iter()
        .enumerate()
        .map(|(place, lane)| (*lane, place))
        .collect();
    let mut order: Vec<&Span> = spans.iter().collect();
    order.sort_by(|one, other| one.from.total_cmp(&other.from));
    let mut seen = vec![0_usize; rows.len()];
    for span in order {
        let Some(place) = places.get(&span.worker).copied() else {
            continue;
        };
        seen[place] += 1;
        let to = match has_failed(span) {
            true => &mut outlines.failed,
            false => &mut outlines.tones[seen[place] % 2],
        };
        to.push_str(&outline(span, row * count(place), row, scale));
    }
    outlines
}

fn outline(span: &Span, top: f64, row: f64, scale: Scale) -> String {
    let [left, right] = [span.from, span.to].map(|end| scale.share(end) * WIDTH);
    let (wide, gap) = ((right - left).max(NARROWEST), row * 0.12);
    let [left, top] = [left.min(WIDTH - wide), top + gap].map(coordinate);
    let [wide, high] = [wide, row - 2.0 * gap].map(coordinate);
    format!("M{left} {top}h{wide}v{high}h-{wide}z")
}

fn has_failed(span: &Span) -> bool {
    !matches!(span.status, Status::Ok | Status::Cancelled)
}

#[expect(clippy::cast_precision_loss, reason = "there are 64 rows")]
fn count(rows: usize) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(worker: u32, from: f64, to: f64) -> Span {
        Span {
            worker,
            from,
            to,
            status: Status::Ok,
            index: 7,
        }
    }

    fn drawn(spans: &[Span], startup: f64) -> String {
        let attempts = spans.len() as u64;
        draw(&Lanes {
            startup,
            attempts,
            spans,
        })
        .into_string()
    }

    #[test]
    fn whatever_is_drawn_is_a_number() {
        for spans in [
            vec![],
            vec![span(0, 0.0, 0.0)],
            vec![span(0, f64::NAN, f64::INFINITY), span(u32::MAX, 1.0, -1.0)],
            vec![span(0, 0.0, 1e300), span(0, 1e-300, 1e-299)],
        ] {
            for startup in [0.0, f64::NAN, 1e300] {
                let drawn = drawn(&spans, startup);
                let paths = drawn
                    .split(" d=\"")
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next());
                for path in paths {
                    assert!(
                        path.chars().all(|c| "Mhvz -.0123456789".contains(c)),
                        "{path}"
                    );
                    assert!(!path.contains("--"), "{path}");
                }
            }
        }
    }

    #[test]
    fn many_lanes_are_thinned_and_the_straggler_stays() {
        let mut spans: Vec<Span> = (0..1000).map(|lane| span(lane, 0.0, 1.0)).collect();
        spans[501].to = 9.0;
        let all = (0..1000).collect();
        let rows = chosen(&all, longest(&spans));
        assert_eq!(
            (rows.len(), rows[0], rows.contains(&501)),
            (MOST_ROWS, 0, true)
        );
        let drawn = drawn(&spans, 0.5);
        for says in [
            "64 of 1000 lanes",
            "the longest: 9.00 s, input 7 on lane 501",
            "start-up 500 ms",
        ] {
            assert!(drawn.contains(says), "no {says}");
        }
    }

    #[test]
    fn what_failed_is_told_apart_and_told() {
        let mut spans = vec![span(0, 0.0, 1.0), span(0, 1.0, 2.0), span(1, 0.0, 2.0)];
        spans[1].status = Status::Timeout;
        let drawn = drawn(&spans, 0.0);
        assert!(
            drawn.contains("class=\"failed\" d=\"M500 2.64h500"),
            "{drawn}"
        );
        assert!(drawn.contains("1 of those shown failed"), "{drawn}");
    }
}
