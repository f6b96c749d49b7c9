//! A command that runs: its group, its pipes and its course, moved on by whoever can wait for it.
//!
//! Nothing in here waits. The two forms of the task ask what there is to wait for, wait in their own way, and say what
//! became ready.

use std::{
    io,
    os::fd::OwnedFd,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::io::ioctl_fionbio;

use super::{
    capture::{Capture, Feed, Progress},
    course::{Cause, Course, Seen, Step},
    group::{Group, Pipes},
    output::{Captured, Ran},
};

/// A command between its start and its end.
#[derive(Debug)]
pub(super) struct Running {
    group: Group,
    streams: Streams,
    course: Course,
}

#[derive(Debug)]
struct Streams {
    feed: Option<Feed>,
    output: Capture,
    error: Capture,
}

/// What of a command there may be to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Exit,
    Output,
    Error,
    Feed,
}

impl Place {
    /// All of them. The output comes first, so that nothing of it is missed that stood there before the end.
    pub(super) const ALL: [Self; 4] = [Self::Output, Self::Error, Self::Feed, Self::Exit];
}

/// What to do about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait until a place is ready, or this moment has come.
    Wait(Option<Instant>),
    /// Nothing; it has ended.
    Done(Option<Cause>),
}

/// What a command is started with.
pub(super) struct Start {
    pub(super) command: Command,
    /// What it gets on its standard input.
    pub(super) feed: Option<Arc<[u8]>>,
    /// How much of each stream is kept.
    pub(super) most_bytes: u64,
    pub(super) grace: Duration,
}

impl Running {
    /// Starts it. It has had no effect if this fails.
    pub(super) fn start(mut start: Start) -> io::Result<Self> {
        start
            .command
            .stdin(match start.feed {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (mut group, pipes) = Group::start(&mut start.command)?;
        match Streams::of(pipes, &start) {
            Ok(streams) => Ok(Self {
                group,
                streams,
                course: Course::new(start.grace),
            }),
            Err(error) => {
                group.kill();
                group.collect()?;
                Err(error)
            }
        }
    }

    /// Does what is due now, and says what to do next.
    pub(super) fn next(&mut self, deadline: Option<Instant>) -> Next {
        loop {
            let seen = Seen {
                now: Instant::now(),
                deadline,
                exited: self.group.has_exited(),
                drained: self.streams.output.pipe().is_none()
                    && self.streams.error.pipe().is_none(),
            };
            match self.course.next(seen) {
                Step::Wait(until) => {
                    let look = self.group.next_look(seen.now);
                    return Next::Wait(until.into_iter().chain(look).min());
                }
                Step::Terminate => self.group.terminate(),
                Step::Kill => self.group.kill(),
                Step::Done(cause) => return Next::Done(cause),
            }
        }
    }

    /// What to wait for at a place; `None` if there is nothing to wait for.
    pub(super) fn source(&self, place: Place) -> Option<&Arc<OwnedFd>> {
        match place {
            Place::Exit => self.group.exit(),
            Place::Output => self.streams.output.pipe(),
            Place::Error => self.streams.error.pipe(),
            Place::Feed => self.streams.feed.as_ref()?.pipe(),
        }
    }

    /// Goes on at a place that is ready.
    pub(super) fn advance(&mut self, place: Place) -> Progress {
        match place {
            Place::Exit => {
                self.group.set_exited();
                Progress::Ended
            }
            Place::Output => self.streams.output.advance(),
            Place::Error => self.streams.error.advance(),
            Place::Feed => self
                .streams
                .feed
                .as_mut()
                .map_or(Progress::Ended, Feed::advance),
        }
    }

    /// Asks it to end, because nobody waits for it any more.
    pub(super) fn give_up(&mut self) {
        self.streams.feed = None;
        if self.course.give_up(Instant::now()) == Step::Terminate {
            self.group.terminate();
        }
    }

    /// Makes it end, now.
    pub(super) fn kill(&self) {
        self.group.kill();
    }

    /// Collects it, and says what became of it.
    pub(super) fn finish(mut self, cause: Option<Cause>) -> io::Result<Ran> {
        let status = self.group.collect()?;
        let Streams { output, error, .. } = self.streams;
        let [stdout, stderr] = [output, error].map(|stream| {
            let (kept, bytes) = stream.finish();
            Captured { kept, bytes }
        });
        Ok(Ran::new(status, [stdout, stderr], cause.is_some()))
    }
}

impl Streams {
    fn of(pipes: Pipes, start: &Start) -> io::Result<Self> {
        let output = pipes.output.map(OwnedFd::from);
        let error = pipes.error.map(OwnedFd::from);
        let feed = match (pipes.input.map(OwnedFd::from), &start.feed) {
            (Some(pipe), Some(input)) => Some(Feed::new(nonblocking(pipe)?, Arc::clone(input))),
            _ => None,
        };
        let capture = |pipe: Option<OwnedFd>| {
            let pipe = nonblocking(pipe.ok_or(io::ErrorKind::NotFound)?)?;
            Ok::<_, io::Error>(Capture::new(pipe, start.most_bytes))
        };
        Ok(Self {
            feed,
            output: capture(output)?,
            error: capture(error)?,
        })
    }
}

fn nonblocking(pipe: OwnedFd) -> io::Result<OwnedFd> {
    ioctl_fionbio(&pipe, true)?;
    Ok(pipe)
}
