//! The error output of worker processes: passed on as it comes, in whole lines, and its last lines kept, because they
//! often say why a worker died.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError, Weak, mpsc},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, eventfd, poll},
    io::Errno,
};

/// So much of a worker's last words is kept.
const KEPT_BYTES: usize = 16 << 10;
const KEPT_LINES: usize = 5;
/// A line longer than this is passed on in pieces.
const LINE_BYTES: usize = 16 << 10;
const READ_BYTES: usize = 16 << 10;
/// How long to wait for what a dead worker wrote last; something it left behind may hold its error output open.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Listens to the error output of all workers of a job, on one thread, which ends with the last of them.
#[derive(Debug)]
pub(super) struct Ear {
    new: mpsc::Sender<(OwnedFd, Weak<Words>)>,
    bell: Arc<OwnedFd>,
}

/// What one worker said last.
#[derive(Debug, Default)]
pub(super) struct Words {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    text: Vec<u8>,
    ended: bool,
}

impl Ear {
    pub(super) fn start() -> io::Result<Self> {
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (new, came) = mpsc::channel();
        let listener = Listener {
            bell: Arc::clone(&bell),
            came,
            heard: HashMap::new(),
        };
        thread::Builder::new()
            .name("triway-stderr".to_owned())
            .spawn(move || listener.listen())?;
        Ok(Self { new, bell })
    }

    /// Listens to one more.
    pub(super) fn listen_to(&self, output: OwnedFd) -> Arc<Words> {
        let words = Arc::new(Words::default());
        if self.new.send((output, Arc::downgrade(&words))).is_ok() {
            ring(&self.bell);
        }
        words
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        // The listener sees that nobody can send it more.
        ring(&self.bell);
    }
}

impl Words {
    /// The last lines of a worker that has ended. Waits a moment for them to arrive.
    pub(super) fn last(&self) -> Option<String> {
        let until = Instant::now() + LAST_WORDS;
        while !self.lock().ended && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
        let kept = self.lock();
        let text = String::from_utf8_lossy(&kept.text);
        let mut lines: Vec<&str> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty() && !is_backtrace(line))
            .collect();
        let lines = lines.split_off(lines.len().saturating_sub(KEPT_LINES));
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn hear(&self, bytes: &[u8]) {
        let mut kept = self.lock();
        kept.text.extend_from_slice(bytes);
        let over = kept.text.len().saturating_sub(KEPT_BYTES);
        kept.text.drain(..over);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Listener {
    bell: Arc<OwnedFd>,
    came: mpsc::Receiver<(OwnedFd, Weak<Words>)>,
    heard: HashMap<u64, Heard>,
}

/// One worker's error output.
struct Heard {
    output: OwnedFd,
    words: Weak<Words>,
    line: Vec<u8>,
}

impl Listener {
    fn listen(mut self) {
        let mut next = 0;
        let mut open = true;
        while open || !self.heard.is_empty() {
            let ready = self.wait();
            // What is not read any more is silenced by the next read.
            let _rung = rustix::io::read(&*self.bell, &mut [0u8; 8]);
            for id in ready {
                self.hear(id);
            }
            loop {
                match self.came.try_recv() {
                    Ok((output, words)) => {
                        let line = Vec::new();
                        let heard = Heard {
                            output,
                            words,
                            line,
                        };
                        self.heard.insert(next, heard);
                        next += 1;
                    }
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => {
                        open = false;
                        // Nobody asks any more for what outlives its worker.
                        self.heard.retain(|_, heard| heard.words.strong_count() > 0);
                        break;
                    }
                }
            }
        }
    }

    fn wait(&self) -> Vec<u64> {
        let ids: Vec<u64> = self.heard.keys().copied().collect();
        let mut watched: Vec<PollFd<'_>> =
            vec![PollFd::from_borrowed_fd(self.bell.as_fd(), PollFlags::IN)];
        let outputs = ids.iter().filter_map(|id| self.heard.get(id));
        watched.extend(outputs.map(|heard| PollFd::new(&heard.output, PollFlags::IN)));
        if poll(&mut watched, None).is_err() {
            return Vec::new();
        }
        let ready = ids.iter().zip(&watched[1..]);
        ready
            .filter(|(_, watched)| !watched.revents().is_empty())
            .map(|(&id, _)| id)
            .collect()
    }

    fn hear(&mut self, id: u64) {
        let Some(heard) = self.heard.get_mut(&id) else {
            return;
        };
        let mut bytes = vec![0; READ_BYTES];
        match rustix::io::read(&heard.output, &mut bytes) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(count) if count > 0 => heard.take(&bytes[..count]),
            _ => {
                if let Some(mut heard) = self.heard.remove(&id) {
                    heard.end();
                }
            }
        }
    }
}

impl Heard {
    fn take(&mut self, bytes: &[u8]) {
        if let Some(words) = self.words.upgrade() {
            words.hear(bytes);
        }
        self.line.extend_from_slice(bytes);
        let whole = match self.line.iter().rposition(|&byte| byte == b'\n') {
            Some(at) => at + 1,
            None if self.line.len() > LINE_BYTES => self.line.len(),
            None => 0,
        };
        self.pass_on(whole);
    }

    fn end(&mut self) {
        self.pass_on(self.line.len());
        if let Some(words) = self.words.upgrade() {
            words.lock().ended = true;
        }
    }

    fn pass_on(&mut self, count: usize) {
        if count > 0 {
            // Whoever closed this program's error output does not want it.
            let _unheard = io::stderr().write_all(&self.line[..count]);
            self.line.drain(..count);
        }
    }
}

/// Whether a line belongs to a backtrace of Rust's, which says where and not why.
fn is_backtrace(line: &str) -> bool {
    let inner = line.trim_start();
    let numbered = inner.split_once(": ").is_some_and(|(number, _)| {
        number.bytes().all(|byte| byte.is_ascii_digit()) && line.starts_with(' ')
    });
    numbered
        || line.starts_with("             at ")
        || line == "stack backtrace:"
        || line.starts_with("note: Some details are omitted")
}

fn ring(bell: &OwnedFd) {
    // It can only fail when it has been rung 2^64 times already.
    let _rung = rustix::io::write(bell, &1u64.to_ne_bytes());
}
