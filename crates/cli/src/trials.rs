//! What verbs have in common that measure a job in trials: how it is set up, watched, stopped and delivered.

use std::{
    fs::Metadata,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::anyhow;
use triway_core::{Model, Plan};
use triway_measure::{
    Arm, Compare, CompareError, Progress, compare::DEFAULT_ROUNDS, schedule::Rounds,
};
use triway_tasks::{catalog::Named, sh};

use crate::{
    arguments::{JobArguments, ReportArguments, TraceArguments, TrialArguments},
    attended::{Attended, attend},
    example::TestServer,
    exit::{Exit, Fault},
    inputs::Inputs,
    job_options,
    output::{Destination, Usual},
    papers::Papers,
    people::{Interest, Screen, figures},
    prepared::{Configuration, Prepared},
};

/// How long the running trial may take to end after a signal, before it is left to its parent's death.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// What is to be measured, besides the task and its inputs.
pub(crate) struct Wanted<'a> {
    /// How the verb calls it.
    pub(crate) words: Words,
    /// The options of the job.
    pub(crate) job: &'a JobArguments,
    /// How many trials, on how many inputs.
    pub(crate) trials: TrialArguments,
    /// What each trial is one of.
    pub(crate) arms: Vec<Arm>,
    /// What is written besides.
    pub(crate) besides: (ReportArguments, TraceArguments),
}

/// How people call what a verb does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// What it is.
    pub(crate) what: &'static str,
    /// What it has several of.
    pub(crate) arm: &'static str,
    /// Several of them.
    pub(crate) arms: &'static str,
    /// Whether all of these execute the same inputs.
    pub(crate) alike: bool,
}

/// How it ended.
pub(crate) enum Ended<R> {
    /// Somebody stopped it, and was told so.
    Stopped(Exit),
    /// It came to its end.
    Found(Box<Found<R>>),
}

/// What came of it.
pub(crate) struct Found<R> {
    /// What was found.
    pub(crate) result: R,
    /// What a report says of what the job runs on.
    pub(crate) about: Option<String>,
    /// How the embedded server ended, if it did before the last trial: then the figures say nothing.
    pub(crate) server_ended: Option<String>,
    /// Where it is to go.
    pub(crate) papers: Papers,
}

/// Sets the trials up and has them run by `run`, which tells how far they are. Blocks until they are done or somebody
/// asks for an end.
pub(crate) fn measure<R: Send + 'static>(
    wanted: Wanted<'_>,
    prepared: Prepared,
    screen: &Screen,
    run: impl FnOnce(Compare<Named>, &mut dyn FnMut(Progress<'_>)) -> Result<R, CompareError>
    + Send
    + 'static,
) -> Result<Ended<R>, Fault> {
    let Wanted {
        words,
        job,
        trials,
        arms,
        besides,
    } = wanted;
    // What an example needs must live until the last trial has ended.
    let Prepared {
        task: mut configuration,
        inputs,
        note,
        usual,
        around,
        mut kept,
    } = prepared;
    let plan = planned(&mut configuration, job, &arms)?;
    let task = configuration.task();
    around.spare(job.output.as_deref(), None)?;
    around.spare_others(besides.0.report.as_deref(), besides.1.trace.as_deref())?;
    let probe = around.probe.then(|| configuration.probing()).flatten();
    let about = around.about.clone();
    let stages = around.stages(configuration.sql(), &arms, &trials.ignore)?;
    usual.check_compares()?;
    let papers = papers(job, besides, &inputs, screen)?;
    let detailed = papers.are_detailed();
    let remark = arms.iter().find_map(|arm| task.remark(arm.model));
    screen.say_all(remark.into_iter().chain(note.as_deref()));
    let title = inputs.title();
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, told, refused) = (Arc::clone(&stop), screen.clone(), refusals(&task));
    let work = move || {
        let name = task.name();
        let rounds = trials.rounds.map_or(DEFAULT_ROUNDS, Rounds::exactly);
        let compare = Compare::of_readable(task.with_digests(trials.ignore), inputs.read())
            .rounds(rounds)
            .name(name)
            .plan(plan)
            .arms(arms)
            .refused(refused)
            .stages(stages)
            .sample(trials.sample)
            .budget(trials.budget.0)
            .detailed(detailed)
            .stop_on(stopped)
            .probe(probe.as_ref())?;
        run(compare, &mut |progress| tell(&told, words, progress))
    };
    let heed = move |_| {
        stop.store(true, Ordering::Relaxed);
        Some(STOP_LIMIT)
    };
    let attended = attend(work, heed, None)?;
    screen.end_bar();
    let server_ended = kept.server.as_mut().and_then(TestServer::ended);
    concluded(attended, (words, &title), screen, |result| Found {
        result,
        about,
        server_ended,
        papers,
    })
}

/// Everything that is written, made before anything takes its time.
fn papers(
    job: &JobArguments,
    besides: (ReportArguments, TraceArguments),
    inputs: &Inputs,
    screen: &Screen,
) -> Result<Papers, Fault> {
    let destination = Destination::open(job, inputs, screen, Interest::All, Usual::Outcomes)?;
    let taken = |file: &Metadata| inputs.include(file);
    Papers::open(destination, besides, job.output.as_deref(), &taken)
}

/// What came of it, unless somebody stopped it or it could not be done.
fn concluded<R>(
    attended: Attended<Result<R, CompareError>>,
    (words, title): (Words, &str),
    screen: &Screen,
    found: impl FnOnce(R) -> Found<R>,
) -> Result<Ended<R>, Fault> {
    match (attended.asked, attended.result) {
        (Some(asked), _) => {
            let what = words.what;
            screen.say(&format!(
                "the {what} was stopped before it was done; nothing is reported"
            ));
            Ok(Ended::Stopped(asked.exit))
        }
        (None, Some(Ok(result))) => Ok(Ended::Found(Box::new(found(result)))),
        (None, Some(Err(error))) => Err(refused_as(error, words, title)),
        (None, None) => Err(Fault::could_not_run(anyhow!(
            "the {} panicked, which is a bug of this program",
            words.what
        ))),
    }
}

/// The plan that all arms share, unless the task cannot be run so.
fn planned(
    configuration: &mut Configuration,
    job: &JobArguments,
    arms: &[Arm],
) -> Result<Plan, Fault> {
    configuration.check_models(arms.iter().map(|arm| arm.model))?;
    if configuration.starts_programs() {
        sh::adopt_orphans().map_err(Fault::could_not_run)?;
    }
    let preferred = configuration.task().preferred();
    // The model is that of each arm; this one has no limit that an arm might exceed.
    let mut plan = job_options::plan(job, preferred, Model::Sequential, NonZeroUsize::MIN)?;
    configuration.limit(job, &mut plan)?;
    Ok(plan)
}

/// The models that the task is not run under, and why.
pub(crate) fn refusals(task: &Named) -> Vec<(Model, String)> {
    let why = |model| Some((model, task.refuse(model)?.into_owned()));
    Model::ALL.into_iter().filter_map(why).collect()
}

fn tell(screen: &Screen, words: Words, progress: Progress<'_>) {
    match progress {
        Progress::Announced {
            inputs,
            arms,
            rounds,
        } => {
            let (fewest, most) = (arms * (rounds.fewest + 1), arms * (rounds.most + 1));
            let times = match (words.alike, fewest == most) {
                (true, true) => format!("{most} times"),
                (true, false) => {
                    format!("{fewest} to {most} times, depending on how long a round takes")
                }
                (false, _) => format!("{most} times at most"),
            };
            let inputs = figures::counted(inputs, "input", "inputs");
            let arms_told = figures::counted(arms as u64, words.arm, words.arms);
            screen.say(&format!(
                "{inputs}, {arms_told}: each input will be executed {times}"
            ));
            screen.show_bar(u64::try_from(arms).ok(), "warm-up");
        }
        Progress::Estimated {
            duration,
            inputs,
            fewest,
            rounds,
            trials,
        } => {
            let about = figures::time(duration.as_secs_f64());
            let told = figures::counted(rounds as u64, "round", "rounds");
            let each = if rounds == 1 { "" } else { " each" };
            let inputs = match figures::counted(inputs, "input", "inputs") {
                range if fewest < inputs => format!("{fewest} to {range}"),
                all => all,
            };
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

fn refused_as(error: CompareError, words: Words, title: &str) -> Fault {
    let option = |name: &'static str, error: CompareError| {
        Fault::usage(anyhow::Error::from(error).context(name))
    };
    match error {
        CompareError::NoInputs => Fault::usage(anyhow!(
            "{title} is empty: there are no inputs for a {}",
            words.what
        )),
        CompareError::NoRounds => option("--rounds", error),
        CompareError::NoSample => option("--sample", error),
        CompareError::NoBaseline { .. } => option("--baseline", error),
        CompareError::NoArms
        | CompareError::NoSweep
        | CompareError::Arm { .. }
        | CompareError::Inputs(_) => Fault::usage(error),
        other => Fault::could_not_run(other),
    }
}
