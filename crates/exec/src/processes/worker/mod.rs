//! The worker's side: makes the task, works off inputs in its slots until told to leave.

mod desk;
mod inbox;
pub(super) mod launch;
mod outbox;
mod slots;

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use triway_core::{Inner, Task};

use self::desk::Desk;
use super::{
    board::Board,
    messages::{BYE, Bye, HELLO, Hello, PROTOCOL, READY, Ready, encode},
};
use crate::restart::{Frame, Link, LinkError, Registration, own_peak_bytes};

/// Serves as a worker until the parent says so or is gone.
pub(super) fn serve<T: Task>(
    registration: &'static Registration,
    mut link: Link,
) -> Result<(), LinkError> {
    let hello = match link.recv(None)? {
        Some(frame) if frame.kind == HELLO => frame,
        _ => return Err(LinkError::broken("no hello")),
    };
    let made = make::<T>(registration, &hello, &link);
    let problem = made.as_ref().err().cloned();
    link.send(READY, &encode(&Ready { problem })?, &[], None)?;
    let (desk, inner) = made.map_err(LinkError::broken)?;
    let desk = Arc::new(desk);
    match inner {
        Inner::Async => slots::serve_async(&desk, link)?,
        _ => slots::serve_threads(&desk, link)?,
    }
    desk.leave(
        BYE,
        &encode(&Bye {
            peak_memory_bytes: own_peak_bytes(),
        })?,
    )
}

fn make<T: Task>(
    registration: &'static Registration,
    frame: &Frame,
    link: &Link,
) -> Result<(Desk<T>, Inner), String> {
    let codec = registration
        .codec::<T>()
        .ok_or("registered with another type")?;
    let (hello, configuration) =
        postcard::take_from_bytes::<Hello>(&frame.payload).map_err(|error| error.to_string())?;
    if hello.protocol != PROTOCOL {
        return Err(format!("protocol {} instead of {PROTOCOL}", hello.protocol));
    }
    limit_memory(hello.memory_bytes)
        .map_err(|error| format!("its memory cannot be limited: {error}"))?;
    let file = frame
        .descriptors
        .first()
        .ok_or("no shared memory came with the hello")?;
    let board = Board::open(file, hello.slots)
        .map_err(|error| format!("the shared memory cannot be used: {error}"))?;
    let task = (codec.decode_task)(configuration)
        .map_err(|error| format!("the task's configuration does not read back: {error}"))?;
    let second = link
        .second()
        .map_err(|error| format!("the socket cannot be shared: {error}"))?;
    let inner = hello.inner;
    Ok((Desk::new(task, codec, board, hello, second), inner))
}

/// From here on an allocation that would go beyond this fails. What the task starts inherits it.
fn limit_memory(bytes: Option<u64>) -> rustix::io::Result<()> {
    let Some(bytes) = bytes else {
        return Ok(());
    };
    let now = getrlimit(Resource::Data);
    let most = now.maximum.map_or(bytes, |most| most.min(bytes));
    let limit = Rlimit {
        current: Some(most),
        maximum: now.maximum,
    };
    setrlimit(Resource::Data, limit)
}
