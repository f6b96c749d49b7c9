//! A process of this program that is started again, to serve as a worker or as a trial.
//!
//! The role travels by a private argument, and everything else over a private socket that the child finds as its
//! standard input, moves elsewhere and marks close-on-exec before any of the program's own code runs. So nothing
//! leaks into the task's own children, and nothing that the task prints can disturb the protocol.

mod child;
mod guard;
mod link;
mod memory;
mod program;
mod registration;

use std::{
    env,
    ffi::{CString, OsString},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{Command, Stdio, exit},
    sync::OnceLock,
};

use rustix::{
    io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd},
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
    pipe::{PipeFlags, pipe_with},
    process::{Pid, Signal, getppid, set_parent_process_death_signal},
};
use triway_core::Task;

use self::program::{ROLE_ARGUMENT, titled};
pub use self::{
    child::Child,
    link::{Frame, Link, LinkError, MAX_DESCRIPTORS, MAX_FRAME_BYTES},
    memory::own_peak_bytes,
    registration::{
        Append, Codec, CodecError, NotRegistered, Portable, Registration, Role, append,
    },
};
pub(crate) use self::{child::describe, guard::Guard, link::Woken, memory::peak_bytes_of};

static REGISTERED: OnceLock<Vec<Registration>> = OnceLock::new();

/// Where what the task's own code prints goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prints {
    /// Where it goes in the parent.
    ToStandardOutput,
    /// Beside the parent's output for machines, not into it.
    ToStandardError,
}

/// Makes the tasks known by name, and serves as one of this program's worker or trial processes if it was started as
/// one. Belongs at the top of `main`: in such a process it does not return.
///
/// Must be called before other threads are started. Calls after the first one change nothing.
pub fn init(tasks: Vec<Registration>) {
    let tasks = REGISTERED.get_or_init(|| tasks);
    let arguments: Vec<OsString> = env::args_os().skip(1).take(4).collect();
    if arguments
        .first()
        .is_some_and(|first| first == ROLE_ARGUMENT)
    {
        serve_and_exit(tasks, &arguments);
    }
}

/// What was registered for this task.
///
/// # Errors
/// [`init`] was not called, or without this task; the message has the line to add.
pub fn lookup<T: Task>() -> Result<&'static Registration, NotRegistered> {
    let registered = REGISTERED.get();
    registered
        .and_then(|all| all.iter().find(|one| one.is::<T>()))
        .ok_or_else(|| NotRegistered::of::<T>(registered.is_some()))
}

/// What a process that is started again is told from outside.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) role: &'a str,
    /// The task's, as it is registered.
    pub(crate) name: &'a str,
    /// Lists of processes show it as this program followed by this.
    pub(crate) title: &'a str,
    pub(crate) error_output: ErrorOutput,
    /// What it prints goes where its error output does, and not among the parent's output for machines.
    pub(crate) prints_beside: bool,
    pub(crate) environment: &'a [(&'static str, String)],
}

/// Where what a child writes to its error output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorOutput {
    Inherited,
    /// To whoever asks the child for it.
    Piped,
}

/// Starts this program again, to serve `role` for the task registered as `name`. Lists of processes show it as this
/// program followed by `title`.
///
/// The child has a process group of its own, so that a terminal's Ctrl-C reaches only its parent. It dies when the
/// thread that called this ends.
///
/// # Errors
/// The machine gave no socket or no process.
pub fn start(role: &str, name: &str, title: &str, prints: Prints) -> io::Result<(Child, Link)> {
    let launch = Launch {
        role,
        name,
        title,
        error_output: ErrorOutput::Inherited,
        prints_beside: false,
        environment: &[],
    };
    let stdout = match prints {
        Prints::ToStandardOutput => Stdio::inherit(),
        Prints::ToStandardError => Stdio::from(io::stderr().as_fd().try_clone_to_owned()?),
    };
    spawn(&launch, stdout)
}

/// The same with more to say. What the child prints goes where it goes in the parent.
pub(crate) fn launch(launch: &Launch<'_>) -> io::Result<(Child, Link)> {
    if !launch.prints_beside {
        return spawn(launch, Stdio::inherit());
    }
    if launch.error_output == ErrorOutput::Inherited {
        let stderr = io::stderr().as_fd().try_clone_to_owned()?;
        return spawn(launch, Stdio::from(stderr));
    }
    // One pipe for both, so that what was written stays in order.
    let (heard, said) = pipe_with(PipeFlags::CLOEXEC)?;
    let error_output = Stdio::from(said.try_clone()?);
    let (mut child, link) = spawn_with(launch, Stdio::from(said), error_output)?;
    child.set_error_output(heard);
    Ok((child, link))
}

fn spawn(launch: &Launch<'_>, stdout: Stdio) -> io::Result<(Child, Link)> {
    let stderr = match launch.error_output {
        ErrorOutput::Inherited => Stdio::inherit(),
        ErrorOutput::Piped => Stdio::piped(),
    };
    spawn_with(launch, stdout, stderr)
}

fn spawn_with(launch: &Launch<'_>, stdout: Stdio, stderr: Stdio) -> io::Result<(Child, Link)> {
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // The link in /proc still leads to this very program when its file was replaced meanwhile.
    let child = Command::new("/proc/self/exe")
        .arg0(titled(launch.title))
        .args([ROLE_ARGUMENT, launch.role, launch.name])
        .arg(std::process::id().to_string())
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(theirs))
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn()?;
    let child = Child::new(child)?;
    let link = Link::to_child(ours, child.pidfd()?);
    Ok((child, link))
}

/// The kernel would call a process `exe` that was started through the link in /proc.
fn take_name(role: &str) {
    if let Ok(name) = CString::new(format!("triway-{role}")) {
        // A process by another name works as well.
        let _same = rustix::thread::set_name(&name);
    }
}

#[expect(
    clippy::exit,
    reason = "this process has no other purpose than its role"
)]
fn serve_and_exit(tasks: &'static [Registration], arguments: &[OsString]) -> ! {
    let text = |at: usize| {
        arguments
            .get(at)
            .and_then(|text| text.to_str())
            .unwrap_or("")
    };
    let (role, name, parent) = (text(1), text(2), text(3));
    take_name(role);
    if role == guard::ROLE {
        guard::serve();
        exit(0);
    }
    let served = tie_to_parent(parent)
        .and_then(|()| take_over_stdin())
        .map_err(LinkError::Io)
        .and_then(
            |socket| match tasks.iter().find(|task| task.name() == name) {
                Some(task) => task.serve(role, Link::to_parent(socket)),
                None => Err(LinkError::unknown(role, name)),
            },
        );
    // A parent that is gone needs no explanation; a parent that is there sees the end of the stream and the code.
    exit(i32::from(served.is_err()))
}

/// Dies with its parent from here on; if the parent is gone already, fails.
fn tie_to_parent(parent: &str) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let expected = parent.parse().ok().and_then(Pid::from_raw);
    if expected.is_some() && getppid() == expected {
        return Ok(());
    }
    Err(io::Error::other(
        "the process that started this one is gone",
    ))
}

/// Moves the socket away from descriptor 0, where the task's code and its children would find it.
fn take_over_stdin() -> io::Result<OwnedFd> {
    let socket = fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    let nothing = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(nothing.as_fd())?;
    Ok(socket)
}
