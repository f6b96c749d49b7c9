//! What the options of a job mean: a plan, and which choices were the user's own.

use anyhow::anyhow;
use triway_core::{Model, Plan, PlanError, Retry};
use triway_tasks::command::Preferred;

use crate::{arguments::JobArguments, exit::Fault};

/// The plan that these options describe. What they leave open is as the task prefers it.
pub(crate) fn plan(
    job: &JobArguments,
    model: Option<Model>,
    preferred: Preferred,
) -> Result<Plan, Fault> {
    let concurrency = job.concurrency.unwrap_or_else(|| preferred.concurrency());
    let mut plan = Plan::new(model.unwrap_or(preferred.model), concurrency);
    plan.timeout = job.timeout;
    plan.grace = job.grace;
    plan.drain_limit = job.drain_limit;
    if job.retries > 0 {
        plan.retry = Retry::times(job.retries);
    }
    plan.rate = job.rate;
    plan.per_key = job.per_host;
    plan.key_interval = job.host_interval;
    plan.keep_order = job.keep_order;
    plan.max_failures = job.max_failures;
    plan.runtime_threads = job.runtime_threads;
    plan.check().map_err(blame)?;
    Ok(plan)
}

/// Refuses a concurrency that a model chosen for this one job cannot have. In a comparison the same concurrency is for
/// those arms that can.
pub(crate) fn check_alone(job: &JobArguments, model: Option<Model>) -> Result<(), Fault> {
    match job.concurrency {
        Some(concurrency) if model == Some(Model::Sequential) && concurrency.get() > 1 => {
            Err(Fault::usage(anyhow!(
                "--model sequential runs inputs one at a time, which --concurrency {concurrency} contradicts; leave \
                 one of them out"
            )))
        }
        _ => Ok(()),
    }
}

/// Names the option that made a plan impossible.
fn blame(error: PlanError) -> Fault {
    let option = match error {
        PlanError::TooManyLanes { asked, .. } => format!("--concurrency {asked}"),
        PlanError::ZeroTimeout => "--timeout".to_owned(),
        _ => return Fault::usage(error),
    };
    Fault::usage(anyhow::Error::from(error).context(option))
}
