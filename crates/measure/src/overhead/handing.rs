//! What it costs to hand an input over, under each model, through the executors of jobs; and whether lanes that compute
//! do so side by side.

use std::{
    hint::black_box,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Model, Plan, Task};
use triway_exec::{Job, Summary};

use super::answer::{Answer, count, why};
use crate::{machine::cpus, schedule::order};

/// How long the job may take whose inputs are counted.
const STRETCH: f64 = 0.03;
/// Inputs of the job that tells how many those may be.
const TRIED: u64 = 2_000;
/// At most so many inputs, also where they cost next to nothing.
const MOST: u64 = 200_000;
/// How many wait at once where much can: what a client that asks a server has by default, and more than processors.
pub(super) const WAITING: usize = 100;
/// How long an input of the job takes that computes.
const COMPUTED: Duration = Duration::from_millis(2);
/// How often the models take turns at such jobs. The fastest counts, because what disturbs the machine only ever adds to a
/// time.
const TURNS: usize = 3;

/// How many lanes a job has that computes: one a processor; where there is one, it is to be seen that two are no faster,
/// and more than sixteen would take too long to try.
pub(super) fn lanes() -> usize {
    cpus().clamp(2, 16)
}

/// A task that does as many rounds of arithmetic as its input says. With none, all that is left is the hand-over.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Empty;

impl Task for Empty {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), n: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        Ok(computed(*n))
    }

    async fn run_async(&self, (): &mut (), n: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        Ok(computed(*n))
    }
}

/// The result of so many rounds; each needs the one before, so that nothing shortens them.
fn computed(rounds: u64) -> u64 {
    (0..rounds).fold(1, |sum, n| black_box(sum ^ n).wrapping_mul(0x9e37_79b9))
}

pub(super) fn to_nobody() -> Answer {
    handed(Model::Sequential, 1).map(|both| both[..1].to_vec())
}

pub(super) fn to_threads() -> Answer {
    handed(Model::Threads, lanes())
}

pub(super) fn to_many_threads() -> Answer {
    handed(Model::Threads, WAITING)
}

pub(super) fn to_processes() -> Answer {
    handed(Model::Processes, lanes())
}

pub(super) fn to_tasks() -> Answer {
    handed(Model::Async, WAITING)
}

/// Seconds an input, and seconds until the lanes stood ready.
fn handed(model: Model, lanes: usize) -> Answer {
    let tried = run(model, lanes, 0, TRIED)?;
    let each = tried.wall.as_secs_f64() / count(TRIED);
    let inputs = as_many(STRETCH / each).clamp(TRIED, MOST);
    let done = run(model, lanes, 0, inputs)?;
    let start = tried.startup.min(done.startup);
    Ok(vec![
        done.wall.as_secs_f64() / count(inputs),
        start.as_secs_f64(),
    ])
}

/// How many times as fast as sequential threads, processes and async tasks are at inputs that compute.
pub(super) fn side_by_side() -> Answer {
    let lanes = lanes();
    let rounds = rounds_of(COMPUTED);
    let inputs = 4 * lanes as u64;
    let models = [
        Model::Sequential,
        Model::Threads,
        Model::Processes,
        Model::Async,
    ];
    let mut taken = [f64::INFINITY; 4];
    for turn in 0..TURNS {
        for place in order(turn, models.len()) {
            let summary = run(models[place], lanes, rounds, inputs)?;
            taken[place] = summary.wall.as_secs_f64().min(taken[place]);
        }
    }
    let [alone, together @ ..] = taken;
    Ok(together.map(|together| alone / together).to_vec())
}

/// How many rounds of arithmetic take so long.
fn rounds_of(time: Duration) -> u64 {
    const TRIED: u64 = 200_000;
    let began = Instant::now();
    black_box(computed(black_box(TRIED)));
    let each = began.elapsed().as_secs_f64() / count(TRIED);
    as_many(time.as_secs_f64() / each).max(1)
}

fn run(model: Model, lanes: usize, input: u64, inputs: u64) -> Result<Summary, String> {
    let lanes = NonZeroUsize::new(lanes).unwrap_or(NonZeroUsize::MIN);
    let all = (0..inputs).map(move |_| input);
    let job = Job::new(Empty, all).plan(Plan::new(model, lanes));
    let ended = job.run_each(|_| Ok(())).wait();
    let summary = ended
        .map_err(|error| why("the job could not run")(&error))?
        .summary;
    match summary.succeeded == inputs {
        true => Ok(summary),
        false => Err(format!(
            "only {} of {inputs} inputs succeeded",
            summary.succeeded
        )),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and the result is bounded"
)]
fn as_many(quotient: f64) -> u64 {
    quotient as u64
}
