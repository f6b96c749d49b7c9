//! Gathers what a comparison stands on: warms up, decides how many inputs the budget allows, runs the counted rounds.

use std::time::{Duration, Instant};

use crate::{
    agreement::Agreement,
    arms::Arm,
    course::Course,
    progress::Progress,
    rounds::{Broken, Rounds},
    schedule::{self, Extent, Prediction, Wish, extent},
    spool::{Spool, place},
    spread,
};

/// How the inputs are given to the arms.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    /// Why an arm is not given any, where there are so many.
    pub(crate) refuse: fn(&Arm, u64) -> Option<String>,
    /// How many inputs each arm gets; the last are how many lanes each has, none for one that does not run.
    pub(crate) extent: fn(&Wish, &[Prediction], &[u64]) -> Extent,
    /// Which inputs these are, and where one of them stands among all.
    pub(crate) order: Order,
}

/// Which inputs are executed, where not all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Evenly spaced ones, in their order; the same for every arm.
    Even,
    /// Those that come first in an order of which every beginning is like the whole; an arm may get fewer than another.
    Spread,
}

impl Layout {
    /// The same inputs for all arms.
    pub(crate) const ALIKE: Self = Self {
        refuse: |_, _| None,
        extent: |wish, arms, _| extent(wish, arms),
        order: Order::Even,
    };
}

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
    /// Which inputs each arm gets.
    pub(crate) layout: Layout,
}

/// What the trials left behind, besides what their courses hold.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// Whether the arms gave the same.
    pub(crate) agreement: Agreement,
    /// How many inputs the job has.
    pub(crate) inputs: u64,
    /// How many of them the trials executed that had most.
    pub(crate) executed: u64,
    /// Which ones these were.
    pub(crate) order: Order,
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
        let most = self.sample.unwrap_or(u64::MAX).min(self.inputs.inputs());
        for course in courses.iter_mut().filter(|course| course.goes_on()) {
            course.skipped = (self.layout.refuse)(&course.arm, most);
        }
        let arms = courses.iter().filter(|course| course.goes_on()).count();
        (rounds.tell)(Progress::Announced {
            inputs: self.inputs.inputs(),
            arms,
            rounds: self.rounds,
        });
        let predictions = rounds.warm_up(courses, &self.inputs)?;
        let lanes: Vec<u64> = courses.iter().map(lanes).collect();
        let wish = Wish {
            inputs: most,
            rounds: self.rounds,
            budget: self
                .budget
                .map(|budget| budget.saturating_sub(started.elapsed())),
            // With fewer inputs than the widest arm has lanes, some would have nothing to do.
            fewest: lanes.iter().copied().max().unwrap_or(0).max(1),
        };
        let extent = (self.layout.extent)(&wish, &predictions, &lanes);
        let expected = share_out(courses, &extent, &predictions);
        let fewest = courses.iter().filter(|course| course.goes_on());
        (rounds.tell)(Progress::Estimated {
            duration: extent.duration,
            inputs: extent.most(),
            fewest: fewest.map(|course| course.inputs).min().unwrap_or(0),
            rounds: extent.rounds,
            trials: arms * extent.rounds,
        });
        let sample = match self.layout.order {
            Order::Even => self.inputs.sample(extent.most()),
            Order::Spread => self.inputs.spread(extent.most()),
        };
        let sample = sample.map_err(Broken::Spool)?;
        let agreement = rounds.count(courses, &sample, extent.rounds, &expected)?;
        if let Some(task) = &self.probe {
            rounds.probe(courses, &sample, task)?;
        }
        Ok(Evidence {
            agreement,
            inputs: self.inputs.inputs(),
            executed: extent.most(),
            order: self.layout.order,
            rounds: extent.rounds,
            detailed: rounds.detailed,
            runtime_threads: rounds.plan.runtime_threads.map(usize::from),
            notes: notes(&wish, &extent, courses, self.layout.order),
        })
    }
}

/// Tells each arm how many inputs it has; gives how long a trial of each will take.
fn share_out(courses: &mut [Course], extent: &Extent, arms: &[Prediction]) -> Vec<Duration> {
    let mut expected = Vec::new();
    for ((course, arm), inputs) in courses.iter_mut().zip(arms).zip(&extent.inputs) {
        course.inputs = *inputs;
        expected.push(arm.of(*inputs));
    }
    expected
}

impl Evidence {
    /// How many inputs were executed, where not all.
    pub(crate) fn sampled(&self) -> Option<u64> {
        (self.executed < self.inputs).then_some(self.executed)
    }

    /// Where the input that trials executed as this one stands among all.
    pub(crate) fn place(&self, executed: u64) -> u64 {
        match self.order {
            Order::Even => place(executed, self.executed, self.inputs),
            Order::Spread => spread::place(executed, self.inputs),
        }
    }
}

fn notes(wish: &Wish, extent: &Extent, courses: &[Course], order: Order) -> Vec<String> {
    let mut notes = Vec::new();
    let left = wish.budget.unwrap_or_default().as_secs_f64();
    // What is missing from a last wave of all lanes was not left out to save time.
    let spared = |course: &Course| match order {
        Order::Even => wish.inputs - course.inputs,
        Order::Spread => (wish.inputs - course.inputs) / lanes(course).max(1),
    };
    let runs = || courses.iter().filter(|course| course.goes_on());
    let fewer: Vec<&str> = runs()
        .filter(|course| spared(course) > 0)
        .map(|course| &*course.arm.id)
        .collect();
    if !fewer.is_empty() {
        let all = fewer.len() == runs().count();
        notes.push(match (order, all) {
            (Order::Even, _) => format!(
                "the budget (after the warm-up {left:.1} s were left) allowed {} of {} inputs, evenly spaced",
                extent.most(),
                wish.inputs
            ),
            (Order::Spread, true) => format!(
                "the budget (after the warm-up {left:.1} s were left) allowed {} of {} inputs at most",
                extent.most(),
                wish.inputs
            ),
            (Order::Spread, false) => format!(
                "the budget (after the warm-up {left:.1} s were left) allowed a part of the inputs alone for {}",
                fewer.join(", ")
            ),
        });
    }
    if extent.over_budget {
        notes.push(format!(
            "the rounds were expected to take {:.1} s, more than was left of the budget ({left:.1} s); with fewer than \
             {} inputs some lanes would have {} to do",
            extent.duration.as_secs_f64(),
            extent.most(),
            match order {
                Order::Even => "nothing",
                Order::Spread => "too little",
            }
        ));
    }
    notes.extend(courses.iter().filter_map(fewer_lanes));
    notes
}

/// Says where the machine gave an arm fewer lanes than it could have used.
fn fewer_lanes(course: &Course) -> Option<String> {
    let usable = course
        .arm
        .concurrency
        .get()
        .min(usize::try_from(course.inputs).unwrap_or(usize::MAX));
    let lanes = course.lanes().filter(|lanes| *lanes < usable)?;
    Some(format!(
        "{} had no more than {lanes} input{} at once in the end, of {usable} asked for",
        course.arm.id,
        if lanes == 1 { "" } else { "s" }
    ))
}

/// How many lanes an arm has; none if it does not run.
fn lanes(course: &Course) -> u64 {
    match course.goes_on() {
        true => course.arm.concurrency.get() as u64,
        false => 0,
    }
}
