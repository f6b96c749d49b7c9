//! A gate before a database, for the processes that write to it.
//!
//! SQLite's own way to wait for another process is to ask again later, and each question costs it some system calls
//! that take the processors from whoever commits. So processes of Triway first ask for a lock beside it (`flock` on the
//! database's folder, of which SQLite knows nothing), and only who has that asks SQLite, which still keeps all other
//! programs out. They ask for it again and again as well: a kernel that hands the lock on wakes all who wait, while a
//! process that commits one row after the other leaves no gap but now and then, and that is often enough.

use std::{
    fs::File,
    os::fd::{AsFd as _, BorrowedFd},
    path::Path,
    thread,
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, open},
    io::Errno,
};

use super::limit::Limit;

/// Microseconds between the first two questions, at most. Then they become rarer, so that many who wait do not ask more
/// often than few, down to a sixty-fourth.
const FIRST_PAUSE: u64 = 1000;

/// Where processes stand in line; nowhere, if the folder cannot be read.
#[derive(Debug)]
pub(super) struct Gate(Option<File>);

/// The lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Passed<'a>(Option<BorrowedFd<'a>>);

impl Gate {
    /// The gate of a database.
    pub(super) fn of(path: &Path) -> Self {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Self(open(folder, flags, Mode::empty()).ok().map(File::from))
    }

    /// Waits until no other process has the lock, or the deadline passes; SQLite then says the rest. Blocks.
    pub(super) fn pass(&self, limit: &Limit) -> Passed<'_> {
        let Some(folder) = self.0.as_ref().map(|folder| folder.as_fd()) else {
            return Passed(None);
        };
        for tries in 0.. {
            match flock(folder, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Passed(Some(folder)),
                Err(Errno::WOULDBLOCK | Errno::INTR) if !limit.is_over() => {
                    let most = FIRST_PAUSE << u32::min(tries, 6);
                    thread::sleep(Duration::from_micros(fastrand::u64(most / 4..most)));
                }
                Err(_) => break,
            }
        }
        Passed(None)
    }
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        if let Some(folder) = self.0 {
            let _let_go = flock(folder, FlockOperation::Unlock);
        }
    }
}
