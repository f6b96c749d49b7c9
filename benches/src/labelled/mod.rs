//! The labelled set: is what `advise` says, and what `-m auto` does, as good as the best that can be measured?
//!
//! For each workload a full comparison says what is best. Then it is advised on, and what is advised runs beside the best.
//! Everything that was found goes to a file, if one is given, and a run that was interrupted goes on from there.

mod auto;
mod ground;
mod judge;
mod kept;
mod limited;
mod recorded;
mod table;
mod truth;
mod workloads;

use std::{error::Error, time::Instant};

use self::{
    auto::Raced,
    ground::Standing,
    judge::{Setting, best},
    kept::{Found, Kept, Line, load},
    workloads::{WORKLOADS, Workload},
};

/// What was typed.
struct Options {
    names: Vec<String>,
    runs: usize,
    triway: String,
    keep: Option<String>,
    record: Option<String>,
    auto: bool,
}

/// Measures and prints the table; options may stand anywhere among the names.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
pub(crate) fn run(words: &[String], triway: &str) -> Result<(), Box<dyn Error>> {
    let options = read(words, triway)?;
    let wanted = |it: &&Workload| {
        let named = options.names.iter().any(|name| it.name.contains(&**name));
        options.names.is_empty() || named
    };
    let workloads: Vec<&Workload> = WORKLOADS.iter().filter(wanted).collect();
    let mut kept = Kept::open(options.keep.clone())?;
    for workload in &workloads {
        // One that cannot be measured does not keep the others from it.
        if let Err(error) = measure(workload, &options, &mut kept) {
            println!("{}: {error}", workload.name);
        }
    }
    table::advice(&kept, &workloads, options.runs);
    if options.auto {
        table::auto(&kept, &workloads, options.runs);
    }
    Ok(())
}

fn read(words: &[String], triway: &str) -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        names: Vec::new(),
        runs: 3,
        triway: triway.to_owned(),
        keep: None,
        record: None,
        auto: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--runs" => options.runs = value()?.parse()?,
            "--triway" => value()?.clone_into(&mut options.triway),
            "--keep" => options.keep = Some(value()?.clone()),
            "--record" => options.record = Some(value()?.clone()),
            "--auto" => options.auto = true,
            name if name.starts_with('-') => return Err(format!("no option {name}").into()),
            name => options.names.push(name.to_owned()),
        }
    }
    Ok(options)
}

fn measure(workload: &Workload, options: &Options, kept: &mut Kept) -> Result<(), Box<dyn Error>> {
    let missing = |run: &usize| !kept.has_advice(workload.name, *run);
    let missing: Vec<usize> = (1..=options.runs).filter(missing).collect();
    if kept.truth(workload.name).is_none() || !missing.is_empty() {
        let standing = Standing::new(workload, &options.triway, 1)?;
        find_truth(workload, &standing, kept)?;
        for run in missing {
            advise(workload, &standing, options, (run, &mut *kept))?;
        }
    }
    if options.auto {
        race(workload, options, kept)?;
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn find_truth(
    workload: &Workload,
    standing: &Standing,
    kept: &mut Kept,
) -> Result<(), Box<dyn Error>> {
    if kept.truth(workload.name).is_some() {
        return Ok(());
    }
    let (load, began) = (load(), Instant::now());
    let measured = truth::find(standing, workload)?;
    for it in &measured {
        println!(
            "{}: {} {:.3} s",
            workload.name,
            it.setting.arm(),
            it.total_s
        );
    }
    kept.push(Line {
        workload: workload.name.to_owned(),
        load,
        seconds: began.elapsed().as_secs_f64(),
        found: Found::Truth { measured },
    })
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn advise(
    workload: &Workload,
    standing: &Standing,
    options: &Options,
    (run, kept): (usize, &mut Kept),
) -> Result<(), Box<dyn Error>> {
    let (load, began) = (load(), Instant::now());
    let truth = kept.truth(workload.name).unwrap_or_default();
    let best = best(&truth).ok_or("nothing is the best")?.setting;
    let (advice, probing_s) = truth::advice(standing)?;
    if let Some(folder) = &options.record {
        recorded::write(folder, (workload.name, run), &advice)?;
    }
    let advised = advice.recommendation;
    let advised = advised.map(|it| Setting::new(it.model, it.concurrency));
    let ratio = truth::beside(standing, best, advised)?;
    println!(
        "{} run {run}: {ratio:.2} after {probing_s:.1} s: {}",
        workload.name, advice.verdict
    );
    kept.push(Line {
        workload: workload.name.to_owned(),
        load,
        seconds: began.elapsed().as_secs_f64(),
        found: Found::Advice {
            run,
            character: advice.character.name().to_owned(),
            advised,
            ratio,
            probing_s,
        },
    })
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
fn race(workload: &Workload, options: &Options, kept: &mut Kept) -> Result<(), Box<dyn Error>> {
    let truth = kept.truth(workload.name).unwrap_or_default();
    let best = best(&truth).ok_or("nothing is the best")?;
    let mut times = auto::times(best);
    for run in 1..=options.runs {
        if kept.has_auto(workload.name, run) {
            continue;
        }
        let (load, began) = (load(), Instant::now());
        let race = |times| auto::race(workload, &options.triway, (best.setting, times), run);
        let mut raced = race(times)?;
        // What was found to be the best may have been found in a slower hour, and this one may become quicker.
        for _ in 0..2 {
            let Some(more) = auto::more(times, raced.best_s) else {
                break;
            };
            times = more;
            raced = race(times)?;
        }
        let Raced {
            auto_s,
            best_s,
            said,
        } = raced;
        println!(
            "{} run {run}: auto {auto_s:.2} s, {} {best_s:.2} s; {}",
            workload.name,
            best.setting.arm(),
            said.join("; ")
        );
        kept.push(Line {
            workload: workload.name.to_owned(),
            load,
            seconds: began.elapsed().as_secs_f64(),
            found: Found::Auto {
                run,
                times,
                auto_s,
                best_s,
                said,
            },
        })?;
    }
    Ok(())
}
