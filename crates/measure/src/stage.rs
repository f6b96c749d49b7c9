//! What a trial may change: a copy of its own, which is looked at afterwards.

use std::fmt;

/// A copy that one trial works on.
pub struct Stage<T> {
    /// The task as it works there.
    pub task: T,
    /// What became of it.
    pub remains: Remains,
}

/// What becomes of a trial's copy. It is cleared away when this is dropped, whether or not anybody looked.
pub struct Remains(Box<dyn FnOnce() -> Result<String, String>>);

/// Makes a copy for a trial; an error is a sentence for people.
pub type Stages<T> = Box<dyn FnMut() -> Result<Stage<T>, String> + Send>;

impl Remains {
    /// `look` says what is left after a trial, in words that are the same where the same is left.
    pub fn new(look: impl FnOnce() -> Result<String, String> + 'static) -> Self {
        Self(Box::new(look))
    }

    pub(crate) fn look(self) -> Result<String, String> {
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
    /// What becomes of its copy, where it has one.
    pub(crate) remains: Option<Remains>,
}
