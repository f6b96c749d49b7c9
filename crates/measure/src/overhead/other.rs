//! Another process of this program for probes that need one: it says that it is there, sends bytes back if it is given
//! pipes for that, and ends when its link does.

use std::{
    io::{Read as _, Write as _},
    os::fd::BorrowedFd,
    time::Instant,
};

use triway_exec::restart::{self, Child, Link, LinkError, Prints, Registration};

use super::answer::{PATIENCE, why};

/// The role of such a process.
pub(super) const ROLE: &str = "overhead-other";
/// The name that everything here is registered under.
pub(super) const NAME: &str = "triway-overhead";

/// Frame: here I am.
const HERE: u8 = 1;
/// Frame: a pipe to read from and one to write to; every byte goes back until there are no more.
const PIPES: u8 = 2;

/// The process. It is gone when this is.
pub(super) struct Other {
    child: Child,
    link: Link,
}

impl Other {
    /// Starts it and waits until it is there.
    pub(super) fn start() -> Result<Self, String> {
        let failed = why("this program could not be started again");
        let started = restart::start(ROLE, NAME, "overhead", Prints::ToStandardError);
        let (child, mut link) = started.map_err(|error| failed(&error))?;
        match link.recv(Some(Instant::now() + PATIENCE)) {
            Ok(Some(frame)) if frame.kind == HERE => Ok(Self { child, link }),
            Ok(_) => Err(failed(&"it ended at once")),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it send back what comes out of `from`, into `to`.
    pub(super) fn send_back(
        &mut self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
    ) -> Result<(), String> {
        let deadline = Some(Instant::now() + PATIENCE);
        let sent = self.link.send(PIPES, &[], &[from, to], deadline);
        sent.map_err(|error| why("the other process")(&error))
    }

    /// Lets it end, and waits for that.
    pub(super) fn end(self) -> Result<(), String> {
        let Self { mut child, link } = self;
        drop(link);
        let status = child.wait();
        let status = status.map_err(|error| why("the other process")(&error))?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("the other process ended with {status}")),
        }
    }
}

/// The whole life of such a process.
pub(super) fn serve(_: &Registration, mut link: Link) -> Result<(), LinkError> {
    link.send(HERE, &[], &[], None)?;
    while let Some(frame) = link.recv(None)? {
        let mut pipes = frame.descriptors.into_iter().map(std::fs::File::from);
        let (Some(mut from), Some(mut to)) = (pipes.next(), pipes.next()) else {
            return Err(LinkError::broken("pipes are missing"));
        };
        let mut byte = [0];
        while from.read(&mut byte)? == 1 {
            to.write_all(&byte)?;
        }
    }
    Ok(())
}
