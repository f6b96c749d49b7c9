//! `triway run`: one job under one model.

use std::{io, path::PathBuf, time::Duration};

use anyhow::anyhow;
use triway_core::{Inner, Model, Plan, StopReason};
use triway_exec::{
    Control, Feed, Finished, Job, Refusal, Summary,
    journal::{Found, Journal},
};
use triway_measure::advise::Situation;
use triway_tasks::catalog::{Named, RawInput};

use crate::{
    arguments::{
        Chosen, JobArguments, JournalArguments, LanesArguments, RunArguments, TraceArguments,
    },
    around::Begun,
    attended::{Asked, Attended, attend},
    auto::{self, Became},
    exit::{Exit, Fault},
    inputs::{Inputs, Places},
    job_options, journaling,
    output::Destination,
    people::{Interest, Screen, hosts::Hosts, summary::Told},
    prepared::{Configuration, Prepared, prepare},
    probing::Known,
    reporter::{Reported, Reporter},
    trace::Trace,
};

/// How many bytes of inputs are read ahead of the job.
const AHEAD_BYTES: usize = 16 << 20;

/// How much longer than the grace an aborted job may take before it is left to itself.
const ABORT_SLACK: Duration = Duration::from_millis(800);

/// Runs the job and says how it went.
pub(crate) fn run(arguments: RunArguments) -> Result<Exit, Fault> {
    perform(arguments, Interest::All)
}

/// Runs the job and tells people of these outcomes.
pub(crate) fn perform(arguments: RunArguments, interest: Interest) -> Result<Exit, Fault> {
    let RunArguments {
        model,
        probing,
        lanes,
        job,
        journal: journaled,
        trace: traced,
        task,
    } = arguments;
    let chosen = model.unwrap_or(Chosen::Measured);
    job_options::check_alone(&lanes, chosen.model())?;
    let screen = Screen::new(job.quiet);
    // What an example needs must live until the job has ended.
    let Prepared {
        task: mut configuration,
        inputs,
        note,
        usual,
        around,
        kept: _kept,
    } = prepare(task, &job)?;
    configuration.survive(journaled.durability);
    let plan = planned(&mut configuration, (chosen, &lanes), &job)?;
    let task = configuration.task();
    around.spare(job.output.as_deref(), journaled.journal.as_deref())?;
    around.spare_others(None, traced.trace.as_deref())?;
    let destination = Destination::open(&job, &inputs, &screen, interest, usual)?;
    let trace = traces(&traced, (&task, &plan, chosen), (&job, &journaled), &inputs)?;
    let journal = journaling::open(&journaled, &job, &mut configuration, &inputs)?;
    let found = journal.as_ref().map(Journal::found);
    let done = found.map_or(0, |found| found.done);
    let known = (chosen == Chosen::Measured).then(|| Known::of((&inputs, done), &around));
    let around = around.begin(&plan, journal.as_ref(), job.output.as_deref())?;
    let piped = destination.is_piped();
    screen.say_all(note.as_deref());
    let basis = (&plan, known, (&lanes, &probing));
    let (chosen, situation) = auto::way(chosen, &configuration, basis, &screen);
    screen.say_all(task.remark(plan.model).filter(|_| situation.is_none()));
    journaling::tell(journal.as_ref(), &journaled, &screen);
    let to_stdout = job.output.is_none();
    let how = (task.name(), plan.clone(), chosen);
    let kept = (traced.trace, around, journal.as_ref());
    let afterwards = Afterwards::of(how, &inputs, (&destination, to_stdout), kept, &screen);
    let told = (&job, &screen, interest);
    let mut reporter =
        reporter(configuration.task(), &inputs, destination, told)?.with_trace(trace);
    begin(&mut reporter, found)?;
    if !piped {
        show_bar(&screen, &inputs, &title(&task, &plan, situation.is_some()));
    }
    let job = Job::from_source(configuration.task(), feed(inputs)).plan(plan);
    work(
        (job, journal),
        reporter,
        situation.zip(Some(task)),
        afterwards,
    )
}

/// Runs the job to its end, however that comes.
fn work(
    (mut job, journal): (Job<Named>, Option<Journal>),
    reporter: Reporter,
    measures: Option<(Situation, Named)>,
    afterwards: Afterwards,
) -> Result<Exit, Fault> {
    if let Some(journal) = journal {
        job = job.journal(journal).map_err(Fault::could_not_run)?;
    }
    let (control, screen) = (job.control(), afterwards.screen.clone());
    let (plan, became) = (afterwards.plan.clone(), afterwards.became.clone());
    let heed = stop_on_signal(control.clone(), screen.clone(), &plan);
    let work = move || match measures {
        None => job.run_into(reporter).wait(),
        Some((situation, task)) => {
            let tell = auto::tell(screen, task, became);
            auto::measured(job, reporter, (situation, plan), tell)
        }
    };
    afterwards.conclude(attend(work, heed, Some(control))?)
}

/// How the task is to be run, unless it cannot be run so.
fn planned(
    configuration: &mut Configuration,
    (chosen, lanes): (Chosen, &LanesArguments),
    job: &JobArguments,
) -> Result<Plan, Fault> {
    let task = configuration.task();
    let preferred = task.preferred();
    let model = chosen.model().unwrap_or(preferred.model);
    let concurrency = job_options::concurrency(lanes, preferred, model);
    let mut plan = job_options::plan(job, preferred, model, concurrency)?;
    configuration.limit(job, &mut plan)?;
    plan.keep_schedule = configuration.keeps_schedule();
    // Where the model is measured it may become this one, and a limit that is given must hold.
    job_options::check_pool(job, &[plan.model], &task)?;
    configuration.check_models([plan.model])?;
    if let Some(why) = task.refuse(plan.model) {
        return Err(Fault::usage(anyhow!("--model {}: {why}", plan.model)));
    }
    if plan.model == Model::Hybrid
        && plan.pool.inner == Some(Inner::Async)
        && let Some(why) = task.refuse(Model::Async)
    {
        return Err(Fault::usage(anyhow!("--inner async: {why}")));
    }
    Ok(plan)
}

/// The trace, if one is wanted, which is none of the files that the run reads or writes otherwise.
fn traces(
    wanted: &TraceArguments,
    (task, plan, chosen): (&Named, &Plan, Chosen),
    (job, journaled): (&JobArguments, &JournalArguments),
    inputs: &Inputs,
) -> Result<Option<Trace>, Fault> {
    if wanted.trace.is_some() && (journaled.resume || journaled.retry_failed) {
        return Err(Fault::usage(anyhow!(
            "--trace: a resumed run passes on outcomes of an earlier one, whose times are not its own; leave one of the \
             two options out"
        )));
    }
    let name = match chosen {
        Chosen::Measured => format!("{} auto", task.name()),
        _ => format!("{} {}@{}", task.name(), plan.model, plan.concurrency),
    };
    let others = [job.output.as_deref(), journaled.journal.as_deref()];
    Trace::open(wanted, &name, &others, &|file| inputs.include(file))
}

/// What an earlier run wrote stays until the inputs are known to be those that it had.
fn begin(reporter: &mut Reporter, found: Option<Found>) -> Result<(), Fault> {
    match found {
        Some(Found { begun: true, .. }) => Ok(()),
        _ => match reporter.begin() {
            // A reader that has left already leaves the outcomes untaken as well, and is heeded there.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            begun => begun.map_err(Fault::could_not_run),
        },
    }
}

/// What the bar calls the job.
fn title(task: &Named, plan: &Plan, is_measured: bool) -> String {
    match is_measured {
        true => format!("{} measuring", task.name()),
        false => format!("{} {}@{}", task.name(), plan.model, plan.concurrency),
    }
}

fn show_bar(screen: &Screen, inputs: &Inputs, what: &str) {
    if screen.is_watched() {
        screen.show_bar(inputs.count(), what);
    }
}

/// Whom outcomes go to.
fn reporter(
    task: Named,
    inputs: &Inputs,
    destination: Destination,
    (job, screen, interest): (&JobArguments, &Screen, Interest),
) -> Result<Reporter, Fault> {
    let lines = lines(job, screen, interest)?;
    let parts = (task, inputs.places(), destination, lines);
    Ok(Reporter::new(parts, screen.clone(), interest))
}

/// Where people see outcomes that go to a file.
fn lines(
    job: &JobArguments,
    screen: &Screen,
    interest: Interest,
) -> Result<Option<Destination>, Fault> {
    let wanted = job.output.is_some() && screen.is_watched();
    wanted
        .then(|| Destination::screen(screen, interest))
        .transpose()
}

pub(super) fn feed(inputs: Inputs) -> Feed<RawInput> {
    let bytes = |input: &RawInput| size_of::<RawInput>() + input.as_bytes().len();
    Feed::new(inputs.read(), bytes, AHEAD_BYTES)
}

/// The first signal drains the job, the second gives up what is in flight, the third does not wait for anything.
pub(super) fn stop_on_signal(
    control: Control,
    screen: Screen,
    plan: &Plan,
) -> impl FnMut(Asked) -> Option<Duration> + use<> {
    let (grace, drain_limit) = (plan.grace, plan.drain_limit);
    move |asked| match asked.times {
        1 => {
            screen.say(&format!(
                "stopping: what is in flight may finish, for {} at most; once more (Ctrl-C) gives it up",
                humantime::format_duration(drain_limit)
            ));
            control.drain();
            None
        }
        2 => {
            control.abort();
            Some(grace + ABORT_SLACK)
        }
        _ => Some(Duration::ZERO),
    }
}

/// What is to be known when the job has ended.
struct Afterwards {
    task: &'static str,
    plan: Plan,
    chosen: Chosen,
    became: Became,
    title: String,
    places: Places,
    destination: String,
    to_stdout: bool,
    /// Where the trace went.
    trace: Option<PathBuf>,
    /// What else is to be done.
    around: Begun,
    screen: Screen,
    /// What an earlier run left in the journal, if there is one.
    found: Option<Found>,
    /// How to go on after this run, if it has a journal.
    resume: Option<String>,
}

impl Afterwards {
    fn of(
        (task, plan, chosen): (&'static str, Plan, Chosen),
        inputs: &Inputs,
        (destination, to_stdout): (&Destination, bool),
        (trace, around, journal): (Option<PathBuf>, Begun, Option<&Journal>),
        screen: &Screen,
    ) -> Self {
        Self {
            task,
            plan,
            chosen,
            became: Became::default(),
            title: inputs.title(),
            places: inputs.places(),
            destination: destination.name().to_owned(),
            to_stdout,
            trace,
            around,
            screen: screen.clone(),
            found: journal.map(Journal::found),
            resume: journal.is_some().then(|| journaling::command(inputs)),
        }
    }

    fn conclude(
        mut self,
        attended: Attended<Result<Finished<Reporter>, Refusal>>,
    ) -> Result<Exit, Fault> {
        match attended.result {
            Some(finished) => self.tell(finished, attended.asked),
            None => self.left(attended.asked),
        }
    }

    fn tell(
        &mut self,
        finished: Result<Finished<Reporter>, Refusal>,
        asked: Option<Asked>,
    ) -> Result<Exit, Fault> {
        let Finished {
            mut sink, summary, ..
        } = finished.map_err(|refusal| {
            self.screen.end_bar();
            refused(refusal)
        })?;
        self.plan = self.plan.with_model(summary.model, summary.concurrency);
        if let Some(StopReason::OtherInputs(cause)) = summary.stopped {
            self.screen.end_bar();
            return Err(Fault::usage(anyhow!("{cause}")));
        }
        // What it cannot write it says again at the end.
        let _told = sink.begin();
        let mut reported = sink.end();
        if let Some(error) = &reported.undelivered
            && error.kind() == io::ErrorKind::BrokenPipe
            && self.to_stdout
        {
            // Whoever read the outcomes has seen enough, and need not be told so; what failed before has failed.
            let failed = summary.failed > 0;
            let exit = if failed { Exit::SomeFailed } else { Exit::Ok };
            return Ok(asked.map_or(exit, |asked| asked.exit));
        }
        if summary.admitted == 0 && summary.stopped.is_none() {
            self.screen.say(&format!(
                "{} is empty: no inputs, nothing to do",
                self.title
            ));
        } else {
            self.say_summary(&summary, &reported);
        }
        let undelivered = reported.undelivered.take();
        if let Some(error) = undelivered {
            return Err(Fault::could_not_run(anyhow::Error::from(error).context(
                format!("the outcomes could not be written to {}", self.destination),
            )));
        }
        if let (Some(error), Some(path)) = (reported.untraced.take(), &self.trace) {
            return Err(Fault::could_not_run(anyhow::Error::from(error).context(
                format!("the trace could not be written to {}", path.display()),
            )));
        }
        let told = self.around.end(&reported.total)?;
        told.iter().for_each(|line| self.screen.say(line));
        ended(&summary, asked)
    }

    fn say_summary(&self, summary: &Summary, reported: &Reported) {
        let told = Told {
            task: self.task,
            plan: &self.plan,
            chosen: self.became.chosen(self.chosen),
            summary,
            delivered: &reported.delivered,
            torn: reported.torn,
            retries: reported.retries,
            places: &self.places,
            resume: self.resume.as_deref(),
        };
        let grown = self
            .found
            .and_then(|found| journaling::grown(found, summary));
        let hosts = reported.hosts.as_ref().map_or_else(Vec::new, Hosts::lines);
        let total = reported.total.line(reported.delivered.tally().failed());
        let lines = hosts.into_iter().chain(told.lines());
        for line in lines.chain(grown).chain(total) {
            self.screen.say(&line);
        }
    }

    /// The job did not come to its end.
    fn left(&self, asked: Option<Asked>) -> Result<Exit, Fault> {
        self.screen.end_bar();
        match asked {
            Some(asked) => {
                self.screen
                    .say("ended without waiting any longer; the last outcomes may be missing");
                if let Some(resume) = &self.resume {
                    self.screen.say(&format!("to go on: {resume}"));
                }
                Ok(asked.exit)
            }
            None => Err(Fault::could_not_run(anyhow!(
                "the job panicked, which is a bug of this program"
            ))),
        }
    }
}

fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Plan(error) => Fault::usage(error),
        other => Fault::could_not_run(other),
    }
}

/// How the program ends after a job that ended so.
pub(super) fn ended(summary: &Summary, asked: Option<Asked>) -> Result<Exit, Fault> {
    match &summary.stopped {
        Some(StopReason::Unreadable(cause)) => Err(Fault::usage(anyhow!(
            "the inputs cannot be read further: {cause}"
        ))),
        Some(StopReason::NoLanes(cause)) => Err(Fault::could_not_run(anyhow!(
            "there is nothing left to run inputs on: {cause}"
        ))),
        // That the outcomes could not be written is an error already, so it is the journal.
        Some(StopReason::Undeliverable(cause)) => Err(Fault::could_not_run(anyhow!("{cause}"))),
        _ => Ok(match asked {
            Some(asked) => asked.exit,
            None if summary.failed > 0 || summary.cancelled > 0 => Exit::SomeFailed,
            None if summary.stopped.is_some() => Exit::SomeFailed,
            None => Exit::Ok,
        }),
    }
}
