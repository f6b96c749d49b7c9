//! What a worker process and its parent both see while it works, in shared memory: which inputs were begun, what runs
//! in each slot, and outcomes that are not sent yet.
//!
//! None of it costs a system call, and all of it outlives the worker: whatever kills it, the parent knows afterwards
//! which inputs are done, which were running and which nobody has touched.

use std::{
    io,
    os::fd::OwnedFd,
    sync::atomic::{AtomicU64, Ordering},
};

use triway_memory::mapped::{Region, settle_all_processors};

use crate::clock::Moment;

/// So many bytes of outcomes may wait to be sent.
pub(super) const OUTBOX_BYTES: usize = 128 << 10;

const NEXT: usize = 0;
const OUTBOX: usize = 1;
// For workers that cannot compare and exchange; see `ask_back`.
const RECALL: usize = 2;
const DECIDED: usize = 3;
const FROM: usize = 4;
const TO: usize = 5;
const HEEDED: usize = 6;
/// The first cell; each has a cache line of its own.
const CELLS: usize = 8;
const CELL_WORDS: usize = 8;
const WORD_BYTES: usize = size_of::<u64>();
const IDLE: u64 = 0;

/// Both sides' view of one worker.
#[derive(Debug)]
pub(super) struct Board {
    region: Region,
    slots: usize,
}

/// What a slot is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    /// Which of the inputs that this worker got, counted from 0.
    pub(super) place: u64,
    pub(super) since: Moment,
    /// Whether it holds its thread: a blocking attempt always does, an async one while it is polled.
    pub(super) holds: bool,
}

impl Board {
    pub(super) fn create(slots: usize) -> io::Result<(Self, OwnedFd)> {
        let (region, file) = Region::create(bytes(slots))?;
        Ok((Self { region, slots }, file))
    }

    pub(super) fn open(file: &OwnedFd, slots: usize) -> io::Result<Self> {
        let region = Region::open(file, bytes(slots))?;
        Ok(Self { region, slots })
    }

    // Which inputs were begun. Both sides count them in the order in which they were sent.

    /// Worker: takes the input at `place`; `false` if the parent took it back.
    pub(super) fn claim(&self, place: u64) -> bool {
        let next = self.region.word(NEXT);
        let claimed = next.compare_exchange(place, place + 1, Ordering::AcqRel, Ordering::Relaxed);
        claimed.is_ok()
    }

    /// Parent: takes back all inputs before `end` that nobody has claimed; gives the first of them.
    pub(super) fn recall(&self, end: u64) -> u64 {
        self.region.word(NEXT).swap(end, Ordering::AcqRel).min(end)
    }

    /// Parent: the same with a worker that can only read and write whole words, such as a script.
    ///
    /// Such a worker writes that it claims an input and then looks whether it is asked for some. This asks, lets all
    /// processors settle, and then looks what was claimed. So either this sees the claim, or the worker sees the question
    /// and waits for the decision (Dekker's algorithm, with all of the barrier on one side). `None` where the worker has not
    /// heeded the question before.
    pub(super) fn ask_back(&self, end: u64) -> Option<u64> {
        let asked = self.region.word(RECALL).load(Ordering::Relaxed);
        if self.is_asked() {
            return None;
        }
        self.region.word(RECALL).store(asked + 1, Ordering::SeqCst);
        let first = match settle_all_processors() {
            Ok(()) => self.region.word(NEXT).load(Ordering::Acquire).min(end),
            // Then nothing comes back.
            Err(_) => end,
        };
        self.region.word(FROM).store(first, Ordering::Relaxed);
        self.region.word(TO).store(end, Ordering::Relaxed);
        self.region
            .word(DECIDED)
            .store(asked + 1, Ordering::Release);
        Some(first)
    }

    /// Parent: whether the worker has still to heed what it was asked.
    pub(super) fn is_asked(&self) -> bool {
        let word = |at| self.region.word(at).load(Ordering::Acquire);
        word(HEEDED) != word(RECALL)
    }

    // What runs.

    /// Worker: this slot begins the input at `place`.
    pub(super) fn begin(&self, slot: usize, place: u64, now: Moment) {
        self.since(slot).store(now.0, Ordering::Relaxed);
        self.set_holding(slot, true);
        self.holder(slot).store(place + 1, Ordering::Release);
    }

    /// Worker: whether this slot's attempt holds its thread just now.
    pub(super) fn set_holding(&self, slot: usize, holds: bool) {
        let word = self.region.word(CELLS + slot * CELL_WORDS + 2);
        word.store(u64::from(holds), Ordering::Relaxed);
    }

    /// Worker: this slot's input has its outcome.
    pub(super) fn end(&self, slot: usize) {
        self.holder(slot).store(IDLE, Ordering::Release);
    }

    /// Parent: what the slots are running.
    pub(super) fn running(&self) -> impl Iterator<Item = Running> + '_ {
        (0..self.slots).filter_map(|slot| self.running_in(slot))
    }

    fn running_in(&self, slot: usize) -> Option<Running> {
        let holder = self.holder(slot).load(Ordering::Acquire);
        let since = Moment(self.since(slot).load(Ordering::Acquire));
        // The slot may have gone on to its next input between the reads.
        let holds = self.region.word(CELLS + slot * CELL_WORDS + 2);
        let holds = holds.load(Ordering::Relaxed) != 0;
        let same = self.holder(slot).load(Ordering::Acquire) == holder;
        (holder != IDLE && same).then(|| Running {
            place: holder - 1,
            since,
            holds,
        })
    }

    // Outcomes that are not sent yet. The word says how many bytes count, and changes with every emptying.

    /// Worker: appends a record; `held` bytes are there already. Only whoever holds the outbox's lock may call this.
    pub(super) fn publish(&self, held: usize, record: &[u8]) {
        self.region.write(self.outbox_at() + held, record);
        let word = self.region.word(OUTBOX);
        let emptied = word.load(Ordering::Relaxed) >> 32 << 32;
        word.store(emptied | (held + record.len()) as u64, Ordering::Release);
    }

    /// Worker: all that was published has been sent.
    pub(super) fn empty(&self) {
        let word = self.region.word(OUTBOX);
        let emptied = (word.load(Ordering::Relaxed) >> 32) + 1;
        word.store(emptied << 32, Ordering::Release);
    }

    /// Parent: the records that are not sent yet, read through the file; `None` if they are just being sent.
    pub(super) fn unsent(&self, file: &OwnedFd) -> Option<Vec<u8>> {
        let word = self.region.word(OUTBOX);
        let before = word.load(Ordering::Acquire);
        let length = usize::try_from(before & u64::from(u32::MAX)).ok()?;
        let mut records = vec![0; length.min(OUTBOX_BYTES)];
        let mut got = 0;
        while got < records.len() {
            let at = (self.outbox_at() + got) as u64;
            match rustix::io::pread(file, &mut records[got..], at) {
                Ok(count) if count > 0 => got += count,
                _ => return None,
            }
        }
        (word.load(Ordering::Acquire) >> 32 == before >> 32).then_some(records)
    }

    fn holder(&self, slot: usize) -> &AtomicU64 {
        self.region.word(CELLS + slot * CELL_WORDS)
    }

    fn since(&self, slot: usize) -> &AtomicU64 {
        self.region.word(CELLS + slot * CELL_WORDS + 1)
    }

    fn outbox_at(&self) -> usize {
        (CELLS + self.slots * CELL_WORDS) * WORD_BYTES
    }
}

fn bytes(slots: usize) -> usize {
    (CELLS + slots * CELL_WORDS) * WORD_BYTES + OUTBOX_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_claimed_or_taken_back_but_never_both() {
        let (board, _file) = Board::create(1).unwrap();
        assert!(board.claim(0));
        assert!(!board.claim(0), "only once");
        assert_eq!(board.recall(5), 1, "1 to 4 come back");
        assert!(!board.claim(1));
        assert!(board.claim(5), "what was sent after that counts");
        assert_eq!(board.recall(6), 6, "nothing to take back");
    }

    #[test]
    fn a_worker_that_is_asked_heeds_before_it_is_asked_again() {
        let (board, _file) = Board::create(1).unwrap();
        board.region.word(NEXT).store(2, Ordering::Relaxed);
        let first = if settle_all_processors().is_ok() {
            2
        } else {
            5
        };
        assert_eq!(board.ask_back(5), Some(first), "from 2 on they come back");
        assert_eq!(board.ask_back(6), None, "the worker has not looked yet");
        board.region.word(HEEDED).store(1, Ordering::Relaxed);
        board.region.word(NEXT).store(6, Ordering::Relaxed);
        assert_eq!(board.ask_back(6), Some(6), "nothing to take back");
    }

    #[test]
    fn what_runs_is_seen_from_the_other_side() {
        let (ours, file) = Board::create(3).unwrap();
        let theirs = Board::open(&file, 3).unwrap();
        theirs.begin(2, 7, Moment(5));
        let seen: Vec<_> = ours.running().collect();
        let expected = Running {
            place: 7,
            since: Moment(5),
            holds: true,
        };
        assert_eq!(seen, [expected]);
        theirs.end(2);
        assert_eq!(ours.running().count(), 0);
    }

    #[test]
    fn what_was_not_sent_can_be_read() {
        let (ours, file) = Board::create(2).unwrap();
        assert_eq!(ours.unsent(&file), Some(Vec::new()));
        ours.publish(0, b"one");
        ours.publish(3, b"two");
        assert_eq!(ours.unsent(&file).as_deref(), Some(b"onetwo".as_slice()));
        ours.empty();
        assert_eq!(ours.unsent(&file), Some(Vec::new()));
        ours.publish(0, b"3");
        assert_eq!(ours.unsent(&file).as_deref(), Some(b"3".as_slice()));
    }
}
