//! Bars with intervals: a line each, which a narrow screen breaks.

use maud::{Markup, html};

use super::scale::{Scale, per_cent};
use crate::findings::Bar;

/// How many times the longest bar an interval may reach before it is cut.
const FARTHEST: f64 = 1.6;

/// The narrowest bar, so that there is one to be seen.
const NARROWEST: f64 = 0.003;

/// The bars from top to bottom.
pub(super) fn draw(bars: &[Bar], unit: fn(f64) -> String) -> Markup {
    let scale = scale(bars);
    html! {
        div.bars role="list" {
            @for bar in bars {
                div.bar.marked[bar.marked] role="listitem" {
                    span.label { (bar.label) }
                    (line(bar, scale))
                    span.value {
                        b { (unit(bar.value)) }
                        @if let Some([low, high]) = bar.interval {
                            span.interval { (unit(low)) " – " (unit(high)) }
                        }
                    }
                }
            }
        }
    }
}

fn line(bar: &Bar, scale: Scale) -> Markup {
    let share = |value| scale.share(value);
    let wide = per_cent(share(bar.value).max(NARROWEST));
    html! {
        svg.track height="22" aria-hidden="true" {
            rect.room x="0" y="3" width="100%" height="16" rx="3" {}
            rect.length x="0" y="3" width=(wide) height="16" rx="3" {}
            @if let Some([low, high]) = bar.interval {
                @let (low, high) = (per_cent(share(low)), per_cent(share(high)));
                line.whisker x1=(low) x2=(high) y1="11" y2="11" {}
                line.whisker x1=(low) x2=(low) y1="6" y2="16" {}
                line.whisker x1=(high) x2=(high) y1="6" y2="16" {}
            }
        }
    }
}

fn scale(bars: &[Bar]) -> Scale {
    let longest = Scale::from_zero(bars.iter().map(|bar| bar.value)).high();
    let farthest = bars
        .iter()
        .filter_map(|bar| bar.interval)
        .map(|[_, high]| high);
    let farthest = farthest.map(|high| high.min(longest * FARTHEST));
    Scale::from_zero(farthest.chain([longest]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::figures;

    #[test]
    fn whatever_is_drawn_is_a_number_and_escaped() {
        let bar = |value, interval| Bar {
            label: "<script>alert(1)</script>".to_owned(),
            value,
            interval,
            marked: false,
        };
        for bars in [
            vec![],
            vec![bar(f64::NAN, None)],
            vec![bar(0.0, Some([0.0, 0.0]))],
            vec![
                bar(1e300, Some([f64::NEG_INFINITY, f64::INFINITY])),
                bar(1e-300, None),
            ],
        ] {
            let drawn = draw(&bars, figures::number).into_string();
            let attributes = drawn.split("width=\"").skip(1);
            for attribute in attributes.chain(drawn.split("x2=\"").skip(1)) {
                let value = attribute.split('%').next().unwrap();
                assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{drawn}");
            }
            assert!(!drawn.contains("<script"), "{drawn}");
        }
    }

    #[test]
    fn the_longest_fills_the_width_where_there_are_no_intervals() {
        let bar = |value| Bar {
            label: String::new(),
            value,
            interval: None,
            marked: true,
        };
        let drawn = draw(&[bar(2.0), bar(1.0)], figures::time).into_string();
        assert!(
            drawn.contains("class=\"length\" x=\"0\" y=\"3\" width=\"100%\""),
            "{drawn}"
        );
        assert!(drawn.contains("width=\"50%\""), "{drawn}");
    }
}
