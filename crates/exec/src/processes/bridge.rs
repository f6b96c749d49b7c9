//! The parent's side of one worker: starts it, makes attempts through it, replaces it when it dies.

use std::{
    io,
    process::ExitStatus,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};
use triway_core::{Failure, FailureKind, Task};

use super::{
    messages::{
        BYE, Bye, DRAIN, HELLO, Hello, INPUT, Input, OUTCOME, Outcome, PROTOCOL, READY, ROLE, Ready,
    },
    process::WorkerProcess,
};
use crate::{
    hand_over::{Assignment, End, Notice},
    lane::{Attempt, Lane, Shared},
    restart::{
        self, Child, Codec, Frame, Link, LinkError, MAX_FRAME_BYTES, Prints, Registration,
        describe, peak_bytes_of,
    },
    unwind,
};

/// How long a worker may take until it is ready.
const START_LIMIT: Duration = Duration::from_secs(10);
/// How often in a row a worker may fail to start.
const START_TRIES: usize = 3;
/// A task that keeps its own deadline may answer that much later before its process is ended.
const ANSWER_SLACK: Duration = Duration::from_millis(50);

/// What one lane has of its worker process.
pub(super) struct Bridge<T: Task> {
    registration: &'static Registration,
    codec: &'static Codec<T>,
    configuration: Arc<Vec<u8>>,
    process: Arc<WorkerProcess>,
    /// What lists of processes show.
    title: String,
    running: Option<(Child, Link)>,
}

impl<T: Task> Bridge<T> {
    pub(super) fn new(
        registration: &'static Registration,
        codec: &'static Codec<T>,
        configuration: Arc<Vec<u8>>,
        process: Arc<WorkerProcess>,
        worker: u32,
    ) -> Self {
        Self {
            registration,
            codec,
            configuration,
            process,
            title: format!("worker {worker}"),
            running: None,
        }
    }

    /// Starts the worker process and waits until it is ready. Gives up early when the job was aborted.
    pub(super) fn start(&mut self, aborted: &AtomicBool) -> Result<(), String> {
        let mut reason = "the job was aborted".to_owned();
        for _ in 0..START_TRIES {
            if aborted.load(Ordering::Relaxed) {
                break;
            }
            match self.try_start() {
                Ok(()) => return Ok(()),
                Err(error) => reason = error,
            }
        }
        Err(format!("a worker process could not be started: {reason}"))
    }

    /// One attempt by the worker; `None` if there is no worker any more, and this lane must end.
    pub(super) fn attempt(
        &mut self,
        lane: &mut Lane<T>,
        assignment: &Assignment<T::Input>,
    ) -> Option<Attempt<T::Output>> {
        let shared = Arc::clone(&lane.shared);
        let worker = lane.worker;
        if let Some(reason) = self.bury_if_ended() {
            shared
                .hand_over
                .notify(Notice::WorkerDied { worker, reason });
        }
        if self.running.is_none()
            && let Err(reason) = self.start(&shared.cancelled)
        {
            shared.hand_over.notify(Notice::Gone { worker, reason });
            return None;
        }
        if shared.cancelled.load(Ordering::Relaxed) {
            return None;
        }
        let started = lane.begin(assignment);
        let asked = self.ask(&shared, assignment, started);
        let made = |end| Attempt {
            started,
            ended: shared.clock.now(),
            end,
        };
        Some(match asked {
            Ok(attempt) => attempt,
            Err(Trouble::Unsendable(failure)) => made(End::Failed(Box::new((failure, None)))),
            Err(Trouble::Overdue) => {
                self.end_by_force(shared.grace);
                made(End::TimedOut(Box::new(shared.overdue())))
            }
            Err(Trouble::Lost(why)) => {
                let reason = self.bury(&why);
                let failure = Failure::new(
                    FailureKind::WORKER_LOST,
                    format!("the worker process that had this input was lost: {reason}"),
                );
                shared
                    .hand_over
                    .notify(Notice::WorkerDied { worker, reason });
                made(End::WorkerLost(Box::new(failure)))
            }
        })
    }

    /// Lets the worker leave; gives the largest peak of memory among the processes of this lane.
    pub(super) fn finish(mut self, grace: Duration) -> u64 {
        if let Some((child, mut link)) = self.running.take() {
            let deadline = Instant::now() + grace;
            let said = link
                .send(DRAIN, &[], &[], Some(deadline))
                .and_then(|()| link.recv(Some(deadline)))
                .and_then(|frame| expect::<Bye>(frame.as_ref(), BYE).map(|(bye, _)| bye));
            let left = said.is_ok_and(|bye| {
                self.process.note_peak(bye.peak_memory_bytes);
                // What the program does at its exit is the user's code as well, and may hang.
                link.peer_ended(deadline.saturating_duration_since(Instant::now()))
            });
            // How it ends does not matter any more.
            let _status = self.reap(child, left);
        }
        self.process.peak_bytes()
    }

    fn try_start(&mut self) -> Result<(), String> {
        let (child, mut link) = restart::start(
            ROLE,
            self.registration.name(),
            &self.title,
            Prints::ToStandardOutput,
        )
        .map_err(|error| error.to_string())?;
        self.process.set(Some(child.group()));
        let greeted = self.greet(&mut link);
        self.running = Some((child, link));
        match greeted {
            Ok(Ready { problem: None }) => Ok(()),
            Ok(Ready {
                problem: Some(problem),
            }) => {
                self.bury("");
                Err(problem)
            }
            Err(error) => Err(self.bury(&error.to_string())),
        }
    }

    fn greet(&self, link: &mut Link) -> Result<Ready, LinkError> {
        let mut hello = encode(&Hello { protocol: PROTOCOL })?;
        hello.extend_from_slice(&self.configuration);
        let deadline = Some(Instant::now() + START_LIMIT);
        link.send(HELLO, &hello, &[], deadline)?;
        let frame = link.recv(deadline)?;
        Ok(expect::<Ready>(frame.as_ref(), READY)?.0)
    }

    fn ask(
        &mut self,
        shared: &Shared<T>,
        assignment: &Assignment<T::Input>,
        begun: Duration,
    ) -> Result<Attempt<T::Output>, Trouble> {
        let Some((_, link)) = &mut self.running else {
            return Err(Trouble::Lost("it was not running".to_owned()));
        };
        let header = encode(&Input {
            index: assignment.start.index,
            attempt: assignment.start.attempt,
            limit_ns: shared
                .timeout
                .and_then(|limit| u64::try_from(limit.as_nanos()).ok()),
        })?;
        let encode = || (self.codec.encode_input)(&assignment.input, header).map_err(unsendable);
        let message = unwind::catch(encode).map_err(Trouble::Unsendable)?;
        if message.len() > MAX_FRAME_BYTES {
            let size = format!(
                "it is {} bytes long, the limit is {MAX_FRAME_BYTES}",
                message.len()
            );
            return Err(Trouble::Unsendable(unsendable(size)));
        }
        // A worker that reads nothing holds its input up as well as one that computes for ever.
        let deadline = shared
            .timeout
            .map(|limit| shared.clock.instant(begun + limit + ANSWER_SLACK));
        link.send(INPUT, &message, &[], deadline)?;
        let frame = link.recv(deadline)?;
        let answered = shared.clock.now();
        let (header, output) = expect::<Outcome>(frame.as_ref(), OUTCOME)?;
        let took = Duration::from_nanos(header.took_ns);
        let end = self.end_of(shared, took, &header, output);
        let (started, ended) = place(took, begun, answered);
        Ok(Attempt {
            started,
            ended,
            end,
        })
    }

    fn end_of(
        &self,
        shared: &Shared<T>,
        took: Duration,
        header: &Outcome,
        output: &[u8],
    ) -> End<T::Output> {
        match &header.failure {
            Some(failure) if failure.kind.is_timeout() => End::TimedOut(Box::new(failure.clone())),
            _ if shared.timeout.is_some_and(|limit| took > limit) => {
                End::TimedOut(Box::new(shared.overdue()))
            }
            Some(failure) => End::Failed(Box::new((failure.clone(), None))),
            // The task's own code runs here, in its deserialiser and in `judge`; its panics are this input's failure.
            None => {
                let read = unwind::catch(|| {
                    let output = (self.codec.decode_output)(output).map_err(unreadable)?;
                    Ok(shared.judge(output))
                });
                read.unwrap_or_else(|failure| End::Failed(Box::new((failure, None))))
            }
        }
    }

    /// Asks the worker's process group to end, waits for the grace, then ends it.
    fn end_by_force(&mut self, grace: Duration) {
        if let Some((child, link)) = &mut self.running {
            self.process.note_peak(peak_bytes_of(child.group()));
            child.terminate();
            let until = Instant::now() + grace;
            // Whatever it still says comes too late; only the end of the stream counts.
            while let Ok(Some(_)) = link.recv(Some(until)) {}
        }
        self.bury("");
    }

    /// A worker that died between two inputs costs none of them; says how it ended.
    fn bury_if_ended(&mut self) -> Option<String> {
        let (_, link) = self.running.as_ref()?;
        link.peer_ended(Duration::ZERO).then(|| self.bury(""))
    }

    /// Kills and reaps the worker, if it still lives; says how it ended.
    fn bury(&mut self, why: &str) -> String {
        let Some((child, link)) = self.running.take() else {
            return why.to_owned();
        };
        // A worker that ended by itself shows its own status; one that only broke the protocol is killed.
        let ended_itself = link.peer_ended(Duration::from_millis(20));
        match self.reap(child, ended_itself) {
            Ok(status) if ended_itself => describe(status),
            _ => why.to_owned(),
        }
    }

    /// Waits for a worker that has ended or, if not, is killed now.
    fn reap(&self, mut child: Child, has_ended: bool) -> io::Result<ExitStatus> {
        if !has_ended {
            self.process.kill();
        }
        // From here on its number may belong to somebody else.
        self.process.set(None);
        child.wait()
    }
}

/// When an attempt began and ended that took so long in a worker, and happened between these moments here: in the
/// middle, as if the ways there and back were equally long.
fn place(took: Duration, sent: Duration, answered: Duration) -> (Duration, Duration) {
    let window = answered.saturating_sub(sent);
    let took = took.min(window);
    let started = sent + (window - took) / 2;
    (started, started + took)
}

/// The frame was whole, so the worker is to be trusted; it is the output's type that does not survive the journey.
fn unreadable(why: impl std::fmt::Display) -> Failure {
    Failure::permanent(
        FailureKind::ERROR,
        format!(
            "the output of the worker process does not read back: {why} (types that describe themselves, such as JSON \
             values, cannot travel in postcard)"
        ),
    )
}

fn unsendable(why: impl std::fmt::Display) -> Failure {
    Failure::bad_input(format!(
        "the input cannot be sent to a worker process: {why}"
    ))
}

/// Why there is no outcome from a worker.
enum Trouble {
    Unsendable(Failure),
    Overdue,
    Lost(String),
}

impl From<LinkError> for Trouble {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::TimedOut => Self::Overdue,
            other => Self::Lost(other.to_string()),
        }
    }
}

/// The message of a frame that must be of this kind, and what follows it.
fn expect<M: DeserializeOwned>(frame: Option<&Frame>, kind: u8) -> Result<(M, &[u8]), LinkError> {
    let frame = frame.ok_or(LinkError::Closed)?;
    if frame.kind != kind {
        return Err(LinkError::broken(format!(
            "frame kind {} instead of {kind}",
            frame.kind
        )));
    }
    postcard::take_from_bytes(&frame.payload).map_err(LinkError::broken)
}

fn encode<M: Serialize>(message: &M) -> Result<Vec<u8>, LinkError> {
    postcard::to_stdvec(message).map_err(LinkError::broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_keeps_its_length_inside_the_window() {
        for (took, sent, answered, expected) in [
            (2, 10, 20, (14, 16)),
            (10, 10, 20, (10, 20)),
            // No clock is exact; the window is what the parent saw itself.
            (11, 10, 20, (10, 20)),
            (0, 10, 10, (10, 10)),
        ] {
            let millis = Duration::from_millis;
            let placed = place(millis(took), millis(sent), millis(answered));
            let expected = (millis(expected.0), millis(expected.1));
            assert_eq!(placed, expected, "{took} in {sent}..{answered}");
        }
    }
}
