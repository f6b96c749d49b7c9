//! The places for an input in a command, and what of the input stands in each; the names are those of GNU parallel.

use std::borrow::Cow;

/// What of an input stands in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// `{}`: all of it.
    Whole,
    /// `{.}`: without the extension.
    Stem,
    /// `{/}`: what stands after the last slash.
    Name,
    /// `{//}`: the directory.
    Directory,
    /// `{/.}`: what stands after the last slash, without the extension.
    NameStem,
    /// `{#}`: its number among the inputs, from 1.
    Number,
}

const PLACES: [(&[u8], Part); 6] = [
    (b"{}", Part::Whole),
    (b"{.}", Part::Stem),
    (b"{/}", Part::Name),
    (b"{//}", Part::Directory),
    (b"{/.}", Part::NameStem),
    (b"{#}", Part::Number),
];

impl Part {
    /// The place that a text begins with, and how long that is.
    pub(super) fn at(text: &[u8]) -> Option<(Self, usize)> {
        let (place, part) = PLACES.iter().find(|(place, _)| text.starts_with(place))?;
        Some((*part, place.len()))
    }

    /// What stands in it for the input with this index, from 0.
    pub(super) fn of(self, input: &[u8], index: u64) -> Cow<'_, [u8]> {
        Cow::Borrowed(match self {
            Self::Whole => input,
            Self::Stem => stem(input),
            Self::Name => name(input),
            Self::Directory => directory(input),
            Self::NameStem => stem(name(input)),
            Self::Number => return Cow::Owned((index + 1).to_string().into_bytes()),
        })
    }
}

/// The text up to the last dot, if no slash stands after that.
fn stem(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| matches!(byte, b'.' | b'/')) {
        Some(at) if path[at] == b'.' => &path[..at],
        _ => path,
    }
}

fn name(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => &path[at + 1..],
        None => path,
    }
}

/// As `dirname` has it: slashes at the end do not count.
fn directory(path: &[u8]) -> &[u8] {
    let path = without_last_slashes(path);
    match path.iter().rposition(|byte| *byte == b'/') {
        None => b".",
        Some(0) => b"/",
        Some(at) => without_last_slashes(&path[..at]),
    }
}

/// A path of slashes alone keeps its first.
fn without_last_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/');
    match end {
        Some(end) => &path[..=end],
        None => &path[..path.len().min(1)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_hold_what_gnu_parallel_puts_there() {
        // Whole, stem, name, directory, stem of the name; as `parallel echo {} {.} {/} {//} {/.}` prints them.
        for (input, expected) in [
            ("a", ["a", "a", "a", ".", "a"]),
            ("a.jpg", ["a.jpg", "a", "a.jpg", ".", "a"]),
            (
                "d/a.tar.gz",
                ["d/a.tar.gz", "d/a.tar", "a.tar.gz", "d", "a.tar"],
            ),
            ("d.x/a", ["d.x/a", "d.x/a", "a", "d.x", "a"]),
            ("/a", ["/a", "/a", "a", "/", "a"]),
            ("/", ["/", "/", "", "/", ""]),
            ("d/e/", ["d/e/", "d/e/", "", "d", ""]),
            ("d//a", ["d//a", "d//a", "a", "d", "a"]),
            ("a.", ["a.", "a", "a.", ".", "a"]),
            (".bashrc", [".bashrc", "", ".bashrc", ".", ""]),
            ("d/.x", ["d/.x", "d/", ".x", "d", ""]),
            ("d/..", ["d/..", "d/.", "..", "d", "."]),
            ("//", ["//", "//", "", "/", ""]),
            ("", ["", "", "", ".", ""]),
        ] {
            let parts = [
                Part::Whole,
                Part::Stem,
                Part::Name,
                Part::Directory,
                Part::NameStem,
            ];
            let of = |part: Part| String::from_utf8(part.of(input.as_bytes(), 0).into_owned());
            assert_eq!(parts.map(|part| of(part).unwrap()), expected, "{input}");
        }
        assert_eq!(&*Part::Number.of(b"x", 6), b"7");
    }
}
