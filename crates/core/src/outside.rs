//! A program that makes a task's attempts in this program's place.

use std::{borrow::Cow, ffi::OsString, path::PathBuf, time::Duration};

/// How the workers of a task are started that are no processes of this program, such as interpreters of another language.
///
/// Executors then use no lanes of their own. Under `sequential` there is one worker, which runs one input at a time; under
/// `threads` and `async` one that runs as many as the concurrency says; under `processes` there are so many workers, each
/// with one input at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outside {
    /// The program.
    pub program: PathBuf,
    /// Its arguments. Behind them it is given three descriptors that it inherits, as numbers: the script's, that of the
    /// socket to this program, and that of the memory that both share.
    pub arguments: Vec<OsString>,
    /// What it reads first.
    pub script: Cow<'static, [u8]>,
    /// What the script is told about the task: JSON.
    pub configuration: String,
    /// How long a worker may take until it is ready.
    pub start_limit: Duration,
}

impl Outside {
    /// This program with this script and configuration, which is ready within ten seconds.
    pub fn new(
        program: impl Into<PathBuf>,
        script: impl Into<Cow<'static, [u8]>>,
        configuration: String,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            script: script.into(),
            configuration,
            start_limit: Duration::from_secs(10),
        }
    }
}

/// What such a worker gave back for an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Said<'a> {
    /// A JSON value.
    Json(&'a [u8]),
    /// Bytes that are none.
    Bytes(&'a [u8]),
}
