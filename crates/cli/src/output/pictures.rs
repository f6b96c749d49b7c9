//! Pictures in characters, for a terminal: bars with intervals, and dots on a small plane.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::{
    findings::{Bar, Chart, Curve},
    people::{excerpt::excerpt, figures},
};

/// How wide a picture is, label and figures included.
const COLUMNS: usize = 80;

/// How much of that a label may take.
const LABEL: usize = 24;

/// How much the figures take.
const FIGURES: usize = 22;

/// How much a value takes, unless it is beyond all bounds.
const VALUE: usize = 12;

/// The plane of curves, in characters.
const PLANE: (usize, usize) = (64, 12);

/// Marks of what was measured, a curve each.
const MARKS: [char; 6] = ['●', '◆', '▲', '■', '○', '◇'];

/// The mark of what follows from it.
const FOLLOWS: char = '·';

const COLOURS: [AnsiColor; 6] = [
    AnsiColor::Green,
    AnsiColor::Blue,
    AnsiColor::Yellow,
    AnsiColor::Magenta,
    AnsiColor::Red,
    AnsiColor::Cyan,
];

/// Draws the picture, if it is of a kind that characters can show.
pub(super) fn draw(chart: &Chart, colour: bool, to: &mut dyn Write) -> io::Result<()> {
    match chart {
        Chart::Bars { title, unit, bars } if bars.len() > 1 => {
            writeln!(to, "{title}")?;
            draw_bars(bars, *unit, colour, to)?;
            writeln!(to)
        }
        Chart::Curves {
            title,
            x,
            y,
            x_doubles,
            unit,
            curves,
        } if drawable(curves).count() > 1 => {
            writeln!(to, "{title}: {y} against {x}")?;
            let plane = Plane::of(curves, *x_doubles);
            plane.draw(*unit, colour, to)?;
            legend(curves, colour, to)?;
            writeln!(to)
        }
        // Of the others the table has what characters could show.
        _ => Ok(()),
    }
}

fn draw_bars(
    bars: &[Bar],
    unit: fn(f64) -> String,
    colour: bool,
    to: &mut dyn Write,
) -> io::Result<()> {
    let labels: Vec<_> = bars
        .iter()
        .map(|bar| excerpt(&bar.label, LABEL - 1))
        .collect();
    let widest = labels
        .iter()
        .map(|label| label.chars().count())
        .max()
        .unwrap_or(0);
    let room = COLUMNS - 2 - widest - FIGURES;
    let ends = |bar: &Bar| [bar.value, bar.interval.map_or(0.0, |[_, high]| high)];
    let longest = bars
        .iter()
        .map(|bar| bar.value)
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let all = bars
        .iter()
        .flat_map(ends)
        .filter(|end| end.is_finite())
        .fold(0.0, f64::max);
    // An interval that is far longer than all bars would leave nothing to be seen of them.
    let end = all.min(longest * 1.6);
    for (bar, label) in bars.iter().zip(labels) {
        let style = if colour && bar.marked {
            AnsiColor::Green.on_default()
        } else {
            Style::new()
        };
        let drawn = cells(bar, end, room);
        let interval = bar
            .interval
            .map(|[low, high]| figures::time_range(bar.value, [low, high]));
        let interval = interval.filter(|_| is_time(unit)).unwrap_or_default();
        let line = format!(
            "{label:<widest$}  {style}{drawn}{style:#} {:>8} {interval}",
            excerpt(&unit(bar.value), VALUE)
        );
        writeln!(to, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Only times have ranges that are written in the unit of their middle.
fn is_time(unit: fn(f64) -> String) -> bool {
    unit(1.0) == figures::time(1.0)
}

/// Full up to the interval, shaded within it: darker up to the value, lighter beyond.
fn cells(bar: &Bar, end: f64, room: usize) -> String {
    let [low, high] = bar.interval.unwrap_or([bar.value, bar.value]);
    let [low, value, high] = [low, bar.value, high].map(|value| position(value, end, room));
    // What is there can be seen.
    let value = if bar.value > 0.0 { value.max(1) } else { value };
    let cell = |place: usize| match place {
        place if place < low.min(value) => '█',
        place if place < value => '▓',
        place if place < high => '░',
        _ => ' ',
    };
    let cells: String = (0..room).map(cell).collect();
    if low == value && value == high {
        cells.replace('▓', "█")
    } else {
        cells
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a hundred columns, which is from 0 to 1"
)]
fn position(value: f64, end: f64, room: usize) -> usize {
    let share = value / end;
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    (share * room as f64).round() as usize
}

/// Points on a plane of characters.
struct Plane {
    /// From the top; a character, and whose it is.
    rows: Vec<Vec<Option<(char, usize)>>>,
    x: [f64; 2],
    top: f64,
}

impl Plane {
    fn of(curves: &[Curve], x_doubles: bool) -> Self {
        let place = |x: f64| {
            if x_doubles {
                x.max(f64::MIN_POSITIVE).log2()
            } else {
                x
            }
        };
        let none = [f64::INFINITY, f64::NEG_INFINITY];
        let x = drawable(curves).fold(none, |[low, high], (x, _)| [low.min(x), high.max(x)]);
        let top = drawable(curves).map(|(_, y)| y).fold(0.0, f64::max);
        let (columns, rows) = PLANE;
        let mut plane = Self {
            rows: vec![vec![None; columns]; rows],
            x,
            top,
        };
        // What was measured is put over what follows from it.
        let mut order: Vec<(usize, &Curve)> = curves.iter().enumerate().collect();
        order.sort_by_key(|(_, curve)| curve.measured);
        for (which, curve) in order {
            let mark = if curve.measured {
                MARKS[which % MARKS.len()]
            } else {
                FOLLOWS
            };
            for (x, y) in drawable(std::slice::from_ref(curve)) {
                let across = position(
                    place(x) - place(plane.x[0]),
                    place(plane.x[1]) - place(plane.x[0]),
                    columns - 1,
                );
                let up = position(y, top, rows - 1);
                plane.rows[rows - 1 - up][across] = Some((mark, which));
            }
        }
        plane
    }

    fn draw(&self, unit: fn(f64) -> String, colour: bool, to: &mut dyn Write) -> io::Result<()> {
        let last = self.rows.len() - 1;
        for (place, row) in self.rows.iter().enumerate() {
            let label = match place {
                0 => excerpt(&unit(self.top), VALUE).into_owned(),
                place if place == last => unit(0.0),
                _ => String::new(),
            };
            write!(to, "{label:>9} │")?;
            let end = row
                .iter()
                .rposition(Option::is_some)
                .map_or(0, |last| last + 1);
            for cell in &row[..end] {
                match cell {
                    Some((mark, which)) => {
                        let style = style(*which, colour);
                        write!(to, "{style}{mark}{style:#}")?;
                    }
                    None => write!(to, " ")?,
                }
            }
            writeln!(to)?;
        }
        let (columns, _) = PLANE;
        let [low, high] = self.x.map(figures::number);
        writeln!(to, "{:>9} └{}", "", "─".repeat(columns))?;
        writeln!(
            to,
            "{:>9}  {low}{high:>width$}",
            "",
            width = columns - low.chars().count()
        )
    }
}

fn legend(curves: &[Curve], colour: bool, to: &mut dyn Write) -> io::Result<()> {
    for (which, curve) in curves.iter().enumerate() {
        let mark = if curve.measured {
            MARKS[which % MARKS.len()]
        } else {
            FOLLOWS
        };
        let style = style(which, colour);
        writeln!(
            to,
            "{:>9}  {style}{mark}{style:#} {}",
            "",
            excerpt(&curve.name, COLUMNS - 14)
        )?;
    }
    Ok(())
}

fn style(which: usize, colour: bool) -> Style {
    match colour {
        true => COLOURS[which % COLOURS.len()].on_default(),
        false => Style::new(),
    }
}

/// The points that can be drawn.
fn drawable(curves: &[Curve]) -> impl Iterator<Item = (f64, f64)> {
    let points = curves.iter().flat_map(|curve| curve.points.iter().copied());
    points.filter(|(x, y)| x.is_finite() && y.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(chart: &Chart, colour: bool) -> String {
        let mut text = Vec::new();
        draw(chart, colour, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    fn bars(values: &[(f64, Option<[f64; 2]>)]) -> Chart {
        let bar = |(value, interval): &(f64, Option<[f64; 2]>)| Bar {
            label: "threads@50".to_owned(),
            value: *value,
            interval: *interval,
            marked: true,
        };
        Chart::Bars {
            title: "Title".to_owned(),
            unit: figures::time,
            bars: values.iter().map(bar).collect(),
        }
    }

    fn curves(points: Vec<(f64, f64)>) -> Chart {
        Chart::Curves {
            title: "Throughput".to_owned(),
            x: "concurrency".to_owned(),
            y: "inputs a second".to_owned(),
            x_doubles: true,
            unit: figures::number,
            curves: vec![Curve {
                name: "async".to_owned(),
                points,
                measured: true,
            }],
        }
    }

    #[test]
    fn bars_have_the_length_of_their_values_and_shade_their_intervals() {
        let drawn = text(&bars(&[(2.0, None), (1.0, Some([0.5, 1.5]))]), false);
        let lines: Vec<&str> = drawn.lines().collect();
        let of = |line: &str, cell: char| line.matches(cell).count();
        let room = COLUMNS - 2 - "threads@50".len() - FIGURES;
        assert_eq!(of(lines[1], '█'), room, "{drawn}");
        assert_eq!(
            [of(lines[2], '█'), of(lines[2], '▓')],
            [room.div_ceil(4), room / 4],
            "{drawn}"
        );
        assert!(lines[2].ends_with("1.00 s 0.50–1.50"), "{drawn}");
    }

    #[test]
    fn no_picture_is_wider_than_a_terminal_whatever_comes() {
        let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300, 1e-300];
        let values: Vec<_> = odd
            .into_iter()
            .map(|value| (value, Some([value, f64::INFINITY])))
            .collect();
        let points: Vec<_> = odd.into_iter().flat_map(|x| odd.map(|y| (x, y))).collect();
        for chart in [
            bars(&values),
            bars(&[]),
            curves(points),
            curves(vec![]),
            curves(vec![(1.0, 0.0), (1.0, 0.0)]),
        ] {
            for line in text(&chart, false).lines() {
                assert!(line.chars().count() <= 100, "{line}");
            }
        }
    }

    #[test]
    fn dots_stand_where_the_points_are() {
        let drawn = text(
            &curves(vec![(1.0, 100.0), (2.0, 150.0), (4.0, 200.0)]),
            false,
        );
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines[0], "Throughput: inputs a second against concurrency");
        assert!(
            lines[1].starts_with("      200 │") && lines[1].ends_with('●'),
            "{drawn}"
        );
        assert_eq!(
            drawn.matches('●').count(),
            4,
            "three points and the legend: {drawn}"
        );
        assert!(
            lines[14].trim_start().starts_with('1') && lines[14].ends_with('4'),
            "{drawn}"
        );
    }

    #[test]
    fn colour_is_for_those_who_want_it() {
        for chart in [
            bars(&[(1.0, None), (2.0, None)]),
            curves(vec![(1.0, 1.0), (2.0, 2.0)]),
        ] {
            assert!(!text(&chart, false).contains('\x1b'));
            assert!(text(&chart, true).contains('\x1b'));
        }
    }
}
