//! `triway advise`: a few seconds of probing on the real inputs, and what follows from them.

use std::{
    fs::Metadata,
    io,
    path::{Path, PathBuf},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use anyhow::anyhow;
use triway_core::{Event, Model, Outcome, Plan, Status, StopReason};
use triway_exec::{Finished, Job, Refusal, Sink, Summary};
use triway_measure::{
    advise::{self, Advice, Gathered, Observed, Progress, Situation, Steered, Tell, recommend},
    machine,
};
use triway_tasks::catalog::{Named, RawInput, RawOutput};

use super::run::{ended, feed, stop_on_signal};
use crate::{
    arguments::{AdviseArguments, JobArguments, LanesArguments, TaskArguments, TraceArguments},
    attended::attend,
    code,
    exit::{Exit, Fault},
    inputs::Inputs,
    job_options,
    output::Destination,
    papers::Papers,
    people::Screen,
    prepared::{Configuration, Prepared, prepare},
    probing::{self, Known},
    reporter::Reporter,
    total::Total,
};

/// Probes the job and says what to run it under.
pub(crate) fn run(arguments: AdviseArguments) -> Result<Exit, Fault> {
    let AdviseArguments {
        budget,
        code,
        dry_probe,
        probing,
        lanes,
        job,
        report,
        task,
    } = arguments;
    job_options::check_advises(&job)?;
    let screen = Screen::new(job.quiet);
    check_code(code, &task)?;
    // What an example needs must live until the last probe has ended.
    let Prepared {
        task: mut configuration,
        inputs,
        note,
        around,
        kept: _kept,
        ..
    } = prepare(task, &job)?;
    let plan = planned(&mut configuration, &job)?;
    check_lanes(&plan, &lanes)?;
    let known = Known::of((&inputs, 0), &around);
    around.spare(job.output.as_deref(), None)?;
    screen.say_all(note.as_deref());
    let of = match dry_probe {
        true => Situation::of_work,
        false => Situation::of,
    };
    let options = (&lanes, &probing);
    let mut situation = probing::situation(&configuration, &plan, known, options, of);
    situation.budget_s = budget.as_secs_f64();
    situation.thorough = true;
    let destination = Destination::of_advice(&job, &inputs, &screen)?;
    let besides = (report, TraceArguments::default());
    let taken = |file: &Metadata| inputs.include(file);
    let papers = Papers::open(destination, besides, job.output.as_deref(), &taken)?;
    if dry_probe {
        let advice = probing::without_executing(&situation, &configuration);
        papers.write(&advice, "advice", &screen)?;
        return Ok(Exit::Ok);
    }
    let mut begun = around.begin(&plan, None, job.output.as_deref())?;
    let reporter = Reporter::of_probes(configuration.task(), &job, &inputs, &screen)?;
    let asked = (situation, plan, papers.are_detailed());
    let output = job.output.unwrap_or_default();
    let (mut advice, exit) = probe(&configuration, inputs, asked, (reporter, output, &screen))?;
    screen.end_bar();
    screen.say_all(begun.end(&Total::default())?.as_deref());
    advice.task = configuration.task().name().to_owned();
    advice.machine = Some(machine::describe());
    match code {
        true => deliver_code(&configuration, &advice, (papers, exit), &screen)?,
        false => papers.write(&advice, "advice", &screen)?,
    }
    Ok(exit)
}

/// Writes code in the place of advice; where there is none, the page alone.
fn deliver_code(
    configuration: &Configuration,
    advice: &Advice,
    (papers, exit): (Papers, Exit),
    screen: &Screen,
) -> Result<(), Fault> {
    let fault = match code::of(configuration, advice) {
        Ok(source) => return papers.write_text(&source, (advice, "code"), screen),
        Err(fault) => fault,
    };
    papers.write_page(advice, screen)?;
    match exit {
        Exit::Ok | Exit::SomeFailed => Err(fault),
        // Who has stopped it knows why there is none.
        _ => {
            screen.say(&format!("{:#}", fault.cause));
            Ok(())
        }
    }
}

/// Code calls a function in a file, and an example's is gone when advice is told.
fn check_code(code: bool, task: &TaskArguments) -> Result<(), Fault> {
    match task {
        TaskArguments::Py(py) if code && py.target.is_none() => Err(Fault::usage(anyhow!(
            "--code: an example's function has no file that code could call; name one of yours: FILE.py:NAME INPUTS"
        ))),
        _ => Ok(()),
    }
}

/// The limits that all probes share; the model is that of each.
fn planned(configuration: &mut Configuration, job: &JobArguments) -> Result<Plan, Fault> {
    let preferred = configuration.task().preferred();
    let model = preferred.model;
    let mut plan = job_options::plan(job, preferred, model, preferred.concurrency(model))?;
    configuration.limit(job, &mut plan)?;
    job_options::check_pool(job, &Model::PLAIN, &configuration.task())?;
    Ok(plan)
}

/// No model has more lanes than async.
fn check_lanes(plan: &Plan, lanes: &LanesArguments) -> Result<(), Fault> {
    let Some(asked) = lanes.concurrency else {
        return Ok(());
    };
    let most = plan.with_model(Model::Async, asked);
    most.check().map_err(Fault::usage)
}

/// Executes inputs as long as there is something to find out. Says how the program ends as well: some input may have failed.
fn probe(
    configuration: &Configuration,
    inputs: Inputs,
    (situation, plan, closely): (Situation, Plan, bool),
    (reporter, output, screen): (Option<Reporter>, PathBuf, &Screen),
) -> Result<(Advice, Exit), Fault> {
    if screen.is_watched() {
        screen.show_bar(None, "probing");
    }
    let title = inputs.title();
    let job = Job::from_source(configuration.task(), feed(inputs)).plan(plan.clone());
    let control = job.control();
    let heed = stop_on_signal(control.clone(), screen.clone(), &plan);
    let sink = (
        Executed {
            reporter,
            lost: Vec::new(),
            screen: screen.clone(),
        },
        probing::sizes(),
    );
    let steered = advise::probe(job, sink, (situation.clone(), plan), told(screen.clone()));
    let Steered {
        job,
        sink,
        gathered,
    } = match closely {
        true => steered.closely(),
        false => steered,
    };
    let patience = Patience::of(situation.budget_s, screen.clone());
    let attended = attend(move || finish(job, sink, &output), heed, Some(control))?;
    drop(patience);
    if let Some(asked) = attended.asked {
        let mut advice = following(&situation, &gathered);
        advice.notes.push(INTERRUPTED.to_owned());
        let lost = attended.result.and_then(Result::ok);
        advice
            .notes
            .extend(lost.and_then(|(_, lost)| unfinished(&lost)));
        return Ok((advice, asked.exit));
    }
    let result = attended
        .result
        .unwrap_or_else(|| Err(anyhow!("probing panicked, which is a bug of this program")));
    let (summary, lost) = match result {
        Ok(result) => result,
        // What was found out is told whatever becomes of the outcomes.
        Err(error) if !gathered.slices().is_empty() => {
            screen.say(&format!("{error:#}"));
            return Ok((following(&situation, &gathered), Exit::CouldNotRun));
        }
        Err(error) => return Err(Fault::could_not_run(error)),
    };
    if summary.admitted == 0 && is_whole(&summary) {
        return Err(Fault::usage(anyhow!(
            "{title} is empty: there are no inputs for advice"
        )));
    }
    whole(situation, &gathered, (&summary, &lost))
}

/// What follows where nobody ended it.
fn whole(
    situation: Situation,
    gathered: &Gathered,
    (summary, lost): (&Summary, &[String]),
) -> Result<(Advice, Exit), Fault> {
    let mut known = situation;
    known.inputs = known.inputs.or_else(|| all_of(summary));
    let mut advice = following(&known, gathered);
    advice.notes.extend(unfinished(lost));
    let exit = match is_whole(summary) {
        // What was read ahead is cancelled.
        true if summary.failed > 0 || !lost.is_empty() => Exit::SomeFailed,
        true => Exit::Ok,
        false => {
            advice.notes.push(STOPPED.to_owned());
            ended(summary, None)?
        }
    };
    Ok((advice, exit))
}

/// Whether it came to an end by itself.
fn is_whole(summary: &Summary) -> bool {
    matches!(summary.stopped, None | Some(StopReason::Enough))
}

/// How many inputs there were, where probing came to the end of them.
fn all_of(summary: &Summary) -> Option<u64> {
    let whole = summary.stopped.is_none() && summary.unread_from.is_none();
    whole.then_some(summary.admitted)
}

/// What is said where somebody did not want to wait.
const INTERRUPTED: &str =
    "it was stopped before enough was seen; this is what follows from what was seen until then";

/// Says so where an input takes far longer than all of probing was to take: until it is dropped.
struct Patience {
    _ends: Sender<()>,
}

impl Patience {
    fn of(budget_s: f64, screen: Screen) -> Self {
        let (ends, ended) = channel::<()>();
        let limit = Duration::try_from_secs_f64(PATIENCE * budget_s).unwrap_or(Duration::MAX);
        let watch = move || {
            if let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(limit) {
                screen.say(
                    "the budget is over, and what has begun goes on to its end; Ctrl-C ends it, and advice follows from what \
                     was seen; --timeout limits every input",
                );
            }
        };
        // Without a thread to spare it is not said.
        let _unwatched = thread::Builder::new()
            .name("triway-patience".to_owned())
            .spawn(watch);
        Self { _ends: ends }
    }
}

/// How many times the budget is waited for without a word.
const PATIENCE: f64 = 1.5;

/// What follows from what was gathered.
fn following(situation: &Situation, gathered: &Gathered) -> Advice {
    let mut advice = recommend(situation, &gathered.slices());
    advice.details = gathered.details(&advice);
    advice
}

/// What is said where `--max-failures` ended the job.
const STOPPED: &str =
    "more inputs failed than --max-failures allows, so probing ended before it had seen enough";

/// Runs the probes and writes outcomes to their end.
fn finish(
    job: Job<Named>,
    sink: Observed<Named, Executed>,
    output: &Path,
) -> anyhow::Result<(Summary, Vec<String>)> {
    let finished: Result<Finished<_>, Refusal> = job.run_into(sink).wait();
    let Finished { sink, summary, .. } = finished?;
    let Executed { reporter, lost, .. } = sink.into_inner();
    if let Some(reporter) = reporter
        && let Some(error) = reporter.end().undelivered
    {
        let told = format!("the outcomes could not be written to {}", output.display());
        return Err(anyhow::Error::from(error).context(told));
    }
    Ok((summary, lost))
}

/// What is said of inputs whose attempts failed, and which would be tried again if the job went on.
fn unfinished(lost: &[String]) -> Option<String> {
    let first = lost.first()?;
    let inputs = match lost.len() {
        1 => "1 input".to_owned(),
        many => format!("{many} inputs"),
    };
    Some(format!(
        "{inputs} failed and would have been tried again if the job had gone on ({first})"
    ))
}

/// Passes on outcomes of what was executed. What was read ahead and not begun was never asked for.
struct Executed {
    reporter: Option<Reporter>,
    /// Why attempts failed of inputs that had not come to their end when enough was seen.
    lost: Vec<String>,
    screen: Screen,
}

impl Sink<Named> for Executed {
    fn outcome(&mut self, outcome: Outcome<RawInput, RawOutput>) -> io::Result<()> {
        if outcome.status == Status::Cancelled {
            if outcome.attempts == 0 {
                return Ok(());
            }
            let error = outcome.error.as_ref();
            self.lost
                .extend(error.map(|failure| failure.message.clone()));
        }
        match &mut self.reporter {
            Some(reporter) => reporter.outcome(outcome),
            None => {
                self.screen.step();
                Ok(())
            }
        }
    }

    fn event(&mut self, event: &Event) {
        if let Some(reporter) = &mut self.reporter {
            reporter.event(event);
        }
    }
}

fn told(screen: Screen) -> Tell {
    Box::new(move |progress| {
        if let Progress::Probing { model, concurrency } = progress {
            screen.set_message(format!("probing {model}@{concurrency}"));
        }
    })
}
