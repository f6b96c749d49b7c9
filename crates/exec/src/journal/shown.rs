//! Reads a journal without touching it, also while a run writes it.

use std::{
    fs::{self, File},
    io::{self, Read, Seek as _, SeekFrom, Take},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use triway_core::Outcome;

use super::{
    entry::Entry,
    error::JournalError,
    open::beginning,
    past::{Found, Past},
    reader::{Next, Reader, Unreadable},
    table::Table,
};

/// The outcomes that a journal holds, one an input, in the order in which they were written. An input that was executed
/// again has its latest.
///
/// What was written after it was opened is not in it.
pub struct Recorded<I, O> {
    path: PathBuf,
    task: String,
    found: Found,
    end: u64,
    table: Table,
    reader: Reader<Take<File>>,
    types: PhantomData<fn() -> (I, O)>,
}

/// Bytes at the end of a journal that are no whole record: a run is writing them, or one was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Torn {
    /// Where they begin.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
}

impl<I: DeserializeOwned, O: DeserializeOwned> Recorded<I, O> {
    /// Opens the journal and reads it once.
    ///
    /// # Errors
    /// It is no journal, or damaged.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let io = JournalError::io(path);
        // Looked at before it is opened: a pipe would keep whoever opens it waiting for a writer.
        if !fs::metadata(path).map_err(&io)?.is_file() {
            return Err(JournalError::NotPlain(path.to_owned()));
        }
        let mut file = File::open(path).map_err(&io)?;
        let Some((header, begins)) = beginning(path, &file)? else {
            return Err(JournalError::Foreign(path.to_owned()));
        };
        let past = Past::read(path, &file, &header, begins, false)?;
        file.seek(SeekFrom::Start(begins)).map_err(&io)?;
        let reader = Reader::new(file.take(past.end - begins), header.salt, begins);
        Ok(Self {
            path: path.to_owned(),
            task: header.task,
            found: past.found,
            end: past.end,
            table: past.table,
            reader,
            types: PhantomData,
        })
    }

    /// The name of the task.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.task
    }

    /// How many outcomes there are, and of how many inputs.
    #[must_use]
    pub fn found(&self) -> Found {
        self.found
    }

    /// What stands after the last whole record.
    #[must_use]
    pub fn torn(&self) -> Option<Torn> {
        (self.found.torn_bytes > 0).then_some(Torn {
            offset: self.end,
            bytes: self.found.torn_bytes,
        })
    }

    fn read(&mut self) -> Result<Option<Outcome<I, O>>, JournalError> {
        loop {
            let (offset, body) = match self.reader.next() {
                Ok(Next::Frame(offset, body)) => (offset, body),
                Ok(Next::End | Next::Torn(_)) => return Ok(None),
                Err(Unreadable::Io(error)) => return Err(JournalError::io(&self.path)(error)),
                Err(Unreadable::Damaged(offset)) => return Err(damaged(&self.path, offset)),
            };
            let Some(Entry::Outcome(key, rest)) = Entry::read(body) else {
                continue;
            };
            let latest = self.table.get(key.index).map_err(JournalError::Temporary)?;
            if latest.is_none_or(|latest| latest.offset != offset) {
                continue;
            }
            let values = || {
                let (detail, output) = rest.read()?;
                let output = output.map(postcard::from_bytes).transpose().ok()?;
                Some(detail.outcome(key, postcard::from_bytes(rest.input).ok()?, output))
            };
            return values().map(Some).ok_or_else(|| {
                let told = format!("the outcome at byte {offset} is of another version or task");
                JournalError::io(&self.path)(io::Error::other(told))
            });
        }
    }
}

impl<I: DeserializeOwned, O: DeserializeOwned> Iterator for Recorded<I, O> {
    type Item = Result<Outcome<I, O>, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

fn damaged(path: &Path, offset: u64) -> JournalError {
    JournalError::Damaged {
        path: path.to_owned(),
        offset,
        outcomes: 0,
    }
}
