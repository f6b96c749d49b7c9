//! A Markdown table, in which nothing that an input says becomes markup.

use std::io::{self, Write};

use super::{format::Format, record::Record};
use crate::{
    findings::{Found, Grid},
    people::{
        excerpt::{brief, excerpt},
        figures,
    },
};

/// Markdown.
pub(super) struct Markdown;

/// How much of an input or a message a row shows.
const SHOWN: usize = 200;

impl Format for Markdown {
    fn begin(&mut self, _task: &str, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(b"| # | status | input | output or error | time |\n|---:|---|---|---|---:|\n")
    }

    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        let outcome = record.outcome;
        let input = record.input.lossy();
        let told = match (&outcome.error, record.output()) {
            (Some(failure), _) => {
                format!("{}: {}", failure.kind, record.message_beside_input(failure))
            }
            (None, output) => output.map(brief).unwrap_or_default(),
        };
        writeln!(
            to,
            "| {} | {} | {} | {} | {} |",
            outcome.index,
            outcome.status,
            escaped(&excerpt(&input, SHOWN)),
            escaped(&excerpt(&told, SHOWN)),
            figures::time(outcome.run.as_secs_f64()),
        )
    }

    fn found(&mut self, found: &dyn Found, to: &mut dyn Write) -> io::Result<()> {
        let sheet = found.sheet();
        for grid in &sheet.grids {
            if let Some(title) = &grid.title {
                writeln!(to, "### {}\n", escaped(title))?;
            }
            write_grid(grid, to)?;
        }
        for line in &sheet.remarks {
            writeln!(to, "{}\n", escaped(line))?;
        }
        Ok(())
    }
}

fn write_grid(grid: &Grid, to: &mut dyn Write) -> io::Result<()> {
    let headings = &grid.headings;
    let names: Vec<_> = headings.iter().map(|heading| heading.long).collect();
    writeln!(to, "| {} |", names.join(" | "))?;
    let rules = headings.iter().map(|heading| match heading.words {
        true => "---|",
        false => "---:|",
    });
    writeln!(to, "|{}", rules.collect::<String>())?;
    for row in &grid.rows {
        let flat = |cell: &String| escaped(&cell.replace('\n', " "));
        let cells: Vec<_> = row.iter().map(flat).collect();
        writeln!(to, "| {} |", cells.join(" | "))?;
    }
    writeln!(to)
}

/// Text that Markdown shows as it is, in one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_{}[]<>#|&~$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup() {
        for (text, expected) in [
            ("a|b", "a\\|b"),
            ("<script>", "\\<script\\>"),
            ("[x](y)", "\\[x\\](y)"),
            ("50 times", "50 times"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }
}
