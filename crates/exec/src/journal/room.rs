//! Keeps room on the disk for the records of what is running, so that a disk that fills up is noticed while what is in
//! flight can still be written down.

use std::{fs::File, io, os::fd::AsFd as _};

use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
    process::{Resource, getrlimit},
};

/// The least that is kept.
const FEWEST_BYTES: u64 = 64 << 10;
/// How much more is asked for at a time, so that it need not be asked for often.
const STEP_BYTES: u64 = 4 << 20;
/// What a record is taken to weigh before any was written.
const USUAL_BYTES: u64 = 512;

/// Room that the file system has promised.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Up to this offset.
    until: u64,
    records: u64,
    bytes: u64,
    /// Not every file system promises anything.
    unknown: bool,
}

impl Room {
    /// Learns how large records are.
    pub(super) fn learn(&mut self, records: usize, bytes: usize) {
        self.records += records as u64;
        self.bytes += bytes as u64;
    }

    /// Sees to it that there is room after `end` for the records of so many inputs.
    ///
    /// # Errors
    /// The disk is full, or a limit or quota is reached.
    pub(super) fn keep(&mut self, file: &File, end: u64, in_flight: usize) -> io::Result<()> {
        let each = match self.records {
            0 => USUAL_BYTES,
            records => self.bytes / records,
        };
        let wanted = (2 * each * (in_flight as u64 + 1)).max(FEWEST_BYTES);
        if self.unknown || self.until >= end + wanted {
            return Ok(());
        }
        if self.promised(file, end, wanted + STEP_BYTES).is_err() {
            self.promised(file, end, wanted)?;
        }
        Ok(())
    }

    fn promised(&mut self, file: &File, end: u64, bytes: u64) -> io::Result<()> {
        let limit = getrlimit(Resource::Fsize).current;
        if limit.is_some_and(|limit| end + bytes > limit) {
            return Err(Errno::FBIG.into());
        }
        match fallocate(file.as_fd(), FallocateFlags::KEEP_SIZE, end, bytes) {
            Ok(()) => self.until = end + bytes,
            Err(full @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => return Err(full.into()),
            Err(_) => self.unknown = true,
        }
        Ok(())
    }
}
