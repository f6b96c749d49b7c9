//! A line for a shell with places for inputs in it: each place becomes a parameter, quoted for where it stands.
//!
//! To splice a quoted input into the line would be safe only where the line itself does not quote: within `"{}"` it
//! would be read as code. The value of a parameter is never read as code, wherever it stands. What remains to be done
//! is that it stays one word.

use super::part::Part;

/// A script and what its parameters are, from `$1` on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) text: Vec<u8>,
    pub(super) parts: Vec<Part>,
}

/// What a byte of a script stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Nothing that quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `$(…)`, which is plain again, until its parenthesis closes.
    Substitution,
}

impl Script {
    /// The script of a line; with `append`, an input that has no place in it becomes the last argument.
    pub(super) fn new(line: &[u8], append: bool) -> Self {
        let mut script = Self {
            text: Vec::with_capacity(line.len() + 16),
            parts: Vec::new(),
        };
        let mut within = vec![Within::Plain];
        let mut rest = line;
        while !rest.is_empty() {
            let top = within.last().copied().unwrap_or(Within::Plain);
            if let Some((part, length)) = Part::at(rest) {
                script.place(part, top);
                rest = &rest[length..];
            } else {
                let length = step(rest, top, &mut within);
                script.text.extend_from_slice(&rest[..length]);
                rest = &rest[length..];
            }
        }
        if append && script.parts.is_empty() {
            script.text.push(b' ');
            script.place(Part::Whole, Within::Plain);
        }
        script
    }

    fn place(&mut self, part: Part, within: Within) {
        let known = self.parts.iter().position(|known| *known == part);
        let number = known.unwrap_or(self.parts.len()) + 1;
        if known.is_none() {
            self.parts.push(part);
        }
        let parameter = match within {
            Within::Plain | Within::Substitution => format!("\"${{{number}}}\""),
            Within::Double => format!("${{{number}}}"),
            Within::Single => format!("'\"${{{number}}}\"'"),
        };
        self.text.extend_from_slice(parameter.as_bytes());
    }
}

/// How many bytes to take over as they are; notes which quotes they open and close.
fn step(rest: &[u8], top: Within, within: &mut Vec<Within>) -> usize {
    match (top, rest[0]) {
        (Within::Single, b'\'') | (Within::Double, b'"') | (Within::Substitution, b')') => {
            within.pop();
            1
        }
        (Within::Single, _) => 1,
        (_, b'\\') => rest.len().min(2),
        (_, b'$') if rest.starts_with(b"$(") => {
            within.push(Within::Substitution);
            2
        }
        (Within::Double, _) => 1,
        (_, b'\'') => {
            within.push(Within::Single);
            1
        }
        (_, b'"') => {
            within.push(Within::Double);
            1
        }
        // A parenthesis of its own has one of its own to close it.
        (Within::Substitution, b'(') => {
            within.push(Within::Substitution);
            1
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::ffi::OsStrExt as _, process::Command};

    use super::*;

    #[test]
    fn a_place_is_quoted_for_where_it_stands() {
        for (line, expected) in [
            ("echo {}", "echo \"${1}\""),
            ("echo {}{}", "echo \"${1}\"\"${1}\""),
            ("echo {} {.}", "echo \"${1}\" \"${2}\""),
            ("echo \"a {} b\"", "echo \"a ${1} b\""),
            ("echo 'a {} b'", "echo 'a '\"${1}\"' b'"),
            ("echo \"$(cat {})\" {}", "echo \"$(cat \"${1}\")\" \"${1}\""),
            (
                "echo \"$( (cat {}) ) {}\"",
                "echo \"$( (cat \"${1}\") ) ${1}\"",
            ),
            ("echo \\\"{}", "echo \\\"\"${1}\""),
            ("echo \"\\\"{}\"", "echo \"\\\"${1}\""),
            ("wc -c", "wc -c \"${1}\""),
        ] {
            let script = Script::new(line.as_bytes(), true);
            assert_eq!(String::from_utf8(script.text).unwrap(), expected, "{line}");
        }
        assert_eq!(Script::new(b"wc -c", false).parts, []);
    }

    #[test]
    fn a_real_shell_reads_no_input_as_code() {
        let input = "a  b; touch pwned $(touch pwned) `touch pwned` \" ' \\ * ~";
        for line in [
            "printf '%s' {}",
            "printf '%s' \"{}\"",
            "printf '%s' '{}'",
            "printf '%s' \"$(printf '%s' {})\"",
            "x={}; printf '%s' \"$x\"",
            "(cat) <<'E'\n$1\nE\nprintf '%s' {} | cat",
        ] {
            let script = Script::new(line.as_bytes(), true);
            let folder = tempfile::tempdir().unwrap();
            let ran = Command::new("sh")
                .args([
                    std::ffi::OsStr::new("-c"),
                    std::ffi::OsStr::from_bytes(&script.text),
                ])
                .args(["sh", input])
                .current_dir(&folder)
                .output()
                .unwrap();
            let printed = String::from_utf8(ran.stdout).unwrap();
            assert!(printed.ends_with(input), "{line}: {printed}");
            assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{line}");
        }
    }
}
