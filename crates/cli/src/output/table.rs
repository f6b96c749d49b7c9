//! For people: a line an outcome, and findings as tables that fit 100 columns.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table as Lines, presets};
use triway_core::Status;

use super::{format::Format, pictures, record::Record};
use crate::{
    findings::{Found, Grid},
    people::{
        Interest,
        excerpt::{brief, excerpt, wrapped},
        figures,
    },
};

/// Lines and tables for people.
pub(super) struct Table {
    /// Whether marks are coloured.
    pub(super) colour: bool,
    /// Which outcomes have a line.
    pub(super) interest: Interest,
    /// Whether pictures are drawn: a file is read by programs as well.
    pub(super) pictures: bool,
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

    fn found(&mut self, found: &dyn Found, to: &mut dyn Write) -> io::Result<()> {
        let sheet = found.sheet();
        for grid in &sheet.grids {
            if let Some(title) = &grid.title {
                writeln!(to, "{title}")?;
            }
            writeln!(to, "{}\n", drawn(grid).trim_fmt())?;
        }
        if self.pictures {
            let mut charts = found.charts().into_iter();
            charts.try_for_each(|chart| pictures::draw(&chart, self.colour, to))?;
        }
        for line in &sheet.remarks {
            writeln!(to, "{}", wrapped(line, COLUMNS))?;
        }
        Ok(())
    }
}

fn drawn(grid: &Grid) -> Lines {
    let mut lines = Lines::new();
    lines
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(grid.headings.iter().map(|heading| heading.short));
    for row in &grid.rows {
        lines.add_row(row);
    }
    for (heading, column) in grid.headings.iter().zip(lines.column_iter_mut()) {
        column.set_padding((0, 2));
        if !heading.words {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    lines
}
