//! The command line `triway`: reads what was typed, does it, and says how it ended.

#![forbid(unsafe_code)]

mod arguments;
mod around;
mod attended;
mod auto;
mod beside;
mod code;
mod commands;
mod database;
mod delivered;
mod descriptors;
mod example;
mod exit;
mod findings;
mod inputs;
mod job_options;
mod journaling;
mod listening;
mod output;
mod papers;
mod people;
mod prepared;
mod probing;
mod python;
mod report;
mod reporter;
mod requests;
mod rules;
mod servers;
mod standard_output;
mod tables;
mod total;
mod trace;
mod trials;
mod typed;
mod verbs;

use std::{process::ExitCode, time::Duration};

use triway_exec::restart;
use triway_measure::{overhead, registration};
use triway_serve::echo;
use triway_tasks::{catalog::Named, sh};

use crate::{
    arguments::{Arguments, Verb},
    exit::{Exit, Fault},
};

/// The name that the tasks of the command line are registered under, all as one.
pub(crate) const TASK: &str = "triway";

/// How long commands may take to end that a job left.
const GRACE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    // First of all: this program started again as a worker or a trial does not come back from here.
    restart::init(vec![
        registration::<Named>(TASK).with_role(echo::ROLE, echo::serve_role),
        overhead::registration(),
    ]);
    let typed = typed::typed();
    let ended = typed.and_then(|typed| typed.map_or(Ok(Exit::Ok), run));
    let ended = ended.unwrap_or_else(|fault| {
        people::complain(&fault);
        fault.exit
    });
    // A job that was given up may have left commands, which must not outlive it.
    sh::end_all(GRACE);
    sh::end_orphans();
    ended.into()
}

fn run(arguments: Arguments) -> Result<Exit, Fault> {
    match arguments.verb {
        Verb::Run(run) => verbs::run::run(*run),
        Verb::Advise(advise) => verbs::advise::run(*advise),
        Verb::Compare(compare) => verbs::compare::run(*compare),
        Verb::Sweep(sweep) => verbs::sweep::run(*sweep),
        Verb::Overhead(overhead) => verbs::overhead::run(&overhead),
        Verb::Check(check) => verbs::check::run(*check),
        Verb::Journal(journal) => verbs::journal::run(&journal),
        Verb::Generate(generate) => verbs::generate::run(generate),
        Verb::Serve(serve) => verbs::serve::run(&serve),
        Verb::Completions { shell } => verbs::completions::run(shell),
        Verb::Man { directory } => verbs::man::run(directory.as_deref()),
    }
}
