//! Code that does a job under what was advised, ready to be pasted: with Python's standard library for a function of
//! Python, with this program's library for any other task.

mod python;
mod rust;

use anyhow::anyhow;
use triway_measure::advise::Advice;

use crate::{exit::Fault, prepared::Configuration};

/// The code for what is advised.
///
/// # Errors
/// Nothing is.
pub(crate) fn of(configuration: &Configuration, advice: &Advice) -> Result<String, Fault> {
    let Some(advised) = advice.recommendation else {
        return Err(Fault::could_not_run(anyhow!(
            "--code: nothing is advised, so there is no code for it; {}",
            advice.verdict
        )));
    };
    Ok(match configuration {
        Configuration::Py(py) => python::pool(py.policy(), advised),
        other => rust::job(other.task().name(), advised),
    })
}
