//! The promise: the same task, compared under every model, each trial in a fresh process, with a verdict.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use triway::prelude::*;

/// Waits without using the processor, as a request over the network would.
#[derive(Serialize, Deserialize)]
struct Wait;

impl Task for Wait {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), millis: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        std::thread::sleep(Duration::from_millis(*millis));
        Ok(*millis)
    }

    async fn run_async(&self, (): &mut (), millis: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        tokio::time::sleep(Duration::from_millis(*millis)).await;
        Ok(*millis)
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    triway::init([triway::task::<Wait>("wait")]);
    let arms = triway::arms::parse("sequential,threads@8,async@8", std::num::NonZeroUsize::MIN)?;
    let comparison = Compare::new(Wait, vec![5; 16]).arms(arms).run(|_| {})?;
    for arm in &comparison.models {
        println!(
            "{}: {} times the baseline",
            arm.id,
            arm.speedup.map_or(0.0, |speedup| speedup.median.round())
        );
    }
    println!("equal results: {}", comparison.results_equal);
    println!("{}", comparison.verdict);
    Ok(())
}
