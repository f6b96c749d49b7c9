//! What a job is probed on: which models are left, how many inputs there are, and whether there is anything to find out.

use std::num::NonZeroUsize;

use triway_core::{Model, Outcome, Plan};
use triway_measure::advise::{Advice, Interpreter, Situation, Sizes, recommend};
use triway_tasks::catalog::{Named, RawInput, RawOutput};

use crate::{
    arguments::{LanesArguments, ProbeArguments},
    around::Around,
    inputs::Inputs,
    people::figures,
    prepared::Configuration,
    trials,
};

/// With fewer inputs than this, probing would be all of the job.
const FEW: u64 = 8;

/// What is known of a job beforehand, besides its task.
pub(crate) struct Known {
    /// How many inputs there are to be executed.
    inputs: Option<u64>,
    /// The interpreter of its function.
    interpreter: Option<Interpreter>,
    /// No more at once than this: there may be no more connections. `None` for as many as the plan says.
    room: Option<usize>,
}

impl Known {
    /// What these inputs, of which so many were executed by an earlier run, and what is around the job tell.
    pub(crate) fn of((inputs, done): (&Inputs, u64), around: &Around) -> Self {
        Self {
            inputs: inputs.count().map(|all| all.saturating_sub(done)),
            interpreter: around.interpreter.clone(),
            room: match &around.database {
                None => Some(usize::MAX),
                Some(database) => database.spare_room(),
            },
        }
    }
}

/// Models that the task is not run under, although it could be, and why.
fn refusals(configuration: &Configuration) -> Vec<(Model, String)> {
    let fault = |model| {
        let fault = configuration.check_models([model]).err()?;
        Some((model, format!("{:#}", fault.cause)))
    };
    let refused = trials::refusals(&configuration.task());
    let faults = Model::ALL.into_iter().filter_map(fault);
    refused.into_iter().chain(faults).collect()
}

/// What advice on this job starts from.
pub(crate) fn situation(
    configuration: &Configuration,
    plan: &Plan,
    known: Known,
    (lanes, probing): (&LanesArguments, &ProbeArguments),
    of: fn(triway_core::Forms, &[(Model, String)]) -> Situation,
) -> Situation {
    use triway_core::Task as _;
    let forms = configuration.task().forms();
    let mut situation = of(forms, &refusals(configuration));
    situation.inputs = known.inputs;
    situation.interpreter = known.interpreter;
    situation.fixed_concurrency = lanes.concurrency.map(usize::from);
    let planned = plan.concurrency.get();
    let room = known.room.map_or(planned, |room| room.max(planned));
    situation.most_concurrency = probing.max_concurrency.get().min(room);
    situation
}

/// Whether there is anything to find out: one input at a time, and something else.
pub(crate) fn has_choice(situation: &Situation) -> bool {
    let able = |model| {
        let mut models = situation.models.iter();
        models.any(|it| it.model == model && it.refused.is_none())
    };
    let others = Model::PLAIN.into_iter().skip(1);
    able(Model::Sequential) && others.into_iter().any(able)
}

/// Why the task's preferred model is taken without measuring; `None` where it is measured.
pub(crate) fn unmeasured(
    plan: &Plan,
    known: &Known,
    lanes: &LanesArguments,
) -> Option<&'static str> {
    match known.inputs {
        _ if lanes.concurrency == Some(NonZeroUsize::MIN) => Some("one at a time leaves no choice"),
        _ if plan.rate.is_some() => Some(
            "--rate decides how fast it goes (-m and -c choose, where that is too few at once)",
        ),
        _ if plan.per_key.is_some() => Some("--per-host decides how much goes on at once"),
        _ if plan.key_interval.is_some() => Some(
            "--host-interval decides how fast it goes (-m and -c choose, where that is too few at once)",
        ),
        inputs if has_few(inputs) => Some("there are too few inputs to measure any"),
        _ => None,
    }
}

/// Whether probing would be all of the job.
fn has_few(inputs: Option<u64>) -> bool {
    inputs.is_some_and(|inputs| inputs < FEW)
}

/// Whether `run` would find anything out, as far as that is known of a job that is not run.
fn would_measure(situation: &Situation) -> bool {
    let one = situation.fixed_concurrency == Some(1);
    has_choice(situation) && !one && !has_few(situation.inputs)
}

/// What can be said of a job without executing any of it.
pub(crate) fn without_executing(situation: &Situation, configuration: &Configuration) -> Advice {
    let task = configuration.task();
    let preferred = task.preferred();
    let able = situation.models.iter().filter(|it| it.refused.is_none());
    let able: Vec<_> = able.map(|it| it.model.name()).collect();
    let refused = situation.models.iter().filter_map(|it| {
        let why = it.refused.as_ref()?;
        Some(format!("{} cannot run it: {why}", it.model))
    });
    let mut advice = recommend(situation, &[]);
    advice.task = task.name().to_owned();
    advice.verdict = format!(
        "No input was executed, so nothing was measured. It could run under {}; {} the task prefers {} with {} at once.",
        able.join(", "),
        match would_measure(situation) {
            true => "`run` would measure on the first inputs, and where nothing can be told",
            false => "`run` would measure nothing, for there is too little to choose from, and",
        },
        preferred.model,
        situation
            .fixed_concurrency
            .unwrap_or_else(|| preferred.concurrency(preferred.model).get())
    );
    advice.notes = situation
        .inputs
        .map(|inputs| {
            format!(
                "the job has {}",
                figures::counted(inputs, "input", "inputs")
            )
        })
        .into_iter()
        .chain(refused)
        .collect();
    advice
}

/// How large inputs and outputs are.
pub(crate) fn sizes() -> Sizes<Named> {
    Box::new(|outcome: &Outcome<RawInput, RawOutput>| {
        let output = outcome.output.as_ref();
        (
            outcome.input.as_bytes().len(),
            output.map_or(0, |output| output.json.len()),
        )
    })
}
