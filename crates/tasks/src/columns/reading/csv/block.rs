//! A block of a file, of which whole records are taken and the rest is kept for the next one.

use std::io::{self, Read};

/// How much is read at once: enough that nothing else costs much, and little enough to stay in a cache.
const BYTES: usize = 256 << 10;

/// The longest record.
const MOST_BYTES: usize = 64 << 20;

/// What was read and not taken yet.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    filled: usize,
    taken: usize,
    at_end: bool,
}

impl Default for Block {
    fn default() -> Self {
        Self::of(BYTES)
    }
}

impl Block {
    /// So many bytes at once, as long as no record is longer.
    pub(super) fn of(bytes: usize) -> Self {
        Self {
            bytes: vec![0; bytes],
            filled: 0,
            taken: 0,
            at_end: false,
        }
    }

    /// Reads on behind what is left; `false` if nothing is left and nothing comes any more.
    pub(super) fn fill(&mut self, from: &mut impl Read) -> io::Result<bool> {
        self.bytes.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        while self.filled < self.bytes.len() && !self.at_end {
            match from.read(&mut self.bytes[self.filled..]) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.filled > 0)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.taken..self.filled]
    }

    /// Whether what is there is all that comes.
    pub(super) fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// Gives up the first so many bytes.
    pub(super) fn take(&mut self, bytes: usize) {
        self.taken += bytes;
    }

    /// Makes room for a longer record; `false` if it is too long.
    pub(super) fn grow(&mut self) -> bool {
        let room = self.bytes.len() * 2;
        let fits = room <= MOST_BYTES;
        if fits {
            self.bytes.resize(room, 0);
        }
        fits
    }
}
