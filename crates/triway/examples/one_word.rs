//! The promise: a task of your own runs under each model by changing one word, on worker processes too.

use std::{num::NonZeroUsize, thread, time::Duration};

use serde::{Deserialize, Serialize};
use triway::prelude::*;

/// Pretends to look a word up somewhere far away.
#[derive(Serialize, Deserialize)]
struct Lookup {
    delay: Duration,
}

impl Task for Lookup {
    type Input = String;
    type Output = usize;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), word: &String, _: &Context<'_>) -> Result<usize, Failure> {
        thread::sleep(self.delay);
        measure(word)
    }

    async fn run_async(
        &self,
        (): &mut (),
        word: &String,
        _: &Context<'_>,
    ) -> Result<usize, Failure> {
        tokio::time::sleep(self.delay).await;
        measure(word)
    }
}

fn measure(word: &str) -> Result<usize, Failure> {
    if word.is_empty() {
        return Err(Failure::bad_input("an empty word has no entry"));
    }
    Ok(word.chars().count())
}

#[expect(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    triway::init([triway::task::<Lookup>("lookup")]);
    let words = ["thread", "process", "", "async"].map(str::to_owned);
    for model in Model::ALL {
        let task = Lookup {
            delay: Duration::from_millis(20),
        };
        let done = Job::new(task, words.clone())
            .model(model)
            .concurrency(NonZeroUsize::MIN.saturating_add(3))
            .keep_order()
            .run()
            .wait()?;
        let lengths: Vec<_> = done.sink.iter().map(|outcome| outcome.output).collect();
        println!("{model}: {lengths:?}");
    }
    Ok(())
}
