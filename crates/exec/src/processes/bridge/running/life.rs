//! How a worker process begins and ends: started and greeted, asked to end, buried, or let go.

use std::{
    io,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use triway_core::Task;

use super::{Answer, Running, packing::Packing};
use crate::{
    hand_over::Assignment,
    processes::{
        board::Board,
        bridge::{
            blame::{Fate, fates},
            window::Window,
        },
        messages::{BYE, Bye, DRAIN, HELLO, READY, ROLE, Ready, encode, expect, unexpected},
        outside::{self, Outsiders},
        setup::Setup,
    },
    restart::{self, ErrorOutput, Frame, Launch, LinkError, describe, peak_bytes_of},
    worker_process::WorkerProcess,
};

/// How long a worker may take until it is ready.
const START_LIMIT: Duration = Duration::from_secs(10);
/// How often a worker that was asked to end is looked at.
const STEP: Duration = Duration::from_millis(10);

impl<T: Task> Running<T> {
    pub(in crate::processes::bridge) fn start(
        setup: &Setup<T>,
        process: &WorkerProcess,
        worker: u32,
        slots: usize,
    ) -> Result<Self, String> {
        let mut running = {
            let _one_at_a_time = setup.starting.lock();
            Self::launch(setup, process, worker, slots).map_err(|error| error.to_string())?
        };
        match running.greet(setup) {
            Ok(Ready { problem: None }) => Ok(running),
            Ok(Ready {
                problem: Some(problem),
            }) => {
                running.bury(setup, process, "");
                Err(problem)
            }
            Err(LinkError::Closed) => Err(running.bury(setup, process, "")),
            Err(error) => Err(running.bury(setup, process, &error.to_string())),
        }
    }

    fn launch(
        setup: &Setup<T>,
        process: &WorkerProcess,
        worker: u32,
        slots: usize,
    ) -> io::Result<Self> {
        let (board, board_file) = Board::create(slots)?;
        let is_outside = setup.outsiders.is_some();
        let (mut child, link) = restart::launch(&Launch {
            role: if is_outside { outside::ROLE } else { ROLE },
            name: setup.registration.name(),
            title: &format!("worker {worker}"),
            error_output: match setup.ear {
                Some(_) => ErrorOutput::Piped,
                None => ErrorOutput::Inherited,
            },
            prints_beside: is_outside,
            environment: &setup.environment,
        })?;
        process.set(Some(child.group()));
        if let Some(guard) = &setup.guard {
            guard.watch(child.group());
        }
        let output = child.take_error_output();
        let words = setup
            .ear
            .as_ref()
            .zip(output)
            .map(|(ear, output)| ear.listen_to(output));
        Ok(Self {
            child,
            link,
            board,
            board_file,
            words,
            slots,
            window: Window::new(),
            given: 0,
            heard: Instant::now(),
            sits_since: None,
            packing: Packing::new(),
            is_outside,
            has_others: setup.processes > 1,
        })
    }

    fn greet(&mut self, setup: &Setup<T>) -> Result<Ready, LinkError> {
        if let Some(outsiders) = &setup.outsiders {
            return self.greet_outside(setup, outsiders);
        }
        let mut hello = encode(&setup.hello(self.slots))?;
        hello.extend_from_slice(&setup.configuration);
        let deadline = Some(Instant::now() + START_LIMIT);
        self.link
            .send(HELLO, &hello, &[self.board_file.as_fd()], deadline)?;
        let frame = self.link.recv(deadline)?;
        Ok(expect::<Ready>(frame.as_ref(), READY)?.0)
    }

    /// Lets the launcher become what it is to be, and greets that.
    fn greet_outside(
        &mut self,
        setup: &Setup<T>,
        outsiders: &Outsiders,
    ) -> Result<Ready, LinkError> {
        let deadline = Some(Instant::now() + outsiders.outside.start_limit);
        let launch = encode(&setup.launch(outsiders))?;
        let files = [outsiders.script.as_fd(), self.board_file.as_fd()];
        self.link.send(outside::LAUNCH, &launch, &files, deadline)?;
        let frame = self.link.recv(deadline)?.ok_or(LinkError::Closed)?;
        if frame.kind == outside::LAUNCHING {
            let hello = outside::encode(&setup.hello_outside(self.slots, outsiders))?;
            self.link.send(HELLO, &hello, &[], deadline)?;
            let frame = self.link.recv(deadline)?;
            return said_ready(&frame.ok_or(LinkError::Closed)?);
        }
        said_ready(&frame)
    }

    /// Asks it and what it started to end, and gives it so long for that.
    pub(in crate::processes::bridge) fn terminate(
        &mut self,
        grace: Duration,
        late: &[u64],
    ) -> Vec<Answer<T::Input>> {
        self.child.terminate();
        let until = Instant::now() + grace;
        let mut all = Vec::new();
        loop {
            let heard = self.hear_but(late);
            all.extend(heard.answers);
            let left = until.saturating_duration_since(Instant::now());
            if heard.ended.is_some() || left.is_zero() || self.link.peer_ended(left.min(STEP)) {
                break all;
            }
        }
    }

    pub(in crate::processes::bridge) fn note_peak(&self, process: &WorkerProcess) {
        process.note_peak(peak_bytes_of(self.child.group()));
    }

    /// Kills it, if it still lives, and what it started; reaps it; says how it ended.
    pub(in crate::processes::bridge) fn bury(
        &mut self,
        setup: &Setup<T>,
        process: &WorkerProcess,
        why: &str,
    ) -> String {
        // A worker that ended by itself shows its own status; one that only broke the protocol is killed.
        let patience = match why {
            "" => Duration::from_millis(200),
            _ => Duration::from_millis(20),
        };
        let ended_itself = self.link.peer_ended(patience);
        // What it started must not outlive it.
        process.kill();
        process.set(None);
        let status = self.child.wait();
        self.call_off(setup);
        let reason = match status {
            Ok(status) if ended_itself || why.is_empty() => describe(status),
            _ => why.to_owned(),
        };
        match self.words.as_ref().and_then(|words| words.last()) {
            Some(words) => format!("{reason}; the last it wrote to its error output: {words}"),
            None => reason,
        }
    }

    /// What a worker that has ended said last, sent or not.
    pub(in crate::processes::bridge) fn hear_last(
        &mut self,
        late: &[u64],
    ) -> Vec<Answer<T::Input>> {
        let mut answers = self.hear_but(late).answers;
        let unsent = self.board.unsent(&self.board_file).unwrap_or_default();
        // What does not parse is as good as not written.
        let _torn = self.read(unsent, Vec::new(), late, &mut answers);
        answers
    }

    /// What it leaves without an outcome, once it has ended and was heard.
    pub(in crate::processes::bridge) fn left_behind(
        &mut self,
        overdue: &[u64],
    ) -> Vec<(Assignment<T::Input>, Fate)> {
        let running: Vec<_> = self.board.running().collect();
        fates(&mut self.window, &running, overdue)
    }

    /// Lets it say goodbye; ends it if it takes longer than the grace.
    pub(in crate::processes::bridge) fn leave(
        mut self,
        setup: &Setup<T>,
        process: &WorkerProcess,
        grace: Duration,
    ) {
        let deadline = Instant::now() + grace;
        let said = self
            .link
            .send(DRAIN, &[], &[], Some(deadline))
            .and_then(|()| self.link.recv(Some(deadline)))
            .and_then(|frame| self.goodbye(frame.as_ref(), process));
        let left = said.is_ok_and(|()| {
            // What the program does at its exit is the user's code as well, and may hang.
            self.link
                .peer_ended(deadline.saturating_duration_since(Instant::now()))
        });
        if left {
            // It has given its peak; what it started and left behind goes with it.
            self.child.kill();
        } else {
            process.kill();
        }
        process.set(None);
        // How it ends does not matter any more.
        let _status = self.child.wait();
        self.call_off(setup);
    }

    fn goodbye(&self, frame: Option<&Frame>, process: &WorkerProcess) -> Result<(), LinkError> {
        if !self.is_outside {
            let (bye, _) = expect::<Bye>(frame, BYE)?;
            process.note_peak(bye.peak_memory_bytes);
            return Ok(());
        }
        let frame = frame.filter(|frame| frame.kind == BYE);
        let payload = &frame.ok_or(LinkError::Closed)?.payload;
        let bye: outside::Bye = serde_json::from_slice(payload).map_err(LinkError::broken)?;
        process.note_peak(bye.peak_memory_bytes);
        process.note_inside(bye.inside());
        Ok(())
    }

    fn call_off(&self, setup: &Setup<T>) {
        if let Some(guard) = &setup.guard {
            guard.forget(self.child.group());
        }
    }
}

/// What a worker from outside says of itself when it is ready, or cannot be.
fn said_ready(frame: &Frame) -> Result<Ready, LinkError> {
    if frame.kind != READY {
        return Err(unexpected(frame.kind));
    }
    let ready: outside::Ready =
        serde_json::from_slice(&frame.payload).map_err(LinkError::broken)?;
    Ok(Ready {
        problem: ready.problem,
    })
}
