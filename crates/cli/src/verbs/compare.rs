//! `triway compare`: the same job under several models, in turn.

use std::{
    fs::Metadata,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use triway_core::{Model, Plan};
use triway_measure::{
    Arm, Compare, CompareError, Progress, arms,
    compare::DEFAULT_ROUNDS,
    report::{ArmReport, Comparison},
    schedule::Rounds,
};
use triway_tasks::{catalog::Named, sh};

use crate::{
    arguments::{CompareArguments, JobArguments, ReportArguments, TraceArguments},
    around::Around,
    attended::{Asked, Attended, attend},
    example::TestServer,
    exit::{Exit, Fault},
    inputs::Inputs,
    job_options,
    output::{Destination, Usual},
    people::{Interest, Screen, figures},
    prepared::{Configuration, Prepared, prepare},
    report, trace,
};

/// How long the running trial may take to end after a signal, before it is left to its parent's death.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Compares and says who won.
pub(crate) fn run(arguments: CompareArguments) -> Result<Exit, Fault> {
    let CompareArguments {
        models,
        rounds,
        sample,
        budget,
        ignore,
        baseline,
        job,
        report,
        trace,
        task,
    } = arguments;
    job_options::check_compares(&job)?;
    let screen = Screen::new(job.quiet);
    // What an example needs must live until the last trial has ended.
    let Prepared {
        task: mut configuration,
        inputs,
        note,
        usual,
        around,
        mut kept,
    } = prepare(task, &job)?;
    let arms = chosen(models.as_deref(), &job, &configuration.task(), &around)?;
    configuration.check_models(arms.iter().map(|arm| arm.model))?;
    let plan = planned(&mut configuration, &job)?;
    let task = configuration.task();
    adopt_orphans(&configuration)?;
    let probe = around.probe.then(|| configuration.probing()).flatten();
    let about = around.about.clone();
    spare(&around, &job, &report, &trace)?;
    let stages = around.stages(configuration.sql(), &arms, &ignore)?;
    usual.check_compares()?;
    let wanted = Wanted::open(&job, (report, trace), &inputs, &screen)?;
    let detailed = wanted.detailed();
    let remark = arms.iter().find_map(|arm| task.remark(arm.model));
    screen.say_all(remark.into_iter().chain(note.as_deref()));
    let title = inputs.title();
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, told, refused) = (Arc::clone(&stop), screen.clone(), refusals(&task));
    let compare = move || {
        let name = task.name();
        Compare::of_readable(task.with_digests(ignore), inputs.read())
            .rounds(rounds.map_or(DEFAULT_ROUNDS, Rounds::exactly))
            .name(name)
            .plan(plan)
            .arms(arms)
            .refused(refused)
            .stages(stages)
            .sample(sample)
            .budget(budget.0)
            .baseline(baseline)
            .detailed(detailed)
            .stop_on(stopped)
            .probe(probe.as_ref())?
            .run(|progress| tell(&told, progress))
    };
    let attended = attend(compare, move |_| end_soon(&stop), None)?;
    screen.end_bar();
    let besides = (kept.server.as_mut(), about);
    concluded(attended, besides, wanted, &screen, &title)
}

/// What trials leave behind that are killed comes to this process.
fn adopt_orphans(configuration: &Configuration) -> Result<(), Fault> {
    match configuration.starts_programs() {
        true => sh::adopt_orphans().map_err(Fault::could_not_run),
        false => Ok(()),
    }
}

/// No file that is written may be one that the task works on.
fn spare(
    around: &Around,
    job: &JobArguments,
    report: &ReportArguments,
    trace: &TraceArguments,
) -> Result<(), Fault> {
    around.spare(job.output.as_deref(), None)?;
    around.spare_others(report.report.as_deref(), trace.trace.as_deref())
}

/// Everything that the comparison is written to.
struct Wanted {
    destination: Destination,
    report: ReportArguments,
    trace: TraceArguments,
}

impl Wanted {
    /// Makes all files before anything takes its time; none is another, or one that is read.
    fn open(
        job: &JobArguments,
        (report, trace): (ReportArguments, TraceArguments),
        inputs: &Inputs,
        screen: &Screen,
    ) -> Result<Self, Fault> {
        let destination = Destination::open(job, inputs, screen, Interest::All, Usual::Outcomes)?;
        let output = job.output.as_deref();
        let taken = |file: &Metadata| inputs.include(file);
        report::check(&report, &[output], &taken)?;
        trace::check(&trace, &[output, report.report.as_deref()], &taken)?;
        Ok(Self {
            destination,
            report,
            trace,
        })
    }

    /// Whether there are pictures of more than the comparison has for scripts.
    fn detailed(&self) -> bool {
        self.report.report.is_some() || self.trace.trace.is_some()
    }
}

/// Ends the comparison after a signal; how long that may take.
fn end_soon(stop: &AtomicBool) -> Option<Duration> {
    stop.store(true, Ordering::Relaxed);
    Some(STOP_LIMIT)
}

/// The plan that all arms share.
fn planned(configuration: &mut Configuration, job: &JobArguments) -> Result<Plan, Fault> {
    let preferred = configuration.task().preferred();
    // The model is that of each arm; this one has no limit that an arm might exceed.
    let mut plan = job_options::plan(job, Some(Model::Sequential), preferred)?;
    configuration.limit(job, &mut plan)?;
    Ok(plan)
}

fn stopped_early(asked: Asked, screen: &Screen) -> Exit {
    screen.say("the comparison was stopped before it was done; nothing is reported");
    asked.exit
}

fn chosen(
    list: Option<&str>,
    job: &JobArguments,
    task: &Named,
    around: &Around,
) -> Result<Vec<Arm>, Fault> {
    let preferred = task.preferred();
    let concurrency = |model| job_options::concurrency(job, preferred, model);
    let arms = match (&around.servers, list) {
        (Some(servers), list) => servers.arms(list, concurrency(Model::Async))?,
        (None, None) => arms::every_model_with(concurrency),
        (None, Some(list)) => arms::parse_with(list, concurrency)
            .context("--models")
            .map_err(Fault::usage)?,
    };
    let models: Vec<Model> = arms.iter().map(|arm| arm.model).collect();
    job_options::check_pool(job, &models, task)?;
    Ok(arms)
}

fn concluded(
    attended: Attended<Result<Comparison, CompareError>>,
    (server, about): (Option<&mut TestServer>, Option<String>),
    wanted: Wanted,
    screen: &Screen,
    title: &str,
) -> Result<Exit, Fault> {
    match (attended.asked, attended.result) {
        (Some(asked), _) => Ok(stopped_early(asked, screen)),
        (None, Some(Ok(mut comparison))) => {
            comparison.notes.splice(0..0, about);
            write(&valid(comparison, server), wanted, screen)
        }
        (None, Some(Err(error))) => Err(refused(error, title)),
        (None, None) => Err(Fault::could_not_run(anyhow!(
            "the comparison panicked, which is a bug of this program"
        ))),
    }
}

/// The models that the task is not run under, and why.
fn refusals(task: &Named) -> Vec<(Model, String)> {
    let why = |model| Some((model, task.refuse(model)?.into_owned()));
    Model::ALL.into_iter().filter_map(why).collect()
}

fn tell(screen: &Screen, progress: Progress<'_>) {
    match progress {
        Progress::Announced {
            inputs,
            arms,
            rounds,
        } => {
            let (fewest, most) = (arms * (rounds.fewest + 1), arms * (rounds.most + 1));
            let times = if fewest == most {
                format!("{most} times")
            } else {
                format!("{fewest} to {most} times, depending on how long a round takes")
            };
            let inputs = figures::counted(inputs, "input", "inputs");
            let arms_told = figures::counted(arms as u64, "arm", "arms");
            screen.say(&format!(
                "{inputs}, {arms_told}: each input will be executed {times}"
            ));
            screen.show_bar(u64::try_from(arms).ok(), "warm-up");
        }
        Progress::Estimated {
            duration,
            inputs,
            rounds,
            trials,
        } => {
            let about = figures::time(duration.as_secs_f64());
            let told = figures::counted(rounds as u64, "round", "rounds");
            let each = if rounds == 1 { "" } else { " each" };
            let inputs = figures::counted(inputs, "input", "inputs");
            screen.say(&format!("{told} on {inputs}{each} will take about {about}"));
            screen.show_bar(u64::try_from(trials).ok(), "round 1");
        }
        Progress::TrialStarted { arm, round } => screen.set_message(match round {
            Some(round) => format!("round {round}: {arm}"),
            None => format!("warm-up: {arm}"),
        }),
        Progress::TrialEnded { arm, failure, .. } => {
            screen.step();
            if let Some(failure) = failure {
                // What a trial left behind that was killed would be in the way of the others.
                sh::end_orphans();
                screen.say(&format!("{arm}: a trial gave no figures: {failure}"));
            }
        }
        _ => {}
    }
}

/// Where the server ended, the figures are of rounds with it and of rounds without; whoever won has won nothing.
fn valid(mut comparison: Comparison, server: Option<&mut TestServer>) -> Comparison {
    if let Some(how) = server.and_then(TestServer::ended) {
        comparison.winner = None;
        comparison.verdict =
            format!("No winner: {how}, so inputs failed for want of it. Compare once more.");
        comparison.notes.insert(0, how);
    }
    comparison
}

fn write(comparison: &Comparison, wanted: Wanted, screen: &Screen) -> Result<Exit, Fault> {
    let Wanted {
        destination,
        report,
        trace,
    } = wanted;
    // A page that was asked for is there, whatever becomes of the rest.
    report::write(comparison, &report, screen)?;
    trace::write(comparison, &trace, screen)?;
    let name = destination.name().to_owned();
    let said = destination.is_for_people();
    let to_stdout = destination.is_standard_output();
    match destination.found(comparison) {
        Err(error) if to_stdout && error.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(exit_of(comparison));
        }
        Err(error) => {
            return Err(Fault::could_not_run(
                anyhow::Error::from(error)
                    .context(format!("the comparison could not be written to {name}")),
            ));
        }
        Ok(()) => {}
    }
    if !said {
        screen.say(&comparison.verdict);
    }
    Ok(exit_of(comparison))
}

/// An arm that could not run is no failure; that none could is, and so is one that ran and gave figures not always.
fn exit_of(comparison: &Comparison) -> Exit {
    let ran = |arm: &&ArmReport| arm.skipped.is_none();
    let unsuccessful = |arm: &ArmReport| arm.failed != Some(0) || arm.unranked.is_some();
    let mut arms = comparison.models.iter().filter(ran);
    if arms.clone().all(|arm| arm.succeeded.is_none()) {
        return Exit::CouldNotRun;
    }
    if arms.any(unsuccessful) || !comparison.results_equal {
        return Exit::SomeFailed;
    }
    Exit::Ok
}

fn refused(error: CompareError, title: &str) -> Fault {
    match error {
        CompareError::NoInputs => Fault::usage(anyhow!(
            "{title} is empty: there are no inputs to compare models on"
        )),
        CompareError::NoRounds => option("--rounds", error),
        CompareError::NoSample => option("--sample", error),
        CompareError::NoBaseline { .. } => option("--baseline", error),
        CompareError::NoArms | CompareError::Arm { .. } | CompareError::Inputs(_) => {
            Fault::usage(error)
        }
        other => Fault::could_not_run(other),
    }
}

fn option(name: &'static str, error: CompareError) -> Fault {
    Fault::usage(anyhow::Error::from(error).context(name))
}
