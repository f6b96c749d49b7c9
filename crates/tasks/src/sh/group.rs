//! A process group of a command's own: started cheaply, told of when it ends, ended as a whole, and never left behind.
//!
//! The first process is not collected before the group is done with. Until then nothing else can have its number, so
//! that no signal ever reaches a stranger.

use std::{
    collections::BTreeMap,
    io,
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

/// All groups of this process that are not done with, by their numbers.
static LIVE: Mutex<BTreeMap<i32, Pid>> = Mutex::new(BTreeMap::new());

/// How long the kernel may take to end what cannot refuse.
const KILLED: Duration = Duration::from_millis(500);

/// How often somebody looks who cannot be told.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A running command and what it started, as far as that stayed in its group.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
    id: Pid,
    exit: Option<Arc<OwnedFd>>,
    exited: bool,
}

/// The ends of its pipes; its input's only if that was asked for.
pub(super) struct Pipes {
    pub(super) input: Option<ChildStdin>,
    pub(super) output: Option<ChildStdout>,
    pub(super) error: Option<ChildStderr>,
}

impl Group {
    /// Starts a command in a group of its own. It has had no effect if this fails.
    ///
    /// Nothing here runs between fork and exec, so that the standard library uses `posix_spawn`, which copies no page
    /// tables.
    pub(super) fn start(command: &mut Command) -> io::Result<(Self, Pipes)> {
        let mut child = command.process_group(0).spawn()?;
        let id = Pid::from_child(&child);
        live().insert(id.as_raw_pid(), id);
        let pipes = Pipes {
            input: child.stdin.take(),
            output: child.stdout.take(),
            error: child.stderr.take(),
        };
        let group = Self {
            child,
            id,
            // The command runs already, so that a lack of descriptors must not fail it: it is looked at now and then.
            exit: pidfd_open(id, PidfdFlags::empty()).ok().map(Arc::new),
            exited: false,
        };
        Ok((group, pipes))
    }

    /// What becomes readable when the first process ends; `None` when it has ended, or where the machine gave nothing.
    pub(super) fn exit(&self) -> Option<&Arc<OwnedFd>> {
        self.exit.as_ref().filter(|_| !self.exited)
    }

    /// The first process has ended.
    pub(super) fn set_exited(&mut self) {
        self.exited = true;
    }

    /// Whether the first process has ended, as far as anybody was told.
    pub(super) fn has_exited(&mut self) -> bool {
        if !self.exited && self.exit.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            self.exited = !matches!(waitid(WaitId::Pid(self.id), options), Ok(None));
        }
        self.exited
    }

    /// When to look again although nobody was told anything.
    pub(super) fn next_look(&self, now: Instant) -> Option<Instant> {
        (self.exit.is_none() && !self.exited).then(|| now + LOOK_EVERY)
    }

    /// Asks the whole group to end; what was stopped is woken, so that it can.
    pub(super) fn terminate(&self) {
        // There is nobody left to signal if this fails.
        let _gone = kill_process_group(self.id, Signal::TERM);
        let _gone = kill_process_group(self.id, Signal::CONT);
    }

    /// Makes the whole group end.
    pub(super) fn kill(&self) {
        let _gone = kill_process_group(self.id, Signal::KILL);
    }

    /// Collects the first process, which has ended.
    pub(super) fn collect(&mut self) -> io::Result<ExitStatus> {
        // In this order: a number that is listed is nobody else's.
        live().remove(&self.id.as_raw_pid());
        self.child.wait()
    }
}

/// Ends what commands of this process are left, if any: asks them, waits for as long as `grace`, and then makes them.
/// Blocks. For a program that is about to end, and whose job may not have come to its end.
pub fn end_all(grace: Duration) {
    if live().is_empty() {
        return;
    }
    signal_all(Signal::TERM);
    signal_all(Signal::CONT);
    if !wait_for_none(grace) {
        signal_all(Signal::KILL);
        wait_for_none(KILLED);
    }
}

fn signal_all(signal: Signal) {
    // Nothing is collected, and no number becomes a stranger's, while the list is held.
    for group in live().values() {
        let _gone = kill_process_group(*group, signal);
    }
}

fn wait_for_none(limit: Duration) -> bool {
    let until = Instant::now() + limit;
    while !live().is_empty() {
        if until <= Instant::now() {
            return false;
        }
        thread::sleep(LOOK_EVERY);
    }
    true
}

fn live() -> MutexGuard<'static, BTreeMap<i32, Pid>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
