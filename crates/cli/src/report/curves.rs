//! One quantity against another: dots where it was measured, lines for what follows from that.

use maud::{Markup, html};

use super::scale::{Scale, anchor, coordinate, per_cent};
use crate::findings::Curve;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 240.0;

/// How many colours the style sheet has for them.
const COLOURS: usize = 6;

/// What the axes are about.
pub(super) struct Axes<'a> {
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    pub(super) x_doubles: bool,
    pub(super) unit: fn(f64) -> String,
}

/// The curves, their legend above.
pub(super) fn draw(curves: &[Curve], axes: &Axes<'_>) -> Markup {
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let xs: Vec<f64> = points().map(|(x, _)| x).collect();
    let measured = curves.iter().filter(|curve| curve.measured);
    let measured = measured.flat_map(|curve| curve.points.iter().map(|(x, _)| *x));
    let measured: Vec<f64> = measured.collect();
    let across = match axes.x_doubles {
        true => Scale::multiplying(xs.iter().copied()),
        false => Scale::between(xs.iter().copied()),
    };
    let up = Scale::from_zero(points().map(|(_, y)| y * 1.05));
    html! {
        p.legend {
            @for (place, curve) in curves.iter().enumerate() {
                span.key.{ "c" (place % COLOURS) }.line[!curve.measured] { (curve.name) }
            }
        }
        div.plot {
            p.up { (axes.y) }
            (labels(up, axes.unit))
            svg.curves height=(HEIGHT) role="img" aria-label={ (axes.y) " against " (axes.x) } {
                @for tick in up.ticks() {
                    @let y = coordinate(height(up, tick));
                    line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
                }
                svg width="100%" height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" {
                    @for (place, curve) in curves.iter().enumerate() {
                        polyline.{ "c" (place % COLOURS) }.measured[curve.measured] points=(line(curve, across, up)) {}
                    }
                }
                @for (place, curve) in curves.iter().enumerate().filter(|(_, curve)| curve.measured) {
                    @for (x, y) in drawable(curve) {
                        circle.{ "c" (place % COLOURS) } cx=(per_cent(across.share(x))) cy=(coordinate(height(up, y))) r="4" {
                            title { (curve.name) ", " (axes.x) " " (whole(x)) ": " ((axes.unit)(y)) }
                        }
                    }
                }
            }
            span {}
            (steps(across, &measured, axes))
            span {}
            p.across { (axes.x) }
        }
    }
}

/// What stands beside the vertical axis.
fn labels(up: Scale, unit: fn(f64) -> String) -> Markup {
    html! {
        svg.beside height=(HEIGHT) aria-hidden="true" {
            @for tick in up.ticks() {
                @let y = height(up, tick);
                text x="100%" y=(coordinate((y + 4.0).clamp(11.0, HEIGHT - 1.0))) text-anchor="end" { (unit(tick)) }
            }
        }
    }
}

/// What stands below the horizontal axis: where something was measured, if those places double.
fn steps(across: Scale, measured: &[f64], axes: &Axes<'_>) -> Markup {
    let mut ticks = match axes.x_doubles {
        true => measured
            .iter()
            .copied()
            .filter(|x| x.is_finite() && *x > 0.0)
            .collect(),
        false => across.ticks(),
    };
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    // Two labels in one place can be read by nobody.
    let mut last = f64::NEG_INFINITY;
    ticks.retain(|tick| {
        let far = across.share(*tick) - last > 0.06;
        if far {
            last = across.share(*tick);
        }
        far
    });
    html! {
        svg.ticks height="22" aria-hidden="true" {
            @for tick in ticks {
                @let share = across.share(tick);
                @let x = per_cent(share);
                line x1=(x) x2=(x) y1="0" y2="5" {}
                text x=(x) y="18" text-anchor=(anchor(share)) { (whole(tick)) }
            }
        }
    }
}

/// The points of a curve that can be drawn.
fn drawable(curve: &Curve) -> impl Iterator<Item = (f64, f64)> {
    let points = curve.points.iter().copied();
    points.filter(|(x, y)| x.is_finite() && y.is_finite())
}

fn line(curve: &Curve, across: Scale, up: Scale) -> String {
    let place = |(x, y)| {
        let x = coordinate(across.share(x) * WIDTH);
        format!("{x},{}", coordinate(height(up, y)))
    };
    drawable(curve).map(place).collect::<Vec<_>>().join(" ")
}

fn height(up: Scale, value: f64) -> f64 {
    HEIGHT - 1.0 - up.share(value) * (HEIGHT - 8.0)
}

fn whole(value: f64) -> String {
    crate::people::figures::number(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::figures;

    fn drawn(points: &[(f64, f64)], x_doubles: bool) -> String {
        let curves = [true, false].map(|measured| Curve {
            name: "<i>".to_owned(),
            points: points.to_vec(),
            measured,
        });
        let axes = Axes {
            x: "<x>",
            y: "y&",
            x_doubles,
            unit: figures::number,
        };
        draw(&curves, &axes).into_string()
    }

    #[test]
    fn whatever_is_drawn_is_a_number_and_escaped() {
        for points in [
            vec![],
            vec![(1.0, 0.0)],
            vec![(f64::NAN, 1.0), (1.0, f64::NAN)],
            vec![(0.0, -1.0), (1e300, 1e300), (f64::INFINITY, 1.0)],
        ] {
            for x_doubles in [true, false] {
                let drawn = drawn(&points, x_doubles);
                let places = drawn
                    .split(" points=\"")
                    .skip(1)
                    .chain(drawn.split("cy=\"").skip(1));
                for place in places.filter_map(|rest| rest.split('"').next()) {
                    assert!(
                        place.chars().all(|c| ", .0123456789".contains(c)),
                        "{place}"
                    );
                }
                assert!(!drawn.contains("<i>") && !drawn.contains("<x>"), "{drawn}");
            }
        }
    }

    #[test]
    fn labels_stand_where_something_was_measured() {
        let curve = |points: &[(f64, f64)], measured| Curve {
            name: String::new(),
            points: points.to_vec(),
            measured,
        };
        let curves = [
            curve(&[(1.0, 10.0), (4.0, 30.0)], true),
            curve(&[(1.0, 10.0), (2.5, 20.0), (4.0, 30.0)], false),
        ];
        let axes = Axes {
            x: "x",
            y: "y",
            x_doubles: true,
            unit: |_| String::new(),
        };
        let drawn = draw(&curves, &axes).into_string();
        assert!(
            drawn.contains(">4</text>") && !drawn.contains(">2.5"),
            "{drawn}"
        );
    }

    #[test]
    fn what_was_measured_has_dots_and_what_follows_has_none() {
        let drawn = drawn(&[(1.0, 10.0), (2.0, 20.0), (4.0, 30.0)], true);
        assert_eq!(drawn.matches("<circle").count(), 3, "{drawn}");
        assert_eq!(drawn.matches("<polyline").count(), 2, "{drawn}");
        for x in ["cx=\"0%\"", "cx=\"50%\"", "cx=\"100%\""] {
            assert!(drawn.contains(x), "no {x}: {drawn}");
        }
    }
}
