//! Square roots: on one core beside a plain loop and numpy, on two beside two loops that know nothing of each other.

use std::{
    hint::black_box,
    num::NonZeroUsize,
    process::Command,
    sync::{OnceLock, atomic::AtomicBool},
    thread,
    time::{Duration, Instant},
};

use triway_core::{Context, Model, Task};
use triway_exec::Job;
use triway_tasks::cpu::{Amount, Cpu, Work};

use crate::rounds::{Contestant, nanos_per_input};

const ROUNDS: usize = 7;
/// Numbers of one input on one core.
const ONE: u64 = 100_000_000;
/// Numbers of one input on two.
const EACH: u64 = 400_000_000;

/// The Python that knows numpy.
static PYTHON: OnceLock<String> = OnceLock::new();

const ON_ONE: [Contestant; 3] = [
    Contestant {
        name: "a loop of 16 accumulators, as the compiler has it",
        inputs: 4,
        run: |inputs| timed(|| (0..inputs).map(|_| plain_loop(ONE)).sum::<f64>()),
    },
    Contestant {
        name: "triway sequential",
        inputs: 4,
        run: |inputs| job(Model::Sequential, 1, ONE, inputs),
    },
    Contestant {
        name: "numpy, a million at a time",
        inputs: 1,
        run: |_| numpy(),
    },
];

const ON_TWO: [Contestant; 3] = [
    Contestant {
        name: "two threads that call the load and nothing else",
        inputs: 8,
        run: |inputs| timed(|| alone(inputs)),
    },
    Contestant {
        name: "triway threads",
        inputs: 8,
        run: |inputs| job(Model::Threads, 2, EACH, inputs),
    },
    Contestant {
        name: "triway processes",
        inputs: 8,
        run: |inputs| job(Model::Processes, 2, EACH, inputs),
    },
];

/// Prints both tables. `peers` is a folder whose `bin/python` may know numpy.
pub(crate) fn run(peers: &str) {
    let python = format!("{peers}/bin/python");
    let knows = Command::new(&python).args(["-c", "import numpy"]).status();
    let there = knows.is_ok_and(|status| status.success());
    if !there {
        println!("{python} knows no numpy\n");
    }
    PYTHON.get_or_init(|| python);
    let on_one = &ON_ONE[..if there { 3 } else { 2 }];
    table("square roots to 10^8 on one core", on_one);
    println!();
    table("8 inputs to 4·10^8 on two", &ON_TWO);
}

fn table(title: &str, contestants: &[Contestant]) {
    println!("| {title}, {ROUNDS} rounds | ms an input | of the first |");
    println!("|---|---|---|");
    let nanos = nanos_per_input(contestants, ROUNDS);
    for (contestant, nanos_each) in contestants.iter().zip(&nanos) {
        let (name, ratio) = (contestant.name, nanos_each / nanos[0]);
        println!("| {name} | {:.1} | {ratio:.3} |", nanos_each / 1e6);
    }
}

fn timed<R>(run: impl FnOnce() -> R) -> Duration {
    let began = Instant::now();
    black_box(run());
    began.elapsed()
}

/// The wall time of a job without its start-up.
fn job(model: Model, lanes: usize, n: u64, inputs: u64) -> Duration {
    let amounts = (0..inputs).map(move |_| Amount::Number(n));
    let done = Job::new(Cpu::new(Work::Sqrt), amounts)
        .model(model)
        .concurrency(NonZeroUsize::new(lanes).unwrap_or(NonZeroUsize::MIN))
        .run_each(|outcome| {
            black_box(outcome);
            Ok(())
        })
        .wait();
    done.map_or(Duration::MAX, |done| done.summary.wall)
}

fn alone(inputs: u64) {
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let cancelled = AtomicBool::new(false);
                let context = Context::new(0, 1, None, &cancelled);
                for _ in 0..inputs / 2 {
                    let task = Cpu::new(Work::Sqrt);
                    let amount = Amount::Number(black_box(EACH));
                    let _roots = black_box(task.run_blocking(&mut (), &amount, &context));
                }
            });
        }
    });
}

/// What somebody writes who knows that one accumulator waits for each addition.
#[expect(clippy::cast_precision_loss, reason = "there are sixteen lanes")]
fn plain_loop(n: u64) -> f64 {
    let mut sums = [0.0_f64; 16];
    let mut numbers: [f64; 16] = std::array::from_fn(|lane| lane as f64);
    for _ in 0..black_box(n) / 16 {
        for (sum, number) in sums.iter_mut().zip(&mut numbers) {
            *sum += number.sqrt();
            *number += 16.0;
        }
    }
    sums.iter().sum()
}

fn numpy() -> Duration {
    const SCRIPT: &str = "
import numpy, time
began = time.perf_counter()
total = 0.0
for first in range(0, 10**8, 10**6):
    total += numpy.sqrt(numpy.arange(first, first + 10**6, dtype=numpy.float64)).sum()
print(time.perf_counter() - began)";
    let python = PYTHON.get().map_or("python3", String::as_str);
    let told = Command::new(python).args(["-c", SCRIPT]).output();
    let seconds = told.ok().and_then(|told| {
        let text = String::from_utf8(told.stdout).ok()?;
        text.trim().parse().ok()
    });
    Duration::from_secs_f64(seconds.unwrap_or(f64::NAN).max(0.0))
}
