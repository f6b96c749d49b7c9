//! `triway compare`: the same job under several models, in turn.

use anyhow::Context as _;
use triway_core::Model;
use triway_measure::{
    Arm, arms,
    report::{ArmReport, Comparison},
};
use triway_tasks::catalog::Named;

use crate::{
    arguments::{CompareArguments, JobArguments, LanesArguments},
    around::Around,
    exit::{Exit, Fault},
    job_options,
    people::Screen,
    prepared::prepare,
    trials::{self, Ended, Wanted, Words},
};

const WORDS: Words = Words {
    what: "comparison",
    arm: "arm",
    arms: "arms",
    alike: true,
};

/// Compares and says who won.
pub(crate) fn run(arguments: CompareArguments) -> Result<Exit, Fault> {
    let CompareArguments {
        models,
        trials,
        baseline,
        lanes,
        job,
        report,
        trace,
        task,
    } = arguments;
    job_options::check_compares(&job)?;
    let screen = Screen::new(job.quiet);
    let prepared = prepare(task, &job)?;
    let arms = chosen(
        (models.as_deref(), &lanes),
        &job,
        &prepared.task.task(),
        &prepared.around,
    )?;
    let wanted = Wanted {
        words: WORDS,
        job: &job,
        trials,
        arms,
        besides: (report, trace),
    };
    let ended = trials::measure(wanted, prepared, &screen, |compare, tell| {
        compare.baseline(baseline).run(tell)
    })?;
    let found = match ended {
        Ended::Stopped(exit) => return Ok(exit),
        Ended::Found(found) => found,
    };
    let mut comparison = found.result;
    comparison.notes.splice(0..0, found.about);
    let comparison = valid(comparison, found.server_ended);
    found.papers.write(&comparison, WORDS.what, &screen)?;
    Ok(exit_of(&comparison))
}

fn chosen(
    (list, lanes): (Option<&str>, &LanesArguments),
    job: &JobArguments,
    task: &Named,
    around: &Around,
) -> Result<Vec<Arm>, Fault> {
    let preferred = task.preferred();
    let concurrency = |model| job_options::concurrency(lanes, preferred, model);
    let arms = match (&around.servers, list) {
        (Some(servers), list) => servers.arms(list, concurrency(Model::Async))?,
        (None, None) => arms::every_model_with(concurrency),
        (None, Some(list)) => arms::parse_with(list, concurrency)
            .context("--models")
            .map_err(Fault::usage)?,
    };
    let models: Vec<Model> = arms.iter().map(|arm| arm.model).collect();
    job_options::check_pool(job, &models, task)?;
    Ok(arms)
}

/// Where the server ended, the figures are of rounds with it and of rounds without; whoever won has won nothing.
fn valid(mut comparison: Comparison, ended: Option<String>) -> Comparison {
    if let Some(how) = ended {
        comparison.winner = None;
        comparison.verdict =
            format!("No winner: {how}, so inputs failed for want of it. Compare once more.");
        comparison.notes.insert(0, how);
    }
    comparison
}

/// An arm that could not run is no failure; that none could is, and so is one that ran and gave figures not always.
fn exit_of(comparison: &Comparison) -> Exit {
    let ran = |arm: &&ArmReport| arm.skipped.is_none();
    let unsuccessful = |arm: &ArmReport| arm.failed != Some(0) || arm.unranked.is_some();
    let mut arms = comparison.models.iter().filter(ran);
    if arms.clone().all(|arm| arm.succeeded.is_none()) {
        return Exit::CouldNotRun;
    }
    if arms.any(unsuccessful) || !comparison.results_equal {
        return Exit::SomeFailed;
    }
    Exit::Ok
}
