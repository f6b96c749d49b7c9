//! What all slots of a worker share, and what they do with an input: begin it, and write down how it ended.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use triway_core::{Context, Failure, FailureKind, Task};
use triway_memory::blob::INLINE_BYTES;

use super::{
    inbox::{Inbox, Item},
    outbox::Outbox,
};
use crate::{
    clock::Moment,
    lane::overdue,
    processes::{
        board::Board,
        messages::{Body, Hello, Outcome, Written, append},
    },
    restart::{Codec, Link, LinkError, MAX_FRAME_BYTES},
    unwind,
};

pub(super) struct Desk<T: Task> {
    pub(super) task: T,
    pub(super) board: Board,
    pub(super) inbox: Inbox,
    pub(super) hello: Hello,
    codec: &'static Codec<T>,
    outbox: Outbox,
    limit: Option<Duration>,
    cancelled: AtomicBool,
    /// What an output may be long; the parent trusts nobody who sends more.
    most_bytes: usize,
}

/// An attempt that was begun.
pub(super) struct Begun {
    pub(super) place: u64,
    slot: usize,
    at: Moment,
}

impl<T: Task> Desk<T> {
    pub(super) fn new(
        task: T,
        codec: &'static Codec<T>,
        board: Board,
        hello: Hello,
        link: Link,
    ) -> Self {
        Self {
            task,
            board,
            inbox: Inbox::new(),
            codec,
            outbox: Outbox::new(link),
            limit: hello.limit_ns.map(Duration::from_nanos),
            hello,
            cancelled: AtomicBool::new(false),
            most_bytes: MAX_FRAME_BYTES - INLINE_BYTES,
        }
    }

    /// From here on the input counts as running in this slot.
    pub(super) fn begin(&self, slot: usize, item: &Item) -> Begun {
        let at = Moment::now();
        let place = item.place;
        self.board.begin(slot, place, at);
        Begun { place, slot, at }
    }

    /// One attempt by the task's blocking form.
    pub(super) fn attempt_blocking(
        &self,
        lane: &mut T::Lane,
        item: Item,
    ) -> Result<T::Output, Failure> {
        let (head, input) = self.read(item)?;
        let context = self.context(&head);
        unwind::catch(|| self.task.run_blocking(lane, &input, &context))
    }

    /// One attempt by the task's async form.
    pub(super) async fn attempt_async(
        &self,
        slot: usize,
        lane: &mut T::Lane,
        item: Item,
    ) -> Result<T::Output, Failure> {
        let (head, input) = self.read(item)?;
        let context = self.context(&head);
        let call = unwind::catch_async(self.task.run_async(lane, &input, &context), |polled| {
            self.board.set_holding(slot, polled);
        });
        match self.limit.filter(|_| !self.task.keeps_deadline()) {
            None => call.await,
            Some(limit) => tokio::time::timeout(limit, call)
                .await
                .unwrap_or_else(|_| Err(overdue(&self.task, limit))),
        }
    }

    /// Writes down how an attempt ended, and then that its slot is free: whoever dies in between leaves an outcome.
    pub(super) fn end(
        &self,
        begun: &Begun,
        result: Result<T::Output, Failure>,
    ) -> Result<(), LinkError> {
        let now = Moment::now();
        let head = |failure, body| Outcome {
            place: begun.place,
            slot: u32::try_from(begun.slot).unwrap_or(u32::MAX),
            began_ns: begun.at.0,
            took_ns: now.0.saturating_sub(begun.at.0),
            failure,
            body,
        };
        let (record, files) = match self.written(result) {
            Err(failure) => (
                append(&head(Some(failure), Body::EMPTY), Vec::new())?,
                Vec::new(),
            ),
            Ok(written) => {
                let mut record = append(&head(None, written.body), Vec::new())?;
                record.extend_from_slice(written.inline());
                (record, written.files)
            }
        };
        if files.is_empty() {
            let idle = self.inbox.is_empty();
            self.outbox.put(&self.board, &record, now, idle)?;
        } else {
            self.outbox.put_files(&record, &files)?;
        }
        self.board.end(begun.slot);
        Ok(())
    }

    /// Sends what was not sent; before this worker waits.
    pub(super) fn flush(&self) -> Result<(), LinkError> {
        self.outbox.flush(&self.board)
    }

    /// Says goodbye.
    pub(super) fn leave(&self, kind: u8, payload: &[u8]) -> Result<(), LinkError> {
        self.outbox.last(&self.board, kind, payload)
    }

    fn read(&self, item: Item) -> Result<(Head, T::Input), Failure> {
        let message = item.part.message;
        let head = Head {
            index: message.index,
            attempt: message.attempt,
        };
        let input = item
            .part
            .bytes
            .read(self.codec.decode_input)
            .map_err(|error| unmappable(&error))?;
        let input = input.map_err(|error| {
            Failure::bad_input(format!("the input does not read back: {error}"))
        })?;
        Ok((head, input))
    }

    fn context(&self, head: &Head) -> Context<'_> {
        let deadline = self.limit.map(|limit| Instant::now() + limit);
        Context::new(head.index, head.attempt, deadline, &self.cancelled)
            .only_once(self.hello.only_once)
    }

    fn written(&self, result: Result<T::Output, Failure>) -> Result<Written, Failure> {
        let output = result?;
        let encode = || {
            let write = |room| (self.codec.encode_output)(&output, room);
            Written::write(Vec::new(), write).map_err(unsendable)
        };
        let written = unwind::catch(encode)?;
        let (length, most) = (written.bytes.len(), self.most_bytes);
        if length > most {
            return Err(unsendable(format!(
                "it is {length} bytes long, the limit is {most}"
            )));
        }
        Ok(written)
    }
}

struct Head {
    index: u64,
    attempt: u32,
}

fn unsendable(why: impl std::fmt::Display) -> Failure {
    Failure::permanent(
        FailureKind::ERROR,
        format!("the output cannot be sent to the parent process: {why}"),
    )
}

fn unmappable(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::LOCAL_LIMIT,
        format!("the input's memory file cannot be mapped: {error}"),
    )
}

/// What a worker's slots hold on to.
pub(super) type SharedDesk<T> = Arc<Desk<T>>;

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use serde::{Deserialize, Serialize};
    use triway_core::{Forms, Inner};

    use super::*;
    use crate::{processes::messages::PROTOCOL, restart::Registration};

    #[derive(Serialize, Deserialize)]
    struct Repeat;

    impl Task for Repeat {
        type Input = u32;
        type Output = String;
        type Lane = ();

        fn forms(&self) -> Forms {
            Forms::Blocking
        }
    }

    #[test]
    fn an_output_over_the_limit_fails_alone() {
        let registration = Registration::of::<Repeat>("repeat");
        let registration: &'static Registration = Box::leak(Box::new(registration));
        let codec = registration.codec::<Repeat>().unwrap();
        let hello = Hello {
            protocol: PROTOCOL,
            slots: 1,
            inner: Inner::Threads,
            limit_ns: None,
            runtime_threads: 1,
            memory_bytes: None,
            only_once: false,
        };
        let kind = SocketType::STREAM;
        let (socket, _parent) =
            socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap();
        let (board, _file) = Board::create(1).unwrap();
        let mut desk = Desk::new(Repeat, codec, board, hello, Link::to_parent(socket));
        desk.most_bytes = 100;
        assert!(desk.written(Ok("x".repeat(50))).is_ok());
        let failure = desk.written(Ok("x".repeat(100))).err().unwrap();
        assert!(!failure.retryable);
        assert!(failure.message.contains("the limit is 100"), "{failure}");
    }
}
