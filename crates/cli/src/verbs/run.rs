//! `triway run`: one job under one model.

use std::{io, time::Duration};

use anyhow::anyhow;
use triway_core::{Plan, StopReason};
use triway_exec::{Control, Feed, Finished, Job, Refusal, Summary};
use triway_tasks::catalog::RawInput;

use crate::{
    arguments::{JobArguments, RunArguments},
    attended::{Asked, attend},
    example::TestServer,
    exit::{Exit, Fault},
    inputs::{Inputs, Places},
    job_options,
    output::Destination,
    people::{Interest, Screen, hosts::Hosts, summary::Told},
    prepared::{Prepared, prepare},
    reporter::{Reported, Reporter},
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
    let RunArguments { model, job, task } = arguments;
    job_options::check_alone(&job, model)?;
    let screen = Screen::new(job.quiet);
    // The server, if there is one, must live until the job has ended.
    let Prepared {
        task: configuration,
        inputs,
        note,
        mut server,
    } = prepare(task)?;
    let task = configuration.task();
    let plan = job_options::plan(&job, model, task.preferred())?;
    configuration.check_models([plan.model])?;
    let mut destination = Destination::open(&job, &inputs, &screen, interest)?;
    begin(&mut destination, task.name())?;
    let piped = destination.is_piped();
    if let Some(note) = note {
        screen.say(&note);
    }
    let afterwards = Afterwards {
        task: task.name(),
        plan: plan.clone(),
        model_given: model.is_some(),
        title: inputs.title(),
        places: inputs.places(),
        destination: destination.name().to_owned(),
        to_stdout: destination.is_standard_output(),
        screen: screen.clone(),
    };
    let reporter = Reporter::new(
        configuration.task(),
        inputs.places(),
        destination,
        lines(&job, &screen, interest)?,
        screen.clone(),
        interest,
    );
    if screen.is_watched() && !piped {
        let what = format!("{} {}@{}", task.name(), plan.model, plan.concurrency);
        screen.show_bar(inputs.count(), &what);
    }
    let job = Job::from_source(task, feed(inputs)).plan(plan);
    let heed = stop_on_signal(job.control(), screen, &afterwards.plan);
    let attended = attend(move || job.run_into(reporter).wait(), heed)?;
    if let Some(how) = server.as_mut().and_then(TestServer::ended) {
        afterwards.screen.say(&how);
    }
    match attended.result {
        Some(finished) => afterwards.tell(finished, attended.asked),
        None => afterwards.left(attended.asked),
    }
}

/// Writes what stands before the first outcome. If nobody reads it any more, that shows again at the first outcome.
fn begin(destination: &mut Destination, task: &str) -> Result<(), Fault> {
    match destination.begin(task) {
        Err(error)
            if error.kind() == io::ErrorKind::BrokenPipe && destination.is_standard_output() =>
        {
            Ok(())
        }
        begun => begun.map_err(Fault::could_not_run),
    }
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

fn feed(inputs: Inputs) -> Feed<RawInput> {
    let bytes = |input: &RawInput| size_of::<RawInput>() + input.as_bytes().len();
    Feed::new(inputs.read(), bytes, AHEAD_BYTES)
}

/// The first signal drains the job, the second gives up what is in flight, the third does not wait for anything.
fn stop_on_signal(
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
    model_given: bool,
    title: String,
    places: Places,
    destination: String,
    to_stdout: bool,
    screen: Screen,
}

impl Afterwards {
    fn tell(
        &self,
        finished: Result<Finished<Reporter>, Refusal>,
        asked: Option<Asked>,
    ) -> Result<Exit, Fault> {
        let Finished { sink, summary, .. } = finished.map_err(|refusal| {
            self.screen.end_bar();
            refused(refusal)
        })?;
        let reported = sink.end();
        if let Some(error) = &reported.undelivered
            && self.to_stdout
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return ended_unread(&summary, asked);
        }
        if summary.admitted == 0 && summary.stopped.is_none() {
            self.screen.say(&format!(
                "{} is empty: no inputs, nothing to do",
                self.title
            ));
        } else {
            self.say_summary(&summary, &reported);
        }
        if let Some(error) = reported.undelivered {
            return Err(Fault::could_not_run(anyhow::Error::from(error).context(
                format!("the outcomes could not be written to {}", self.destination),
            )));
        }
        ended(&summary, asked)
    }

    fn say_summary(&self, summary: &Summary, reported: &Reported) {
        let told = Told {
            task: self.task,
            plan: &self.plan,
            model_given: self.model_given,
            summary,
            delivered: &reported.delivered,
            torn: reported.torn,
            retries: reported.retries,
            places: &self.places,
        };
        let hosts = reported.hosts.as_ref().map_or_else(Vec::new, Hosts::lines);
        for line in hosts.into_iter().chain(told.lines()) {
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

/// How the program ends where whoever read its standard output had seen enough. That is nobody's failure, and what it
/// stopped was not wanted any more; an input that failed has failed all the same.
fn ended_unread(summary: &Summary, asked: Option<Asked>) -> Result<Exit, Fault> {
    match &summary.stopped {
        Some(StopReason::Undeliverable(_)) | None => Ok(match asked {
            Some(asked) => asked.exit,
            None if summary.failed > 0 => Exit::SomeFailed,
            None => Exit::Ok,
        }),
        Some(_) => ended(summary, asked),
    }
}

/// How the program ends after a job that ended so.
fn ended(summary: &Summary, asked: Option<Asked>) -> Result<Exit, Fault> {
    match &summary.stopped {
        Some(StopReason::Unreadable(cause)) => Err(Fault::usage(anyhow!(
            "the inputs cannot be read further: {cause}"
        ))),
        Some(StopReason::NoLanes(cause)) => Err(Fault::could_not_run(anyhow!(
            "there is nothing left to run inputs on: {cause}"
        ))),
        _ => Ok(match asked {
            Some(asked) => asked.exit,
            None if summary.failed > 0 || summary.cancelled > 0 => Exit::SomeFailed,
            None if summary.stopped.is_some() => Exit::SomeFailed,
            None => Exit::Ok,
        }),
    }
}
