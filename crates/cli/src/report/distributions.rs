//! How values are spread: a shape for each, all on one axis whose equal steps multiply.

use maud::{Markup, html};

use super::scale::{Scale, anchor, coordinate, per_cent};
use crate::findings::Spread;

/// Units across and down in which a shape is drawn, whatever its size on the screen.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 40.0;

/// How far the axis goes beyond the greatest value, so that its mark is seen.
const BEYOND: f64 = 1.05;

/// What is not nothing can be seen: a straggler is one among thousands.
const LOWEST: f64 = 2.5;

/// The shapes from top to bottom, and the axis below.
pub(super) fn draw(spreads: &[Spread], unit: fn(f64) -> String) -> Markup {
    let scale = scale(spreads);
    html! {
        div.spreads {
            @for spread in spreads {
                div.spread.marked[spread.marked] {
                    span.label { (spread.label) }
                    (shape(spread, scale))
                    span.value {
                        @for (name, value) in &spread.marks {
                            span.mark { (name) " " b { (unit(*value)) } }
                        }
                    }
                }
            }
            div.spread.axis {
                span.label {}
                (axis(scale, unit))
                span.value {}
            }
        }
    }
}

/// An axis below pictures that have its width.
pub(super) fn axis(scale: Scale, unit: fn(f64) -> String) -> Markup {
    html! {
        svg.ticks height="24" aria-hidden="true" {
            line x1="0" x2="100%" y1="0.5" y2="0.5" {}
            @for tick in scale.labels() {
                @let share = scale.share(tick);
                @let x = per_cent(share);
                line x1=(x) x2=(x) y1="0" y2="5" {}
                text x=(x) y="19" text-anchor=(anchor(share)) { (unit(tick)) }
            }
        }
    }
}

fn shape(spread: &Spread, scale: Scale) -> Markup {
    let most = spread.counts.iter().map(|(_, _, count)| *count).max();
    let most = most.unwrap_or(1).max(1);
    let steps = spread.counts.iter().map(|step| outline(*step, most, scale));
    let outline: String = steps.collect();
    html! {
        svg.shape height=(HEIGHT) aria-hidden="true" {
            svg width="100%" height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" {
                path.area d=(outline) {}
            }
            line.ground x1="0" x2="100%" y1=(HEIGHT - 0.5) y2=(HEIGHT - 0.5) {}
            @for (place, (name, value)) in spread.marks.iter().enumerate() {
                @let x = per_cent(scale.share(*value));
                line.first[place == 0].later[place > 0] x1=(x) x2=(x) y1="2" y2=(HEIGHT) {
                    title { (name) }
                }
            }
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a height needs no more digits than a float has"
)]
fn outline((from, to, count): (f64, f64, u64), most: u64, scale: Scale) -> String {
    if count == 0 {
        return String::new();
    }
    let [left, right] = [from, to].map(|end| coordinate(scale.share(end) * WIDTH));
    let high = (count as f64 / most as f64 * (HEIGHT - 4.0)).max(LOWEST);
    let (top, ground) = (coordinate(HEIGHT - high), coordinate(HEIGHT));
    format!("M{left} {ground}V{top}H{right}V{ground}Z")
}

fn scale(spreads: &[Spread]) -> Scale {
    let steps = spreads.iter().flat_map(|spread| &spread.counts);
    let ends = steps.flat_map(|(from, to, _)| [*from, *to]);
    let marks = spreads.iter().flat_map(|spread| &spread.marks);
    Scale::multiplying(ends.chain(marks.map(|(_, value)| *value * BEYOND)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::figures;

    fn spread(counts: Vec<(f64, f64, u64)>, mark: f64) -> Spread {
        Spread {
            label: "<b>&".to_owned(),
            counts,
            marks: vec![("p50", mark)],
            marked: true,
        }
    }

    #[test]
    fn whatever_is_drawn_is_a_number_and_escaped() {
        for spreads in [
            vec![],
            vec![spread(vec![], f64::NAN)],
            vec![spread(vec![(0.0, 0.0, 0)], 0.0)],
            vec![spread(
                vec![(1e-9, f64::INFINITY, u64::MAX), (f64::NAN, 1.0, 1)],
                1e300,
            )],
        ] {
            let drawn = draw(&spreads, figures::time).into_string();
            let paths = drawn
                .split(" d=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next());
            for path in paths {
                assert!(
                    path.chars().all(|c| "MVHZ .0123456789".contains(c)),
                    "{path}"
                );
            }
            assert!(
                !drawn.contains("<b>&") && !drawn.contains("x1=\"NaN"),
                "{drawn}"
            );
        }
    }

    #[test]
    fn the_most_frequent_is_the_highest_and_a_single_one_is_seen() {
        let drawn = draw(
            &[spread(vec![(0.001, 0.01, 10_000), (0.1, 1.0, 1)], 0.005)],
            figures::time,
        );
        let drawn = drawn.into_string();
        assert!(drawn.contains("M0 40V4H333.33V40Z"), "{drawn}");
        assert!(drawn.contains("M666.67 40V37.5H1000V40Z"), "{drawn}");
    }
}
