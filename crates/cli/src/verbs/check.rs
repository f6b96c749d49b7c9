//! `triway check`: a run that tells of what is not healthy.

use super::run;
use crate::{
    arguments::{CheckVerbArguments, RunArguments, TaskArguments},
    exit::{Exit, Fault},
    people::Interest,
};

/// Checks the URLs and says which are not healthy.
pub(crate) fn run(arguments: CheckVerbArguments) -> Result<Exit, Fault> {
    let CheckVerbArguments {
        model,
        job,
        journal,
        trace,
        check,
    } = arguments;
    let task = TaskArguments::Check(Box::new(check));
    let arguments = RunArguments {
        model,
        job,
        journal,
        trace,
        task,
    };
    run::perform(arguments, Interest::Trouble)
}
