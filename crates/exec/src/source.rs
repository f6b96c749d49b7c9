//! Where inputs come from.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crossbeam_utils::sync::Unparker;
use triway_core::{Failure, FailureKind};

/// What a source can say after it was asked for inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Supply {
    /// There may be more at once.
    Ready,
    /// There is nothing now; the source wakes the job when there is.
    Pending,
    /// There will be no more.
    Exhausted,
}

/// A stream of inputs that the dispatcher pulls from. It must not block.
pub trait Source<I>: Send {
    /// Appends at most `most` inputs.
    ///
    /// # Errors
    /// The inputs could not be read any further. What was appended before stays valid.
    fn pull(&mut self, most: usize, into: &mut Vec<I>) -> Result<Supply, Failure>;

    /// Is told, once and before the first pull, whom to wake when inputs come after [`Supply::Pending`].
    fn attach(&mut self, _job: Wake) {}
}

/// Wakes the job that a source belongs to, so that it pulls again.
#[derive(Debug, Clone)]
pub struct Wake(Unparker);

impl Wake {
    pub(crate) fn new(dispatcher: Unparker) -> Self {
        Self(dispatcher)
    }

    /// May be called at any time and from any thread; once too often does no harm. Does not block.
    pub fn wake(&self) {
        self.0.unpark();
    }
}

/// An iterator that gives its items without waiting for anything.
pub(crate) struct Ready<I: Iterator>(pub(crate) I);

impl<I: Iterator + Send> Source<I::Item> for Ready<I> {
    fn pull(&mut self, most: usize, into: &mut Vec<I::Item>) -> Result<Supply, Failure> {
        let wanted = into.len() + most;
        into.extend(self.0.by_ref().take(most));
        Ok(if into.len() < wanted {
            Supply::Exhausted
        } else {
            Supply::Ready
        })
    }
}

/// How many inputs are read ahead of the dispatcher.
const READ_AHEAD: usize = 1024;

/// An iterator that may block (a pipe, a terminal), read on a thread of its own.
///
/// The thread is left behind if it still blocks when the job ends; nothing else can be done with a blocking read.
pub struct Feed<I> {
    shared: Arc<Shared<I>>,
    start: Option<Box<dyn FnOnce(Wake) + Send>>,
}

struct Shared<I> {
    state: Mutex<State<I>>,
    room: Condvar,
}

struct State<I> {
    items: VecDeque<(Result<I, Failure>, usize)>,
    held_bytes: usize,
    ended: bool,
    abandoned: bool,
}

impl<I: Send + 'static> Feed<I> {
    /// Reads from `items` as soon as the job starts; `bytes` says what an item occupies, and no more than
    /// `window_bytes` of them are read ahead. The first error ends the stream.
    pub fn new(
        items: impl Iterator<Item = Result<I, Failure>> + Send + 'static,
        bytes: impl Fn(&I) -> usize + Send + 'static,
        window_bytes: usize,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                items: VecDeque::new(),
                held_bytes: 0,
                ended: false,
                abandoned: false,
            }),
            room: Condvar::new(),
        });
        let reader = Arc::clone(&shared);
        Self {
            shared,
            start: Some(Box::new(move |job| {
                let fallback = (Arc::clone(&reader), job.clone());
                let spawned = thread::Builder::new()
                    .name("triway-inputs".to_owned())
                    .spawn(move || {
                        let read = AssertUnwindSafe(|| {
                            reader.read(items, &bytes, window_bytes, &job);
                        });
                        if catch_unwind(read).is_err() {
                            let failure = Failure::new(
                                FailureKind::PANIC,
                                "the reader of the inputs panicked",
                            );
                            reader.fail(failure, &job);
                        }
                    });
                if let Err(error) = spawned {
                    let (reader, job) = fallback;
                    reader.fail(Failure::from(error), &job);
                }
            })),
        }
    }
}

impl<I> Shared<I> {
    fn read(
        &self,
        items: impl Iterator<Item = Result<I, Failure>>,
        bytes: &impl Fn(&I) -> usize,
        window_bytes: usize,
        job: &Wake,
    ) {
        for item in items {
            let size = item.as_ref().map_or(0, bytes);
            let mut state = self.lock();
            while !state.abandoned
                && !state.items.is_empty()
                && (state.items.len() >= READ_AHEAD || state.held_bytes + size > window_bytes)
            {
                state = self
                    .room
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if state.abandoned {
                return;
            }
            let was_empty = state.items.is_empty();
            let failed = item.is_err();
            state.held_bytes += size;
            state.items.push_back((item, size));
            drop(state);
            if was_empty {
                job.wake();
            }
            if failed {
                break;
            }
        }
        self.lock().ended = true;
        job.wake();
    }

    fn fail(&self, failure: Failure, job: &Wake) {
        let mut state = self.lock();
        state.items.push_back((Err(failure), 0));
        state.ended = true;
        drop(state);
        job.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State<I>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I: Send + 'static> Source<I> for Feed<I> {
    fn pull(&mut self, most: usize, into: &mut Vec<I>) -> Result<Supply, Failure> {
        let mut state = self.shared.lock();
        let mut supply = Supply::Ready;
        for _ in 0..most {
            let Some((item, size)) = state.items.pop_front() else {
                supply = if state.ended {
                    Supply::Exhausted
                } else {
                    Supply::Pending
                };
                break;
            };
            state.held_bytes -= size;
            into.push(item?);
        }
        if state.items.len() < READ_AHEAD / 2 {
            drop(state);
            self.shared.room.notify_one();
        }
        Ok(supply)
    }

    fn attach(&mut self, job: Wake) {
        if let Some(start) = self.start.take() {
            start(job);
        }
    }
}

impl<I> Drop for Feed<I> {
    fn drop(&mut self) {
        self.shared.lock().abandoned = true;
        self.shared.room.notify_one();
    }
}
