//! A queue of the processes that write to a database.
//!
//! SQLite's own way to wait for another process is to ask again later. With many writers, either the database is idle
//! between two questions or the questions take the processors from whoever commits. So processes of Triway stand in
//! line for a lock that the kernel hands on (`flock` on the database's folder, of which SQLite knows nothing), and only
//! the first of them asks SQLite, which still keeps all other programs out.

use std::{
    fs::File,
    os::fd::{AsFd as _, BorrowedFd},
    path::Path,
};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

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

    /// Stands in line. Blocks as long as another process has the lock, each for the time of a transaction.
    pub(super) fn pass(&self) -> Passed<'_> {
        let folder = self.0.as_ref().map(|folder| folder.as_fd());
        Passed(folder.filter(|folder| flock(folder, FlockOperation::LockExclusive).is_ok()))
    }
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        if let Some(folder) = self.0 {
            let _let_go = flock(folder, FlockOperation::Unlock);
        }
    }
}
