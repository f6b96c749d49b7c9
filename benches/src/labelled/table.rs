//! What was found, as tables for people.

use super::{
    judge::{AS_GOOD, AUTO_LONGER, Measured, best},
    kept::{Found, Kept, Line},
    workloads::Workload,
};

/// Prints what advice was worth, and how many workloads passed in each run.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(super) fn advice(kept: &Kept, workloads: &[&Workload], runs: usize) {
    println!("\n| workload | label | found to be | advised | best | ratio | best takes | load |");
    println!("|---|---|---|---|---|---|---|---|");
    for workload in workloads {
        if let Some(row) = row(kept, workload) {
            println!("{row}");
        }
    }
    for run in 1..=runs {
        let ratios = workloads.iter().filter_map(|it| ratio(kept, it.name, run));
        let ratios: Vec<f64> = ratios.collect();
        let passed = ratios.iter().filter(|ratio| **ratio >= AS_GOOD).count();
        println!(
            "\nrun {run}: {passed} of {} reach {:.0} % of the best",
            ratios.len(),
            AS_GOOD * 100.0
        );
    }
}

fn row(kept: &Kept, workload: &Workload) -> Option<String> {
    let best = best(&kept.truth(workload.name)?)?;
    let mut lines: Vec<(usize, &Line)> = kept
        .of(workload.name)
        .filter_map(|line| match line.found {
            Found::Advice { run, .. } => Some((run, line)),
            _ => None,
        })
        .collect();
    lines.sort_by_key(|(run, _)| *run);
    let (mut characters, mut advised, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for (_, line) in &lines {
        if let Found::Advice {
            character,
            advised: setting,
            ratio,
            ..
        } = &line.found
        {
            characters.push(character.clone());
            advised.push(setting.map_or_else(|| "nothing".to_owned(), super::judge::Setting::arm));
            ratios.push(format!("{ratio:.2}"));
        }
    }
    Some(format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} |",
        workload.name,
        workload.label.words(),
        distinct(characters),
        distinct(advised),
        best.setting.arm(),
        ratios.join(", "),
        seconds(best),
        loads(lines.iter().map(|(_, line)| line.load)),
    ))
}

fn ratio(kept: &Kept, name: &str, wanted: usize) -> Option<f64> {
    kept.of(name).find_map(|line| match line.found {
        Found::Advice { run, ratio, .. } if run == wanted => Some(ratio),
        _ => None,
    })
}

/// Prints how larger jobs did under `-m auto`.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(super) fn auto(kept: &Kept, workloads: &[&Workload], runs: usize) {
    println!(
        "\n| workload | times its inputs | best | best takes | auto to best, each run | load |"
    );
    println!("|---|---|---|---|---|---|");
    let mut passed = vec![(0, 0); runs];
    for workload in workloads {
        let lines: Vec<&Line> = kept.of(workload.name).collect();
        let (mut ratios, mut loads_told, mut larger) = (Vec::new(), Vec::new(), (0, 0.0));
        for line in lines {
            if let Found::Auto {
                run,
                times,
                auto_s,
                best_s,
                ..
            } = line.found
            {
                let ratio = auto_s / best_s;
                ratios.push(format!("{ratio:.2}"));
                loads_told.push(line.load);
                larger = (times, best_s);
                if let Some((good, all)) = passed.get_mut(run.wrapping_sub(1)) {
                    *all += 1;
                    *good += usize::from(ratio <= AUTO_LONGER);
                }
            }
        }
        let truth = kept.truth(workload.name).and_then(|it| best(&it));
        if let (Some(best), false) = (truth, ratios.is_empty()) {
            println!(
                "| {} | {} | {} | {:.1} s | {} | {} |",
                workload.name,
                larger.0,
                best.setting.arm(),
                larger.1,
                ratios.join(", "),
                loads(loads_told.into_iter()),
            );
        }
    }
    for (run, (good, all)) in passed.iter().enumerate() {
        let run = run + 1;
        println!("\nrun {run}: {good} of {all} end within {AUTO_LONGER} times the best");
    }
}

/// Each once, in the order of the runs.
fn distinct(mut words: Vec<String>) -> String {
    words.dedup();
    words.join(", ")
}

fn seconds(best: Measured) -> String {
    format!("{:.2} s", best.total_s)
}

/// The least and the most.
fn loads(loads: impl Iterator<Item = f64> + Clone) -> String {
    let least = loads.clone().fold(f64::INFINITY, f64::min);
    let most = loads.fold(0.0, f64::max);
    match most - least < 0.1 {
        true => format!("{most:.1}"),
        false => format!("{least:.1} to {most:.1}"),
    }
}
