//! What the options of a job mean: a plan, and which choices were the user's own.

use std::{num::NonZeroUsize, path::Path};

use anyhow::anyhow;
use clap::ValueEnum as _;
use triway_core::{Model, Plan, PlanError, Retry, Task as _};
use triway_tasks::{catalog::Named, command::Preferred};

use crate::{
    arguments::{FormatName, JobArguments, LanesArguments, TimeLimit},
    exit::Fault,
};

/// The plan that these options describe. What they leave open is as the task prefers it.
pub(crate) fn plan(
    job: &JobArguments,
    preferred: Preferred,
    model: Model,
    concurrency: NonZeroUsize,
) -> Result<Plan, Fault> {
    let mut plan = Plan::new(model, concurrency);
    plan.timeout = match job.timeout {
        Some(TimeLimit::Time(time)) => Some(time),
        // A share of something is kept by the task, where it has one.
        Some(TimeLimit::Percent(_)) => None,
        None => preferred.timeout,
    };
    plan.grace = job.grace;
    plan.drain_limit = job.drain_limit;
    let retries = job.retries.unwrap_or(preferred.retries);
    if retries > 0 && !job.pool.at_most_once {
        plan.retry = Retry::times(retries);
    }
    plan.rate = job.rate;
    plan.per_key = job.per_host;
    plan.key_interval = job.host_interval;
    plan.keep_order = job.keep_order;
    plan.max_failures = job.max_failures;
    plan.runtime_threads = job.runtime_threads;
    plan.pool = job.pool.pool();
    plan.at_most_once = job.pool.at_most_once;
    plan.check().map_err(blame)?;
    Ok(plan)
}

/// How many inputs run at once under this model.
pub(crate) fn concurrency(
    lanes: &LanesArguments,
    preferred: Preferred,
    model: Model,
) -> NonZeroUsize {
    lanes
        .concurrency
        .unwrap_or_else(|| preferred.concurrency(model))
}

/// Refuses a concurrency that a model chosen for this one job cannot have. In a comparison the same concurrency is for
/// those arms that can.
pub(crate) fn check_alone(lanes: &LanesArguments, model: Option<Model>) -> Result<(), Fault> {
    match lanes.concurrency {
        Some(concurrency) if model == Some(Model::Sequential) && concurrency.get() > 1 => {
            Err(Fault::usage(anyhow!(
                "--model sequential runs inputs one at a time, which --concurrency {concurrency} contradicts; leave \
                 one of them out"
            )))
        }
        _ => Ok(()),
    }
}

/// Refuses options of worker processes where there are none.
pub(crate) fn check_pool(job: &JobArguments, models: &[Model], task: &Named) -> Result<(), Fault> {
    match job.pool.idle(models, task.outside().is_some()) {
        None => Ok(()),
        Some((option, wanted)) => Err(Fault::usage(anyhow!(
            "{option} means nothing without {wanted}; choose one, or leave it out"
        ))),
    }
}

/// Refuses a format that only outcomes have, before a comparison takes its time.
pub(crate) fn check_compares(job: &JobArguments) -> Result<(), Fault> {
    check_form(job.format, job.output.as_deref(), "a comparison")
}

/// The same for whatever is no outcomes.
pub(crate) fn check_form(
    format: Option<FormatName>,
    output: Option<&Path>,
    what: &str,
) -> Result<(), Fault> {
    let of_file = || FormatName::of_file(output?);
    let Some(format) = format.or_else(of_file).filter(|it| !it.compares()) else {
        return Ok(());
    };
    let name = |format: &FormatName| Some(format.to_possible_value()?.get_name().to_owned());
    let others = FormatName::value_variants().iter();
    let others: Vec<_> = others
        .filter(|other| other.compares())
        .filter_map(name)
        .collect();
    Err(Fault::usage(anyhow!(
        "--format {}: {what} has no such form; choose one of {}",
        name(&format).unwrap_or_default(),
        others.join(", ")
    )))
}

/// Refuses a format that advice does not have, before anything is executed for it.
pub(crate) fn check_advises(job: &JobArguments) -> Result<(), Fault> {
    let decides = [
        ("--rate", job.rate.is_some()),
        ("--per-host", job.per_host.is_some()),
        ("--host-interval", job.host_interval.is_some()),
    ];
    if let Some((option, _)) = decides.into_iter().find(|(_, given)| *given) {
        return Err(Fault::usage(anyhow!(
            "{option} decides how fast the job goes, so there is nothing to advise; leave it out to see what it could do without"
        )));
    }
    match job.format {
        Some(format) if !format.compares() => {
            let name = format.to_possible_value();
            let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
            Err(Fault::usage(anyhow!(
                "--format {name}: advice has no such form; choose table, json, jsonl, csv or md"
            )))
        }
        _ => Ok(()),
    }
}

/// Names the option that made a plan impossible.
fn blame(error: PlanError) -> Fault {
    let option = match error {
        PlanError::TooManyLanes { asked, .. } => format!("--concurrency {asked}"),
        PlanError::TooManyRuntimeThreads { asked, .. } => format!("--runtime-threads {asked}"),
        PlanError::TooManyProcesses { asked, .. } => format!("--processes {asked}"),
        PlanError::ZeroTimeout => "--timeout".to_owned(),
        _ => return Fault::usage(error),
    };
    Fault::usage(anyhow::Error::from(error).context(option))
}
