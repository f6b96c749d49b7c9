//! What a task adds to be chosen by name on the command line: how to read an input from bytes, and what to say about it.

use std::{borrow::Cow, num::NonZeroUsize, thread::available_parallelism, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use triway_core::{Failure, Model, Task};
use triway_memory::Blob;

/// A task that the command line can choose by name.
///
/// The task itself is its configuration, which travels to worker processes; its outputs become JSON.
pub trait CommandTask: Task<Output: Serialize> + Serialize + DeserializeOwned {
    /// The name that chooses it.
    const NAME: &'static str;
    /// What one input is, such as `a URL`.
    const INPUT: &'static str;
    /// What it does with one, in a line.
    const DOES: &'static str;
    /// The fields of an output that legitimately differ from one attempt to the next; a dot leads into an object.
    const VARYING: &'static [&'static str];

    /// How it is run unless somebody says otherwise.
    fn preferred() -> Preferred;

    /// Reads an input from the bytes of a line.
    ///
    /// # Errors
    /// A failure of kind `bad-input` that says what is wrong with them.
    fn parse(&self, bytes: &[u8]) -> Result<Self::Input, Failure>;

    /// Reads an input from bytes that are lent under a name.
    ///
    /// # Errors
    /// The task has no such inputs.
    fn parse_lent(&self, _name: &[u8], _bytes: &Blob) -> Result<Self::Input, Failure> {
        Err(Failure::bad_input(
            "this task is applied to lines, not to bytes in memory",
        ))
    }

    /// An output in a form that can be added to others, for a total over all inputs; `None` if there is no such thing.
    fn addable(&self, _output: &Self::Output) -> Option<Vec<u8>> {
        None
    }

    /// An input as it may be shown: without what is secret in it.
    fn show<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    /// Why this task is not run under a model that could run it; `None` if it is.
    fn refuse(&self, _model: Model) -> Option<Cow<'static, str>> {
        None
    }

    /// What whoever runs this task under a model should know; `None` if there is nothing.
    fn remark(&self, _model: Model) -> Option<&'static str> {
        None
    }

    /// The command that is run for the input with this index, from 0, as a shell would be given it; `None` if there is
    /// none.
    fn line(&self, _bytes: &[u8], _index: u64) -> Option<Vec<u8>> {
        None
    }
}

/// The model, concurrency and time limit that suit most jobs of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferred {
    /// The model.
    pub model: Model,
    /// How many inputs at once.
    pub lanes: Lanes,
    /// The time limit of an attempt, where one without an end is to be feared.
    pub timeout: Option<Duration>,
    /// How often a failed input is tried again.
    pub retries: u32,
}

/// How many inputs at once suit most jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lanes {
    /// One a processor.
    Processors,
    /// So many.
    Exactly(NonZeroUsize),
    /// As many as Python's own pools have: four threads more than there are processors and at most 32, a process for each
    /// processor; and a hundred coroutines.
    Pools,
}

impl Preferred {
    /// How many inputs at once on this machine under this model.
    #[must_use]
    pub fn concurrency(self, model: Model) -> NonZeroUsize {
        let processors = available_parallelism().unwrap_or(NonZeroUsize::MIN);
        match (self.lanes, model) {
            (Lanes::Exactly(lanes), _) => lanes,
            (Lanes::Pools, Model::Threads) => processors.saturating_add(4).min(THREADS),
            (Lanes::Pools, Model::Async | Model::Hybrid) => COROUTINES,
            (Lanes::Processors | Lanes::Pools, _) => processors,
        }
    }
}

const THREADS: NonZeroUsize = NonZeroUsize::new(32).unwrap();
const COROUTINES: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// The text of an input, without white space around it.
///
/// # Errors
/// A failure of kind `bad-input` if it is empty, not UTF-8, or contains a NUL byte.
pub fn text(bytes: &[u8]) -> Result<&str, Failure> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        Failure::bad_input(format!(
            "the input is not UTF-8: byte {at} is {:#04x}",
            bytes.get(at).copied().unwrap_or_default()
        ))
    })?;
    if let Some(at) = text.find('\0') {
        return Err(Failure::bad_input(format!(
            "the input contains a NUL at byte {at}; is it a binary file?"
        )));
    }
    // Some editors begin a file with a byte order mark, which is no white space.
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(Failure::bad_input("the input is empty"));
    }
    Ok(text)
}

/// As much of a text as a message should repeat.
#[must_use]
pub fn excerpt(text: &str) -> Cow<'_, str> {
    const CHARACTERS: usize = 200;
    match text.char_indices().nth(CHARACTERS) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}… ({} bytes)", &text[..end], text.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_as_people_write_them() {
        for (bytes, expected) in [
            (&b"x"[..], Some("x")),
            (b" x y\t\r\n", Some("x y")),
            (b"\xef\xbb\xbfx", Some("x")),
            (b"\xc3\xa4", Some("\u{e4}")),
            (b"", None),
            (b"\r\n", None),
            (b"\xef\xbb\xbf", None),
            (b"a\0b", None),
            (b"a\xff", None),
        ] {
            assert_eq!(text(bytes).ok(), expected, "{bytes:?}");
        }
        let failure = text(b"ab\xff").unwrap_err();
        assert_eq!(failure.message, "the input is not UTF-8: byte 2 is 0xff");
    }

    #[test]
    fn an_excerpt_ends_between_characters() {
        assert_eq!(excerpt("short"), "short");
        let long = "\u{e4}".repeat(300);
        assert_eq!(
            excerpt(&long),
            format!("{}… (600 bytes)", "\u{e4}".repeat(200))
        );
    }
}
