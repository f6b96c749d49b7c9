//! What this machine charges, as tables, records and pictures.

use std::io::{self, Write};

use triway_measure::overhead::{Cell, Figure, Overhead, Pays, Python, Row, Unit, Work};

use super::{
    Bar, Chart, Found, Grid, Heading, Records, Sheet,
    cells::{missing, text},
    how, write_json,
};
use crate::people::figures;

/// How wide a cell of the models' table may be: a heading and three models make a line of less than 100 columns.
const CELL: usize = 26;

impl Found for Overhead {
    fn json(&self, pretty: bool, to: &mut dyn Write) -> io::Result<()> {
        write_json(self, pretty, to)
    }

    fn sheet(&self) -> Sheet {
        let (own, python): (Vec<_>, Vec<_>) =
            self.table.iter().partition(|row| !is_python(&row.id));
        let mut grids = vec![
            charges(self),
            pays_from(&self.pays_from),
            models(None, &own),
        ];
        if !python.is_empty() {
            grids.push(models(self.python.as_ref().map(|it| &*it.version), &python));
        }
        let notes = self.notes.iter().map(|note| format!("Note: {note}"));
        let how = format!(
            "{}; each figure is the middle of {}, each with a process of its own, those of Python \
             with one interpreter a round. A model pays where {}.",
            machine(self),
            figures::counted(self.rounds as u64, "round", "rounds"),
            self.pays_from_formula,
        );
        Sheet {
            grids,
            remarks: notes.chain([how, self.verdict.clone()]).collect(),
        }
    }

    fn records(&self) -> Records {
        Records::of(self.figures.iter().map(values).collect())
    }

    fn charts(&self) -> Vec<Chart> {
        let starts = |id: &str| id.contains("start.");
        let memory = |id: &str| id.contains("memory.");
        let hand = |id: &str| id.contains("hand.");
        vec![
            bars(self, "Start and end of one, seconds", figures::time, starts),
            bars(self, "Hand-over of an input, seconds", figures::time, hand),
            bars(self, "Memory of one more", size, memory),
        ]
    }

    fn title(&self) -> String {
        "overhead".to_owned()
    }

    fn how(&self) -> Vec<(&'static str, String)> {
        let rounds = figures::counted(self.rounds as u64, "round", "rounds");
        let mut how = vec![
            (
                "Rounds",
                format!(
                    "{rounds}, interleaved, each figure in a process of its own, those of Python in \
                     one interpreter a round"
                ),
            ),
            ("Budget", figures::time(self.budget_s)),
            ("Lanes", self.lanes.to_string()),
        ];
        how.extend(self.python.as_ref().map(|it| ("Interpreter", python(it))));
        let load = self.load_average.map(|load| format!("{load:.2}"));
        how.extend(load.map(|load| ("Load", load)));
        how.extend(how::machine(&self.machine));
        how
    }
}

fn bars(
    overhead: &Overhead,
    title: &str,
    unit: fn(f64) -> String,
    which: fn(&str) -> bool,
) -> Chart {
    let bar = |figure: &Figure| {
        Some(Bar {
            label: figure.name.clone(),
            value: figure.median?,
            interval: figure.ci95,
            marked: false,
        })
    };
    let chosen = overhead.figures.iter().filter(|figure| which(&figure.id));
    Chart::Bars {
        title: title.to_owned(),
        unit,
        bars: chosen.filter_map(bar).collect(),
    }
}

fn is_python(id: &str) -> bool {
    id.starts_with("python")
}

fn machine(overhead: &Overhead) -> String {
    let machine = &overhead.machine;
    let model = machine.cpu_model.as_deref().unwrap_or("unknown");
    let cpus = figures::counted(machine.cpus as u64, "processor", "processors");
    match &overhead.python {
        None => format!("{cpus} ({model})"),
        Some(it) => format!("{cpus} ({model}), {}", python(it)),
    }
}

/// The interpreter.
fn python(python: &Python) -> String {
    let lock = match python.free_threaded {
        true => ", free-threaded",
        false => "",
    };
    format!(
        "{} {}{lock} ({})",
        python.implementation, python.version, python.executable
    )
}

/// Every figure; what could not be measured is in the notes.
fn charges(overhead: &Overhead) -> Grid {
    let row = |figure: &Figure| {
        vec![
            figure.name.clone(),
            shown(figure.unit, figure.median),
            figure
                .ci95
                .map_or_else(missing, |ends| ends_of(figure.unit, ends)),
            figure
                .range
                .map_or_else(missing, |ends| ends_of(figure.unit, ends)),
        ]
    };
    Grid {
        title: Some("What this machine charges".to_owned()),
        headings: vec![
            Heading::words("figure", "figure"),
            Heading::figures("median", "median"),
            Heading::figures("95 %", "95 %"),
            Heading::figures("all rounds", "all rounds"),
        ],
        rows: overhead.figures.iter().map(row).collect(),
    }
}

fn pays_from(all: &[Pays]) -> Grid {
    let least = |pays: &Pays, seconds: Option<f64>| match (seconds, pays.times) {
        (Some(seconds), _) => figures::time(seconds),
        // It was measured, and there is nothing to gain.
        (None, Some(_)) => "never".to_owned(),
        (None, None) => missing(),
    };
    let row = |pays: &Pays| {
        let work = match pays.work {
            Work::Computes => "compute",
            Work::Waits => "wait",
        };
        vec![
            pays.name.clone(),
            work.to_owned(),
            pays.lanes.to_string(),
            pays.times.map_or_else(missing, figures::times),
            least(pays, pays.long_job_s),
            least(pays, pays.hundred_inputs_s),
        ]
    };
    Grid {
        title: Some("From which duration of an input a model pays".to_owned()),
        headings: vec![
            Heading::words("model", "model"),
            Heading::words("inputs", "inputs that"),
            Heading::figures("at once", "at once"),
            Heading::figures("as fast", "as fast together"),
            Heading::figures("a long job", "in a long job"),
            Heading::figures("100 inputs", "in a job of 100 inputs"),
        ],
        rows: all.iter().map(row).collect(),
    }
}

/// The models side by side, a column each, as articles have it.
fn models(python: Option<&str>, rows: &[&Row]) -> Grid {
    let mut headings = vec![Heading::words("", "")];
    headings.extend(rows.iter().filter_map(|row| heading(&row.id)));
    let columns: Vec<_> = rows.iter().map(|row| row.columns()).collect();
    let names = columns.first().into_iter().flatten().map(|(name, _)| *name);
    let line = |(place, name): (usize, &str)| {
        let cell = |column: &[(&str, &Cell); 7]| wrapped(&column[place].1.text, CELL);
        let cells = columns.iter().map(cell);
        [name.to_owned()].into_iter().chain(cells).collect()
    };
    Grid {
        title: Some(match python {
            Some(version) => format!("The models in Python {version}"),
            None => "The models".to_owned(),
        }),
        headings,
        rows: names.enumerate().map(line).collect(),
    }
}

fn heading(row: &str) -> Option<Heading> {
    let name = match row {
        "threads" | "python-threads" => "threads",
        "processes" | "python-processes" => "processes",
        "async" | "python-async" => "async",
        _ => return None,
    };
    Some(Heading::words(name, name))
}

fn shown(unit: Unit, value: Option<f64>) -> String {
    value.map_or_else(missing, |value| match unit {
        Unit::Seconds => figures::time(value),
        Unit::Bytes => size(value),
        Unit::Times => figures::times(value),
    })
}

fn ends_of(unit: Unit, [low, high]: [f64; 2]) -> String {
    format!("{} – {}", shown(unit, Some(low)), shown(unit, Some(high)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "three digits are shown, and the cast saturates"
)]
fn size(bytes: f64) -> String {
    figures::bytes(bytes.round() as u64)
}

/// Words in lines of at most so many columns.
fn wrapped(words: &str, columns: usize) -> String {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > columns {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

fn values(figure: &Figure) -> Vec<(&'static str, String)> {
    let unit = match figure.unit {
        Unit::Seconds => "s",
        Unit::Bytes => "bytes",
        Unit::Times => "times",
    };
    let end = |ends: Option<[f64; 2]>, which: usize| text(ends.map(|ends| ends[which]));
    vec![
        ("id", figure.id.clone()),
        ("name", figure.name.clone()),
        ("unit", unit.to_owned()),
        ("median", text(figure.median)),
        ("ci95_low", end(figure.ci95, 0)),
        ("ci95_high", end(figure.ci95, 1)),
        ("least", end(figure.range, 0)),
        ("most", end(figure.range, 1)),
        ("rounds", figure.rounds.to_string()),
        ("how", figure.how.clone()),
        ("missing", text(figure.missing.as_deref())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_none_is_lost() {
        let text = "none: workers share no lock";
        assert_eq!(wrapped(text, 15), "none: workers\nshare no lock");
        assert_eq!(wrapped(text, 100), text);
        assert_eq!(wrapped("unbreakable words", 3), "unbreakable\nwords");
    }

    #[test]
    fn intervals_have_their_units() {
        assert_eq!(ends_of(Unit::Seconds, [9e-7, 2e-6]), "900 ns – 2.00 µs");
        assert_eq!(shown(Unit::Bytes, Some(2048.2)), "2.00 KiB");
        assert_eq!(shown(Unit::Times, None), "–");
    }
}
