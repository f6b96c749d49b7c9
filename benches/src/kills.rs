//! Worker processes that are killed at random moments: what is lost, what runs twice, what it costs; and what becomes of
//! the same work on peers.

use std::{
    collections::BTreeMap,
    error::Error,
    fs::{self, OpenOptions},
    io::Write as _,
    num::NonZeroUsize,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Model, Plan, Task};
use triway_exec::Job;

const WORKERS: usize = 2;
/// Peers get so much less to do: some take the whole patience to do nothing.
const PEERS_SHARE: u64 = 10;
const PATIENCE_S: u64 = 120;
const PEERS: [&str; 4] = ["concurrent", "loky", "mpire", "pebble"];

/// Sleeps for a millisecond, and notes each execution in a file of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Nap {
    ledger: PathBuf,
}

impl Task for Nap {
    type Input = u64;
    type Output = u64;
    type Lane = Option<fs::File>;

    fn forms(&self) -> Forms {
        Forms::Blocking
    }

    fn run_blocking(
        &self,
        lane: &mut Option<fs::File>,
        input: &u64,
        context: &Context<'_>,
    ) -> Result<u64, Failure> {
        if lane.is_none() {
            let file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.ledger)?;
            *lane = Some(file);
        }
        if let Some(file) = lane {
            let line = format!("{} {}\n", context.index(), context.attempt());
            file.write_all(line.as_bytes())?;
        }
        thread::sleep(Duration::from_millis(1));
        Ok(*input)
    }
}

/// How a job went.
struct Went {
    wall: Duration,
    reported: BTreeMap<u64, u64>,
    failed: u64,
    executions: u64,
    kills: u64,
}

/// Prints both tables.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(count: u64, kills: u64, peers: &str) -> Result<(), Box<dyn Error>> {
    let calm = job(count, 0)?;
    let killed = job(count, kills)?;
    let lost = count - killed.reported.len() as u64;
    let twice = killed.reported.values().filter(|&&times| times > 1).count();
    println!(
        "| {count} inputs of 1 ms on {WORKERS} workers | undisturbed | workers killed at random |"
    );
    println!("|---|---|---|");
    println!("| kills | 0 | {} |", killed.kills);
    println!("| lost | {} | {lost} |", count - calm.reported.len() as u64);
    println!("| reported twice | 0 | {twice} |");
    println!("| failed | {} | {} |", calm.failed, killed.failed);
    println!(
        "| executions beyond one an input | {} | {} |",
        calm.executions - count,
        killed.executions - count
    );
    let (calm, killed) = (calm.wall.as_secs_f64(), killed.wall.as_secs_f64());
    println!(
        "| wall | {calm:.1} s | {killed:.1} s ({:.2}) |",
        killed / calm
    );

    let (count, kills) = (count / PEERS_SHARE, kills / PEERS_SHARE);
    println!(
        "\n| {count} inputs of 1 ms on {WORKERS} workers, {kills} kills | came back | given up | kills | took |"
    );
    println!("|---|---|---|---|---|");
    let went = job(count, kills)?;
    let came = went.reported.len() as u64 - went.failed;
    println!(
        "| triway | {came} | {} | {} | {:.1} s |",
        went.failed,
        went.kills,
        went.wall.as_secs_f64()
    );
    for peer in PEERS {
        println!("| {peer} | {} |", peer_row(peer, count, kills, peers)?);
    }
    Ok(())
}

fn peer_row(peer: &str, count: u64, kills: u64, peers: &str) -> Result<String, Box<dyn Error>> {
    let numbers = [count, kills, PATIENCE_S].map(|number| number.to_string());
    let python = Command::new(format!("{peers}/bin/python"))
        .args(["benches/peers/kills.py", peer])
        .args(numbers)
        .output();
    let Ok(output) = python else {
        return Ok(format!("not measured: no {peers}/bin/python | | |"));
    };
    let text = String::from_utf8(output.stdout)?;
    let Some(line) = text.lines().last() else {
        return Ok("it ended without a word | | |".to_owned());
    };
    let said: serde_json::Value = serde_json::from_str(line)?;
    let seconds = said["seconds"].as_f64().unwrap_or_default();
    Ok(match said["hung"].as_bool() {
        Some(true) => format!("hung | | {} | ended after {seconds:.0} s |", said["killed"]),
        _ => format!(
            "{} | {} | {} | {seconds:.1} s",
            said["done"], said["failed"], said["killed"]
        ),
    })
}

fn job(count: u64, kills: u64) -> Result<Went, Box<dyn Error>> {
    let ledger = std::env::temp_dir().join(format!("triway-kills-{}", std::process::id()));
    let task = Nap {
        ledger: ledger.clone(),
    };
    let lanes = NonZeroUsize::new(WORKERS).unwrap_or(NonZeroUsize::MIN);
    let mut plan = Plan::new(Model::Processes, lanes);
    // Who is killed from outside over and over is not to blame.
    plan.pool.crash_retries = u32::MAX;
    let over = Arc::new(AtomicBool::new(false));
    let killer = killer(count, kills, &over);
    let done = Job::new(task, 0..count).plan(plan).run().wait();
    over.store(true, Ordering::Relaxed);
    let kills = killer.join().unwrap_or_default();
    let done = done?;
    let mut reported = BTreeMap::new();
    for outcome in &done.sink {
        *reported.entry(outcome.index).or_default() += 1;
    }
    let executions = fs::read_to_string(&ledger)?.lines().count() as u64;
    fs::remove_file(ledger)?;
    Ok(Went {
        wall: done.summary.wall,
        reported,
        failed: done.summary.failed,
        executions,
        kills,
    })
}

/// Kills workers at random moments, spread over the time that the work takes.
fn killer(count: u64, kills: u64, over: &Arc<AtomicBool>) -> thread::JoinHandle<u64> {
    let over = Arc::clone(over);
    let pause = count * 1_000 / WORKERS as u64 / (kills + 1);
    thread::spawn(move || {
        let mut random = fastrand::Rng::with_seed(7);
        let mut killed = 0;
        while killed < kills && !over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_micros(random.u64(pause / 2..pause * 3 / 2)));
            if let Some(worker) = random.choice(workers())
                && kill_process(worker, Signal::KILL).is_ok()
            {
                killed += 1;
            }
        }
        killed
    })
}

/// The workers that this process has started.
fn workers() -> Vec<Pid> {
    let listed = all_children().unwrap_or_default();
    let numbers = listed.split_whitespace().filter_map(|pid| pid.parse().ok());
    numbers
        .filter(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm"));
            name.is_ok_and(|name| name.trim_end() == "triway-worker")
        })
        .filter_map(Pid::from_raw)
        .collect()
}

/// Children belong to the thread that started them.
fn all_children() -> std::io::Result<String> {
    let mut all = String::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let listed = fs::read_to_string(thread?.path().join("children"));
        all.push_str(&listed.unwrap_or_default());
    }
    Ok(all)
}
