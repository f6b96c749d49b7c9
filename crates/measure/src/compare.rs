//! One job under several models: the comparison that a library user builds and runs.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use serde::Serialize;
use triway_core::{Failure, Forms, Model, Plan, PlanError, Task};
use triway_exec::restart::{self, CodecError, NotRegistered, Portable};

use crate::{
    arms::{self, Arm},
    conclusion::conclude,
    course::Course,
    evidence::{Evidence, Layout, Prepared},
    machine,
    progress::Progress,
    report::Comparison,
    rounds::{Broken, Rounds},
    schedule,
    spool::{Spool, SpoolError, Writer},
    stage::{Stage, Staged, Stages},
};

/// Counted rounds, unless told otherwise: at least the fewest that carry a difference worth having on a busy machine,
/// and more where they are short.
pub const DEFAULT_ROUNDS: schedule::Rounds = schedule::Rounds {
    fewest: 7,
    most: 25,
};

/// How long a comparison may take, unless told otherwise.
pub const DEFAULT_BUDGET: Duration = Duration::from_secs(60);

/// A comparison to be run: a task, its inputs, and the arms to run them under.
///
/// Needs a program whose `main` begins with `triway::init`, because every trial is this program started again.
#[must_use = "a comparison does nothing until it is run"]
pub struct Compare<T: Task> {
    task: T,
    inputs: Box<dyn Iterator<Item = Result<T::Input, Failure>>>,
    plan: Plan,
    arms: Vec<Arm>,
    rounds: schedule::Rounds,
    budget: Option<Duration>,
    sample: Option<u64>,
    name: Option<String>,
    options: Option<serde_json::Value>,
    baseline: Option<String>,
    refused: Vec<(Model, String)>,
    stages: Option<Stages<T>>,
    probe: Option<Vec<u8>>,
    detailed: bool,
    stop: Arc<AtomicBool>,
}

impl<T: Portable> Compare<T> {
    /// Compares every model on these inputs, at a concurrency of as many as there are processors, in
    /// [`DEFAULT_ROUNDS`] and within [`DEFAULT_BUDGET`].
    pub fn new<I>(task: T, inputs: I) -> Self
    where
        I: IntoIterator<Item = T::Input>,
        I::IntoIter: 'static,
    {
        Self::of_readable(task, inputs.into_iter().map(Ok))
    }

    /// The same for inputs that may turn out unreadable, which ends the comparison before it begins.
    pub fn of_readable<I>(task: T, inputs: I) -> Self
    where
        I: IntoIterator<Item = Result<T::Input, Failure>>,
        I::IntoIter: 'static,
    {
        let lanes = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
        Self {
            task,
            inputs: Box::new(inputs.into_iter()),
            plan: Plan::new(Model::Sequential, lanes),
            arms: arms::every_model(lanes),
            rounds: DEFAULT_ROUNDS,
            budget: Some(DEFAULT_BUDGET),
            sample: None,
            name: None,
            options: None,
            baseline: None,
            refused: Vec::new(),
            stages: None,
            probe: None,
            detailed: false,
            stop: Arc::default(),
        }
    }

    /// The limits that all arms share; model and concurrency are those of each arm.
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = plan;
        self
    }

    /// What is compared; see [`arms::parse`].
    pub fn arms(mut self, arms: Vec<Arm>) -> Self {
        self.arms = arms;
        self
    }

    /// Counted rounds; a number means exactly so many. With fewer than seven, only large differences can be told from chance; with one, none.
    pub fn rounds(mut self, rounds: impl Into<schedule::Rounds>) -> Self {
        self.rounds = rounds.into();
        self
    }

    /// How long it may take; `None` for as long as it takes.
    ///
    /// If the counted rounds would not fit, every arm gets the same evenly spaced sample of the inputs.
    pub fn budget(mut self, budget: impl Into<Option<Duration>>) -> Self {
        self.budget = budget.into();
        self
    }

    /// Uses an evenly spaced sample of so many inputs.
    pub fn sample(mut self, inputs: impl Into<Option<u64>>) -> Self {
        self.sample = inputs.into();
        self
    }

    /// The task's name in the report, where that is not the registered one.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What the report shows as options, where that is not the plan's own limits.
    pub fn options(mut self, options: serde_json::Value) -> Self {
        self.options = Some(options);
        self
    }

    /// The id of the arm that speedups refer to; unless told otherwise sequential, or the first arm that ran.
    pub fn baseline(mut self, id: impl Into<Option<String>>) -> Self {
        self.baseline = id.into();
        self
    }

    /// Models that the task is not run under, although it could be, and why: their arms are shown as skipped.
    pub fn refused(mut self, models: Vec<(Model, String)>) -> Self {
        self.refused = models;
        self
    }

    /// Gives each trial something for itself: a copy of what the task changes (that all trials leave the same is then part
    /// of the results being equal), or a server.
    pub fn stages(mut self, stages: Option<Stages<T>>) -> Self {
        self.stages = stages;
        self
    }

    /// Gives each arm one more trial after the counted rounds, as this task: one that measures in its workers what would
    /// slow timed trials down.
    ///
    /// # Errors
    /// The task has no serialised form.
    pub fn probe(mut self, task: Option<&T>) -> Result<Self, CompareError> {
        let encoded = task.map(postcard::to_stdvec).transpose();
        self.probe =
            encoded.map_err(|cause| CompareError::Configuration(CodecError::new(cause)))?;
        Ok(self)
    }

    /// Whether the report has what pictures are made of: how many attempts took how long, and who ran what when in an
    /// arm's first counted round.
    pub fn detailed(mut self, wanted: bool) -> Self {
        self.detailed = wanted;
        self
    }

    /// Ends the comparison soon after this becomes true: the running trial is killed.
    pub fn stop_on(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    /// Runs all trials and reports what they say. Blocks; calls `tell` now and then on this thread.
    ///
    /// Inputs that fail are no errors, and neither are trials that die: the report tells of both.
    ///
    /// # Errors
    /// There is nothing to compare, the task is not registered, the inputs cannot be read or written down, or somebody
    /// stopped it.
    pub fn run(self, tell: impl FnMut(Progress<'_>)) -> Result<Comparison, CompareError> {
        let baseline = self.baseline.clone();
        let gathered = self.gather(Layout::ALIKE, tell)?;
        let evidence = gathered.evidence;
        let conclusion = conclude(&gathered.courses, &evidence, baseline.as_deref())
            .map_err(CompareError::Results)?;
        Ok(Comparison {
            schema: 1,
            task: gathered.task,
            inputs: evidence.inputs,
            sampled: evidence.sampled(),
            rounds: evidence.rounds,
            machine: machine::describe(),
            options: gathered.options,
            results_equal: conclusion.results_equal,
            differences: conclusion.differences,
            baseline: conclusion.baseline,
            winner: conclusion.winner,
            verdict: conclusion.verdict,
            notes: evidence.notes.into_iter().chain(conclusion.notes).collect(),
            models: conclusion.models,
        })
    }

    /// Runs all trials, with the inputs laid out like this; what they say is for the caller.
    pub(crate) fn gather(
        mut self,
        layout: Layout,
        mut tell: impl FnMut(Progress<'_>),
    ) -> Result<Gathered, CompareError> {
        let registered = restart::lookup::<T>()
            .map_err(CompareError::NotRegistered)?
            .name();
        let configuration = postcard::to_stdvec(&self.task)
            .map_err(|cause| CompareError::Configuration(CodecError::new(cause)))?;
        self.check()?;
        let mut courses = courses(&self.arms, self.task.forms(), &self.refused);
        let prepared = Prepared {
            inputs: spool(self.inputs)?,
            rounds: self.rounds,
            sample: self.sample,
            budget: self.budget,
            probe: self.probe,
            layout,
        };
        let mut stages = self.stages.take();
        let mut stage = |arm: &Arm| staged(stages.as_mut(), arm, &configuration);
        let mut rounds = Rounds {
            task: registered,
            stage: &mut stage,
            plan: &self.plan,
            detailed: self.detailed,
            budget: self.budget,
            stop: &self.stop,
            tell: &mut tell,
        };
        let evidence = prepared.gather(&mut courses, &mut rounds)?;
        Ok(Gathered {
            task: self.name.unwrap_or_else(|| registered.to_owned()),
            options: self.options.unwrap_or_else(|| shared_options(&self.plan)),
            courses,
            evidence,
        })
    }

    /// What it is to be run under.
    pub(crate) fn chosen(&self) -> &[Arm] {
        &self.arms
    }

    fn check(&self) -> Result<(), CompareError> {
        if self.arms.is_empty() {
            return Err(CompareError::NoArms);
        }
        if self.rounds.fewest == 0 {
            return Err(CompareError::NoRounds);
        }
        if self.sample == Some(0) {
            return Err(CompareError::NoSample);
        }
        if let Some(baseline) = &self.baseline
            && !self.arms.iter().any(|arm| arm.id == *baseline)
        {
            let ids: Vec<&str> = self.arms.iter().map(|arm| &*arm.id).collect();
            return Err(CompareError::NoBaseline {
                baseline: baseline.clone(),
                arms: ids.join(", "),
            });
        }
        for arm in &self.arms {
            let plan = self.plan.with_model(arm.model, arm.concurrency);
            plan.check().map_err(|cause| CompareError::Arm {
                arm: arm.id.clone(),
                cause,
            })?;
        }
        Ok(())
    }
}

/// What the trials gave, and what they were about.
pub(crate) struct Gathered {
    /// The task's name.
    pub(crate) task: String,
    /// The options that all arms share.
    pub(crate) options: serde_json::Value,
    /// The arms and what became of them.
    pub(crate) courses: Vec<Course>,
    /// What besides.
    pub(crate) evidence: Evidence,
}

/// Why there is no comparison. The message has the cause in it, so that there is no source that would tell it again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// There are no arms.
    #[error("there is no model to compare; name at least one, better two")]
    NoArms,
    /// There are no rounds.
    #[error("a comparison needs at least one round; seven is the default")]
    NoRounds,
    /// The sample is empty.
    #[error("a sample of no inputs measures nothing; take at least one")]
    NoSample,
    /// The baseline is none of the arms.
    #[error("the baseline `{baseline}` is none of the arms; they are {arms}")]
    NoBaseline {
        /// What was asked for.
        baseline: String,
        /// What there is.
        arms: String,
    },
    /// There are no inputs.
    #[error("there are no inputs to compare models on")]
    NoInputs,
    /// An arm's plan cannot be carried out.
    #[error("arm `{arm}`: {cause}")]
    Arm {
        /// The arm.
        arm: String,
        /// What is wrong.
        cause: PlanError,
    },
    /// The arms are no sweep.
    #[error("a sweep is one model at rising concurrency, two at least; sequential has one alone")]
    NoSweep,
    /// Trials cannot find the task.
    #[error("the trials of a comparison are this program started again, but {0}")]
    NotRegistered(NotRegistered),
    /// The task's configuration has no serialised form.
    #[error("the task's configuration cannot be written down for the trials: {0}")]
    Configuration(CodecError),
    /// The inputs cannot be read.
    #[error("the inputs cannot be read: {0}")]
    Inputs(Failure),
    /// The inputs cannot be kept.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The results of trials cannot be read.
    #[error("the results of the trials cannot be read: {0}")]
    Results(std::io::Error),
    /// Somebody stopped it.
    #[error("the comparison was stopped before it was done")]
    Cancelled,
}

impl From<Broken> for CompareError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Cancelled => Self::Cancelled,
            Broken::Spool(error) => Self::Spool(error),
            Broken::Results(error) => Self::Results(error),
        }
    }
}

/// What the next trial is started with.
fn staged<T: Serialize>(
    stages: Option<&mut Stages<T>>,
    arm: &Arm,
    configuration: &[u8],
) -> Result<Staged, String> {
    let Some(stages) = stages else {
        return Ok(Staged {
            configuration: configuration.to_vec(),
            remains: None,
        });
    };
    let Stage { task, remains } = stages(arm)?;
    Ok(Staged {
        configuration: postcard::to_stdvec(&task).map_err(|error| error.to_string())?,
        remains: Some(remains),
    })
}

fn spool<I: Serialize>(
    inputs: impl Iterator<Item = Result<I, Failure>>,
) -> Result<Spool, CompareError> {
    let mut writer = Writer::new().map_err(SpoolError::File)?;
    for input in inputs {
        writer.push(&input.map_err(CompareError::Inputs)?)?;
    }
    let spool = writer.finish().map_err(SpoolError::File)?;
    if spool.inputs() == 0 {
        return Err(CompareError::NoInputs);
    }
    Ok(spool)
}

fn courses(arms: &[Arm], forms: Forms, refused: &[(Model, String)]) -> Vec<Course> {
    let course = |arm: &Arm| {
        let refused = refused.iter().find(|(model, _)| *model == arm.model);
        let why = refused.map(|(_, why)| why.clone());
        Course::new(arm.clone(), why.or_else(|| missing_form(arm.model, forms)))
    };
    arms.iter().map(course).collect()
}

/// Why a model cannot run a task that has these forms.
fn missing_form(model: Model, forms: Forms) -> Option<String> {
    let refused = triway_exec::can_run(model, forms).err();
    refused.map(|refusal| refusal.to_string())
}

fn shared_options(plan: &Plan) -> serde_json::Value {
    serde_json::json!({
        "timeout_s": plan.timeout.map(|limit| limit.as_secs_f64()),
        "retries": plan.retry.retries,
        "rate_per_s": plan.rate.map(|rate| 1.0 / rate.interval().as_secs_f64()),
        "per_key": plan.per_key,
        "key_interval_s": plan.key_interval.map(|interval| interval.as_secs_f64()),
        "keep_order": plan.keep_order,
        "runtime_threads": plan.runtime_threads,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_lack_a_form_are_skipped() {
        let skipped = |forms| {
            let lacking = Model::ALL
                .into_iter()
                .filter(|model| missing_form(*model, forms).is_some());
            lacking.map(Model::name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(skipped(Forms::Both), "");
        assert_eq!(skipped(Forms::Blocking), "async");
        assert_eq!(skipped(Forms::Async), "threads");
    }
}
