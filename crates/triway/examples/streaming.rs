//! The promise: inputs and outcomes stream through in bounded memory, in order where asked, with a time limit and
//! retries. This task has a blocking form alone, and keeps state in its lane.

use std::{num::NonZeroUsize, time::Duration};

use triway::prelude::*;

/// Formats numbers into a buffer that each lane keeps.
struct Format;

impl Task for Format {
    type Input = u64;
    type Output = usize;
    type Lane = String;

    fn forms(&self) -> Forms {
        Forms::Blocking
    }

    fn run_blocking(
        &self,
        buffer: &mut String,
        n: &u64,
        context: &Context<'_>,
    ) -> Result<usize, Failure> {
        if n.is_multiple_of(100_000) && context.attempt() == 1 {
            return Err(Failure::new(
                FailureKind::new("unlucky"),
                "fails the first time",
            ));
        }
        buffer.clear();
        std::fmt::Write::write_fmt(buffer, format_args!("{n:>20}"))?;
        Ok(buffer.len())
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut expected = 0;
    let mut retried = 0;
    let done = Job::new(Format, 0..1_000_000)
        .concurrency(NonZeroUsize::MIN.saturating_add(1))
        .timeout(Duration::from_secs(5))
        .retries(2)
        .keep_order()
        .run_each(move |outcome| {
            if outcome.index != expected {
                return Err(std::io::Error::other("out of order"));
            }
            expected += 1;
            retried += u32::from(outcome.attempts > 1);
            if outcome.index == 999_999 {
                println!("{retried} inputs were retried");
            }
            Ok(())
        })
        .wait()?;
    println!("{} succeeded, in order", done.summary.succeeded);
    Ok(())
}
