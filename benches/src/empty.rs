//! A task that does nothing: what is left is the cost of handing an input over and its outcome back.

use std::{
    hint::black_box,
    num::NonZeroUsize,
    thread,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Model, Task};
use triway_exec::Job;

use crate::rounds::{Contestant, nanos_per_input};

const ROUNDS: usize = 7;
const LANES: usize = 2;

/// Gives its input back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Nothing;

impl Task for Nothing {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(&self, (): &mut (), input: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        Ok(black_box(*input))
    }

    async fn run_async(&self, (): &mut (), input: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        Ok(black_box(*input))
    }
}

const CONTESTANTS: [Contestant; 8] = [
    Contestant {
        name: "triway sequential",
        inputs: 2_000_000,
        run: |n| job(Model::Sequential, n),
    },
    Contestant {
        name: "triway threads",
        inputs: 2_000_000,
        run: |n| job(Model::Threads, n),
    },
    Contestant {
        name: "triway async",
        inputs: 2_000_000,
        run: |n| job(Model::Async, n),
    },
    Contestant {
        name: "triway processes",
        inputs: 2_000_000,
        run: |n| job(Model::Processes, n),
    },
    Contestant {
        name: "crossbeam channels, in and out (no outcome record)",
        inputs: 1_000_000,
        run: crossbeam,
    },
    Contestant {
        name: "rayon par_iter, collect (no outcome record)",
        inputs: 2_000_000,
        run: rayon,
    },
    Contestant {
        name: "tokio buffer_unordered(64) (no outcome record)",
        inputs: 1_000_000,
        run: buffer_unordered,
    },
    Contestant {
        name: "tokio JoinSet, a task an input (no outcome record)",
        inputs: 500_000,
        run: join_set,
    },
];

/// Prints the table, or those of its rows whose name has `only`.
pub(crate) fn run(only: &str) {
    let mut contestants = CONTESTANTS.to_vec();
    contestants.retain(|contestant| contestant.name.contains(only));
    println!("| an empty task, {LANES} lanes, {ROUNDS} rounds | ns an input |");
    println!("|---|---|");
    for (contestant, nanos) in contestants
        .iter()
        .zip(nanos_per_input(&contestants, ROUNDS))
    {
        println!("| {} | {nanos:.0} |", contestant.name);
    }
}

/// With two time stamps an input, and its whole outcome delivered to the caller's closure.
fn job(model: Model, inputs: u64) -> Duration {
    let lanes = NonZeroUsize::new(LANES).unwrap_or(NonZeroUsize::MIN);
    let began = Instant::now();
    let done = Job::new(Nothing, 0..inputs)
        .model(model)
        .concurrency(lanes)
        .run_each(|outcome| {
            black_box(outcome);
            Ok(())
        })
        .wait();
    let took = began.elapsed();
    match done {
        Ok(done) => assert_eq!(done.summary.succeeded, inputs),
        Err(refusal) => println!("{model}: {refusal}"),
    }
    took
}

fn crossbeam(inputs: u64) -> Duration {
    let began = Instant::now();
    let (send, receive) = crossbeam_channel::bounded::<u64>(1024);
    let (send_back, receive_back) = crossbeam_channel::bounded::<u64>(1024);
    thread::scope(|scope| {
        for _ in 0..LANES {
            let (receive, send_back) = (receive.clone(), send_back.clone());
            scope.spawn(move || {
                receive
                    .iter()
                    .try_for_each(|n| send_back.send(black_box(n)))
            });
        }
        drop((receive, send_back));
        scope.spawn(move || (0..inputs).try_for_each(|n| send.send(n)));
        black_box(receive_back.iter().sum::<u64>());
    });
    began.elapsed()
}

fn rayon(inputs: u64) -> Duration {
    let began = Instant::now();
    black_box(
        (0..inputs)
            .into_par_iter()
            .map(black_box)
            .collect::<Vec<_>>(),
    );
    began.elapsed()
}

fn buffer_unordered(inputs: u64) -> Duration {
    on_tokio(async move {
        let tasks = futures_util::stream::iter(0..inputs).map(|n| async move { black_box(n) });
        black_box(tasks.buffer_unordered(64).count().await);
    })
}

fn join_set(inputs: u64) -> Duration {
    on_tokio(async move {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..inputs {
            tasks.spawn(async move { black_box(n) });
        }
        while tasks.join_next().await.is_some() {}
    })
}

fn on_tokio(work: impl Future<Output = ()>) -> Duration {
    let began = Instant::now();
    match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(LANES)
        .build()
    {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => println!("no runtime: {error}"),
    }
    began.elapsed()
}
