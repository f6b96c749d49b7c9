//! Python functions under each model, beside the standard library's pools around the same functions.

use std::{
    collections::BTreeMap,
    error::Error,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use triway_core::{Model, Plan};
use triway_exec::Job;
use triway_measure::meter::Meter;
use triway_tasks::py::{Policy, Py, interpreter};

use crate::rounds::median;

const ROUNDS: usize = 7;
const INPUTS: u64 = 300_000;
const PEER_INPUTS: &str = "50000";
const NAPS: u64 = 200;
const BUSY: u64 = 2_000;

/// What a job took and what it cost.
struct Ran {
    /// Without start-up, in seconds.
    wall: f64,
    /// Processor time of this process alone, and of the workers, in seconds.
    own: f64,
    workers: f64,
}

/// Prints the tables; `python` is an interpreter, such as python3.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(python: &str) -> Result<(), Box<dyn Error>> {
    let functions = Functions::new(python)?;
    println!("| an empty function, {ROUNDS} rounds | µs an input | peer | µs an input | as fast |");
    println!("|---|---|---|---|---|");
    let contests = [
        ("nop", Model::Sequential, 1, ""),
        ("nop", Model::Threads, 2, "ThreadPoolExecutor.map"),
        ("nop", Model::Processes, 2, "Pool.imap"),
        ("nop_async", Model::Async, 50, "asyncio.gather"),
    ];
    let mut ours = vec![Vec::new(); contests.len()];
    let mut theirs: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for round in 0..=ROUNDS {
        let peers = functions.peers()?;
        for (at, (name, model, lanes, _)) in contests.iter().enumerate() {
            let ran = job(functions.task(name)?, *model, *lanes, INPUTS)?;
            if round > 0 {
                ours[at].push(ran.wall * 1e9 / to_float(INPUTS));
            }
        }
        if round > 0 {
            for (name, nanos) in peers {
                theirs.entry(name).or_default().push(nanos);
            }
        }
    }
    for ((_, model, lanes, peer), ours) in contests.iter().zip(&mut ours) {
        let own = median(ours) / 1e3;
        match theirs.get_mut(*peer) {
            None => println!("| {model}@{lanes} | {own:.2} | – | – | – |"),
            Some(peers) => {
                let other = median(peers) / 1e3;
                let times = other / own;
                println!("| {model}@{lanes} | {own:.2} | {peer} | {other:.2} | {times:.1} |");
            }
        }
    }
    naps(&functions)?;
    shares(&functions)
}

/// A wait of 20 ms, 200 inputs, 20 at once.
#[expect(clippy::print_stdout, reason = "as above")]
fn naps(functions: &Functions) -> Result<(), Box<dyn Error>> {
    println!(
        "\n| {NAPS} waits of 20 ms, 20 at once | seconds without start-up, median of {ROUNDS} | of 0.2 s |"
    );
    println!("|---|---|---|");
    for (name, model) in [
        ("nap", Model::Threads),
        ("nap", Model::Processes),
        ("nap_async", Model::Async),
        ("nap", Model::Hybrid),
        ("nap_async", Model::Hybrid),
    ] {
        let rounds = (0..ROUNDS).map(|_| Ok(job(functions.task(name)?, model, 20, NAPS)?.wall));
        let mut walls = rounds.collect::<Result<Vec<f64>, Box<dyn Error>>>()?;
        let wall = median(&mut walls);
        println!("| {name}, {model} | {wall:.4} | {:.3} |", wall / 0.2);
    }
    Ok(())
}

/// What the parent takes of the processor while workers compute.
#[expect(clippy::print_stdout, reason = "as above")]
fn shares(functions: &Functions) -> Result<(), Box<dyn Error>> {
    println!(
        "\n| {BUSY} inputs of 1 ms of processor time | parent's CPU, s | workers', s | share |"
    );
    println!("|---|---|---|---|");
    for (model, lanes) in [
        (Model::Sequential, 1),
        (Model::Threads, 2),
        (Model::Processes, 2),
    ] {
        let ran = job(functions.task("busy")?, model, lanes, BUSY)?;
        let share = ran.own / ran.workers * 100.0;
        println!(
            "| {model}@{lanes} | {:.3} | {:.3} | {share:.1} % |",
            ran.own, ran.workers
        );
    }
    Ok(())
}

fn job(task: Py, model: Model, lanes: usize, count: u64) -> Result<Ran, Box<dyn Error>> {
    let lanes = NonZeroUsize::new(lanes).unwrap_or(NonZeroUsize::MIN);
    let busy = task.policy().target.name() == "busy";
    let inputs = (0..count).map(move |n| {
        let text = if busy { "1".to_owned() } else { n.to_string() };
        Arc::<[u8]>::from(text.into_bytes())
    });
    let seen = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&seen);
    let meter = Meter::start()?;
    let own = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let finished = Job::new(task, inputs)
        .plan(Plan::new(model, lanes))
        .run_each(move |outcome| {
            counted.fetch_add(u64::from(outcome.is_ok()), Ordering::Relaxed);
            Ok(())
        })
        .wait()?;
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let own = Duration::try_from(spent)?.saturating_sub(Duration::try_from(own)?);
    if seen.load(Ordering::Relaxed) != count {
        return Err(format!("{model}: only {seen:?} of {count} succeeded").into());
    }
    Ok(Ran {
        wall: finished.summary.wall.as_secs_f64(),
        own: own.as_secs_f64(),
        workers: meter.read()?.cpu.saturating_sub(own).as_secs_f64(),
    })
}

/// The functions, and the interpreter that calls them on both sides.
struct Functions {
    python: PathBuf,
    path: PathBuf,
}

impl Functions {
    fn new(python: &str) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            python: interpreter(Some(Path::new(python)))?,
            path: Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/functions.py"),
        })
    }

    fn task(&self, name: &str) -> Result<Py, Box<dyn Error>> {
        let target = format!("{}:{name}", self.path.display()).parse()?;
        let mut policy = Policy::new(self.python.clone(), target);
        policy.is_async = name.ends_with("_async");
        Ok(Py::new(policy))
    }

    /// Nanoseconds an input of each of the standard library's pools.
    fn peers(&self) -> Result<Vec<(String, f64)>, Box<dyn Error>> {
        let mut command = Command::new(&self.python);
        let output = command.arg(&self.path).arg(PEER_INPUTS).output()?;
        let text = String::from_utf8(output.stdout)?;
        let read = |line: &str| {
            let (name, nanos) = line.rsplit_once(' ').ok_or("no figure")?;
            Ok((name.to_owned(), nanos.parse()?))
        };
        text.lines().map(read).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn to_float(count: u64) -> f64 {
    count as f64
}
