//! Whether memory grows with the number of inputs.

use std::{
    fs,
    io::{self, BufWriter, Write},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const COUNTS: [u64; 2] = [100_000, 10_000_000];

/// Prints the table.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(triway: &str) -> Result<(), Box<dyn std::error::Error>> {
    println!("| inputs from standard input into `run cpu --work none` | peak memory, KiB |");
    println!("|---|---|");
    for model in ["threads", "async"] {
        for count in COUNTS {
            println!("| {model}, {count} | {} |", peak_kib(triway, model, count)?);
        }
    }
    Ok(())
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
fn watch(child: &mut Child) -> Result<u64, Box<dyn std::error::Error>> {
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
