//! What worker processes cost: to start them, to hand over one input and large ones.

use std::{
    error::Error,
    hint::black_box,
    io::{Read as _, Write as _},
    num::NonZeroUsize,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Model, Task};
use triway_exec::{Blob, Job};

use crate::{empty::Nothing, rounds::median};

const ROUNDS: usize = 7;
const ROUND_TRIPS: u64 = 20_000;
const STARTS: usize = 21;
const PAYLOADS: usize = 16;
const PAYLOAD_BYTES: usize = 8_000_000;

/// The argument that makes this program answer each message on its standard input.
pub(crate) const ECHO: &str = "--echo";

/// Reads every byte.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Sum;

impl Task for Sum {
    type Input = Blob;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Blocking
    }

    fn run_blocking(&self, (): &mut (), input: &Blob, _: &Context<'_>) -> Result<u64, Failure> {
        // By words, so that reading is what it costs and not adding.
        let (words, rest) = input.as_chunks::<8>();
        let words = words.iter().map(|word| u64::from_ne_bytes(*word));
        let rest = rest.iter().map(|&byte| u64::from(byte));
        Ok(words.chain(rest).fold(0, u64::wrapping_add))
    }

    fn input_bytes(&self, input: &Blob) -> usize {
        input.len()
    }
}

/// Prints the tables, or the one of start, trip and payload that `only` names; a Python for the peer is in `peers`/bin.
pub(crate) fn run(peers: &str, only: &str) -> Result<(), Box<dyn Error>> {
    if "start".contains(only) {
        starts();
    }
    if "trip".contains(only) {
        trips()?;
    }
    if "payload".contains(only) {
        payloads(peers)?;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn starts() {
    println!("| {STARTS} starts of a pool | median |");
    println!("|---|---|");
    for model in [Model::Processes, Model::Hybrid] {
        let mut took: Vec<f64> = (0..STARTS).map(|_| start_ms(model)).collect();
        let took = median(&mut took);
        println!("| 2 worker processes, {model} | {took:.1} ms |");
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn trips() -> Result<(), Box<dyn Error>> {
    println!(
        "| one input there and back, {ROUNDS} rounds of {ROUND_TRIPS} | µs | of the bare pair |"
    );
    println!("|---|---|---|");
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(bare_round_trip()?);
        ours.push(round_trip());
    }
    let mut ratios: Vec<f64> = ours
        .iter()
        .zip(&bare)
        .map(|(ours, bare)| ours / bare)
        .collect();
    let (bare, ours) = (median(&mut bare), median(&mut ours));
    println!("| a bare socket pair | {bare:.2} | 1.00 |");
    println!(
        "| triway, a record an input | {ours:.2} | {:.2} |",
        median(&mut ratios)
    );
    Ok(())
}

fn start_ms(model: Model) -> f64 {
    let lanes = NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN);
    let job = Job::new(Nothing, 0..100u64).model(model).concurrency(lanes);
    job.run()
        .wait()
        .map_or(f64::NAN, |done| done.summary.startup.as_secs_f64() * 1e3)
}

/// Microseconds.
#[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
fn round_trip() -> f64 {
    let mut job = Job::new(Nothing, 0..ROUND_TRIPS)
        .model(Model::Processes)
        .concurrency(NonZeroUsize::MIN);
    job = job.batch(NonZeroUsize::MIN);
    let done = job.run_each(|outcome| {
        black_box(outcome);
        Ok(())
    });
    done.wait().map_or(f64::NAN, |done| {
        done.summary.wall.as_secs_f64() * 1e6 / ROUND_TRIPS as f64
    })
}

#[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
fn bare_round_trip() -> Result<f64, Box<dyn Error>> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut child = Command::new("/proc/self/exe")
        .arg(ECHO)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .spawn()?;
    let mut message = [7; 16];
    ours.write_all(&message)?;
    ours.read_exact(&mut message)?;
    let began = Instant::now();
    for _ in 0..ROUND_TRIPS {
        ours.write_all(&message)?;
        ours.read_exact(&mut message)?;
    }
    let took = began.elapsed();
    drop(ours);
    child.wait()?;
    Ok(took.as_secs_f64() * 1e6 / ROUND_TRIPS as f64)
}

/// The other end of the bare pair.
pub(crate) fn echo() -> Result<(), Box<dyn Error>> {
    use std::os::fd::AsFd as _;
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let mut message = [0; 16];
    while socket.read_exact(&mut message).is_ok() {
        socket.write_all(&message)?;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
#[expect(clippy::cast_precision_loss, reason = "sizes far below 2^53")]
fn payloads(peers: &str) -> Result<(), Box<dyn Error>> {
    let bytes = (PAYLOADS * PAYLOAD_BYTES) as f64;
    let mut ours: Vec<f64> = (0..ROUNDS)
        .map(|_| hand_over_payloads().as_secs_f64())
        .collect();
    let ours = median(&mut ours);
    println!(
        "\n| {PAYLOADS} payloads of 8 MB to 2 processes, {ROUNDS} rounds | GB/s | of the Pool |"
    );
    println!("|---|---|---|");
    let rate = |seconds: f64| bytes / seconds / 1e9;
    let python = Command::new(format!("{peers}/bin/python"))
        .args(["benches/peers/pool.py", &ROUNDS.to_string()])
        .output();
    match python {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8(output.stdout)?;
            let mut took: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
            let theirs = median(&mut took);
            println!(
                "| multiprocessing.Pool, no byte read | {:.2} | 1.00 |",
                rate(theirs)
            );
            println!(
                "| triway, every byte read | {:.2} | {:.2} |",
                rate(ours),
                theirs / ours
            );
        }
        _ => {
            println!("| multiprocessing.Pool | not measured: no {peers}/bin/python | |");
            println!("| triway, every byte read | {:.2} | |", rate(ours));
        }
    }
    Ok(())
}

/// With the copy into shared memory, without the workers' start.
fn hand_over_payloads() -> Duration {
    let block = |n: usize| Blob::from(vec![u8::try_from(n % 256).unwrap_or(0); PAYLOAD_BYTES]);
    let inputs: Vec<Blob> = (0..PAYLOADS).map(block).collect();
    let lanes = NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN);
    let done = Job::new(Sum, inputs)
        .model(Model::Processes)
        .concurrency(lanes)
        .run()
        .wait();
    done.map_or(Duration::MAX, |done| {
        assert_eq!(done.summary.succeeded as usize, PAYLOADS);
        done.summary.wall
    })
}
