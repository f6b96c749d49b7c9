//! Runs the trials of a comparison: a warm-up to learn how long things take, then the counted rounds.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use triway_core::{Plan, Status};

use crate::{
    agreement::Agreement,
    course::Course,
    progress::Progress,
    schedule::{Prediction, order},
    spool::{Spool, SpoolError},
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
    /// The task's configuration, in postcard.
    pub(crate) configuration: Vec<u8>,
    /// The limits that all arms share.
    pub(crate) plan: &'a Plan,
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
            let measured = if course.goes_on() {
                self.trial(course, None, &inputs, Some(drain_after), limit)?
            } else {
                None
            };
            let (took, trial) = (started.elapsed(), measured.map(|(trial, _)| trial));
            predictions.push(trial.map_or_else(Prediction::default, |trial| predict(&trial, took)));
        }
        Ok(predictions)
    }

    /// The counted rounds, interleaved, on all these inputs. What was measured is added to the courses.
    pub(crate) fn count(
        &mut self,
        courses: &mut [Course],
        inputs: &Spool,
        rounds: usize,
        expected: &[Duration],
    ) -> Result<Agreement, Broken> {
        let mut agreement = Agreement::new(courses.len(), inputs.inputs());
        for round in 0..rounds {
            for place in order(round, courses.len()) {
                let course = &mut courses[place];
                if !course.goes_on() {
                    continue;
                }
                let limit = self.budget.map(|budget| budget.max(10 * expected[place]));
                if let Some((measured, digests)) =
                    self.trial(course, Some(round + 1), inputs, None, limit)?
                {
                    course.trials.push(measured);
                    agreement.add(place, digests).map_err(Broken::Results)?;
                }
            }
        }
        Ok(agreement)
    }

    /// One trial; `None` if it failed, which its course remembers.
    fn trial(
        &mut self,
        course: &mut Course,
        round: Option<usize>,
        inputs: &Spool,
        drain_after: Option<Duration>,
        limit: Option<Duration>,
    ) -> Result<Option<(Measured, std::fs::File)>, Broken> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Broken::Cancelled);
        }
        let arm = &course.arm.id;
        (self.tell)(Progress::TrialStarted { arm, round });
        let spec = Spec {
            task: self.configuration.clone(),
            plan: self
                .plan
                .with_model(course.arm.model, course.arm.concurrency),
            drain_after,
        };
        let trial = Trial {
            task: self.task,
            spec: &spec,
            inputs,
            limit,
            stop: self.stop,
        };
        let (measured, failure) = match trial.run() {
            Ok(measured) => (Some(measured), None),
            Err(TrialError::Failed(reason)) => (None, Some(reason)),
            Err(TrialError::Cancelled) => return Err(Broken::Cancelled),
        };
        (self.tell)(Progress::TrialEnded {
            arm,
            round,
            total: measured.as_ref().map(|(measured, _)| measured.total()),
            failure: failure.as_deref(),
        });
        course.failures.extend(failure);
        Ok(measured)
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
