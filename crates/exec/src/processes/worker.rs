//! The worker's side: makes the task, then answers each input with its outcome until told to leave.

use std::{
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};
use triway_core::{Context, Failure, FailureKind, Task};

use super::messages::{
    BYE, Bye, DRAIN, HELLO, Hello, INPUT, Input, OUTCOME, Outcome, PROTOCOL, READY, Ready,
};
use crate::{
    lane::overdue,
    restart::{Codec, Frame, Link, LinkError, MAX_FRAME_BYTES, Registration, own_peak_bytes},
    unwind,
};

/// Serves as a worker until the parent says so or is gone.
pub(super) fn serve<T: Task>(
    registration: &'static Registration,
    mut link: Link,
) -> Result<(), LinkError> {
    let codec = registration
        .codec::<T>()
        .ok_or_else(|| LinkError::broken("registered with another type"))?;
    let mut worker = Worker::<T>::greet(codec, &mut link)?;
    while let Some(frame) = link.recv(None)? {
        match frame.kind {
            INPUT => {
                let reply = worker.answer(&frame)?;
                link.send(OUTCOME, &reply, &[], None)?;
            }
            DRAIN => return leave(&mut link),
            other => return Err(LinkError::broken(format!("frame kind {other}"))),
        }
    }
    Ok(())
}

struct Worker<T: Task> {
    task: T,
    codec: &'static Codec<T>,
    lane: T::Lane,
    /// For a task that only has an async form.
    runtime: Option<Runtime>,
    cancelled: AtomicBool,
    /// What a reply may be long; the parent trusts nobody who sends more.
    most_bytes: usize,
}

impl<T: Task> Worker<T> {
    fn greet(codec: &'static Codec<T>, link: &mut Link) -> Result<Self, LinkError> {
        let hello = match link.recv(None)? {
            Some(frame) if frame.kind == HELLO => frame.payload,
            _ => return Err(LinkError::broken("no hello")),
        };
        let (hello, configuration) =
            postcard::take_from_bytes::<Hello>(&hello).map_err(LinkError::broken)?;
        let made = Self::make(codec, &hello, configuration);
        let problem = made.as_ref().err().cloned();
        link.send(READY, &encode(&Ready { problem })?, &[], None)?;
        made.map_err(LinkError::broken)
    }

    fn make(codec: &'static Codec<T>, hello: &Hello, configuration: &[u8]) -> Result<Self, String> {
        if hello.protocol != PROTOCOL {
            return Err(format!("protocol {} instead of {PROTOCOL}", hello.protocol));
        }
        let task = (codec.decode_task)(configuration)
            .map_err(|error| format!("the task's configuration does not read back: {error}"))?;
        let runtime = if task.forms().has_blocking() {
            None
        } else {
            let built = Builder::new_current_thread().enable_all().build();
            Some(built.map_err(|error| format!("no async runtime: {error}"))?)
        };
        Ok(Self {
            task,
            codec,
            lane: T::Lane::default(),
            runtime,
            cancelled: AtomicBool::new(false),
            most_bytes: MAX_FRAME_BYTES,
        })
    }

    /// Makes the attempt; gives the reply's payload.
    fn answer(&mut self, frame: &Frame) -> Result<Vec<u8>, LinkError> {
        let (header, input) =
            postcard::take_from_bytes::<Input>(&frame.payload).map_err(LinkError::broken)?;
        let started = Instant::now();
        let result = (self.codec.decode_input)(input)
            .map_err(|error| Failure::bad_input(format!("the input does not read back: {error}")))
            .and_then(|input| self.attempt(&header, &input));
        if unwind::was_panic(&result) {
            self.lane = T::Lane::default();
        }
        self.reply(started.elapsed(), &result)
    }

    fn attempt(&mut self, header: &Input, input: &T::Input) -> Result<T::Output, Failure> {
        let limit = header.limit_ns.map(Duration::from_nanos);
        let deadline = limit.map(|limit| Instant::now() + limit);
        let context = Context::new(header.index, header.attempt, deadline, &self.cancelled);
        let (task, lane) = (&self.task, &mut self.lane);
        let Some(runtime) = &self.runtime else {
            return unwind::catch(|| task.run_blocking(lane, input, &context));
        };
        runtime.block_on(async {
            let call = unwind::catch_async(task.run_async(lane, input, &context), |_| ());
            match limit {
                None => call.await,
                Some(limit) => tokio::time::timeout(limit, call)
                    .await
                    .unwrap_or_else(|_| Err(overdue(task, limit))),
            }
        })
    }

    fn reply(
        &self,
        took: Duration,
        result: &Result<T::Output, Failure>,
    ) -> Result<Vec<u8>, LinkError> {
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let head = |failure: Option<Failure>| encode(&Outcome { took_ns, failure });
        let reply = match result {
            Err(failure) => head(Some(failure.clone()))?,
            Ok(output) => match (self.codec.encode_output)(output, head(None)?) {
                Ok(reply) => reply,
                Err(error) => head(Some(unsendable(error)))?,
            },
        };
        if reply.len() > self.most_bytes {
            let (length, most) = (reply.len(), self.most_bytes);
            let size = format!("it is {length} bytes long, the limit is {most}");
            return head(Some(unsendable(size)));
        }
        Ok(reply)
    }
}

fn unsendable(why: impl std::fmt::Display) -> Failure {
    Failure::permanent(
        FailureKind::ERROR,
        format!("the output cannot be sent to the parent process: {why}"),
    )
}

fn leave(link: &mut Link) -> Result<(), LinkError> {
    let bye = Bye {
        peak_memory_bytes: own_peak_bytes(),
    };
    link.send(BYE, &encode(&bye)?, &[], None)
}

fn encode<M: serde::Serialize>(message: &M) -> Result<Vec<u8>, LinkError> {
    postcard::to_stdvec(message).map_err(LinkError::broken)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Repeat;

    impl Task for Repeat {
        type Input = u32;
        type Output = String;
        type Lane = ();

        fn forms(&self) -> triway_core::Forms {
            triway_core::Forms::Blocking
        }
    }

    #[test]
    fn an_output_over_the_limit_fails_alone() {
        let registration = Registration::of::<Repeat>("repeat");
        let registration: &'static Registration = Box::leak(Box::new(registration));
        let codec = registration.codec::<Repeat>().unwrap();
        let hello = Hello { protocol: PROTOCOL };
        let mut worker = Worker::make(codec, &hello, &[]).unwrap();
        worker.most_bytes = 100;
        let failure = |length: usize| {
            let output = Ok("x".repeat(length));
            let reply = worker.reply(Duration::ZERO, &output).unwrap();
            let (head, _) = postcard::take_from_bytes::<Outcome>(&reply).unwrap();
            head.failure
        };
        assert_eq!(failure(50), None);
        let failure = failure(100).unwrap();
        assert!(!failure.retryable);
        assert!(failure.message.contains("the limit is 100"), "{failure}");
    }
}
