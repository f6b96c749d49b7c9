//! Commands that do nothing: what it costs to start one, keep its output and tell of its end, beside xargs and GNU
//! parallel.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use crate::{
    BINARY,
    rounds::{Contestant, nanos_per_input},
};

const ROUNDS: usize = 7;

/// The inputs, one a line.
static INPUTS: OnceLock<PathBuf> = OnceLock::new();

const XARGS: &str = "xargs -P2 -n1 true (keeps no output)";

/// What is compared; how many inputs there are is said when it runs.
const CONTESTANTS: [Contestant; 6] = [
    Contestant {
        name: XARGS,
        inputs: 0,
        run: |_| took(Command::new("xargs").args(["-P2", "-n1", "true"])),
    },
    Contestant {
        name: "triway, async",
        inputs: 0,
        run: |_| triway("async"),
    },
    Contestant {
        name: "triway, threads",
        inputs: 0,
        run: |_| triway("threads"),
    },
    Contestant {
        name: "triway, sequential",
        inputs: 0,
        run: |_| triway("sequential"),
    },
    Contestant {
        name: "xargs -n1 true (keeps no output)",
        inputs: 0,
        run: |_| took(Command::new("xargs").args(["-n1", "true"])),
    },
    Contestant {
        name: PARALLEL,
        inputs: 0,
        run: |_| took(Command::new("parallel").args(["-j2", "true"])),
    },
];

const PARALLEL: &str = "GNU parallel -j2 true";

/// Prints the table.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("triway-sh-{}", std::process::id()));
    let mut file = File::create(&path)?;
    (0..count).try_for_each(|n| writeln!(file, "{n}"))?;
    let path = INPUTS.get_or_init(|| path);
    let mut contestants = CONTESTANTS.to_vec();
    contestants.retain(|one| one.name != PARALLEL || is_there("parallel"));
    for contestant in &mut contestants {
        contestant.inputs = count;
    }
    let figures = nanos_per_input(&contestants, ROUNDS);
    let xargs = figures.first().copied().unwrap_or(f64::NAN);
    println!("| `true` on {count} inputs, {ROUNDS} rounds | µs a command | of xargs -P2 |");
    println!("|---|---|---|");
    for (contestant, nanos) in contestants.iter().zip(&figures) {
        let name = contestant.name;
        println!("| {name} | {:.0} | {:.2} |", nanos / 1e3, nanos / xargs);
    }
    std::fs::remove_file(path)?;
    Ok(())
}

/// With an outcome a command, its output kept, written down.
fn triway(model: &str) -> Duration {
    let lanes = if model == "sequential" { "1" } else { "2" };
    let mut command = Command::new(BINARY);
    command.args(["run", "sh", "true", "-", "-q", "--format", "jsonl"]);
    took(command.args(["-m", model, "-c", lanes]))
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn took(command: &mut Command) -> Duration {
    let inputs = INPUTS
        .get()
        .map_or(Path::new("/dev/null"), PathBuf::as_path);
    let Ok(inputs) = File::open(inputs) else {
        return Duration::ZERO;
    };
    let began = Instant::now();
    let ended = command.stdin(inputs).stdout(Stdio::null()).status();
    let took = began.elapsed();
    if !ended.as_ref().is_ok_and(std::process::ExitStatus::success) {
        println!("{command:?}: {ended:?}");
    }
    took
}

fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    let ended = command.arg("--version").stdout(Stdio::null()).status();
    ended.is_ok_and(|status| status.success())
}
