//! Runs the trials of a comparison: a warm-up to learn how long things take, then the counted rounds.

use std::{
    fs::File,
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use triway_core::{Plan, Status};

use crate::{
    agreement::Agreement,
    arms::Arm,
    course::Course,
    progress::Progress,
    schedule::{Prediction, order},
    spool::{Spool, SpoolError},
    stage::{Left, Remains, Staged},
    trial::{Measured, Spec, Trial, TrialError},
};

/// How many inputs a warm-up gets at most, unless the widest arm has more lanes. More would say no more.
const WARM_UP_INPUTS: u64 = 1000;

/// The part of the budget that all warm-ups together may take.
const WARM_UP_SHARE: u32 = 10;

/// How long a warm-up hands out inputs where there is no budget.
const WARM_UP_UNBOUNDED: Duration = Duration::from_secs(2);

/// What every trial of a comparison has in common.
pub(crate) struct Rounds<'a> {
    /// The name that the task is registered under.
    pub(crate) task: &'a str,
    /// What a trial is started with; an error is a sentence for people.
    pub(crate) stage: &'a mut dyn FnMut(&Arm) -> Result<Staged, String>,
    /// The limits that all arms share.
    pub(crate) plan: &'a Plan,
    /// Whether the first counted trial of each arm records who ran what when.
    pub(crate) detailed: bool,
    /// How long the whole may take.
    pub(crate) budget: Option<Duration>,
    /// Whether to give up.
    pub(crate) stop: &'a AtomicBool,
    /// Whom to tell.
    pub(crate) tell: &'a mut dyn FnMut(Progress<'_>),
}

/// Why the rounds did not come to their end.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Somebody wanted that.
    Cancelled,
    /// A sample of the inputs could not be written down.
    Spool(SpoolError),
    /// The results of trials could not be read.
    Results(io::Error),
}

/// What a trial gave.
struct Ended {
    measured: Measured,
    digests: File,
    /// What it left of what it had for itself.
    left: Option<Left>,
}

impl Rounds<'_> {
    /// One trial an arm on a part of the inputs, to learn what an input takes; nothing of it counts.
    pub(crate) fn warm_up(
        &mut self,
        courses: &mut [Course],
        inputs: &Spool,
    ) -> Result<Vec<Prediction>, Broken> {
        let widest = courses
            .iter()
            .map(|course| course.arm.concurrency.get() as u64)
            .max();
        let slice = WARM_UP_INPUTS.max(2 * widest.unwrap_or(1));
        let inputs = inputs.sample(slice).map_err(Broken::Spool)?;
        let arms = u32::try_from(courses.len()).unwrap_or(u32::MAX).max(1);
        let drain_after = self
            .budget
            .map_or(WARM_UP_UNBOUNDED, |budget| budget / WARM_UP_SHARE / arms);
        let mut predictions = Vec::new();
        for course in courses.iter_mut() {
            let started = Instant::now();
            let limit = self.budget;
            let ended = if course.goes_on() {
                self.trial(course, None, &inputs, Some(drain_after), limit)?
            } else {
                None
            };
            let took = started.elapsed();
            let predicted = |ended: Ended| predict(&ended.measured, took);
            predictions.push(ended.map_or_else(Prediction::default, predicted));
        }
        Ok(predictions)
    }

    /// The counted rounds, interleaved, each course on as many of these inputs as it is to have. What was measured is
    /// added to the courses.
    pub(crate) fn count(
        &mut self,
        courses: &mut [Course],
        inputs: &Spool,
        rounds: usize,
        expected: &[Duration],
    ) -> Result<Agreement, Broken> {
        let each: Vec<u64> = courses.iter().map(|course| course.inputs).collect();
        let mut agreement = Agreement::new(&each);
        for round in 0..rounds {
            for place in order(round, courses.len()) {
                let course = &mut courses[place];
                if !course.goes_on() {
                    continue;
                }
                let limit = self.budget.map(|budget| budget.max(10 * expected[place]));
                if let Some(ended) = self.trial(course, Some(round + 1), inputs, None, limit)? {
                    course.trials.push(ended.measured);
                    match ended.left {
                        Some(Left::Changed(left)) => course.left.push(left),
                        Some(Left::Spent(spent)) => course.spent.push(spent),
                        None => {}
                    }
                    agreement
                        .add(place, ended.digests)
                        .map_err(Broken::Results)?;
                }
            }
        }
        Ok(agreement)
    }

    /// One more trial an arm, as this task, for what it costs something to know; nothing else of it counts.
    pub(crate) fn probe(
        &mut self,
        courses: &mut [Course],
        inputs: &Spool,
        task: &[u8],
    ) -> Result<(), Broken> {
        for course in courses.iter_mut().filter(|course| course.goes_on()) {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Broken::Cancelled);
            }
            let staged = Staged {
                configuration: task.to_vec(),
                remains: None,
            };
            match self.run_staged(course, staged, inputs, None, self.budget) {
                Err(TrialError::Cancelled) => return Err(Broken::Cancelled),
                // What was to be probed stays unknown.
                Err(TrialError::Failed(_)) => {}
                Ok(ended) => course.probed = ended.measured.inside.and_then(|told| told.lock_wait),
            }
        }
        Ok(())
    }

    /// One trial; `None` if it failed, which its course remembers.
    fn trial(
        &mut self,
        course: &mut Course,
        round: Option<usize>,
        inputs: &Spool,
        drain_after: Option<Duration>,
        limit: Option<Duration>,
    ) -> Result<Option<Ended>, Broken> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Broken::Cancelled);
        }
        let arm = &course.arm.id;
        (self.tell)(Progress::TrialStarted { arm, round });
        let ended = match self.run(course, inputs, drain_after, limit) {
            Err(TrialError::Cancelled) => return Err(Broken::Cancelled),
            Err(TrialError::Failed(reason)) => Err(reason),
            Ok(ended) => Ok(ended),
        };
        let (ended, failure) = match ended {
            Ok(ended) => (Some(ended), None),
            Err(reason) => (None, Some(reason)),
        };
        (self.tell)(Progress::TrialEnded {
            arm,
            round,
            total: ended.as_ref().map(|ended| ended.measured.total()),
            failure: failure.as_deref(),
        });
        course.failures.extend(failure);
        Ok(ended)
    }

    fn run(
        &mut self,
        course: &Course,
        inputs: &Spool,
        drain_after: Option<Duration>,
        limit: Option<Duration>,
    ) -> Result<Ended, TrialError> {
        let staged = (self.stage)(&course.arm).map_err(TrialError::Failed)?;
        self.run_staged(course, staged, inputs, drain_after, limit)
    }

    fn run_staged(
        &mut self,
        course: &Course,
        staged: Staged,
        inputs: &Spool,
        drain_after: Option<Duration>,
        limit: Option<Duration>,
    ) -> Result<Ended, TrialError> {
        let Staged {
            configuration,
            remains,
        } = staged;
        let arm = &course.arm;
        // A warm-up is cut short after a while.
        let counted = drain_after.is_none();
        let spec = Spec {
            task: configuration,
            plan: self.plan.with_model(arm.model, arm.concurrency),
            // A warm-up is cut short by time.
            most: drain_after.is_none().then_some(course.inputs),
            drain_after,
            timeline: self.detailed && counted && course.trials.is_empty(),
        };
        let trial = Trial {
            task: self.task,
            spec: &spec,
            inputs,
            limit,
            stop: self.stop,
        };
        let (measured, digests) = trial.run()?;
        let left = remains
            .map(Remains::look)
            .transpose()
            .map_err(TrialError::Failed)?;
        Ok(Ended {
            measured,
            digests,
            left,
        })
    }
}

/// What a warm-up that took so long in all, process included, says about the trials to come.
fn predict(trial: &Measured, took: Duration) -> Prediction {
    let done = trial.tally.total() - trial.tally.count(Status::Cancelled);
    let done = u32::try_from(done).unwrap_or(u32::MAX).max(1);
    Prediction {
        fixed: took.saturating_sub(trial.wall),
        per_input: trial.wall / done,
    }
}
