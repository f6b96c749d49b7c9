//! Keeps room on the disk for the records of what is running, so that a disk that fills up is noticed while what is in
//! flight can still be written down.

use std::{fs::File, io, os::fd::AsFd as _};

use rustix::{
    fs::{FallocateFlags, fallocate},
    io::{Errno, retry_on_intr},
    process::{Resource, getrlimit},
};

/// The least that is kept.
const FEWEST_BYTES: u64 = 64 << 10;
/// How much more is asked for at a time, so that it need not be asked for often: less where there is not so much.
const STEPS_BYTES: [u64; 3] = [4 << 20, 64 << 10, 0];
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
    /// Learns how large a record is.
    pub(super) fn learn(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
    }

    /// What was kept is given back.
    pub(super) fn forget(&mut self) {
        self.until = 0;
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
        if self.until >= end + wanted {
            return Ok(());
        }
        let mut kept = Ok(());
        for more in STEPS_BYTES {
            kept = self.promised(file, end, wanted + more);
            if kept.is_ok() {
                break;
            }
        }
        kept
    }

    fn promised(&mut self, file: &File, end: u64, bytes: u64) -> io::Result<()> {
        let limit = getrlimit(Resource::Fsize).current;
        if limit.is_some_and(|limit| end + bytes > limit) {
            return Err(Errno::FBIG.into());
        }
        let asked = || fallocate(file.as_fd(), FallocateFlags::KEEP_SIZE, end, bytes);
        match (!self.unknown).then(|| retry_on_intr(asked)) {
            None | Some(Ok(())) => self.until = end + bytes,
            Some(Err(full @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG))) => {
                return Err(full.into());
            }
            Some(Err(_)) => self.unknown = true,
        }
        Ok(())
    }
}
