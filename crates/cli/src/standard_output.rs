//! Standard output: whether there is one, and texts that go there whole.

use std::io::{self, Write as _};

use anyhow::anyhow;
use rustix::{
    fd::AsFd,
    fs::{FileType, OFlags, fcntl_getfl, fstat, major, minor},
};

use crate::exit::{Exit, Fault};

/// The device number of `/dev/null`, the same on every Linux.
const NULL_DEVICE: (u32, u32) = (1, 3);

/// Refuses to go on where the program was started without a standard output: what is written would be lost, and look
/// as if it had been delivered.
///
/// The standard library has opened `/dev/null` on a closed descriptor before `main`, for reading and writing, where a
/// shell's `>/dev/null` opens it for writing alone. A program that starts this one may open it for both as well. If
/// standard error is like that too, somebody wants to hear nothing at all and looks at the exit code; so that is not
/// refused.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn ensure_open() -> Result<(), Fault> {
    if stands_in(io::stdout()) && !stands_in(io::stderr()) {
        return Err(Fault::could_not_run(anyhow!(
            "standard output is closed (or is /dev/null opened for reading too), so what is written there would be \
             lost; write outcomes to a file with -o, or give -o /dev/null if nobody wants them"
        )));
    }
    Ok(())
}

/// Writes a text. A reader that has seen enough is no error.
///
/// # Errors
/// It could not be written, or standard output is closed.
pub(crate) fn write(text: &[u8]) -> Result<Exit, Fault> {
    write_by(|| io::stdout().lock().write_all(text))
}

/// As [`write`], for a text that somebody else writes.
///
/// # Errors
/// It could not be written, or standard output is closed.
pub(crate) fn write_by(print: impl FnOnce() -> io::Result<()>) -> Result<Exit, Fault> {
    ensure_open()?;
    match print().and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::could_not_run(
            anyhow::Error::from(error).context("cannot write to standard output"),
        )),
        _ => Ok(Exit::Ok),
    }
}

/// Whether `/dev/null` stands in the place of a descriptor that was closed.
fn stands_in(descriptor: impl AsFd) -> bool {
    let Ok(status) = fstat(&descriptor) else {
        return false;
    };
    let device = (major(status.st_rdev), minor(status.st_rdev));
    let is_null = FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice
        && device == NULL_DEVICE;
    let flags = fcntl_getfl(&descriptor);
    is_null && flags.is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR)
}
