//! How long the command line takes to begin, and how large it is.

use std::{
    fs,
    process::{Command, Stdio},
    time::Instant,
};

const RUNS: usize = 51;

/// Prints the table.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
#[expect(clippy::cast_precision_loss, reason = "a size in MB needs few digits")]
pub(crate) fn run(triway: &str) -> Result<(), Box<dyn std::error::Error>> {
    println!("| start, {RUNS} runs | |");
    println!("|---|---|");
    println!(
        "| `triway --version` | {:.2} ms |",
        median_ms(triway, "--version")?
    );
    println!("| `/bin/true` | {:.2} ms |", median_ms("/bin/true", "x")?);
    println!(
        "| release binary | {:.1} MB |",
        fs::metadata(triway)?.len() as f64 / 1e6
    );
    Ok(())
}

fn median_ms(program: &str, argument: &str) -> Result<f64, Box<dyn std::error::Error>> {
    let mut took = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let status = Command::new(program)
            .arg(argument)
            .stdout(Stdio::null())
            .status()?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
        if !status.success() {
            return Err(format!("{program}: {status}").into());
        }
    }
    took.sort_by(f64::total_cmp);
    Ok(took[took.len() / 2])
}
