//! The task `sh`: runs a command for each input, with the habits of xargs and GNU parallel.
//!
//! Both forms share everything but the waiting. `template` says what is run, `running` moves a command on, `course`
//! decides when it has ended and when it must; `blocking` waits in `poll(2)` on the calling thread, `nonblocking` on a
//! runtime. Starting a command blocks in either form until the new program is there, as `vfork` has it.

mod blocking;
mod capture;
mod command;
mod course;
mod group;
pub mod kinds;
mod limit;
mod nonblocking;
mod orphans;
mod output;
mod part;
mod running;
mod script;
mod template;
mod undertaker;
mod watched;

use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Task};

use course::Cause;
pub use group::end_all;
pub use limit::Limit;
use limit::{Bounds, Times};
pub use orphans::{adopt_orphans, end_orphans};
pub use output::{Captured, Ran};
use running::Start;
pub use template::TemplateError;
use template::{Template, Unplaced};
use watched::Watched;

/// How much of each stream of a command is kept, unless somebody says otherwise.
pub const MAX_OUTPUT_BYTES: u64 = 1 << 20;

/// What is run, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// The command, with places for the input.
    #[serde(with = "serde_bytes")]
    pub command: Vec<u8>,
    /// Let `sh` read the command. The input is never part of what it reads.
    pub shell: bool,
    /// Give the command the input on standard input.
    pub stdin: bool,
    /// How much of each of its streams is kept; it may write more.
    pub max_output_bytes: u64,
    /// How long it may take; the limit of the plan counts besides, and takes the output with it.
    pub limit: Option<Limit>,
    /// How long what was asked to end may take, and how long a child may hold the output of a command that has ended.
    pub grace: Duration,
}

impl Policy {
    /// This command, without a shell, without a time limit, with an input as argument.
    pub fn new(command: impl Into<Vec<u8>>) -> Self {
        Self {
            command: command.into(),
            shell: false,
            stdin: false,
            max_output_bytes: MAX_OUTPUT_BYTES,
            limit: None,
            grace: Duration::from_secs(1),
        }
    }

    fn template(&self) -> Result<Template, TemplateError> {
        let unplaced = match self.stdin {
            true => Unplaced::LeaveOut,
            false => Unplaced::Append,
        };
        match self.shell {
            true => Template::of_script(&self.command, unplaced),
            false => Template::of_words(&self.command, unplaced),
        }
    }
}

/// Runs a command for each input.
///
/// Each command is the first process of a process group. A time limit ends the group: TERM, and after the grace KILL.
/// So does an end of the attempt for any other reason, on a thread of its own. What leaves the group is beyond reach.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "Policy", into = "Policy")]
pub struct Sh {
    policy: Policy,
    template: Template,
    times: Times,
}

impl Sh {
    /// The task under this policy.
    ///
    /// # Errors
    /// The command is none.
    pub fn new(policy: Policy) -> Result<Self, TemplateError> {
        Ok(Self {
            template: policy.template()?,
            policy,
            times: Times::default(),
        })
    }

    /// Changes how long a command may take, and how long what was asked to end.
    pub fn set_limits(&mut self, limit: Option<Limit>, grace: Duration) {
        self.policy.limit = limit;
        self.policy.grace = grace;
    }

    /// Program and arguments for the input with this index.
    #[must_use]
    pub fn words(&self, input: &[u8], index: u64) -> Vec<Vec<u8>> {
        self.template.words(input, index).collect()
    }

    fn start(&self, input: &Arc<[u8]>, context: &Context<'_>) -> Result<Watched, Failure> {
        if let Some(at) = memchr::memchr(0, input)
            && !self.policy.stdin
        {
            return Err(kinds::nul(at));
        }
        let words = self.template.words(input, context.index());
        let mut words = words.map(OsString::from_vec);
        let program = words.next().unwrap_or_default();
        let mut command = Command::new(&program);
        command.args(words);
        let start = Start {
            command,
            feed: self.policy.stdin.then(|| Arc::clone(input)),
            most_bytes: self.policy.max_output_bytes,
            grace: self.policy.grace,
        };
        Watched::start(start).map_err(|error| kinds::starting(&program, &error))
    }

    fn bounds<'a>(&'a self, context: &'a Context<'a>) -> Bounds<'a> {
        Bounds {
            limit: self.policy.limit,
            times: &self.times,
            began: Instant::now(),
            context,
        }
    }

    fn ended(
        &self,
        running: Watched,
        cause: Option<Cause>,
        bounds: &Bounds<'_>,
    ) -> Result<Ran, Failure> {
        let mut ran = running.finish(cause)?;
        if cause == Some(Cause::TooLong) {
            let limit = bounds.time().unwrap_or_else(|| bounds.began.elapsed());
            ran.timed_out_s = Some(limit.as_secs_f64());
            return Ok(ran);
        }
        if matches!(self.policy.limit, Some(Limit::Percent(_))) && ran.exit_code == Some(0) {
            self.times.record(bounds.began.elapsed());
        }
        Ok(ran)
    }
}

impl TryFrom<Policy> for Sh {
    type Error = TemplateError;

    fn try_from(policy: Policy) -> Result<Self, TemplateError> {
        Self::new(policy)
    }
}

impl From<Sh> for Policy {
    fn from(task: Sh) -> Self {
        task.policy
    }
}

impl Clone for Sh {
    /// The same commands; how long those before took is not known to the clone.
    fn clone(&self) -> Self {
        Self {
            policy: self.policy.clone(),
            template: self.template.clone(),
            times: Times::default(),
        }
    }
}

impl Task for Sh {
    type Input = Arc<[u8]>;
    type Output = Ran;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        (): &mut (),
        input: &Arc<[u8]>,
        context: &Context<'_>,
    ) -> Result<Ran, Failure> {
        let bounds = self.bounds(context);
        let mut running = self.start(input, context)?;
        let cause = blocking::wait(&mut running, &bounds)?;
        self.ended(running, cause, &bounds)
    }

    async fn run_async(
        &self,
        (): &mut (),
        input: &Arc<[u8]>,
        context: &Context<'_>,
    ) -> Result<Ran, Failure> {
        let bounds = self.bounds(context);
        let mut running = self.start(input, context)?;
        let cause = nonblocking::wait(&mut running, &bounds).await?;
        self.ended(running, cause, &bounds)
    }

    fn judge(&self, output: &Ran) -> Result<(), Failure> {
        kinds::judge(output)
    }

    /// How far a command came that was ended is chance.
    fn digest(&self, output: &Ran) -> Option<u64> {
        output.timed_out_s.map(|_| 0)
    }

    fn compared(&self, output: &Ran) -> Option<String> {
        output.timed_out_s.map(|_| "timed out".to_owned())
    }

    fn input_bytes(&self, input: &Arc<[u8]>) -> usize {
        size_of::<Arc<[u8]>>() + input.len()
    }

    fn output_bytes(&self, output: &Ran) -> usize {
        size_of::<Ran>() + output.stdout.kept.len() + output.stderr.kept.len()
    }
}
