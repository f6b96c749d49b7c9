//! Outcomes on their way to the parent: several to a frame, and in shared memory until they are sent.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    clock::Moment,
    processes::{
        board::{Board, OUTBOX_BYTES},
        messages::OUTCOMES,
    },
    restart::{Link, LinkError},
};

/// An outcome waits for so long at most, if its slot is not held up by its next input; the parent fetches it then.
const PATIENCE: Duration = Duration::from_millis(1);
/// What makes a frame worth its system call.
const FULL_BYTES: usize = 32 << 10;

pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
}

struct Waiting {
    records: Vec<u8>,
    since: Moment,
    link: Link,
}

impl Outbox {
    pub(super) fn new(link: Link) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                records: Vec::new(),
                since: Moment(0),
                link,
            }),
        }
    }

    /// Keeps a record in shared memory, where it outlives this process, until it is sent: now if this is wanted, or if it
    /// has waited for long enough, or if there is no more room.
    pub(super) fn put(
        &self,
        board: &Board,
        record: &[u8],
        now: Moment,
        at_once: bool,
    ) -> Result<(), LinkError> {
        let mut waiting = self.lock();
        if waiting.records.len() + record.len() > OUTBOX_BYTES {
            waiting.send(board)?;
        }
        if record.len() > OUTBOX_BYTES {
            return waiting.link.send(OUTCOMES, record, &[], None);
        }
        if waiting.records.is_empty() {
            waiting.since = now;
        }
        board.publish(waiting.records.len(), record);
        waiting.records.extend_from_slice(record);
        let due =
            at_once || waiting.records.len() >= FULL_BYTES || now.since(waiting.since) >= PATIENCE;
        if due { waiting.send(board) } else { Ok(()) }
    }

    /// Sends a record with its memory files.
    pub(super) fn put_files(&self, record: &[u8], files: &[OwnedFd]) -> Result<(), LinkError> {
        let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        let mut waiting = self.lock();
        waiting.link.send(OUTCOMES, record, &files, None)
    }

    /// Sends what waits.
    pub(super) fn flush(&self, board: &Board) -> Result<(), LinkError> {
        self.lock().send(board)
    }

    /// Sends what waits, and then this.
    pub(super) fn last(&self, board: &Board, kind: u8, payload: &[u8]) -> Result<(), LinkError> {
        let mut waiting = self.lock();
        waiting.send(board)?;
        waiting.link.send(kind, payload, &[], None)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn send(&mut self, board: &Board) -> Result<(), LinkError> {
        if self.records.is_empty() {
            return Ok(());
        }
        self.link.send(OUTCOMES, &self.records, &[], None)?;
        // Only now: if this process dies before, the parent has them twice and takes the first.
        board.empty();
        self.records.clear();
        Ok(())
    }
}
