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
    #[error("{model} {} a task with {} {form} form, and this one has none", needs(*.model), article(.form))]
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

/// Threads and processes are many.
fn needs(model: Model) -> &'static str {
    match model {
        Model::Threads | Model::Processes => "need",
        _ => "needs",
    }
}

fn article(form: &str) -> &'static str {
    if form == "async" { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_form_is_told_in_plain_words() {
        for (model, form, says) in [
            (
                Model::Threads,
                "blocking",
                "threads need a task with a blocking form",
            ),
            (
                Model::Processes,
                "blocking",
                "processes need a task with a blocking form",
            ),
            (
                Model::Async,
                "async",
                "async needs a task with an async form",
            ),
        ] {
            let told = Refusal::NoForm { model, form }.to_string();
            assert!(told.starts_with(says), "{told}");
        }
    }
}
