//! Reads records again that were found before, nearly in their order, with few system calls.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use super::frame::{HEAD_BYTES, Head, Place};

/// How much is read at a time.
const WINDOW_BYTES: usize = 1 << 18;
/// How much of that lies before what was asked for, because records stand a little out of order.
const BEFORE_BYTES: u64 = 1 << 16;

/// A piece of a journal.
#[derive(Debug)]
pub(super) struct Window {
    file: File,
    salt: u64,
    begins: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// On this journal, at nothing yet.
    pub(super) fn new(file: File, salt: u64) -> Self {
        Self {
            file,
            salt,
            begins: 0,
            bytes: Vec::new(),
        }
    }

    /// The body of the frame at this offset.
    ///
    /// # Errors
    /// It cannot be read, or is no longer there.
    pub(super) fn body(&mut self, offset: u64) -> io::Result<&[u8]> {
        let place = Place {
            salt: self.salt,
            offset,
        };
        let head = Head::read(self.piece(offset, HEAD_BYTES)?, place).ok_or_else(changed)?;
        let frame = self.piece(offset, HEAD_BYTES + head.length)?;
        let body = &frame[HEAD_BYTES..];
        match head.matches(body, place) {
            true => Ok(body),
            false => Err(changed()),
        }
    }

    fn piece(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let ends = self.begins + self.bytes.len() as u64;
        if offset < self.begins || offset + length as u64 > ends {
            self.begins = offset.saturating_sub(BEFORE_BYTES);
            let before = (offset - self.begins) as usize;
            self.read((before + length).max(WINDOW_BYTES))?;
        }
        let at = (offset - self.begins) as usize;
        self.bytes.get(at..at + length).ok_or_else(changed)
    }

    fn read(&mut self, most: usize) -> io::Result<()> {
        self.bytes.resize(most, 0);
        let mut read = 0;
        while read < most {
            match self
                .file
                .read_at(&mut self.bytes[read..], self.begins + read as u64)
            {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.bytes.truncate(read);
        Ok(())
    }
}

fn changed() -> io::Error {
    io::Error::other("it was changed while it was in use")
}
