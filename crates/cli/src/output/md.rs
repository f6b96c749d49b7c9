//! A Markdown table, in which nothing that an input says becomes markup.

use std::io::{self, Write};

use triway_measure::report::Comparison;

use super::{
    excerpt::{brief, excerpt},
    format::Format,
    record::Record,
    table,
};
use crate::people::figures;

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

    fn comparison(&mut self, comparison: &Comparison, to: &mut dyn Write) -> io::Result<()> {
        let flat = |cell: String| escaped(&cell.replace('\n', " "));
        let columns = table::columns(comparison);
        let headers: Vec<_> = columns.iter().map(|column| column.long).collect();
        writeln!(to, "| {} |", headers.join(" | "))?;
        writeln!(to, "|---|{}", "---:|".repeat(headers.len() - 1))?;
        for arm in &comparison.models {
            let cell = |column: &&table::Column| flat((column.cell)(arm));
            let cells: Vec<_> = columns.iter().map(cell).collect();
            writeln!(to, "| {} |", cells.join(" | "))?;
        }
        writeln!(to)?;
        for line in table::remarks(comparison) {
            writeln!(to, "{}\n", escaped(&line))?;
        }
        Ok(())
    }
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
