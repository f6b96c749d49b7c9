//! Gathers what a comparison stands on: warms up, decides how many inputs the budget allows, runs the counted rounds.

use std::time::{Duration, Instant};

use crate::{
    agreement::Agreement,
    course::Course,
    progress::Progress,
    rounds::{Broken, Rounds},
    schedule::{self, Extent, Wish, extent},
    spool::Spool,
};

/// All that is known before the first trial.
pub(crate) struct Prepared {
    /// All inputs.
    pub(crate) inputs: Spool,
    /// Counted rounds.
    pub(crate) rounds: schedule::Rounds,
    /// How many inputs to use at most.
    pub(crate) sample: Option<u64>,
    /// How long it may take.
    pub(crate) budget: Option<Duration>,
    /// The task for one more trial an arm, which is not timed.
    pub(crate) probe: Option<Vec<u8>>,
}

/// What the trials left behind, besides what their courses hold.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// Whether the arms gave the same.
    pub(crate) agreement: Agreement,
    /// How many inputs the job has.
    pub(crate) inputs: u64,
    /// How many of them each trial executed.
    pub(crate) executed: u64,
    /// Counted rounds.
    pub(crate) rounds: usize,
    /// Whether the report is to have what pictures are made of.
    pub(crate) detailed: bool,
    /// Threads of the async runtime, where the plan says.
    pub(crate) runtime_threads: Option<usize>,
    /// What a reader should know besides the figures.
    pub(crate) notes: Vec<String>,
}

impl Prepared {
    /// Warms up, decides on how many inputs, and runs the counted rounds.
    pub(crate) fn gather(
        &self,
        courses: &mut [Course],
        rounds: &mut Rounds<'_>,
    ) -> Result<Evidence, Broken> {
        let started = Instant::now();
        let arms = courses.iter().filter(|course| course.goes_on()).count();
        (rounds.tell)(Progress::Announced {
            inputs: self.inputs.inputs(),
            arms,
            rounds: self.rounds,
        });
        let predictions = rounds.warm_up(courses, &self.inputs)?;
        let wish = Wish {
            inputs: self.sample.unwrap_or(u64::MAX).min(self.inputs.inputs()),
            rounds: self.rounds,
            budget: self
                .budget
                .map(|budget| budget.saturating_sub(started.elapsed())),
            fewest: widest(courses),
        };
        let extent = extent(&wish, &predictions);
        (rounds.tell)(Progress::Estimated {
            duration: extent.duration,
            inputs: extent.inputs,
            rounds: extent.rounds,
            trials: arms * extent.rounds,
        });
        let sample = self.inputs.sample(extent.inputs).map_err(Broken::Spool)?;
        let expected: Vec<Duration> = predictions
            .iter()
            .map(|arm| arm.of(extent.inputs))
            .collect();
        let agreement = rounds.count(courses, &sample, extent.rounds, &expected)?;
        if let Some(task) = &self.probe {
            rounds.probe(courses, &sample, task)?;
        }
        Ok(Evidence {
            agreement,
            inputs: self.inputs.inputs(),
            executed: extent.inputs,
            rounds: extent.rounds,
            detailed: rounds.detailed,
            runtime_threads: rounds.plan.runtime_threads.map(usize::from),
            notes: notes(&wish, &extent, courses),
        })
    }
}

impl Evidence {
    /// How many inputs were executed, where not all.
    pub(crate) fn sampled(&self) -> Option<u64> {
        (self.executed < self.inputs).then_some(self.executed)
    }
}

fn notes(wish: &Wish, extent: &Extent, courses: &[Course]) -> Vec<String> {
    let mut notes = Vec::new();
    let left = wish.budget.unwrap_or_default().as_secs_f64();
    if extent.inputs < wish.inputs {
        notes.push(format!(
            "the budget (after the warm-up {left:.1} s were left) allowed {} of {} inputs, evenly spaced",
            extent.inputs, wish.inputs
        ));
    }
    if extent.over_budget {
        notes.push(format!(
            "the rounds were expected to take {:.1} s, more than was left of the budget ({left:.1} s); with fewer than \
             {} inputs some lanes would have nothing to do",
            extent.duration.as_secs_f64(),
            extent.inputs
        ));
    }
    notes.extend(
        courses
            .iter()
            .filter_map(|course| fewer_lanes(course, extent.inputs)),
    );
    notes
}

/// Says where the machine gave an arm fewer lanes than it could have used.
fn fewer_lanes(course: &Course, inputs: u64) -> Option<String> {
    let usable = course
        .arm
        .concurrency
        .get()
        .min(usize::try_from(inputs).unwrap_or(usize::MAX));
    let lanes = course.lanes().filter(|lanes| *lanes < usable)?;
    Some(format!(
        "{} had no more than {lanes} input{} at once in the end, of {usable} asked for",
        course.arm.id,
        if lanes == 1 { "" } else { "s" }
    ))
}

/// Lanes of the widest arm that runs: with fewer inputs than that, some would have nothing to do.
fn widest(courses: &[Course]) -> u64 {
    let lanes = courses
        .iter()
        .filter(|course| course.goes_on())
        .map(|course| course.arm.concurrency.get() as u64);
    lanes.max().unwrap_or(1)
}
