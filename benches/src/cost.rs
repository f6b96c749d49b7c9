//! What `compare` reports as wall time, against what the same job says by itself.

use std::num::NonZeroUsize;

use triway_core::Model;
use triway_exec::Job;
use triway_measure::{Compare, arms};

use crate::verdicts::Uneven;

const PAIRS: usize = 11;
const INPUTS: usize = 100;
const MILLIS: u64 = 5;

/// Prints the table.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "| {INPUTS} inputs of {MILLIS} ms, {PAIRS} pairs | compare, ms | by itself, ms | difference |"
    );
    println!("|---|---|---|---|");
    for model in Model::ALL {
        let mut compared = Vec::new();
        let mut alone = Vec::new();
        for _ in 0..PAIRS {
            compared.push(by_compare(model)?);
            alone.push(by_itself(model)?);
        }
        let (compared, alone) = (median(compared), median(alone));
        let percent = (compared / alone - 1.0) * 100.0;
        println!(
            "| {model} | {:.2} | {:.2} | {percent:+.2} % |",
            compared * 1e3,
            alone * 1e3
        );
    }
    Ok(())
}

fn inputs() -> Result<Vec<triway_tasks::cpu::Amount>, String> {
    let input = Uneven::input(MILLIS).map_err(|failure| failure.to_string())?;
    Ok(vec![input; INPUTS])
}

/// Seconds, from one counted round.
fn by_compare(model: Model) -> Result<f64, Box<dyn std::error::Error>> {
    let arms = arms::parse(model.name(), lanes())?;
    let comparison = Compare::new(Uneven::by(1.0), inputs()?)
        .arms(arms)
        .rounds(1)
        .run(|_| {})?;
    let wall = comparison.models.first().and_then(|arm| arm.wall_s);
    Ok(wall.ok_or("the trial gave no figures")?.median)
}

fn by_itself(model: Model) -> Result<f64, Box<dyn std::error::Error>> {
    let job = Job::new(Uneven::by(1.0), inputs()?)
        .model(model)
        .concurrency(lanes());
    Ok(job.run().wait()?.summary.wall.as_secs_f64())
}

fn lanes() -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(1)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
