//! The beginning of a worker from outside: this program, tied to its parent's life and limited, becomes another one.

use std::{
    ffi::OsString,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::{ffi::OsStringExt, process::CommandExt},
    },
    process::{Command, Stdio},
};

use rustix::io::{FdFlags, fcntl_setfd};

use super::limit_memory;
use crate::{
    processes::{
        messages::{READY, expect},
        outside::{LAUNCH, LAUNCHING, Launch},
    },
    restart::{Link, LinkError, Registration},
};

/// Becomes the program that the parent names. Returns only if it cannot, and has told then.
pub(crate) fn serve(_: &'static Registration, mut link: Link) -> Result<(), LinkError> {
    let mut frame = link.recv(None)?;
    let (launch, _) = expect::<Launch>(frame.as_ref(), LAUNCH)?;
    let descriptors = frame
        .as_mut()
        .map(|frame| std::mem::take(&mut frame.descriptors));
    let Ok([script, board]) = <[OwnedFd; 2]>::try_from(descriptors.unwrap_or_default()) else {
        return Err(LinkError::broken("no script, or no shared memory"));
    };
    if let Err(error) = limit_memory(launch.memory_bytes) {
        return refuse(&mut link, &format!("its memory cannot be limited: {error}"));
    }
    let program = OsString::from_vec(launch.program);
    let mut command = Command::new(&program);
    let arguments = launch.arguments.into_iter().map(OsString::from_vec);
    command.args(arguments).stdin(Stdio::null());
    for descriptor in [script.as_fd(), link.as_fd(), board.as_fd()] {
        fcntl_setfd(descriptor, FdFlags::empty()).map_err(|errno| LinkError::Io(errno.into()))?;
        command.arg(descriptor.as_raw_fd().to_string());
    }
    // Empty: what follows is the worker's. Nothing was read ahead, because nothing is sent before this.
    link.send(LAUNCHING, &[], &[], None)?;
    let error = command.exec();
    refuse(
        &mut link,
        &format!("{} cannot be started: {error}", program.display()),
    )
}

/// Says why there is no worker, in the words of one that is not ready.
fn refuse(link: &mut Link, problem: &str) -> Result<(), LinkError> {
    let said = serde_json::json!({ "problem": problem }).to_string();
    link.send(READY, said.as_bytes(), &[], None)
}
