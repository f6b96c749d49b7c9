//! How often a comparison names a winner where there is none, and how often it finds one that there is.

use std::{num::NonZeroUsize, time::Instant};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Task};
use triway_measure::{Compare, CompareError, arms};
use triway_tasks::{
    command::CommandTask,
    cpu::{Amount, Cpu, Work},
};

const MILLIS: u64 = 1;
const INPUTS: usize = 20;

/// `cpu --work spin`, a little longer in its async form.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Uneven {
    blocking: Cpu,
    stretched: Cpu,
}

impl Uneven {
    pub(crate) fn by(stretch: f64) -> Self {
        let mut stretched = Cpu::new(Work::Spin);
        stretched.stretch = stretch;
        Self {
            blocking: Cpu::new(Work::Spin),
            stretched,
        }
    }

    /// An input of so many milliseconds.
    pub(crate) fn input(millis: u64) -> Result<Amount, Failure> {
        Cpu::new(Work::Spin).parse(millis.to_string().as_bytes())
    }
}

impl Task for Uneven {
    type Input = <Cpu as Task>::Input;
    type Output = <Cpu as Task>::Output;
    type Lane = <Cpu as Task>::Lane;

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        lane: &mut Self::Lane,
        input: &Self::Input,
        context: &Context<'_>,
    ) -> Result<Self::Output, Failure> {
        self.blocking.run_blocking(lane, input, context)
    }

    async fn run_async(
        &self,
        lane: &mut Self::Lane,
        input: &Self::Input,
        context: &Context<'_>,
    ) -> Result<Self::Output, Failure> {
        self.stretched.run_async(lane, input, context).await
    }
}

/// Twice `count` comparisons of equal arms, and `count` of arms that differ by 10 %.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(count: usize) -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "| {INPUTS} inputs of {MILLIS} ms | comparisons | right winner | wrong winner | took |"
    );
    println!("|---|---|---|---|---|");
    for (what, list, stretch, count) in [
        (
            "threads with threads, 2 lanes",
            "threads@2,threads@2",
            1.0,
            2 * count,
        ),
        ("async 10 % longer, 1 lane", "threads@1,async@1", 1.1, count),
        (
            "async 10 % longer, 2 lanes",
            "threads@2,async@2",
            1.1,
            count,
        ),
    ] {
        let began = Instant::now();
        let mut right = 0;
        let mut wrong = 0;
        for _ in 0..count {
            match winner(list, stretch)? {
                None => {}
                Some(id) if stretch > 1.0 && id.starts_with("threads") => right += 1,
                Some(_) => wrong += 1,
            }
        }
        let took = began.elapsed().as_secs();
        println!("| {what} | {count} | {right} | {wrong} | {took} s |");
    }
    Ok(())
}

fn winner(list: &str, stretch: f64) -> Result<Option<String>, Box<dyn std::error::Error>> {
    let arms = arms::parse(list, NonZeroUsize::MIN)?;
    let input = Uneven::input(MILLIS).map_err(|failure| failure.to_string())?;
    let compared: Result<_, CompareError> = Compare::new(Uneven::by(stretch), vec![input; INPUTS])
        .arms(arms)
        .run(|_| {});
    Ok(compared?.winner)
}
