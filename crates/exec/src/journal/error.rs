//! Why a journal cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a journal cannot be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The system refuses.
    #[error("the journal {} cannot be used: {cause}", .path.display())]
    Io {
        /// Which journal.
        path: PathBuf,
        /// What it says.
        cause: io::Error,
    },
    /// What is known of inputs could not be kept on disk.
    #[error(
        "the journal cannot be looked through without a temporary file in {folder}: {0}; set TMPDIR to a directory \
         with room that can be written to",
        folder = std::env::temp_dir().display()
    )]
    Temporary(io::Error),
    /// A pipe, a device or a directory.
    #[error("{} is no plain file, so no journal could be read back from it; name another", .0.display())]
    NotPlain(PathBuf),
    /// Another job has it.
    #[error("another run is writing the journal {}; wait for it to end, or name another", .0.display())]
    InUse(PathBuf),
    /// It holds outcomes, and nobody asked to resume.
    #[error(
        "the journal {} holds the outcomes of {outcomes} inputs already; resume that run (--resume), or name another file",
        .path.display()
    )]
    Exists {
        /// Which journal.
        path: PathBuf,
        /// Of how many inputs.
        outcomes: u64,
    },
    /// Something else is in the file.
    #[error("{} is no journal, and is left as it is; name another file", .0.display())]
    Foreign(PathBuf),
    /// It begins as a journal does, with a version that is not known.
    #[error(
        "the journal {} is of another version, or its first line is damaged; use the Triway that wrote it, or name another \
         file",
        .0.display()
    )]
    OtherVersion(PathBuf),
    /// What it was begun with does not read back.
    #[error(
        "the header of the journal {} is damaged, and without it none of its outcomes can be told from another run's; \
         name another file, and the run begins anew",
        .0.display()
    )]
    HeaderDamaged(PathBuf),
    /// It is of another task.
    #[error("the journal {} is of the task {was}, not of {is}; name another file", .path.display())]
    OtherTask {
        /// Which journal.
        path: PathBuf,
        /// The task that it was begun with.
        was: String,
        /// The task that is to be run.
        is: String,
    },
    /// The task was configured differently.
    #[error(
        "the journal {} was begun with another configuration of {task}: its outcomes would not be those of this run; \
         give the same options as then (only model, concurrency, time limits, retries and outputs may change), or \
         name another file",
        .path.display()
    )]
    OtherConfiguration {
        /// Which journal.
        path: PathBuf,
        /// The task.
        task: String,
    },
    /// It is not as it was written.
    #[error(
        "the journal {path} is damaged at byte {offset}, after {outcomes} outcomes that are whole; `truncate -s \
         {offset} {path}` keeps those and gives up what stands after them",
        path = .path.display()
    )]
    Damaged {
        /// Which journal.
        path: PathBuf,
        /// Where the damage begins.
        offset: u64,
        /// How many records stand before it.
        outcomes: u64,
    },
}

impl JournalError {
    /// For `map_err` on what the system says.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        |cause| Self::Io {
            path: path.to_owned(),
            cause,
        }
    }
}
