//! Why a job could not begin.

use std::io;

use triway_core::{Model, PlanError};

use crate::restart::NotRegistered;

/// Why a job could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The task lacks the form that the model needs.
    #[error("{model} needs a task with {} {form} form, and this one has none", if *.form == "async" { "an" } else { "a" })]
    NoForm {
        /// The model.
        model: Model,
        /// `blocking` or `async`.
        form: &'static str,
    },
    /// Worker processes cannot find the task.
    #[error("processes cannot run this task: {0}")]
    NotRegistered(#[from] NotRegistered),
    /// The task's configuration cannot be sent to a worker process.
    #[error("the task's configuration cannot be sent to a worker process: {0}")]
    Configuration(String),
    /// The machine gave no thread or no runtime.
    #[error("the job could not be started: {0}")]
    Start(#[source] io::Error),
    /// The sink or the source panicked, and took the job with it.
    #[error("the job's sink or source panicked")]
    Panicked,
}
