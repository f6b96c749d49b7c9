//! Lines of a file or pipe, byte for byte; one that is too long is told from the others without being held.
//!
//! A blank line is an input like any other, so that inputs and outcomes have the numbers of their lines. A byte order mark
//! belongs to the file and not to its first line.

use std::io::{self, BufRead};

use triway_tasks::catalog::RawInput;

/// How much of an oversized line is kept, to tell which it was.
const KEPT_BYTES: usize = 200;

/// How a file may begin to say that it is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a reader. `\n` or `\r\n` ends one; the end of the file does, too, if something stands before it.
pub(crate) struct Lines<R> {
    from: R,
    most_bytes: u64,
    line: Vec<u8>,
    begun: bool,
}

/// What was read of a line, besides what was kept.
struct Gathered {
    /// How many bytes stood before the `\n`.
    length: u64,
    /// Whether there was one.
    ended: bool,
    /// The byte before it.
    last: Option<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most `most_bytes` bytes, their ends not counted.
    pub(crate) fn new(from: R, most_bytes: u64) -> Self {
        Self {
            from,
            most_bytes,
            line: Vec::new(),
            begun: false,
        }
    }

    /// The next line; `None` at the end.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<RawInput>> {
        self.line.clear();
        let Gathered {
            mut length,
            ended,
            last,
        } = self.gather()?;
        if !std::mem::replace(&mut self.begun, true) {
            length -= self.without_mark();
        }
        if length == 0 && !ended {
            return Ok(None);
        }
        let carriage = ended && last == Some(b'\r');
        let length = length - u64::from(carriage);
        if length > self.most_bytes {
            return Ok(Some(self.oversized(length)));
        }
        if carriage {
            self.line.pop();
        }
        Ok(Some(RawInput::new(self.line.as_slice())))
    }

    /// Takes a mark from the first line, for which more room was made than for others: how many bytes that are.
    fn without_mark(&mut self) -> u64 {
        let mark = match self.line.starts_with(BYTE_ORDER_MARK) {
            true => BYTE_ORDER_MARK.len(),
            false => 0,
        };
        self.line.drain(..mark);
        let most = self.most_bytes.saturating_add(1);
        self.line
            .truncate(usize::try_from(most).unwrap_or(usize::MAX));
        mark as u64
    }

    /// Reads to the line's end, keeping as much as allowed, a byte that may belong to its end, and a mark before it.
    fn gather(&mut self) -> io::Result<Gathered> {
        let mark = if self.begun { 0 } else { BYTE_ORDER_MARK.len() };
        let most = self.most_bytes.saturating_add(1 + mark as u64);
        let (mut length, mut last) = (0, None);
        loop {
            let bytes = match self.from.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let end = memchr::memchr(b'\n', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = usize::try_from(most - self.line.len() as u64).unwrap_or(usize::MAX);
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            length += part.len() as u64;
            last = part.last().copied().or(last);
            let (read, at_end) = (part.len() + usize::from(end.is_some()), bytes.is_empty());
            self.from.consume(read);
            if end.is_some() || at_end {
                return Ok(Gathered {
                    length,
                    ended: end.is_some(),
                    last,
                });
            }
        }
    }

    fn oversized(&mut self, length: u64) -> RawInput {
        let kept = &self.line[..KEPT_BYTES.min(self.line.len())];
        // A character that was cut in two is no reason to call the line something else than text.
        let whole = match str::from_utf8(kept) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => kept.len(),
        };
        let prefix = without_open_authority(&kept[..whole]);
        let input = RawInput::oversized(prefix, length, self.most_bytes);
        // The memory that a huge line took is not kept for the lines after it.
        self.line = Vec::new();
        input
    }
}

/// The text up to where a URL's user name and password may begin, if its end is not in sight: half of them could not
/// be told from a host. The last URL of the text is meant, which may be a parameter of the first.
fn without_open_authority(text: &[u8]) -> &[u8] {
    let Some(slashes) = text.windows(2).rposition(|pair| pair == b"//") else {
        return text;
    };
    let start = slashes + 2;
    let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b'#');
    if text[start..].iter().any(ends) {
        text
    } else {
        &text[..start]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_secret_is_not_kept() {
        for (text, kept) in [
            ("no url", "no url"),
            ("http://host/path", "http://host/path"),
            ("http://user:secr", "http://"),
            (
                "http://host/?to=http://user:secr",
                "http://host/?to=http://",
            ),
            ("http://user:secret@host?q", "http://user:secret@host?q"),
        ] {
            let got = without_open_authority(text.as_bytes());
            assert_eq!(got, kept.as_bytes(), "{text}");
        }
    }

    /// The lines as text, oversized ones as `PREFIX…LENGTH`. Read through a small buffer, so that lines straddle it.
    fn lines(text: &[u8], most_bytes: u64) -> Vec<String> {
        let mut lines = Lines::new(io::BufReader::with_capacity(3, text), most_bytes);
        let next = || lines.next_line().unwrap();
        let show = |input: RawInput| match &input {
            RawInput::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            RawInput::Oversized { prefix, bytes, .. } => {
                format!("{}…{bytes}", String::from_utf8_lossy(prefix))
            }
            RawInput::Unread { failure, .. } => failure.to_string(),
            RawInput::Lent { .. } => unreachable!("lines lend nothing"),
        };
        std::iter::from_fn(next).map(show).collect()
    }

    #[test]
    fn lines_end_where_people_expect_and_keep_the_rest() {
        for (text, expected) in [
            (&b""[..], &[][..]),
            (b"\n", &[""]),
            (b"a", &["a"]),
            (b"a\n", &["a"]),
            (b"a\n\nb\n", &["a", "", "b"]),
            (b"a\r\nb\r\n", &["a", "b"]),
            (b"a\rb\r", &["a\rb\r"]),
            (b"a\r\r\n", &["a\r"]),
            (b" a \t\n", &[" a \t"]),
            (b"a\0b\n", &["a\0b"]),
            (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", &["a", "\u{feff}b"]),
            (b"\xef\xbb\xbf\r\na\n", &["", "a"]),
            (b"\xef\xbb\xbf", &[]),
            (b"a\xffb\n", &["a\u{fffd}b"]),
        ] {
            assert_eq!(lines(text, 1000), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_told_with_its_beginning() {
        for (text, expected) in [
            (&b"abcd\nabcde\nab\n"[..], &["abcd", "abcde…5", "ab"][..]),
            (b"abcd\r\nabcde\r\n", &["abcd", "abcde…5"]),
            (b"abcdefgh\r\n", &["abcde…8"]),
            (b"\xef\xbb\xbfabcd\r\nabcd\n", &["abcd", "abcd"]),
            (b"\xef\xbb\xbfabcde\n", &["abcde…5"]),
            (b"abcdefgh", &["abcde…8"]),
            ("abcää\n".as_bytes(), &["abcä…7"]),
        ] {
            assert_eq!(lines(text, 4), expected, "{text:?}");
        }
    }
}
