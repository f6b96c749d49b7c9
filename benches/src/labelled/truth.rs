//! What is best for a workload, measured; and what advice on it is worth.

use std::{error::Error, time::Duration};

use triway_measure::{advise::Advice, report::Comparison};

use super::{
    ground::Standing,
    judge::{self, Measured, Setting},
    limited,
    workloads::Workload,
};

/// How long the first look at all settings may take, each half of it.
const LOOK: &str = "10s";
/// Rounds of whole jobs.
const ROUNDS: &str = "3";
/// How long advice may probe.
const BUDGET: &str = "10s";
/// No command takes longer, or something is wrong.
const LIMIT: Duration = Duration::from_secs(300);
/// What is advised ends within its budget and what it takes to stop.
const ADVICE_LIMIT: Duration = Duration::from_secs(60);

/// The settings that were measured whole, the best first.
pub(super) fn find(
    standing: &Standing,
    workload: &Workload,
) -> Result<Vec<Measured>, Box<dyn Error>> {
    let mut looked = Vec::new();
    for part in judge::ladder(workload.most, workload.count) {
        if !part.is_empty() {
            let options = ["--rounds", "1", "--budget", LOOK];
            looked.extend(judge::sound(&compare(standing, &part, &options)?));
        }
    }
    let finalists = judge::finalists(looked);
    if finalists.is_empty() {
        return Err("no setting could be ranked".into());
    }
    let options = ["--rounds", ROUNDS, "--budget", "none"];
    let mut measured = judge::sound(&compare(standing, &finalists, &options)?);
    measured.sort_by(|one, other| one.total_s.total_cmp(&other.total_s));
    Ok(measured)
}

/// The advice, and how long it took to come by.
pub(super) fn advice(standing: &Standing) -> Result<(Advice, f64), Box<dyn Error>> {
    let words = ["advise", "--budget", BUDGET, "--format", "json", "-q"];
    let ended = limited::run(&standing.command(&words)?, ADVICE_LIMIT)?;
    Ok((serde_json::from_str(&ended.stdout)?, ended.seconds))
}

/// The best's total over that of what is advised.
pub(super) fn beside(
    standing: &Standing,
    best: Setting,
    advised: Option<Setting>,
) -> Result<f64, Box<dyn Error>> {
    match advised {
        None => Ok(0.0),
        Some(advised) if advised == best => Ok(1.0),
        Some(advised) => {
            let options = ["--rounds", ROUNDS, "--budget", "none"];
            let side = compare(standing, &[best, advised], &options)?;
            Ok(judge::ratio(&side, best, advised))
        }
    }
}

fn compare(
    standing: &Standing,
    arms: &[Setting],
    options: &[&str],
) -> Result<Comparison, Box<dyn Error>> {
    let arms: Vec<String> = arms.iter().map(|it| it.arm()).collect();
    let arms = arms.join(",");
    let words = ["compare", "--format", "json", "-q", "--models", &arms];
    let ended = limited::run(&standing.command(&[&words[..], options].concat())?, LIMIT)?;
    Ok(serde_json::from_str(&ended.stdout)?)
}
