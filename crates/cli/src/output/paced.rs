//! Writes in large pieces where there is much to write, and promptly where there is little.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How much is gathered before it is written.
const PIECE_BYTES: usize = 1 << 16;

/// How long anything may lie about before it is written.
const PROMPTLY: Duration = Duration::from_millis(50);

/// Writes a piece to where it belongs. May block.
pub(crate) type WritePiece = Box<dyn FnMut(&[u8]) -> io::Result<()> + Send>;

/// A buffer that a thread of its own empties soon after something was put into it.
pub(crate) struct Paced {
    shared: Arc<Shared>,
    flusher: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    buffer: Vec<u8>,
    write: WritePiece,
    broken: Option<io::Error>,
    closed: bool,
}

impl Paced {
    /// Gives what is gathered to `write`.
    ///
    /// # Errors
    /// The machine gave no thread.
    pub(crate) fn new(write: WritePiece) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                buffer: Vec::with_capacity(2 * PIECE_BYTES),
                write,
                broken: None,
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

    /// Lets `add` put something into the buffer.
    ///
    /// # Errors
    /// What was put in earlier could not be written.
    pub(crate) fn put(&self, add: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.check()?;
        let was_empty = state.buffer.is_empty();
        add(&mut state.buffer)?;
        if state.buffer.len() >= PIECE_BYTES {
            state.write_out();
            return state.check();
        }
        if was_empty {
            self.shared.changed.notify_one();
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// Something could not be written, now or earlier.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.close();
        let mut state = self.shared.lock();
        state.write_out();
        state.broken.take().map_or(Ok(()), Err)
    }

    fn close(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
        if let Some(flusher) = self.flusher.take() {
            // It runs nothing that panics but `write`, and then there is nothing more to write.
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
        if self.broken.is_none()
            && !self.buffer.is_empty()
            && let Err(error) = (self.write)(&self.buffer)
        {
            self.broken = Some(error);
        }
        self.buffer.clear();
    }

    /// The error stays, because whoever finishes wants to know it as well.
    fn check(&self) -> io::Result<()> {
        match &self.broken {
            None => Ok(()),
            Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, sync::mpsc::channel};

    use super::*;

    #[test]
    fn a_lone_line_is_written_promptly() {
        let (send, receive) = channel();
        let paced = Paced::new(Box::new(move |piece| {
            send.send(piece.to_vec()).map_err(io::Error::other)
        }))
        .unwrap();
        for text in ["one", "two"] {
            paced
                .put(|buffer| buffer.write_all(text.as_bytes()))
                .unwrap();
            let piece = receive.recv_timeout(Duration::from_secs(5)).unwrap();
            assert_eq!(piece, text.as_bytes());
        }
        paced.put(|buffer| buffer.write_all(b"last")).unwrap();
        paced.finish().unwrap();
        assert_eq!(
            receive.recv_timeout(Duration::from_secs(5)).unwrap(),
            b"last"
        );
    }

    #[test]
    fn what_breaks_is_told_at_once_and_at_the_end() {
        let full = || Err(io::Error::from(io::ErrorKind::StorageFull));
        let paced = Paced::new(Box::new(move |_| full())).unwrap();
        let line = |buffer: &mut Vec<u8>| buffer.write_all(&[b'x'; PIECE_BYTES]);
        assert!(paced.put(line).is_err());
        assert!(paced.put(line).is_err());
        let error = paced.finish().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
