//! The concurrency models a job can run under, as data: their names, and nothing about how they work.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How a job's inputs are spread over the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Model {
    /// One lane: an input begins when the one before it has ended.
    Sequential,
    /// Each lane is an operating-system thread of this process.
    Threads,
    /// Each lane is a worker process of its own.
    Processes,
    /// Each lane is an async task on a runtime with few threads.
    Async,
    /// Each lane is a thread or an async task of one of a few worker processes.
    Hybrid,
}

impl Model {
    /// Every model, in the order in which a comparison shows them.
    pub const ALL: [Self; 5] = [
        Self::Sequential,
        Self::Threads,
        Self::Processes,
        Self::Async,
        Self::Hybrid,
    ];

    /// The models that are not made of others, which a comparison shows unless it is told otherwise.
    pub const PLAIN: [Self; 4] = [
        Self::Sequential,
        Self::Threads,
        Self::Processes,
        Self::Async,
    ];

    /// The name on the command line and in every output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Threads => "threads",
            Self::Processes => "processes",
            Self::Async => "async",
            Self::Hybrid => "hybrid",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Model {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        Self::ALL
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| UnknownModel(name.to_owned()))
    }
}

/// A word that names no concurrency model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no concurrency model; choose sequential, threads, processes, async or hybrid")]
pub struct UnknownModel(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for model in Model::ALL {
            assert_eq!(model.name().parse(), Ok(model));
        }
        assert!("thread".parse::<Model>().is_err());
    }
}
