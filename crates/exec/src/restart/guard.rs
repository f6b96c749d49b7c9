//! A small process that outlives this one for a moment and ends what it may have left behind.
//!
//! The kernel ends worker processes with their parent, but not what they have started themselves. The guard knows the
//! process group of each worker; when its socket ends, because this process has ended in whatever way, it kills those
//! that were not called off. What has left its worker's process group is out of reach.

use std::{
    collections::BTreeSet,
    io,
    os::fd::{AsFd, OwnedFd},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair},
    process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open},
};

use super::program::{ROLE_ARGUMENT, titled};

/// The role of the guard, which no task has.
pub(super) const ROLE: &str = "guard";

/// How long the guard may take to leave when it is not needed any more.
const LEAVING: Duration = Duration::from_millis(500);

/// This process's guard. When it is dropped, the guard ends too.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Taken at the end, because the guard ends when it is closed.
    socket: Option<OwnedFd>,
    process: Child,
}

impl Guard {
    pub(crate) fn start() -> io::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        let process = Command::new("/proc/self/exe")
            .arg0(titled("guard"))
            .args([ROLE_ARGUMENT, ROLE])
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self {
            socket: Some(ours),
            process,
        })
    }

    /// From here on this process group does not outlive this process.
    pub(crate) fn watch(&self, group: Pid) {
        self.say(group.as_raw_nonzero().get());
    }

    /// It has ended.
    pub(crate) fn forget(&self, group: Pid) {
        self.say(-group.as_raw_nonzero().get());
    }

    fn say(&self, group: i32) {
        let Some(socket) = &self.socket else {
            return;
        };
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        if send(socket, &group.to_le_bytes(), flags).is_err() {
            // It does not listen: somebody has stopped it, say. One that has not heard of an end would some day kill a
            // stranger. Without its guard a job is as good as without one; nothing else depends on it.
            let _gone = kill_process(self.pid(), Signal::KILL);
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Whether it has ended by itself in time.
    fn has_left(&self) -> bool {
        let Ok(process) = pidfd_open(self.pid(), PidfdFlags::empty()) else {
            return false;
        };
        let limit = Timespec {
            tv_sec: LEAVING.as_secs().cast_signed(),
            tv_nsec: LEAVING.subsec_nanos().into(),
        };
        let polled = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit));
        polled.is_ok_and(|ready| ready > 0)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.socket = None;
        if !self.has_left() {
            let _gone = self.process.kill();
        }
        // Nothing can be done here about a child that cannot be waited for.
        let _reaped = self.process.wait();
    }
}

/// Waits for the end of the process that started this one, and then ends what it has left behind.
pub(super) fn serve() {
    let mut groups = BTreeSet::new();
    let socket = rustix::stdio::stdin();
    let mut message = [0; 4];
    loop {
        match rustix::io::read(socket.as_fd(), &mut message) {
            Ok(4) => {
                let group = i32::from_le_bytes(message);
                if group > 0 {
                    groups.insert(group);
                } else {
                    groups.remove(&-group);
                }
            }
            Err(Errno::INTR) => {}
            _ => break,
        }
    }
    for group in groups.into_iter().filter_map(Pid::from_raw) {
        // It may have ended by itself.
        let _gone = kill_process_group(group, Signal::KILL);
    }
}
