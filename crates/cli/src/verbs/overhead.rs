//! `triway overhead`: what this machine charges for concurrency.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::anyhow;
use triway_measure::overhead::{Charges, Step};
use triway_tasks::py::interpreter;

use crate::{
    arguments::{OverheadArguments, TraceArguments},
    attended::attend,
    exit::{Exit, Fault},
    job_options,
    output::Destination,
    papers::Papers,
    people::{Screen, figures},
};

/// How long the running probe may take to end after a signal.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Measures and shows it.
pub(crate) fn run(arguments: &OverheadArguments) -> Result<Exit, Fault> {
    let OverheadArguments {
        budget,
        python,
        output,
        format,
        report,
        quiet,
    } = arguments;
    job_options::check_form(*format, output.as_deref(), "what is measured")?;
    let python = asked(python.as_deref())?;
    let screen = Screen::new(*quiet);
    let destination = Destination::of_measured(output.as_deref(), *format, &screen)?;
    let besides = (report.clone(), TraceArguments::default());
    let papers = Papers::open(destination, besides, output.as_deref(), &|_| false)?;
    announce(&screen, *budget, &python);
    let stop = Arc::new(AtomicBool::new(false));
    let charges = Charges::new()
        .budget(*budget)
        .python(python)
        .stop_on(Arc::clone(&stop));
    let told = screen.clone();
    let measure = move || charges.run(|step| tell(&told, step));
    let heed = move |_| {
        stop.store(true, Ordering::Relaxed);
        Some(STOP_LIMIT)
    };
    let attended = attend(measure, heed, None)?;
    screen.end_bar();
    match (attended.asked, attended.result) {
        (Some(asked), _) => {
            screen.say("stopped before it was done; nothing is reported");
            Ok(asked.exit)
        }
        (None, Some(Ok(overhead))) => {
            papers.write(&overhead, "table of costs", &screen)?;
            Ok(Exit::Ok)
        }
        (None, Some(Err(error))) => Err(Fault::could_not_run(error)),
        (None, None) => Err(Fault::could_not_run(anyhow!(
            "the measurement panicked, which is a bug of this program"
        ))),
    }
}

/// The interpreter, or why there is none. That one was asked for and is not there is a mistake; that there is none is not.
fn asked(python: Option<&Path>) -> Result<Result<PathBuf, String>, Fault> {
    match (interpreter(python), python) {
        (Ok(path), _) => Ok(Ok(path)),
        (Err(error), Some(_)) => Err(Fault::usage(anyhow!("{error}").context("--python"))),
        (Err(error), None) => Ok(Err(error.to_string())),
    }
}

fn announce(screen: &Screen, budget: Duration, python: &Result<PathBuf, String>) {
    let about = figures::time(budget.as_secs_f64());
    screen.say(&match python {
        Ok(path) => format!(
            "measuring for about {about}, Python with {}",
            path.display()
        ),
        Err(_) => format!("measuring for about {about}, without Python"),
    });
    screen.show_bar(None, "round 1");
}

fn tell(screen: &Screen, step: Step<'_>) {
    screen.set_position(step.done as u64);
    screen.set_message(format!("round {}: {}", step.round, step.what));
}
