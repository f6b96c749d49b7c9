//! What the options of `sh` mean: the command, its inputs, and what limits each run of it.

use std::{os::unix::ffi::OsStringExt as _, time::Duration};

use anyhow::{Context as _, anyhow};
use triway_core::Plan;
use triway_tasks::sh::{Limit, Policy, Sh};

use crate::{
    arguments::{ShArguments, TimeLimit},
    exit::Fault,
    inputs::Inputs,
};

/// How many inputs the embedded example has.
const EXAMPLES: u32 = 40;

/// The embedded example: mostly waiting, and a little to do.
const EXAMPLE: &str = "sh -c 'sleep 0.01; echo \"$1 done\"' sh {}";

/// Words that mean something to a shell alone.
const OF_SHELLS: [&[u8]; 6] = [b"|", b"||", b"&&", b">", b">>", b"<"];

/// A command, its inputs, and what to tell about them.
pub(crate) struct Commands {
    pub(crate) task: Sh,
    pub(crate) inputs: Inputs,
    pub(crate) note: Option<String>,
}

/// Makes of the arguments what they mean.
pub(crate) fn commands(arguments: ShArguments) -> Result<Commands, Fault> {
    let given = Inputs::named(arguments.inputs)?;
    let (command, inputs, note) = match (arguments.command, given) {
        (Some(command), Some(inputs)) => (command.into_vec(), inputs, None),
        (None, None) => {
            let lines = (1..=EXAMPLES).map(|n| format!("input {n}")).collect();
            let note = format!("no command given: {EXAMPLES} times {EXAMPLE}");
            (
                EXAMPLE.into(),
                Inputs::values(lines).repeatable(),
                Some(note),
            )
        }
        (Some(_), None) => {
            return Err(Fault::usage(anyhow!(
                "there are no inputs for the command; name a file with one a line, `-` for standard input, or write \
                 them after --"
            )));
        }
        (None, Some(_)) => {
            return Err(Fault::usage(anyhow!(
                "there is no command for the inputs; write it before them, such as: triway run sh 'gzip -k' -- *.txt"
            )));
        }
    };
    let mut policy = Policy::new(command);
    policy.shell = arguments.shell;
    policy.stdin = arguments.stdin;
    policy.max_output_bytes = arguments.max_output;
    let shell = policy.shell;
    let task = Sh::new(policy).context("COMMAND").map_err(Fault::usage)?;
    let note = note.or_else(|| if shell { None } else { misread(&task) });
    Ok(Commands { task, inputs, note })
}

/// Limits that the task itself keeps, so that it can end what it started: they leave the plan.
pub(crate) fn limit(task: &mut Sh, timeout: Option<TimeLimit>, plan: &mut Plan) {
    let limit = timeout.map(|limit| match limit {
        TimeLimit::Time(time) => Limit::Time(time),
        TimeLimit::Percent(percent) => Limit::Percent(percent),
    });
    task.set_limits(limit, plan.grace);
    plan.timeout = None;
}

/// The same command without limits, which may differ between a run and its resumption.
pub(crate) fn without_limits(task: &mut Sh) {
    task.set_limits(None, Duration::ZERO);
}

/// A remark for somebody who thinks of a shell where there is none.
fn misread(task: &Sh) -> Option<String> {
    let words = task.words(b"", 0);
    let word = words.iter().find(|word| OF_SHELLS.contains(&&***word))?;
    Some(format!(
        "`{}` is an argument like any other here; with --shell it means what it means in a shell",
        String::from_utf8_lossy(word)
    ))
}
