//! Workflow commands of GitHub Actions: an annotation at the file and line of each input that did not succeed, and
//! nothing for the others.
//!
//! GitHub's form: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

use std::io::{self, Write};

use triway_core::Status;

use super::{format::Format, record::Record};
use crate::people::excerpt::excerpt;

/// Workflow commands.
pub(super) struct Github;

/// How much of an input an annotation shows.
const SHOWN: usize = 200;

/// How much of a line of a message it shows.
const LINE: usize = 2000;

impl Format for Github {
    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        let outcome = record.outcome;
        let Some(failure) = &outcome.error else {
            return Ok(());
        };
        let place = record.places.line(outcome.index);
        // What was never tried may be right.
        let level = match outcome.status {
            Status::Cancelled => "warning",
            _ => "error",
        };
        write!(to, "::{level} ")?;
        let mut message = record.message_beside_input(failure).into_owned();
        if let Some((file, line)) = place {
            write!(to, "file={},line={line},", property(&file))?;
            // The place is shown by GitHub where it is a file's, and told by the message otherwise.
            let told = format!("{}: ", record.places.name(outcome.index));
            message = message.strip_prefix(&told).unwrap_or(&message).to_owned();
        }
        write!(to, "title={}::", property(failure.kind.as_str()))?;
        let input = record.input.lossy();
        if !input.trim().is_empty() {
            write!(to, "{}: ", data(&excerpt(&input, SHOWN)))?;
        }
        writeln!(to, "{}", data(&tame(&message)))
    }
}

/// A message whose lines stay lines, and in which a terminal obeys nothing else.
fn tame(message: &str) -> String {
    let lines: Vec<_> = message.lines().map(|line| excerpt(line, LINE)).collect();
    lines.join("\n")
}

/// A text in which nothing ends the command.
fn data(text: &str) -> String {
    escaped(text, |c| matches!(c, '%' | '\r' | '\n'))
}

/// A text in which nothing ends the property either.
fn property(text: &str) -> String {
    escaped(text, |c| matches!(c, '%' | '\r' | '\n' | ':' | ','))
}

fn escaped(text: &str, special: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if special(c) {
            escaped.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_message_stay() {
        assert_eq!(data(&tame("a\r\n\x1b[31mb\n")), "a%0A\\u{1b}[31mb");
    }

    #[test]
    fn nothing_in_a_text_ends_a_command() {
        for (text, in_data, in_property) in [
            ("plain", "plain", "plain"),
            ("50%", "50%25", "50%25"),
            ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
            ("C:\\x,y", "C:\\x,y", "C%3A\\x%2Cy"),
            ("::error::x", "::error::x", "%3A%3Aerror%3A%3Ax"),
        ] {
            assert_eq!(data(text), in_data);
            assert_eq!(property(text), in_property);
        }
    }
}
