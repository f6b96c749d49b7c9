//! What a journal tells of runs before this one: all of it read once, from beginning to end.

use std::{fs::File, io::Read, path::Path};

use triway_core::Status;

use super::{
    entry::{Entry, Key},
    error::JournalError,
    header::Header,
    reader::{Next, Reader, Unreadable},
    table::{Recorded, Table},
};

/// What was found in a journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Whether there was a journal.
    pub begun: bool,
    /// Inputs with an outcome.
    pub outcomes: u64,
    /// Those among them that are not executed again.
    pub done: u64,
    /// How many inputs there were, if an earlier run came to their end.
    pub inputs: Option<u64>,
    /// Bytes at the end that were not written to the end of a record, and that are given up.
    pub torn_bytes: u64,
}

/// All that a resume needs.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub found: Found,
    pub table: Table,
    /// Where the last whole record ends.
    pub end: u64,
    /// So many inputs must be there and be the same, as far as there are records of them.
    pub needed: u64,
    /// Records of outcomes, those of the same input included.
    pub records: u64,
}

impl Past {
    /// Reads what follows the header. `retry_failed` says that only a success is an end.
    pub(super) fn read(
        path: &Path,
        file: &File,
        header: &Header,
        begins: u64,
        retry_failed: bool,
    ) -> Result<Self, JournalError> {
        let mut past = Self {
            end: begins,
            ..Self::default()
        };
        past.found.begun = true;
        let mut reader = Reader::new(file, header.salt, begins);
        loop {
            match past.take(&mut reader, retry_failed) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Trouble::Table(error)) => return Err(JournalError::Temporary(error)),
                Err(Trouble::Journal(Unreadable::Io(error))) => {
                    return Err(JournalError::io(path)(error));
                }
                Err(Trouble::Journal(Unreadable::Damaged(offset))) => {
                    return Err(JournalError::Damaged {
                        path: path.to_owned(),
                        offset,
                        outcomes: past.records,
                    });
                }
            }
        }
        let length = file.metadata().map_err(JournalError::io(path))?.len();
        past.found.torn_bytes = length.saturating_sub(past.end);
        Ok(past)
    }

    /// Takes in the next record; says whether there was one.
    fn take(
        &mut self,
        reader: &mut Reader<impl Read>,
        retry_failed: bool,
    ) -> Result<bool, Trouble> {
        let Next::Frame(offset, body) = reader.next().map_err(Trouble::Journal)? else {
            return Ok(false);
        };
        let after = offset + (super::frame::HEAD_BYTES + body.len()) as u64;
        match Entry::read(body) {
            None => return Err(Trouble::Journal(Unreadable::Damaged(offset))),
            Some(Entry::Inputs(inputs)) => {
                self.found.inputs = Some(inputs);
                self.needed = self.needed.max(inputs);
            }
            Some(Entry::Outcome(key, _)) => {
                self.note(key, offset, retry_failed)
                    .map_err(Trouble::Table)?;
            }
        }
        self.end = after;
        Ok(true)
    }

    fn note(&mut self, key: Key, offset: u64, retry_failed: bool) -> std::io::Result<()> {
        let done = match key.status {
            Status::Ok => true,
            Status::Cancelled => false,
            _ => !retry_failed,
        };
        let recorded = Recorded {
            digest: key.digest,
            offset,
            done,
        };
        let before = self.table.put(key.index, recorded)?;
        self.records += 1;
        self.found.outcomes += u64::from(before.is_none());
        let was_done = before.is_some_and(|before| before.done);
        self.found.done = self.found.done + u64::from(done) - u64::from(was_done);
        self.needed = self.needed.max(key.index.saturating_add(1));
        Ok(())
    }
}

enum Trouble {
    Journal(Unreadable),
    Table(std::io::Error),
}
