//! `triway sweep`: one model at rising concurrency, and how many at once are enough.

use std::num::NonZeroUsize;

use anyhow::{Context as _, anyhow};
use triway_core::{MAX_LANES, Model};
use triway_measure::sweep::{
    Ladder,
    report::{Point, Sweep},
};
use triway_tasks::{catalog::Named, command::Preferred};

use crate::{
    arguments::{SweepArguments, TraceArguments},
    exit::{Exit, Fault},
    job_options,
    people::Screen,
    prepared::prepare,
    trials::{self, Ended, Wanted, Words},
};

/// How far a sweep goes where nobody says it: so many times what the task prefers.
const BEYOND_PREFERRED: usize = 4;

/// At least so far.
const FARTHEST: usize = 16;

/// As many inputs for each lane of the widest make it one that tells something.
const WAVES: u64 = 4;

/// More inputs than that are made of no example.
const MOST_REPEATED: u64 = 20_000;

const WORDS: Words = Words {
    what: "sweep",
    arm: "concurrency",
    arms: "concurrencies",
    alike: false,
};

/// Sweeps and says how many at once are enough.
pub(crate) fn run(arguments: SweepArguments) -> Result<Exit, Fault> {
    let SweepArguments {
        model,
        concurrency,
        trials,
        job,
        report,
        task,
    } = arguments;
    let form = (job.format, job.output.as_deref());
    job_options::check_form(form.0, form.1, "a sweep")?;
    let screen = Screen::new(job.quiet);
    let mut prepared = prepare(task, &job)?;
    if prepared.around.servers.is_some() {
        return Err(Fault::usage(anyhow!(
            "--server: servers are compared, by `triway compare echo`; a sweep speaks to one, which --to says"
        )));
    }
    let task = prepared.task.task();
    let preferred = task.preferred();
    let model = model.unwrap_or(preferred.model);
    check(model, &task)?;
    job_options::check_pool(&job, &[model], &task)?;
    let ladder = concurrency.unwrap_or_else(|| usual(model, preferred));
    let wide = ladder.top().get() as u64;
    let enough = wide.saturating_mul(WAVES).min(MOST_REPEATED);
    if prepared.inputs.repeat_to(enough) {
        let note = prepared.note.get_or_insert_default();
        let inputs = prepared.inputs.count().unwrap_or(enough);
        note.push_str(&format!(
            "; over and over again, so that there are {inputs}"
        ));
    }
    let wanted = Wanted {
        words: WORDS,
        job: &job,
        trials,
        arms: ladder.arms(model),
        besides: (report, TraceArguments::default()),
    };
    let ended = trials::measure(wanted, prepared, &screen, |compare, tell| {
        compare.sweep(tell)
    })?;
    let found = match ended {
        Ended::Stopped(exit) => return Ok(exit),
        Ended::Found(found) => found,
    };
    let mut sweep = found.result;
    sweep.notes.splice(0..0, found.about);
    let sweep = valid(sweep, found.server_ended);
    found.papers.write(&sweep, WORDS.what, &screen)?;
    Ok(exit_of(&sweep))
}

/// Refuses a model that this task has no use for, or that has one concurrency alone.
fn check(model: Model, task: &Named) -> Result<(), Fault> {
    if model == Model::Sequential {
        return Err(Fault::usage(anyhow!(
            "--model sequential runs inputs one at a time, so there is no concurrency to raise; choose another model"
        )));
    }
    triway_exec::can_run(model, triway_core::Task::forms(task))
        .with_context(|| format!("--model {model}"))
        .map_err(Fault::usage)?;
    match task.refuse(model) {
        Some(why) => Err(Fault::usage(anyhow!("--model {model}: {why}"))),
        None => Ok(()),
    }
}

/// Where nobody says how far.
fn usual(model: Model, preferred: Preferred) -> Ladder {
    let most = MAX_LANES.iter().find(|(other, _)| *other == model);
    let most = most.map_or(FARTHEST, |(_, most)| *most);
    let far = preferred.concurrency(model).get();
    let far = far.saturating_mul(BEYOND_PREFERRED).max(FARTHEST).min(most);
    let last = NonZeroUsize::new(far).unwrap_or(NonZeroUsize::MIN);
    Ladder::doubling(NonZeroUsize::MIN, last)
}

/// Where the server ended, the figures are of rounds with it and of rounds without.
fn valid(mut sweep: Sweep, ended: Option<String>) -> Sweep {
    if let Some(how) = ended {
        sweep.recommended = None;
        sweep.verdict = format!(
            "Nothing is recommended: {how}, so inputs failed for want of it. Sweep once more."
        );
        sweep.notes.insert(0, how);
    }
    sweep
}

/// A concurrency that did not run is no failure; that none did is, and so is one that gave figures not always.
fn exit_of(sweep: &Sweep) -> Exit {
    let ran = |point: &&Point| point.skipped.is_none();
    let unsuccessful = |point: &Point| point.failed != Some(0) || point.unranked.is_some();
    let mut points = sweep.points.iter().filter(ran);
    if points.clone().all(|point| point.succeeded.is_none()) {
        return Exit::CouldNotRun;
    }
    if points.any(unsuccessful) || !sweep.results_equal {
        return Exit::SomeFailed;
    }
    Exit::Ok
}
