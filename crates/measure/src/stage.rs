//! What a trial has for itself: a copy of what it changes, or a server to speak to. It is looked at afterwards.

use std::fmt;

use crate::{arms::Arm, report::ServerReport};

/// What one trial works on.
pub struct Stage<T> {
    /// The task as it works there.
    pub task: T,
    /// What became of it.
    pub remains: Remains,
}

/// What becomes of what a trial has for itself. It is cleared away when this is dropped, whether or not anybody looked.
pub struct Remains(Box<dyn FnOnce() -> Result<Left, String>>);

/// What is left after a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum Left {
    /// What it changed, in words that are the same where the same is left.
    Changed(String),
    /// What its server spent.
    Spent(ServerReport),
}

/// Makes what a trial of an arm has for itself; an error is a sentence for people.
pub type Stages<T> = Box<dyn FnMut(&Arm) -> Result<Stage<T>, String> + Send>;

impl Remains {
    /// `look` says what is left after a trial.
    pub fn new(look: impl FnOnce() -> Result<Left, String> + 'static) -> Self {
        Self(Box::new(look))
    }

    pub(crate) fn look(self) -> Result<Left, String> {
        (self.0)()
    }
}

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remains")
    }
}

/// What one trial is started with.
pub(crate) struct Staged {
    /// The task's configuration, in postcard.
    pub(crate) configuration: Vec<u8>,
    /// What becomes of what it has for itself.
    pub(crate) remains: Option<Remains>,
}
