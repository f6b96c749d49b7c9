//! Appends records, many with one write, and says of which it is sure.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use super::{
    entry,
    frame::{self, MOST_BYTES},
    room::Room,
};

/// How much is gathered where nobody waits for it to be written.
const GATHERED_BYTES: usize = 1 << 16;

/// How sure it must be that a record stays, before its outcome is reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Not at all: what was reported last may be missing if this program is killed, and is executed again.
    None,
    /// It was given to the system: it stays whatever happens to this program.
    #[default]
    Flush,
    /// The disk has confirmed it: it stays even if the machine loses its power.
    Full,
}

/// The end of a journal.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    salt: u64,
    durability: Durability,
    /// Where the next group begins.
    end: u64,
    group: Vec<u8>,
    /// Where in the group each record ends.
    ends: Vec<usize>,
    /// What was told to be written before it was.
    early: usize,
    room: Room,
    /// The disk did not confirm what it was given, so nobody knows what is there.
    unsure: bool,
}

/// What came of a group.
#[derive(Debug)]
pub(super) struct Committed {
    /// Of so many of the records, in their order, it is sure that they stay.
    pub records: usize,
    /// What went wrong.
    pub error: Option<io::Error>,
}

impl Writer {
    /// Appends to `file`, whose last record ends at `end`.
    pub(super) fn new(file: File, salt: u64, end: u64, durability: Durability) -> Self {
        Self {
            file,
            salt,
            durability,
            end,
            group: Vec::new(),
            ends: Vec::new(),
            early: 0,
            room: Room::default(),
            unsure: false,
        }
    }

    /// Adds a record to the group; `body` appends it. Says whether it was short enough.
    pub(super) fn add(&mut self, body: impl FnOnce(&mut Vec<u8>)) -> bool {
        let start = self.group.len();
        frame::begin(&mut self.group);
        body(&mut self.group);
        if self.group.len() - start > MOST_BYTES {
            self.group.truncate(start);
            return false;
        }
        let back = self.durability == Durability::Full;
        frame::seal(&mut self.group, start, self.salt, self.end, back);
        self.room.learn(self.group.len() - start);
        self.ends.push(self.group.len());
        true
    }

    /// Writes the group, as surely as was wanted. So many inputs are in flight, if more may follow at all: there should be
    /// room for them, and that there is none is an error that costs no record.
    pub(super) fn commit(&mut self, in_flight: Option<usize>) -> Committed {
        let records = self.ends.len();
        if self.durability == Durability::None && self.group.len() < GATHERED_BYTES {
            let sure = records - self.early;
            self.early = records;
            // What is gathered needs its room as well: by the time it is written, more will have come to their end.
            return Committed {
                records: sure,
                error: self.keep_room(in_flight).err(),
            };
        }
        let early = std::mem::take(&mut self.early);
        let (sure, error) = match self.write_group() {
            Ok(()) => (records, self.keep_room(in_flight).err()),
            Err((whole, error)) => (whole, Some(error)),
        };
        Committed {
            records: sure.saturating_sub(early),
            error,
        }
    }

    /// Sees to it that there is room for what is gathered and for the records of so many inputs, if more may follow.
    pub(super) fn keep_room(&mut self, in_flight: Option<usize>) -> io::Result<()> {
        let gathered = self.group.len() as u64;
        in_flight.map_or(Ok(()), |count| {
            self.room.keep(&self.file, self.end + gathered, count)
        })
    }

    /// Writes what is left and how many inputs there were, and gives back the room that was kept.
    pub(super) fn finish(&mut self, inputs: Option<u64>) -> io::Result<()> {
        if let Some(inputs) = inputs {
            self.add(|body| entry::append_inputs(body, inputs));
        }
        self.write_group().map_err(|(_, error)| error)?;
        self.file.set_len(self.end)?;
        match self.durability {
            Durability::None => Ok(()),
            Durability::Flush | Durability::Full => self.file.sync_data(),
        }
    }

    /// On failure says how many records of the group are there all the same.
    fn write_group(&mut self) -> Result<(), (usize, io::Error)> {
        if self.unsure {
            return self.give_up(
                0,
                io::Error::other("the disk did not confirm what it was given"),
            );
        }
        if let Err((written, error)) = write(&self.file, &self.group, self.end) {
            let whole = self.ends.partition_point(|end| *end <= written);
            return self.give_up(whole, error);
        }
        self.end += self.group.len() as u64;
        if self.durability == Durability::Full
            && !self.group.is_empty()
            && let Err(error) = self.file.sync_data()
        {
            self.unsure = true;
            return self.give_up(0, error);
        }
        self.group.clear();
        self.ends.clear();
        Ok(())
    }

    fn give_up(&mut self, whole: usize, error: io::Error) -> Result<(), (usize, io::Error)> {
        if !self.unsure {
            self.end += whole.checked_sub(1).map_or(0, |last| self.ends[last]) as u64;
            self.room.forget();
            // If the rest cannot be taken away, it is a torn tail.
            let _torn = self.file.set_len(self.end);
        }
        self.group.clear();
        self.ends.clear();
        Err((whole, error))
    }
}

/// As `write_all_at`, but on failure it is known how much was written.
fn write(file: &File, bytes: &[u8], at: u64) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match file.write_at(&bytes[written..], at + written as u64) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}
