//! Writes records in large pieces where there is much to write, and promptly where there is little; knows of each
//! record whether all of it was written.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::target::{Target, Torn};

/// How much is gathered before it is written.
const PIECE_BYTES: usize = 1 << 16;

/// How long anything may lie about before it is written.
const PROMPTLY: Duration = Duration::from_millis(50);

/// A buffer that a thread of its own empties soon after something was put into it.
pub(crate) struct Paced {
    shared: Arc<Shared>,
    flusher: Option<JoinHandle<()>>,
}

/// What came of everything that was put in.
#[derive(Debug)]
pub(crate) struct Written {
    /// How many records were written to their end.
    pub(crate) records: u64,
    /// Whether part of a record was written that could not be taken back.
    pub(crate) torn: bool,
    /// Why not all were written.
    pub(crate) broken: Option<io::Error>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    buffer: Vec<u8>,
    /// Where in the buffer each record ends.
    ends: Vec<usize>,
    target: Target,
    written: Written,
    closed: bool,
}

impl Paced {
    /// Gives what is gathered to `target`.
    ///
    /// # Errors
    /// The machine gave no thread.
    pub(crate) fn new(target: Target) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                buffer: Vec::with_capacity(2 * PIECE_BYTES),
                ends: Vec::new(),
                target,
                written: Written {
                    records: 0,
                    torn: false,
                    broken: None,
                },
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let flushed = Arc::clone(&shared);
        let flusher = thread::Builder::new()
            .name("triway-output".to_owned())
            .spawn(move || flushed.flush_promptly())?;
        Ok(Self {
            shared,
            flusher: Some(flusher),
        })
    }

    /// Writes what stands before the first record, at once.
    ///
    /// # Errors
    /// It could not be written.
    pub(crate) fn begin(&self, add: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.shared.lock();
        add(&mut state.buffer)?;
        state.write_out();
        state.check()
    }

    /// Lets `add` put a record into the buffer, and says how many have been written by now.
    ///
    /// # Errors
    /// This record or an earlier one could not be written.
    pub(crate) fn put(&self, add: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<u64> {
        let mut state = self.shared.lock();
        state.check()?;
        let was_empty = state.buffer.is_empty();
        let began = state.buffer.len();
        if let Err(error) = add(&mut state.buffer) {
            state.buffer.truncate(began);
            return Err(error);
        }
        let end = state.buffer.len();
        if end == 0 {
            // A format may have nothing to say of an outcome. That is written when everything before it is.
            state.written.records += 1;
            return Ok(state.written.records);
        }
        state.ends.push(end);
        if end >= PIECE_BYTES {
            state.write_out();
            state.check()?;
        } else if was_empty {
            self.shared.changed.notify_one();
        }
        Ok(state.written.records)
    }

    /// Writes what is left, and after it what stands after the last record.
    pub(crate) fn finish(mut self, add: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Written {
        self.close();
        let mut state = self.shared.lock();
        state.write_out();
        let added = add(&mut state.buffer);
        state.write_end();
        Written {
            broken: state.written.broken.take().or(added.err()),
            ..state.written
        }
    }

    fn close(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
        if let Some(flusher) = self.flusher.take() {
            // It runs nothing that panics but the target's write, and then there is nothing more to write.
            let _panicked = flusher.join();
        }
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn flush_promptly(&self) {
        let mut state = self.lock();
        while !state.closed {
            state = if state.buffer.is_empty() {
                let woken = self.changed.wait(state);
                woken.unwrap_or_else(PoisonError::into_inner)
            } else {
                let woken = self
                    .changed
                    .wait_timeout_while(state, PROMPTLY, |state| !state.closed);
                let (mut state, _) = woken.unwrap_or_else(PoisonError::into_inner);
                state.write_out();
                state
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write_out(&mut self) {
        if self.written.broken.is_none() && !self.buffer.is_empty() {
            match self.target.write(&self.buffer) {
                Ok(()) => self.written.records += self.ends.len() as u64,
                Err(torn) => self.keep_whole_records(torn),
            }
        }
        self.buffer.clear();
        self.ends.clear();
    }

    /// A reader shall find whole records and nothing else.
    fn keep_whole_records(&mut self, torn: Torn) {
        let whole = self.ends.partition_point(|&end| end <= torn.written);
        let end = whole.checked_sub(1).map_or(0, |last| self.ends[last]);
        let excess = torn.written - end;
        self.written.records += whole as u64;
        self.written.torn = excess > 0 && !self.target.take_back(excess);
        self.written.broken = Some(torn.cause);
    }

    /// What stands after the last record makes a document of those before it, so it is tried even where there was no
    /// room for another record.
    fn write_end(&mut self) {
        if !self.buffer.is_empty() && !self.written.torn {
            let ended = self.target.write(&self.buffer);
            let broken = &mut self.written.broken;
            *broken = broken.take().or(ended.err().map(|torn| torn.cause));
        }
        self.buffer.clear();
    }

    /// The error stays, because whoever finishes wants to know it as well.
    fn check(&self) -> io::Result<()> {
        match &self.written.broken {
            None => Ok(()),
            Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        io::{Read as _, Write as _},
        os::fd::OwnedFd,
        sync::mpsc::channel,
    };

    use super::*;

    #[test]
    fn a_lone_record_is_written_promptly() {
        let (mut reader, writer) = io::pipe().unwrap();
        let paced = Paced::new(Target::File(File::from(OwnedFd::from(writer)))).unwrap();
        let (send, receive) = channel();
        thread::spawn(move || {
            let mut piece = [0; 100];
            while let Ok(bytes) = reader.read(&mut piece)
                && bytes > 0
            {
                send.send(piece[..bytes].to_vec()).unwrap();
            }
        });
        let next = || receive.recv_timeout(Duration::from_secs(5)).unwrap();
        for text in ["one", "two"] {
            paced
                .put(|buffer| buffer.write_all(text.as_bytes()))
                .unwrap();
            assert_eq!(next(), text.as_bytes());
        }
        let written = paced.finish(|buffer| buffer.write_all(b"end"));
        assert_eq!((written.records, written.torn), (2, false));
        assert_eq!(next(), b"end");
    }

    #[test]
    fn records_of_which_nothing_is_to_be_said_count_as_written() {
        let (mut reader, writer) = io::pipe().unwrap();
        let paced = Paced::new(Target::File(File::from(OwnedFd::from(writer)))).unwrap();
        for (text, least) in [("", 1), ("", 2), ("one", 2), ("", 2)] {
            let written = paced.put(|buffer| buffer.write_all(text.as_bytes()));
            assert!(written.unwrap() >= least, "{text}");
        }
        assert_eq!(paced.finish(|_| Ok(())).records, 4);
        let mut all = String::new();
        reader.read_to_string(&mut all).unwrap();
        assert_eq!(all, "one");
    }

    #[test]
    fn what_breaks_is_told_at_once_and_at_the_end() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let paced = Paced::new(Target::File(full)).unwrap();
        let line = |buffer: &mut Vec<u8>| buffer.write_all(&[b'x'; PIECE_BYTES]);
        assert!(paced.put(line).is_err());
        assert!(paced.put(line).is_err());
        let written = paced.finish(|_| Ok(()));
        assert_eq!((written.records, written.torn), (0, false));
        let error = written.broken.unwrap();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn only_whole_records_stay_in_a_file_and_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut file = File::create(&path).unwrap();
        // So much of the piece was written before the disk was full.
        file.write_all(b"[one two thr").unwrap();
        let mut state = State {
            buffer: b"one two three".to_vec(),
            ends: vec![4, 8, 13],
            target: Target::File(file),
            written: Written {
                records: 5,
                torn: false,
                broken: None,
            },
            closed: false,
        };
        let cause = io::ErrorKind::StorageFull.into();
        state.keep_whole_records(Torn { written: 11, cause });
        assert_eq!((state.written.records, state.written.torn), (7, false));
        state.buffer = b"]".to_vec();
        state.write_end();
        assert_eq!(fs::read(&path).unwrap(), b"[one two ]");
        assert!(state.written.broken.is_some());
    }
}
