//! The promise: a job can be awaited inside an existing tokio runtime, and stopped by the caller's own token. This
//! task has an async form alone.

use std::time::Duration;

use triway::prelude::*;

/// Waits for as long as it is told.
struct Wait;

impl Task for Wait {
    type Input = Duration;
    type Output = Duration;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Async
    }

    async fn run_async(
        &self,
        (): &mut (),
        time: &Duration,
        _: &Context<'_>,
    ) -> Result<Duration, Failure> {
        tokio::time::sleep(*time).await;
        Ok(*time)
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it did")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let short = vec![Duration::from_millis(5); 20];
    let done = Job::new(Wait, short).model(Model::Async).run().await?;
    println!(
        "{} of {} succeeded",
        done.summary.succeeded, done.summary.admitted
    );

    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.cancel();
    });
    let endless = vec![Duration::from_secs(3600); 4];
    let done = Job::new(Wait, endless)
        .model(Model::Async)
        .cancel_on(token)
        .run()
        .await?;
    println!(
        "{} of {} cancelled",
        done.summary.cancelled, done.summary.admitted
    );
    Ok(())
}
