//! The task `sh` by name: an input is a line, byte for byte.

use std::{borrow::Cow, sync::Arc};

use triway_core::{Failure, Model};

use super::Sh;
use crate::command::{CommandTask, Lanes, Preferred};

impl CommandTask for Sh {
    const NAME: &'static str = "sh";
    const INPUT: &'static str = "a line";
    const DOES: &'static str = "runs a command with it";
    const VARYING: &'static [&'static str] = &[];

    fn preferred() -> Preferred {
        Preferred {
            model: Model::Async,
            lanes: Lanes::Processors,
            timeout: None,
            retries: 0,
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Arc<[u8]>, Failure> {
        Ok(bytes.into())
    }

    fn refuse(&self, model: Model) -> Option<Cow<'static, str>> {
        matches!(model, Model::Processes | Model::Hybrid).then_some(Cow::Borrowed(
            "each command is a process already, and a worker process before it would do nothing but wait; use threads \
             or async",
        ))
    }

    fn line(&self, bytes: &[u8], index: u64) -> Option<Vec<u8>> {
        let words = self.words(bytes, index);
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        Some(words.join(&b' '))
    }
}

/// A word as a shell would have to be given it, on one line.
fn quoted(word: &[u8]) -> Vec<u8> {
    if word.iter().any(u8::is_ascii_control) {
        let mut quoted = b"$'".to_vec();
        for byte in word {
            match byte {
                b'\'' | b'\\' => quoted.extend([b'\\', *byte]),
                byte if byte.is_ascii_control() => {
                    quoted.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
                }
                byte => quoted.push(*byte),
            }
        }
        quoted.push(b'\'');
        return quoted;
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:=,+@%".contains(byte);
    if !word.is_empty() && word.iter().all(plain) {
        return word.to_vec();
    }
    let mut quoted = b"'".to_vec();
    for byte in word {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_something_into_it() {
        for (word, expected) in [
            (&b"a.b/c-d"[..], "a.b/c-d"),
            (b"", "''"),
            (b"a b", "'a b'"),
            (b"it's", "'it'\\''s'"),
            (b"; touch pwned", "'; touch pwned'"),
            (b"a\tb\nc'", "$'a\\x09b\\x0ac\\''"),
        ] {
            assert_eq!(quoted(word), expected.as_bytes(), "{word:?}");
        }
    }
}
