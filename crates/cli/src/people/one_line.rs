//! The line of a terminal that the progress bar is drawn on, and never more of the terminal than that.
//!
//! indicatif by itself fills the line with spaces, which leaves the cursor at the terminal's edge: the `^C` that a
//! terminal shows for Ctrl-C then goes to the next line, that one is cleared instead of the bar's, and an old bar stays
//! behind. Here nothing is filled, and what is too long for the terminal is cut, so that the cursor stays on the line.

use std::{
    io::{self, Write as _},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use console::Term;
use indicatif::TermLike;

/// How wide indicatif is told the terminal is: so wide that it never wraps.
const ENDLESS: u16 = 4096;

/// Room for what a terminal shows of a key that is pressed, such as `^C`, and for the cursor.
const KEPT_FREE: usize = 5;

/// How wide the terminal is.
pub(super) fn columns() -> usize {
    usize::from(Term::stderr().size().1)
}

/// One line of standard error.
#[derive(Debug, Default)]
pub(super) struct OneLine {
    pending: Mutex<String>,
}

impl OneLine {
    fn pending(&self) -> MutexGuard<'_, String> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for OneLine {
    fn width(&self) -> u16 {
        ENDLESS
    }

    fn height(&self) -> u16 {
        1
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.pending().push_str(fitting(text, columns()));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.pending().push_str("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let pending = mem::take(&mut *self.pending());
        io::stderr().lock().write_all(pending.as_bytes())
    }
}

/// As much of the text as a line of so many columns has room for, without the spaces at its end. A bar has no
/// characters but those of one column.
fn fitting(text: &str, columns: usize) -> &str {
    let room = columns.saturating_sub(KEPT_FREE);
    let end = text
        .char_indices()
        .nth(room)
        .map_or(text.len(), |(at, _)| at);
    text[..end].trim_end_matches(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_on_the_line() {
        for (text, columns, expected) in [
            ("12345", 10, "12345"),
            ("123456", 10, "12345"),
            ("⠴⠴⠴⠴⠴⠴", 10, "⠴⠴⠴⠴⠴"),
            ("    ", 10, ""),
            ("a b  ", 80, "a b"),
            ("x", 3, ""),
        ] {
            assert_eq!(fitting(text, columns), expected);
        }
    }
}
