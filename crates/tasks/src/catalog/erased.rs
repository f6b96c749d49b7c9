//! A task chosen by name without its types: the one place where bytes become inputs, and outputs become JSON.

use std::{any::Any, borrow::Cow, future::Future, pin::Pin};

use triway_core::{Context, Failure, FailureKind, Forms, Model, Outside, Said};
use triway_memory::Blob;

use super::{
    digest::{compared, digest},
    raw::RawOutput,
};
use crate::command::{CommandTask, Preferred};

/// State of one lane, whatever the task's is.
#[derive(Debug, Default)]
pub struct NamedLane(Option<Box<dyn Any + Send>>);

pub(super) type Attempt<'a> = Pin<Box<dyn Future<Output = Result<RawOutput, Failure>> + Send + 'a>>;

/// What an attempt is given.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) bytes: &'a [u8],
    /// What is lent under the name that `bytes` are.
    pub(super) lent: Option<&'a Blob>,
    pub(super) context: &'a Context<'a>,
    /// The fields to leave out of the digest besides those that vary anyway; `None` for no digest.
    pub(super) ignored: Option<&'a [String]>,
}

/// A [`CommandTask`] whose types are forgotten.
pub(super) trait Erased: Send + Sync {
    fn name(&self) -> &'static str;
    fn preferred(&self) -> Preferred;
    fn forms(&self) -> Forms;
    fn show<'a>(&self, text: &'a str) -> Cow<'a, str>;
    fn refuse(&self, model: Model) -> Option<Cow<'static, str>>;
    fn remark(&self, model: Model) -> Option<&'static str>;
    fn line(&self, bytes: &[u8], index: u64) -> Option<Vec<u8>>;
    fn key(&self, bytes: &[u8]) -> Option<String>;
    fn timeout_kind(&self) -> FailureKind;
    fn keeps_deadline(&self) -> bool;
    /// What is compared of an output's JSON, the ignored fields left out as well.
    fn compared(&self, json: &str, ignored: &[String]) -> Option<String>;
    fn outside(&self) -> Option<Outside>;
    fn write_outside(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure>;
    fn read_outside(
        &self,
        said: Said<'_>,
        ignored: Option<&[String]>,
    ) -> Result<RawOutput, Failure>;
    fn run_blocking(&self, lane: &mut NamedLane, given: Given<'_>) -> Result<RawOutput, Failure>;
    fn run_async<'a>(&'a self, lane: &'a mut NamedLane, given: Given<'a>) -> Attempt<'a>;
}

impl<T: CommandTask> Erased for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn preferred(&self) -> Preferred {
        T::preferred()
    }

    fn forms(&self) -> Forms {
        T::forms(self)
    }

    fn show<'a>(&self, text: &'a str) -> Cow<'a, str> {
        T::show(self, text)
    }

    fn refuse(&self, model: Model) -> Option<Cow<'static, str>> {
        T::refuse(self, model)
    }

    fn remark(&self, model: Model) -> Option<&'static str> {
        T::remark(self, model)
    }

    fn line(&self, bytes: &[u8], index: u64) -> Option<Vec<u8>> {
        T::line(self, bytes, index)
    }

    fn key(&self, bytes: &[u8]) -> Option<String> {
        T::key(self, &self.parse(bytes).ok()?)
    }

    fn timeout_kind(&self) -> FailureKind {
        T::timeout_kind(self)
    }

    fn keeps_deadline(&self) -> bool {
        T::keeps_deadline(self)
    }

    fn compared(&self, json: &str, ignored: &[String]) -> Option<String> {
        let output = serde_json::from_str(json).ok()?;
        Some(compared(output, varying::<T>(ignored)))
    }

    fn outside(&self) -> Option<Outside> {
        T::outside(self)
    }

    fn write_outside(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let input = self.parse(bytes)?;
        T::write_outside(self, &input).map(Cow::into_owned)
    }

    fn read_outside(
        &self,
        said: Said<'_>,
        ignored: Option<&[String]>,
    ) -> Result<RawOutput, Failure> {
        raw(self, &T::read_outside(self, said)?, ignored)
    }

    fn run_blocking(&self, lane: &mut NamedLane, given: Given<'_>) -> Result<RawOutput, Failure> {
        let input = given.parse(self)?;
        let output = T::run_blocking(self, lane.typed(), &input, given.context)?;
        raw(self, &output, given.ignored)
    }

    fn run_async<'a>(&'a self, lane: &'a mut NamedLane, given: Given<'a>) -> Attempt<'a> {
        Box::pin(async move {
            let input = given.parse(self)?;
            let output = T::run_async(self, lane.typed(), &input, given.context).await?;
            raw(self, &output, given.ignored)
        })
    }
}

impl Given<'_> {
    fn parse<T: CommandTask>(&self, task: &T) -> Result<T::Input, Failure> {
        match self.lent {
            Some(lent) => task.parse_lent(self.bytes, lent),
            None => task.parse(self.bytes),
        }
    }
}

impl NamedLane {
    /// The state as the task knows it. A lane serves one task, so it is of another type only before its first use.
    fn typed<L: Default + Send + 'static>(&mut self) -> &mut L {
        if self.0.as_ref().is_some_and(|state| !state.is::<L>()) {
            self.0 = None;
        }
        self.0
            .get_or_insert_with(|| Box::<L>::default())
            .downcast_mut()
            .expect("a state of another type was dropped above")
    }
}

/// The fields that do not count.
fn varying<T: CommandTask>(ignored: &[String]) -> impl Iterator<Item = &str> {
    let ignored = ignored.iter().map(String::as_str);
    T::VARYING.iter().copied().chain(ignored)
}

fn raw<T: CommandTask>(
    task: &T,
    output: &T::Output,
    ignored: Option<&[String]>,
) -> Result<RawOutput, Failure> {
    let digest = match ignored {
        None => 0,
        Some(ignored) => match task.digest(output) {
            Some(own) => own,
            None => digest(serde_json::to_value(output)?, varying::<T>(ignored)),
        },
    };
    Ok(RawOutput {
        json: serde_json::to_string(output)?,
        digest,
        addable: task.addable(output).unwrap_or_default(),
        rejected: task.judge(output).err(),
    })
}
