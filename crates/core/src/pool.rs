//! The worker processes of a job: how many, what runs inside each, and what each may use.

use std::{
    fmt,
    num::{NonZeroU64, NonZeroUsize},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// What the slots of a hybrid job's worker processes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Inner {
    /// Each slot is a thread of the worker process.
    Threads,
    /// Each slot is an async task of the worker process.
    Async,
}

impl Inner {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Threads, Self::Async];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::Async => "async",
        }
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Inner {
    type Err = UnknownInner;

    fn from_str(name: &str) -> Result<Self, UnknownInner> {
        Self::ALL
            .into_iter()
            .find(|inner| inner.name() == name)
            .ok_or_else(|| UnknownInner(name.to_owned()))
    }
}

/// A word that names nothing that can run inside a worker process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot run inside a worker process; choose threads or async")]
pub struct UnknownInner(String);

/// How worker processes are used. Matters to [`crate::Model::Processes`] and [`crate::Model::Hybrid`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pool {
    /// How many processes a hybrid job has; `None` means as many as there are processors. Under `processes` each has one
    /// slot, so the concurrency says how many there are.
    pub processes: Option<NonZeroUsize>,
    /// What the slots of a hybrid job are; `None` means threads, or async where the task has no blocking form.
    pub inner: Option<Inner>,
    /// How often an input that killed its worker may be tried again.
    pub crash_retries: u32,
    /// How many bytes of data (the kernel's `RLIMIT_DATA`) a worker process may hold; `None` means no limit.
    pub memory_bytes: Option<u64>,
    /// A worker process is replaced by a fresh one after so many inputs.
    pub recycle: Option<NonZeroU64>,
    /// How many inputs are handed to a slot at once; `None` lets it follow how long they take.
    pub batch: Option<NonZeroUsize>,
    /// Threads of a worker that is no process of this program are started when there is something for them to do, and not all
    /// before the first input: a part of a job may have few of them at work. Belongs to a run, and is written down nowhere.
    #[serde(skip)]
    pub lazy_slots: bool,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            processes: None,
            inner: None,
            crash_retries: 2,
            memory_bytes: None,
            recycle: None,
            batch: None,
            lazy_slots: false,
        }
    }
}
