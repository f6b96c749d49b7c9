//! The program that `triway advise TASK --code` writes, which puts the name, the model and the number in its place.

use std::{io, num::NonZeroUsize};

use serde::{Deserialize, Serialize};
use triway::prelude::*;

/// Put your task here: its value is its configuration, of which worker processes get a copy.
#[derive(Serialize, Deserialize)]
struct Mine;

impl Task for Mine {
    type Input = String;
    type Output = usize;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), line: &String, _: &Context<'_>) -> Result<usize, Failure> {
        Ok(line.len())
    }

    async fn run_async(
        &self,
        (): &mut (),
        line: &String,
        _: &Context<'_>,
    ) -> Result<usize, Failure> {
        Ok(line.len())
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Worker processes are this program started again; this line serves them, and comes before all others.
    triway::init([triway::task::<Mine>("mine")]);
    let inputs = io::stdin().lines().collect::<Result<Vec<String>, _>>()?;
    let lanes = NonZeroUsize::new(2).ok_or("one at once is the least")?;
    let done = Job::new(Mine, inputs)
        .model(Model::Processes)
        .concurrency(lanes)
        .run()
        .wait()?;
    println!("{} succeeded", done.summary.succeeded);
    Ok(())
}
