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
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair},
    process::{Pid, Signal, kill_process_group},
};

use super::program::{ROLE_ARGUMENT, titled};

/// The role of the guard, which no task has.
pub(super) const ROLE: &str = "guard";

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
        if let Some(socket) = &self.socket {
            // Without its guard a job is as good as without one; nothing else depends on it.
            let _unguarded = send(socket, &group.to_le_bytes(), SendFlags::NOSIGNAL);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.socket = None;
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
