//! `triway check`: a run that tells of what is not healthy.

use super::run;
use crate::{
    arguments::{CheckVerbArguments, Chosen, ProbeArguments, RunArguments, TaskArguments},
    exit::{Exit, Fault},
    people::Interest,
};

/// Checks the URLs and says which are not healthy.
pub(crate) fn run(arguments: CheckVerbArguments) -> Result<Exit, Fault> {
    let CheckVerbArguments {
        model,
        lanes,
        job,
        journal,
        trace,
        check,
    } = arguments;
    let task = TaskArguments::Check(Box::new(check));
    let arguments = RunArguments {
        // Whoever checks URLs asks other people's servers, and is polite.
        model: Some(model.map_or(Chosen::Preferred, Chosen::Model)),
        probing: ProbeArguments::default(),
        lanes,
        job,
        journal,
        trace,
        task,
    };
    run::perform(arguments, Interest::Trouble)
}
