//! What a journal says of each input, by index: on disk where it is much, so that memory does not grow with it.
//!
//! Records come nearly in the order of their inputs, so a few blocks in memory are enough for all that is asked.

use std::{fs::File, io, os::unix::fs::FileExt as _};

const BLOCK_ENTRIES: u64 = 4096;
const ENTRY_BYTES: usize = 16;
const BLOCKS: usize = 16;

/// What is known of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The digest of the input.
    pub digest: u64,
    /// Where its latest record stands.
    pub offset: u64,
    /// Whether that is its end.
    pub done: bool,
}

/// Entries by index.
#[derive(Debug, Default)]
pub(super) struct Table {
    blocks: Vec<Option<Block>>,
    /// Made when there are more blocks than memory holds.
    file: Option<File>,
}

#[derive(Debug)]
struct Block {
    number: u64,
    changed: bool,
    entries: Vec<u8>,
}

impl Table {
    /// Notes what is known of an input, and gives what was before.
    pub(super) fn put(&mut self, index: u64, recorded: Recorded) -> io::Result<Option<Recorded>> {
        let entry = self.entry(index, true)?;
        let before = Recorded::read(entry);
        entry.copy_from_slice(&recorded.bytes());
        Ok(before)
    }

    /// What is known of an input.
    pub(super) fn get(&mut self, index: u64) -> io::Result<Option<Recorded>> {
        let entry = self.entry(index, false)?;
        Ok(Recorded::read(entry))
    }

    fn entry(&mut self, index: u64, change: bool) -> io::Result<&mut [u8; ENTRY_BYTES]> {
        let number = index / BLOCK_ENTRIES;
        let place = (index % BLOCK_ENTRIES) as usize * ENTRY_BYTES;
        let slot = (number % BLOCKS as u64) as usize;
        if self.blocks.is_empty() {
            self.blocks.resize_with(BLOCKS, || None);
        }
        let held = self.blocks[slot].as_ref().map(|block| block.number);
        if held != Some(number) {
            self.exchange(slot, number)?;
        }
        let block = self.blocks[slot].as_mut().ok_or(io::ErrorKind::NotFound)?;
        block.changed |= change;
        let entry = block.entries[place..].first_chunk_mut();
        entry.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn exchange(&mut self, slot: usize, number: u64) -> io::Result<()> {
        if let Some(old) = self.blocks[slot].take()
            && old.changed
        {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(tempfile::tempfile()?),
            };
            file.write_all_at(&old.entries, place_of(old.number))?;
        }
        let mut entries = vec![0; BLOCK_ENTRIES as usize * ENTRY_BYTES];
        if let Some(file) = &self.file {
            read_at(file, &mut entries, place_of(number))?;
        }
        self.blocks[slot] = Some(Block {
            number,
            changed: false,
            entries,
        });
        Ok(())
    }
}

impl Recorded {
    /// A record never stands at the very beginning of a journal, so an offset of zero means that there is none.
    fn read(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (digest, marked) = bytes.split_first_chunk()?;
        let marked = u64::from_le_bytes(*marked.first_chunk()?);
        (marked != 0).then_some(Self {
            digest: u64::from_le_bytes(*digest),
            offset: marked >> 1,
            done: marked & 1 == 1,
        })
    }

    fn bytes(self) -> [u8; ENTRY_BYTES] {
        let marked = self.offset << 1 | u64::from(self.done);
        let both = u128::from(self.digest) | u128::from(marked) << 64;
        both.to_le_bytes()
    }
}

fn place_of(number: u64) -> u64 {
    number.saturating_mul(BLOCK_ENTRIES * ENTRY_BYTES as u64)
}

/// Reads what is there; where nothing was written yet, the zeros stay.
fn read_at(file: &File, mut into: &mut [u8], mut at: u64) -> io::Result<()> {
    while !into.is_empty() {
        match file.read_at(into, at) {
            Ok(0) => break,
            Ok(read) => {
                into = &mut into[read..];
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_their_way_to_disk() {
        let recorded = |index: u64, done| Recorded {
            digest: index.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            offset: index + 1,
            done,
        };
        let mut table = Table::default();
        // Twice as many blocks as memory holds, every third input left out.
        let all = BLOCK_ENTRIES * 2 * BLOCKS as u64;
        for index in (0..all).filter(|index| index % 3 != 0) {
            assert_eq!(table.put(index, recorded(index, false)).unwrap(), None);
        }
        let again = recorded(1, true);
        assert_eq!(table.put(1, again).unwrap(), Some(recorded(1, false)));
        for index in (0..all).rev() {
            let expected = match index {
                1 => Some(again),
                _ => (index % 3 != 0).then(|| recorded(index, false)),
            };
            assert_eq!(table.get(index).unwrap(), expected, "{index}");
        }
        assert_eq!(table.get(1 << 40).unwrap(), None);
    }
}
