//! Inputs that came from the parent and wait for a slot.
//!
//! Nobody reads the socket while there is something to do. Of blocking slots, the first that finds nothing reads for all
//! of them; so a worker with one slot needs no other thread. Async slots have a thread that reads.

use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Semaphore;

use crate::{
    processes::{
        board::Board,
        messages::{DRAIN, INPUTS, Input, Part, parts, unexpected},
    },
    restart::{Link, LinkError},
};

/// One input, and the number that both sides count it by.
pub(super) struct Item {
    pub(super) place: u64,
    pub(super) part: Part<Input>,
}

pub(super) struct Inbox {
    queue: Mutex<Queue>,
    arrived: Condvar,
    /// For async slots: as many permits as there are inputs, or closed.
    permits: Semaphore,
    waiting: AtomicUsize,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    came: u64,
    reading: bool,
    ended: bool,
}

/// Whether more may come.
enum Came {
    Inputs(Vec<Part<Input>>),
    End,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            permits: Semaphore::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Whether no input waits, as far as one can tell without asking the socket.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// The next input; `None` when there will be none. Blocks. One caller of several reads `link`, which all share, and
    /// does `before` first.
    pub(super) fn next(
        &self,
        board: &Board,
        link: &Mutex<Link>,
        before: impl Fn() -> Result<(), LinkError>,
    ) -> Result<Option<Item>, LinkError> {
        let mut queue = self.lock();
        loop {
            if let Some(item) = self.claim(&mut queue, board) {
                return Ok(Some(item));
            }
            if queue.ended {
                return Ok(None);
            }
            if queue.reading {
                queue = self
                    .arrived
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.reading = true;
            drop(queue);
            let came = before()
                .and_then(|()| read(&mut link.lock().unwrap_or_else(PoisonError::into_inner)));
            queue = self.lock();
            queue.reading = false;
            let taken = self.take_in(&mut queue, came);
            self.arrived.notify_all();
            taken?;
        }
    }

    /// Reads until there will be no more inputs. Blocks; for async slots.
    pub(super) fn read_all(&self, link: &mut Link) -> Result<(), LinkError> {
        loop {
            let came = read(link);
            let mut queue = self.lock();
            let before = queue.items.len();
            let taken = self.take_in(&mut queue, came);
            if queue.ended || taken.is_err() {
                // What waits is still worked off, because each permit stands for one that does.
                queue.ended = true;
                drop(queue);
                self.permits.add_permits(ALL_SLOTS);
                return taken;
            }
            self.permits.add_permits(queue.items.len() - before);
        }
    }

    /// The next input of an async slot; `None` when there will be none.
    pub(super) async fn next_async(&self, board: &Board) -> Option<Item> {
        loop {
            let permit = self.permits.acquire().await.ok()?;
            permit.forget();
            let mut queue = self.lock();
            if let Some(item) = self.claim(&mut queue, board) {
                return Some(item);
            }
            if queue.ended {
                return None;
            }
        }
    }

    /// Takes the first that the parent did not take back. In order, because that is how the board counts.
    fn claim(&self, queue: &mut Queue, board: &Board) -> Option<Item> {
        loop {
            let item = queue.items.pop_front()?;
            self.waiting.store(queue.items.len(), Ordering::Relaxed);
            if board.claim(item.place) {
                return Some(item);
            }
        }
    }

    fn take_in(&self, queue: &mut Queue, came: Result<Came, LinkError>) -> Result<(), LinkError> {
        match came {
            Ok(Came::Inputs(parts)) => {
                for part in parts {
                    let place = queue.came;
                    queue.came += 1;
                    queue.items.push_back(Item { place, part });
                }
                self.waiting.store(queue.items.len(), Ordering::Relaxed);
                Ok(())
            }
            Ok(Came::End) => {
                queue.ended = true;
                Ok(())
            }
            Err(error) => {
                queue.ended = true;
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More than any worker has slots, so that each learns that there is nothing left.
const ALL_SLOTS: usize = 1 << 24;

fn read(link: &mut Link) -> Result<Came, LinkError> {
    match link.recv(None)? {
        Some(frame) if frame.kind == INPUTS => {
            Ok(Came::Inputs(parts(frame.payload, frame.descriptors)?))
        }
        Some(frame) if frame.kind == DRAIN => Ok(Came::End),
        Some(frame) => Err(unexpected(frame.kind)),
        None => Err(LinkError::Closed),
    }
}
