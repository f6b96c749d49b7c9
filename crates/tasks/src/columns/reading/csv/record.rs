//! Where records and fields end.

use super::values::Field;

/// Where a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columns) struct Ended {
    /// Behind its last byte.
    pub(in crate::columns) end: usize,
    /// Where the next one begins.
    pub(in crate::columns) next: usize,
    /// Whether something in it is quoted.
    pub(in crate::columns) quoted: bool,
}

/// The end of the record that begins at `at`; `None` if it is not in sight and more may come. `quote` is where the next
/// quote stands, at `at` or behind it; `at_end` says that nothing comes behind these bytes.
///
/// # Errors
/// A quote that is closed within a field, or never.
pub(in crate::columns) fn record_end(
    bytes: &[u8],
    at: usize,
    quote: usize,
    delimiter: u8,
    at_end: bool,
) -> Result<Option<Ended>, &'static str> {
    let newline = memchr::memchr(b'\n', &bytes[at..]).map(|found| at + found);
    let line_end = newline.unwrap_or(bytes.len());
    if quote < line_end {
        return quoted_end(bytes, at, delimiter, at_end);
    }
    Ok((newline.is_some() || at_end).then(|| ended(bytes, at, line_end, false)))
}

/// A record from `at` to a line's end, before which a carriage return may stand.
fn ended(bytes: &[u8], at: usize, line_end: usize, quoted: bool) -> Ended {
    let carriage = bytes[at..line_end].last() == Some(&b'\r');
    Ended {
        end: line_end - usize::from(carriage),
        next: (line_end + 1).min(bytes.len()),
        quoted,
    }
}

fn quoted_end(
    bytes: &[u8],
    at: usize,
    delimiter: u8,
    at_end: bool,
) -> Result<Option<Ended>, &'static str> {
    let mut start = at;
    loop {
        let end = match bytes.get(start) {
            Some(b'"') => match closing(bytes, start) {
                Some(closed) => closed + 1,
                None if at_end => return Err("a quote is never closed"),
                None => return Ok(None),
            },
            _ => {
                let rest = &bytes[start.min(bytes.len())..];
                memchr::memchr2(delimiter, b'\n', rest).map_or(bytes.len(), |found| start + found)
            }
        };
        match bytes.get(end) {
            Some(byte) if *byte == delimiter => start = end + 1,
            Some(b'\n') => return Ok(Some(ended(bytes, at, end, true))),
            Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => {
                return Ok(Some(ended(bytes, at, end + 1, true)));
            }
            None if at_end => return Ok(Some(ended(bytes, at, end, true))),
            // What follows decides what the last byte meant.
            None => return Ok(None),
            Some(b'\r') if end + 1 == bytes.len() && !at_end => return Ok(None),
            Some(_) => {
                return Err("something stands between a closing quote and the end of its field");
            }
        }
    }
}

/// Where the quote is closed that opens at `at`; `None` if that is not in sight. A quote written twice is a quote.
fn closing(bytes: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let found = from + memchr::memchr(b'"', bytes.get(from..)?)?;
        if bytes.get(found + 1) != Some(&b'"') {
            return Some(found);
        }
        from = found + 2;
    }
}

/// The fields of a record that was found to end.
pub(super) fn fields(record: &[u8], delimiter: u8) -> impl Iterator<Item = Field<'_>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let (field, end) = if record.get(start) == Some(&b'"') {
            let closed = closing(record, start).unwrap_or(record.len());
            (Field::Quoted(&record[start + 1..closed]), closed + 1)
        } else {
            let rest = &record[start..];
            let length = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
            (Field::Plain(&rest[..length]), start + length)
        };
        next = (end < record.len()).then_some(end + 1);
        Some(field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All records as lists of fields, `|` before one that was quoted.
    fn records(text: &[u8], at_end: bool) -> Result<Vec<Vec<String>>, &'static str> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let quote = memchr::memchr(b'"', &text[at..]).map_or(usize::MAX, |q| at + q);
            let Some(ended) = record_end(text, at, quote, b',', at_end)? else {
                break;
            };
            let shown = |field: Field<'_>| match field {
                Field::Plain(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Field::Quoted(bytes) => format!("|{}", String::from_utf8_lossy(bytes)),
            };
            found.push(fields(&text[at..ended.end], b',').map(shown).collect());
            at = ended.next;
        }
        Ok(found)
    }

    #[test]
    fn records_end_where_rfc_4180_says() {
        for (text, expected) in [
            ("a,b\nc,d\n", &[&["a", "b"][..], &["c", "d"]][..]),
            ("a,b\r\nc,d", &[&["a", "b"], &["c", "d"]]),
            ("a,\n,b\n", &[&["a", ""], &["", "b"]]),
            ("\"a\",b\n", &[&["|a", "b"]]),
            ("\"a\nb\",c\nd,e\n", &[&["|a\nb", "c"], &["d", "e"]]),
            ("\"a,\"\"b\"\"\",\"\"\r\n", &[&["|a,\"\"b\"\"", "|"]]),
            ("5\" disk,b\n", &[&["5\" disk", "b"]]),
            ("a,\"b\"", &[&["a", "|b"]]),
            ("\"a\",", &[&["|a", ""]]),
        ] {
            let found = records(text.as_bytes(), true);
            let found = found.unwrap();
            let expected: Vec<Vec<&str>> = expected.iter().map(|r| r.to_vec()).collect();
            assert_eq!(found, expected, "{text}");
        }
        for text in ["\"a\n", "a,\"b"] {
            assert_eq!(
                records(text.as_bytes(), true),
                Err("a quote is never closed")
            );
        }
        assert!(records(b"\"a\"b,c\n", true).is_err());
    }

    /// However much of it is in sight, a record is either the same or not yet there.
    #[test]
    fn what_is_cut_off_waits_for_more() {
        let text = b"\"a\"\"\r\n\",b\r\n\"c\",\"d\"\"\"\r\ne,f\n";
        let whole = records(text, true).unwrap();
        for cut in 0..text.len() {
            let found = records(&text[..cut], false).unwrap();
            assert_eq!(found, whole[..found.len()], "{cut}");
        }
    }
}
