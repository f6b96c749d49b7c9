//! Jobs of ten seconds under `-m auto`, beside the best fixed choice: wall times of the whole command.

use std::{error::Error, time::Duration};

use super::{
    ground::Standing,
    judge::{Measured, Setting},
    limited,
    workloads::Workload,
};

/// How long the best takes at least.
const WANTED_S: f64 = 10.0;
/// No job is made larger than so many times: its inputs must be written down.
const MOST_TIMES: u64 = 200;
const LIMIT: Duration = Duration::from_secs(300);

/// How many times the workload's inputs take the best ten seconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a factor from 1 to two hundred"
)]
pub(super) fn times(best: Measured) -> u64 {
    let times = (WANTED_S / best.total_s.max(1e-3)).ceil();
    (times as u64).clamp(1, MOST_TIMES)
}

/// How many times more, where the best took clearly less than that; a little more than it takes, for it differs.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a factor from 1 to two hundred"
)]
pub(super) fn more(times: u64, best_s: f64) -> Option<u64> {
    let more = (1.1 * times as f64 * WANTED_S / best_s.max(0.1)).ceil() as u64;
    let more = more.min(MOST_TIMES);
    (best_s < 0.95 * WANTED_S && more > times).then_some(more)
}

/// A job under `-m auto`, and under the best.
pub(super) struct Raced {
    pub(super) auto_s: f64,
    pub(super) best_s: f64,
    /// What `-m auto` said of its choice.
    pub(super) said: Vec<String>,
}

/// Who goes first changes from run to run.
pub(super) fn race(
    workload: &Workload,
    triway: &str,
    (best, times): (Setting, u64),
    run: usize,
) -> Result<Raced, Box<dyn Error>> {
    let standing = Standing::new(workload, triway, times)?;
    let lanes = best.concurrency.to_string();
    let model = best.model.to_string();
    let fixed = ["-m", &model, "-c", &lanes];
    let measured = ["-m", "auto"];
    let ran = |choice: &[&str]| {
        let words = ["run", "--format", "jsonl", "-o", "/dev/null"];
        let command = standing.command(&[&words[..], choice].concat())?;
        limited::run(&command, LIMIT)
    };
    let (auto, fixed) = match run % 2 {
        0 => {
            let auto = ran(&measured)?;
            (auto, ran(&fixed)?)
        }
        _ => {
            let fixed = ran(&fixed)?;
            (ran(&measured)?, fixed)
        }
    };
    let said = auto.stderr.lines().filter(|it| it.starts_with("auto: "));
    Ok(Raced {
        auto_s: auto.seconds,
        best_s: fixed.seconds,
        said: said.map(str::to_owned).collect(),
    })
}
