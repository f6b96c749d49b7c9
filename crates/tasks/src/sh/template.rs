//! What is run for an input: a line split into words as a shell would split it, with places for the input in them.
//!
//! Nothing is expanded, and what is put into a place is never split, quoted or read again: it is bytes of one argument.

use super::{part::Part, script::Script};

/// A command with places for an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Word>);

/// An argument: its pieces, one after the other.
type Word = Vec<Piece>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Part(Part),
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// There is nothing in it.
    #[error("the command is empty; write one, such as 'gzip -k {{}}'")]
    Empty,
    /// A quotation mark has no partner, or there is nothing after the last backslash.
    #[error(
        "a quotation mark in the command is never closed, or its last backslash quotes nothing"
    )]
    Open,
    /// No argument can hold a NUL.
    #[error("the command contains a NUL, which no argument can hold")]
    Nul,
}

/// What becomes of an input where no place says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unplaced {
    /// It is the last argument.
    Append,
    /// The command gets it another way.
    LeaveOut,
}

impl Template {
    /// A line in words; quotes and backslashes mean what they mean in a shell, and nothing else means anything.
    pub(super) fn of_words(line: &[u8], unplaced: Unplaced) -> Result<Self, TemplateError> {
        if line.contains(&0) {
            return Err(TemplateError::Nul);
        }
        let words = shlex::bytes::split(line).ok_or(TemplateError::Open)?;
        let mut words: Vec<Word> = words.iter().map(|word| pieces(word)).collect();
        if words.is_empty() {
            return Err(TemplateError::Empty);
        }
        let is_place = |piece: &Piece| matches!(piece, Piece::Part(_));
        if unplaced == Unplaced::Append && !words.iter().flatten().any(is_place) {
            words.push(vec![Piece::Part(Part::Whole)]);
        }
        Ok(Self(words))
    }

    /// A line for a shell, which gets what stands in its places as parameters: they are expanded, never read as code.
    pub(super) fn of_script(line: &[u8], unplaced: Unplaced) -> Result<Self, TemplateError> {
        if line.contains(&0) {
            return Err(TemplateError::Nul);
        }
        if line.trim_ascii().is_empty() {
            return Err(TemplateError::Empty);
        }
        let Script { text, parts } = Script::new(line, unplaced == Unplaced::Append);
        // The word after the script is what the shell calls itself in messages.
        let fixed = [b"sh".to_vec(), b"-c".to_vec(), text, b"sh".to_vec()];
        let fixed = fixed.map(|text| vec![Piece::Text(text)]);
        let parameters = parts.into_iter().map(|part| vec![Piece::Part(part)]);
        Ok(Self(fixed.into_iter().chain(parameters).collect()))
    }

    /// Program and arguments for the input with this index, from 0.
    pub(super) fn words(&self, input: &[u8], index: u64) -> impl Iterator<Item = Vec<u8>> {
        self.0.iter().map(move |word| {
            word.iter().fold(Vec::new(), |mut text, piece| {
                match piece {
                    Piece::Text(piece) => text.extend_from_slice(piece),
                    Piece::Part(part) => text.extend_from_slice(&part.of(input, index)),
                }
                text
            })
        })
    }
}

fn pieces(word: &[u8]) -> Word {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        if let Some((part, length)) = Part::at(rest) {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Part(part));
            rest = &rest[length..];
        } else {
            text.push(byte);
            rest = after;
        }
    }
    // A word may be empty, and is an argument all the same.
    if !text.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(template: &Template, input: &[u8]) -> Vec<String> {
        let words = template.words(input, 6);
        words.map(|word| word.escape_ascii().to_string()).collect()
    }

    #[test]
    fn an_input_is_bytes_of_one_argument() {
        for (line, input, expected) in [
            ("echo", "a b", &["echo", "a b"][..]),
            ("echo {}", "a b", &["echo", "a b"]),
            ("echo '{}' \"{}\"", "a", &["echo", "a", "a"]),
            (
                "convert {} {.}.png",
                "d/x.jpg",
                &["convert", "d/x.jpg", "d/x.png"],
            ),
            ("mv {} {//}/old-{/}", "d/x", &["mv", "d/x", "d/old-x"]),
            ("echo {#}:{/.}", "d/x.y", &["echo", "7:x"]),
            (
                "a 'b c' d\\ e \"f'g\"",
                "x",
                &["a", "b c", "d e", "f\\'g", "x"],
            ),
            ("echo '' {}", "x", &["echo", "", "x"]),
            ("echo {}", "", &["echo", ""]),
            ("echo {}", "; touch pwned", &["echo", "; touch pwned"]),
            ("echo {}", "{#} {}", &["echo", "{#} {}"]),
            ("echo {}", "$(id) `id` *", &["echo", "$(id) `id` *"]),
            (
                "echo $HOME ~ * | wc",
                "x",
                &["echo", "$HOME", "~", "*", "|", "wc", "x"],
            ),
            ("{} -l", "ls x", &["ls x", "-l"]),
            ("echo {", "x", &["echo", "{", "x"]),
            ("echo {x}", "y", &["echo", "{x}", "y"]),
        ] {
            let template = Template::of_words(line.as_bytes(), Unplaced::Append).unwrap();
            assert_eq!(words(&template, input.as_bytes()), expected, "{line}");
        }
        let template = Template::of_words(b"a\xff {}", Unplaced::Append).unwrap();
        assert_eq!(words(&template, b"b\xfe"), ["a\\xff", "b\\xfe"]);
        let template = Template::of_words(b"wc -c", Unplaced::LeaveOut).unwrap();
        assert_eq!(words(&template, b"x"), ["wc", "-c"]);
    }

    #[test]
    fn a_line_that_is_no_command_says_why() {
        for (line, expected) in [
            (&b""[..], TemplateError::Empty),
            (b" \t", TemplateError::Empty),
            (b"echo 'a", TemplateError::Open),
            (b"echo \"a", TemplateError::Open),
            (b"echo a\\", TemplateError::Open),
            (b"echo a\0b", TemplateError::Nul),
        ] {
            let refused = Template::of_words(line, Unplaced::Append);
            assert_eq!(refused, Err(expected), "{line:?}");
        }
        assert_eq!(
            Template::of_script(b"  ", Unplaced::Append),
            Err(TemplateError::Empty)
        );
    }

    #[test]
    fn a_script_gets_inputs_as_parameters() {
        let template = Template::of_script(b"cat {} | wc > {.}", Unplaced::Append).unwrap();
        assert_eq!(
            words(&template, b"a; b.c"),
            [
                "sh",
                "-c",
                "cat \\\"${1}\\\" | wc > \\\"${2}\\\"",
                "sh",
                "a; b.c",
                "a; b"
            ]
        );
    }
}
