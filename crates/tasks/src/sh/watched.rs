//! A command that ends with whoever started it at the latest.

use std::{
    io,
    ops::{Deref, DerefMut},
};

use super::{
    course::Cause,
    output::Ran,
    running::{Running, Start},
    undertaker,
};

/// A command that runs. Dropped before its end, it is asked to end, and seen off elsewhere.
#[derive(Debug)]
pub(super) struct Watched(Option<Running>);

impl Watched {
    /// Starts a command. It has had no effect if this fails.
    pub(super) fn start(start: Start) -> io::Result<Self> {
        Running::start(start).map(|running| Self(Some(running)))
    }

    /// Collects a command that has ended.
    pub(super) fn finish(mut self, cause: Option<Cause>) -> io::Result<Ran> {
        match self.0.take() {
            Some(running) => running.finish(cause),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Deref for Watched {
    type Target = Running;

    fn deref(&self) -> &Running {
        self.0.as_ref().expect("it is taken out only at the end")
    }
}

impl DerefMut for Watched {
    fn deref_mut(&mut self) -> &mut Running {
        self.0.as_mut().expect("it is taken out only at the end")
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(mut running) = self.0.take() {
            running.give_up();
            undertaker::see_off(running);
        }
    }
}
