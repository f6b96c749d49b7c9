//! The promise: a job with a journal goes on where it ended, under another model if you like, and does nothing twice.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use triway::{
    journal::{Journal, Opening},
    prelude::*,
};

/// Counts how often it was executed, which is no part of its configuration.
#[derive(Default, Serialize, Deserialize)]
struct Square {
    #[serde(skip)]
    executed: AtomicU64,
}

impl Task for Square {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), n: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        self.executed.fetch_add(1, Ordering::Relaxed);
        Ok(n * n)
    }

    async fn run_async(&self, (): &mut (), n: &u64, context: &Context<'_>) -> Result<u64, Failure> {
        self.run_blocking(&mut (), n, context)
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("triway-resumed-{}", std::process::id()));
    for (model, inputs) in [(Model::Threads, 0..5), (Model::Async, 0..8)] {
        let task = Square::default();
        let opening = Opening {
            resume: true,
            ..Opening::default()
        };
        let journal = Journal::open(&path, "square", &task, opening)?;
        let job = Job::new(task, inputs).model(model).keep_order();
        let done = job.journal(journal)?.run().wait()?;
        let squares: Vec<_> = done.sink.iter().filter_map(|it| it.output).collect();
        let earlier = done.summary.earlier;
        println!("{model}: {squares:?}, {earlier} of them from the journal");
    }
    std::fs::remove_file(path)?;
    Ok(())
}
