//! For people: a line an outcome, and a comparison as a table that fits 100 columns.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};
use triway_core::Status;
use triway_measure::report::{ArmReport, Comparison, Estimate, ServerReport, Shown};

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

/// A column of a comparison.
pub(super) struct Column {
    /// What stands above it: in two lines, and in one.
    short: &'static str,
    pub(super) long: &'static str,
    when: When,
    /// The figures of an arm; a second line where two belong together.
    pub(super) cell: fn(&ArmReport) -> String,
}

/// Which comparisons have a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// Where the arms are models.
    Models,
    /// Where the arms are servers.
    Servers,
}

const ALL: [Column; 11] = [
    column("\nmodel", "model", When::Always, |arm| arm.id.clone()),
    column("start-\nup", "start-up", When::Models, |arm| {
        seconds(arm.startup_s)
    }),
    column("wall\n95 %", "wall (95 %)", When::Models, |arm| {
        interval(arm.wall_s, figures::time, figures::time_range)
    }),
    column("total\n95 %", "total (95 %)", When::Always, |arm| {
        interval(arm.total_s, figures::time, figures::time_range)
    }),
    column("speedup\n95 %", "speedup (95 %)", When::Always, speedup),
    column("inputs\na second", "inputs a second", When::Always, |arm| {
        arm.throughput_per_s.map_or_else(missing, figures::number)
    }),
    column("p50\np99", "latency p50 p99", When::Always, |arm| {
        let latency = arm.latency_s;
        pair(
            seconds(latency.map(|latency| latency.p50)),
            seconds(latency.map(|latency| latency.p99)),
        )
    }),
    column("CPU\nmemory", "CPU, memory", When::Always, |arm| {
        let memory = arm.peak_memory_bytes;
        pair(
            seconds(arm.cpu_s),
            memory.map_or_else(missing, figures::bytes),
        )
    }),
    column(
        "switches\nforced",
        "context switches, forced",
        When::Models,
        |arm| {
            let switches = arm.context_switches;
            pair(
                count(switches.map(|switches| switches.voluntary)),
                count(switches.map(|switches| switches.involuntary)),
            )
        },
    ),
    column(
        "server/msg\n/connection",
        "the server's CPU a message, its memory a connection",
        When::Servers,
        |arm| {
            let bytes = |server: ServerReport| figures::bytes(server.memory_per_connection_bytes);
            pair(
                seconds(arm.server.map(|server| server.cpu_per_message_s)),
                arm.server.map_or_else(missing, bytes),
            )
        },
    ),
    column("ok\nfailed", "ok, failed", When::Always, |arm| {
        pair(count(arm.succeeded), count(arm.failed))
    }),
];

const fn column(
    short: &'static str,
    long: &'static str,
    when: When,
    cell: fn(&ArmReport) -> String,
) -> Column {
    Column {
        short,
        long,
        when,
        cell,
    }
}

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
        let (columns, mut grid) = (columns(comparison), Grid::new());
        grid.load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(columns.iter().map(|column| column.short));
        for arm in &comparison.models {
            grid.add_row(columns.iter().map(|column| (column.cell)(arm)));
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

/// The columns of this comparison.
pub(super) fn columns(comparison: &Comparison) -> Vec<&'static Column> {
    let servers = comparison.models.iter().any(|arm| arm.server.is_some());
    let other = if servers { When::Models } else { When::Servers };
    ALL.iter().filter(|column| column.when != other).collect()
}

fn speedup(arm: &ArmReport) -> String {
    // The baseline is exactly as fast as itself, which needs no interval.
    let speedup = arm.speedup.map(|mut speedup| {
        speedup.ci95 = speedup
            .telling_interval()
            .filter(|ends| *ends != [1.0, 1.0]);
        speedup
    });
    interval(speedup, figures::times, figures::times_range)
}

fn pair(first: String, second: String) -> String {
    [first, second].join("\n")
}

fn seconds(value: Option<f64>) -> String {
    value.map_or_else(missing, figures::time)
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
