//! Reading a file from a position of one's own.
//!
//! The descriptors that a trial inherits share one file offset with its parent and with every other trial, so nobody
//! may read through that offset.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    sync::Arc,
};

/// A file and how far this reader has come in it.
#[derive(Debug)]
pub(crate) struct Positioned {
    file: Arc<File>,
    offset: u64,
}

impl Positioned {
    /// A reader at the file's beginning.
    pub(crate) fn new(file: Arc<File>) -> Self {
        Self { file, offset: 0 }
    }
}

impl Read for Positioned {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl Seek for Positioned {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let away = |from: u64, by: i64| from.checked_add_signed(by);
        let to = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(by) => away(self.offset, by),
            SeekFrom::End(by) => away(self.file.metadata()?.len(), by),
        };
        self.offset = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn readers_of_one_file_do_not_disturb_each_other() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdef").unwrap();
        let file = Arc::new(file);
        let mut readers = [Positioned::new(file.clone()), Positioned::new(file)];
        let mut two = [0; 2];
        for expected in [b"ab", b"cd"] {
            for reader in &mut readers {
                reader.read_exact(&mut two).unwrap();
                assert_eq!(&two, expected);
            }
        }
    }
}
