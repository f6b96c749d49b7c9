//! For people: a line an outcome, and a comparison as a table that fits 100 columns.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use triway_core::Status;
use triway_measure::report::{ArmReport, Comparison, Estimate, Shown};

use super::{
    excerpt::{brief, excerpt, wrapped},
    format::Format,
    record::Record,
};
use crate::people::{Interest, figures};

/// Lines and tables for people.
pub(super) struct Table {
    /// Whether marks are coloured.
    pub(super) colour: bool,
    /// Which outcomes have a line.
    pub(super) interest: Interest,
}

/// The columns of a comparison: in two lines, and in one.
pub(super) const HEADERS: [(&str, &str); 10] = [
    ("\nmodel", "model"),
    ("start-\nup", "start-up"),
    ("wall\n95 %", "wall (95 %)"),
    ("total\n95 %", "total (95 %)"),
    ("speedup\n95 %", "speedup (95 %)"),
    ("inputs\na second", "inputs a second"),
    ("p50\np99", "latency p50 p99"),
    ("CPU\nmemory", "CPU, memory"),
    ("switches\nforced", "context switches, forced"),
    ("ok\nfailed", "ok, failed"),
];

/// How wide a line of remarks may be.
const COLUMNS: usize = 100;

/// How much of an input and of what is told about it a line shows.
const SHOWN: usize = 100;

impl Format for Table {
    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        let outcome = record.outcome;
        let trouble = outcome.status != Status::Ok || outcome.attempts > 1;
        if self.interest == Interest::Trouble && !trouble {
            return Ok(());
        }
        let (mark, colour) = match outcome.status {
            Status::Ok => ("✓", AnsiColor::Green),
            Status::Cancelled => ("–", AnsiColor::Yellow),
            _ => ("✗", AnsiColor::Red),
        };
        let style = if self.colour {
            colour.on_default()
        } else {
            Style::new()
        };
        let time = figures::time(outcome.run.as_secs_f64());
        let input = record.input.lossy();
        write!(
            to,
            "{style}{mark}{style:#} {time:>8}  {}",
            excerpt(&input, SHOWN)
        )?;
        if let Some(failure) = &outcome.error {
            let told = record.message_beside_input(failure);
            write!(to, "  {}: {}", failure.kind, excerpt(&told, 2 * SHOWN))?;
        } else if let Some(output) = record.output() {
            write!(to, "  {}", excerpt(&brief(output), SHOWN))?;
        }
        if outcome.attempts > 1 {
            write!(to, "  ({} attempts", outcome.attempts)?;
            if let Some(tried) = outcome.tried.last() {
                let told = record.message_beside_input(&tried.failure);
                write!(
                    to,
                    ", before it {}: {}",
                    tried.failure.kind,
                    excerpt(&told, SHOWN)
                )?;
            }
            write!(to, ")")?;
        }
        writeln!(to)
    }

    fn comparison(&mut self, comparison: &Comparison, to: &mut dyn Write) -> io::Result<()> {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(HEADERS.map(|(short, _)| short));
        for arm in &comparison.models {
            grid.add_row(cells(arm));
        }
        for (place, column) in grid.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if place > 0 {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(to, "{}", grid.trim_fmt())?;
        writeln!(to)?;
        for line in remarks(comparison) {
            writeln!(to, "{}", wrapped(&line, COLUMNS))?;
        }
        Ok(())
    }
}

/// The figures of an arm, a cell a column; a second line where two belong together.
pub(super) fn cells(arm: &ArmReport) -> [String; HEADERS.len()] {
    let seconds = |value: Option<f64>| value.map_or_else(missing, figures::time);
    let latency = arm.latency_s;
    let memory = arm.peak_memory_bytes.map_or_else(missing, figures::bytes);
    let switches = arm.context_switches;
    // The baseline is exactly as fast as itself, which needs no interval.
    let speedup = arm.speedup.map(|mut speedup| {
        speedup.ci95 = speedup
            .telling_interval()
            .filter(|ends| *ends != [1.0, 1.0]);
        speedup
    });
    [
        arm.id.clone(),
        seconds(arm.startup_s),
        interval(arm.wall_s, figures::time, figures::time_range),
        interval(arm.total_s, figures::time, figures::time_range),
        interval(speedup, figures::times, figures::times_range),
        arm.throughput_per_s.map_or_else(missing, figures::number),
        format!(
            "{}\n{}",
            seconds(latency.map(|latency| latency.p50)),
            seconds(latency.map(|latency| latency.p99))
        ),
        format!("{}\n{memory}", seconds(arm.cpu_s)),
        format!(
            "{}\n{}",
            count(switches.map(|switches| switches.voluntary)),
            count(switches.map(|switches| switches.involuntary))
        ),
        format!("{}\n{}", count(arm.succeeded), count(arm.failed)),
    ]
}

/// What is to be said below a comparison: who did not run or is not ranked, where results differ, notes, the verdict.
pub(super) fn remarks(comparison: &Comparison) -> Vec<String> {
    let skipped = comparison.models.iter().filter_map(|arm| {
        let why = arm.skipped.as_ref()?;
        Some(format!("{} was skipped: {why}", arm.id))
    });
    let unranked = comparison.models.iter().filter_map(|arm| {
        let why = arm.unranked.as_ref()?;
        Some(format!("{} is not ranked: {why}", arm.id))
    });
    let differences = comparison.differences.iter().map(|difference| {
        let (one, other) = (&difference.reference, &difference.differing);
        format!(
            "input {} {}: {} gave {}, {} gave {}",
            difference.index,
            how_it_differs(one, other),
            one.id,
            excerpt(&one.outcome, SHOWN),
            other.id,
            excerpt(&other.outcome, SHOWN)
        )
    });
    let notes = comparison.notes.iter().map(|note| format!("Note: {note}"));
    skipped
        .chain(unranked)
        .chain(differences)
        .chain(notes)
        .chain([comparison.verdict.clone()])
        .collect()
}

/// An input that failed on one side alone did not give another result; it gave none.
fn how_it_differs(one: &Shown, other: &Shown) -> &'static str {
    let ok = |side: &Shown| side.outcome.starts_with(Status::Ok.name());
    let failed = |side: &Shown| {
        let failures = [Status::Failed, Status::Timeout, Status::WorkerLost];
        let mut names = failures.iter().map(|status| status.name());
        names.any(|name| side.outcome.starts_with(name))
    };
    match (ok(one) && failed(other)) || (failed(one) && ok(other)) {
        true if one.id == other.id => "failed in some rounds alone",
        true => "failed under some arms alone",
        false => "differs",
    }
}

fn interval(
    estimate: Option<Estimate>,
    one: fn(f64) -> String,
    range: fn(f64, [f64; 2]) -> String,
) -> String {
    match estimate {
        None => missing(),
        Some(Estimate {
            median, ci95: None, ..
        }) => one(median),
        Some(Estimate {
            median,
            ci95: Some(ends),
            ..
        }) => format!("{}\n{}", one(median), range(median, ends)),
    }
}

fn count(value: Option<u64>) -> String {
    value.map_or_else(missing, figures::count)
}

fn missing() -> String {
    "–".to_owned()
}
