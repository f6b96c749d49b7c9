//! Whether memory grows with the number of inputs.

use std::{
    fs,
    io::{self, BufWriter, Write},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const ROUNDS: usize = 5;
const COUNTS: [u64; 2] = [100_000, 10_000_000];

/// Prints the table.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
#[expect(clippy::cast_precision_loss, reason = "peaks are far below 2^53")]
pub(crate) fn run(triway: &str) -> Result<(), Box<dyn std::error::Error>> {
    let [few, many] = COUNTS;
    println!(
        "| standard input into `run cpu --work none`, {ROUNDS} rounds | {few} inputs | {many} inputs | ratio |"
    );
    println!("|---|---|---|---|");
    for model in ["threads", "async"] {
        let mut peaks = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (peaks, count) in peaks.iter_mut().zip(COUNTS) {
                peaks.push(peak_kib(triway, model, count)?);
            }
        }
        let [few, many] = peaks.map(median);
        let ratio = many as f64 / few as f64;
        println!("| {model}, peak memory | {few} KiB | {many} KiB | {ratio:.3} |");
    }
    Ok(())
}

fn median(mut figures: Vec<u64>) -> u64 {
    figures.sort_unstable();
    figures[figures.len() / 2]
}

fn peak_kib(triway: &str, model: &str, count: u64) -> Result<u64, Box<dyn std::error::Error>> {
    let mut child = Command::new(triway)
        .args([
            "run", "cpu", "--work", "none", "-m", model, "-q", "--format", "jsonl", "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let input = child.stdin.take().ok_or("standard input is piped")?;
    let writer = thread::spawn(move || write(input, count));
    let peak = watch(&mut child)?;
    writer.join().map_err(|_| "the writer panicked")??;
    Ok(peak)
}

fn write(into: impl Write, count: u64) -> io::Result<()> {
    let mut into = BufWriter::new(into);
    for n in 0..count {
        writeln!(into, "{n}")?;
    }
    into.flush()
}

/// The peak never falls, so the last reading before the end is the one that counts.
pub(crate) fn watch(child: &mut Child) -> Result<u64, Box<dyn std::error::Error>> {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kib) = line.and_then(|line| line.trim().strip_suffix(" kB")) {
            peak = kib.trim().parse()?;
        }
        if let Some(status) = child.try_wait()? {
            return if status.success() {
                Ok(peak)
            } else {
                Err(format!("triway: {status}").into())
            };
        }
        thread::sleep(Duration::from_millis(5));
    }
}
