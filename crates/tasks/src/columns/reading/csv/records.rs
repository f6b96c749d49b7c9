//! Records out of pieces of a file that may end anywhere: `csv-core` finds their fields, by the rules of RFC 4180.
//!
//! The library takes a quote that is never closed for one that is closed at the end, and lines with nothing in them for
//! nothing at all. Here the former is a fault, and the latter are told, since a record of one field may be missing.

use csv_core::ReadRecordResult;

/// The longest record.
const MOST_BYTES: usize = 64 << 20;

/// The most fields that a record may have.
const MOST_FIELDS: usize = 1 << 20;

/// Finds the records of a file that is given piece by piece.
#[derive(Debug)]
pub(in crate::columns) struct Records {
    core: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// How much of `text` and of `ends` the record has so far.
    filled: usize,
    fields: usize,
    /// Whether nothing of a next record was seen yet.
    is_between: bool,
    /// Whether the last line ended with a carriage return, behind which the end of the same line may stand.
    after_return: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columns) enum Found {
    /// A record, until the next step.
    Record,
    /// A line with nothing in it.
    Blank,
    /// Nothing yet: what was given has been taken.
    Nothing,
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::columns) enum Fault {
    TooLong,
    TooManyFields,
    Unclosed,
}

impl Records {
    /// With this between the fields.
    pub(in crate::columns) fn new(delimiter: u8) -> Self {
        Self {
            core: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            text: vec![0; 1 << 10],
            ends: vec![0; 1 << 6],
            filled: 0,
            fields: 0,
            is_between: true,
            after_return: false,
        }
    }

    /// Looks at the next bytes as far as to the end of one line, and says how many it took.
    #[inline]
    pub(in crate::columns) fn step(&mut self, input: &[u8]) -> Result<(usize, Found), Fault> {
        let mut taken = 0;
        if self.is_between {
            (self.filled, self.fields) = (0, 0);
            if self.after_return && input.first() == Some(&b'\n') {
                taken = 1;
            }
            self.after_return &= input.is_empty();
            match input.get(taken) {
                None => return Ok((taken, Found::Nothing)),
                Some(end @ (b'\n' | b'\r')) => {
                    self.after_return = *end == b'\r';
                    return Ok((taken + 1, Found::Blank));
                }
                Some(_) => self.is_between = false,
            }
        }
        while taken < input.len() {
            let (text, ends) = (&mut self.text[self.filled..], &mut self.ends[self.fields..]);
            let (result, read, written, ended) = self.core.read_record(&input[taken..], text, ends);
            taken += read;
            self.filled += written;
            self.fields += ended;
            match result {
                ReadRecordResult::Record => {
                    self.is_between = true;
                    self.after_return = taken > 0 && input[taken - 1] == b'\r';
                    return Ok((taken, Found::Record));
                }
                ReadRecordResult::OutputFull => double(&mut self.text, MOST_BYTES, Fault::TooLong)?,
                ReadRecordResult::OutputEndsFull => {
                    double(&mut self.ends, MOST_FIELDS, Fault::TooManyFields)?;
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
            }
        }
        Ok((taken, Found::Nothing))
    }

    /// What the end of the file makes of the bytes since the last line ended.
    ///
    /// # Errors
    /// A quote is open.
    pub(in crate::columns) fn finish(&mut self) -> Result<Found, Fault> {
        if self.is_between {
            return Ok(Found::Nothing);
        }
        match self.step(b"\n")? {
            (_, Found::Record) => Ok(Found::Record),
            _ => Err(Fault::Unclosed),
        }
    }

    /// How many fields the record has.
    pub(super) fn len(&self) -> usize {
        self.fields
    }

    /// A field of the record.
    pub(super) fn field(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[at]]
    }

    /// All fields of the record.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.field(at))
    }
}

fn double<T: Clone + Default>(room: &mut Vec<T>, most: usize, fault: Fault) -> Result<(), Fault> {
    if room.len() >= most {
        return Err(fault);
    }
    room.resize(room.len() * 2, T::default());
    Ok(())
}

impl Fault {
    /// As it is told.
    pub(in crate::columns) fn message(self) -> &'static str {
        match self {
            Self::TooLong => {
                "the record is longer than 64 MiB; is there a quote that is never closed?"
            }
            Self::TooManyFields => "the record has more than a million fields; is this CSV at all?",
            Self::Unclosed => "a quote is never closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines as lists of fields, given in pieces of this size.
    fn lines(text: &[u8], size: usize) -> Result<Vec<Vec<String>>, Fault> {
        let mut records = Records::new(b',');
        let mut lines = Vec::new();
        for mut piece in text.chunks(size) {
            while !piece.is_empty() {
                let (taken, found) = records.step(piece)?;
                lines.extend(shown(&records, found));
                piece = &piece[taken..];
            }
        }
        let last = records.finish()?;
        lines.extend(shown(&records, last));
        Ok(lines)
    }

    fn shown(records: &Records, found: Found) -> Option<Vec<String>> {
        let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
        match found {
            Found::Record => Some(records.fields().map(text).collect()),
            Found::Blank => Some(Vec::new()),
            Found::Nothing => None,
        }
    }

    #[test]
    fn records_are_the_same_however_they_come() {
        for (text, expected) in [
            ("a,b\nc,d\n", &[&["a", "b"][..], &["c", "d"]][..]),
            ("a,b\r\nc,d", &[&["a", "b"], &["c", "d"]]),
            ("a,b\rc,d\r", &[&["a", "b"], &["c", "d"]]),
            ("a,\n,b\n", &[&["a", ""], &["", "b"]]),
            ("\"a\",b\n", &[&["a", "b"]]),
            ("\"a\nb\",c\nd,e\n", &[&["a\nb", "c"], &["d", "e"]]),
            ("\"a,\"\"b\"\"\",\"\"\r\n", &[&["a,\"b\"", ""]]),
            ("5\" disk,b\n", &[&["5\" disk", "b"]]),
            ("a,\"b\"", &[&["a", "b"]]),
            ("\"a\",", &[&["a", ""]]),
            ("\"\"", &[&[""]]),
            ("a\n\n\r\nb\r\n\r\n", &[&["a"], &[], &[], &["b"], &[]]),
            ("\n", &[&[]]),
            ("", &[]),
        ] {
            for size in [1, 2, 3, 100] {
                let found = lines(text.as_bytes(), size).unwrap();
                assert_eq!(found, expected, "{text:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn what_never_ends_is_a_fault() {
        for text in ["\"a\n", "a,\"b", "a\n\""] {
            assert_eq!(lines(text.as_bytes(), 2), Err(Fault::Unclosed), "{text:?}");
        }
        let endless = [b"\"".to_vec(), vec![b'x'; MOST_BYTES + 1]].concat();
        assert_eq!(lines(&endless, 1 << 20), Err(Fault::TooLong));
        let commas = vec![b','; MOST_FIELDS + 1];
        assert_eq!(lines(&commas, 1 << 20), Err(Fault::TooManyFields));
    }
}
