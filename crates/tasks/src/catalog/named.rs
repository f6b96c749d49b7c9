//! The adapter: any task of the catalogue as one task over raw bytes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Model, Outside, Said, Task};

pub use super::erased::NamedLane;
use super::{
    erased::{Erased, Given},
    raw::{RawInput, RawOutput},
};
#[cfg(feature = "columns")]
use crate::columns::Columns;
#[cfg(feature = "sql")]
use crate::sql::Sql;
use crate::{check::Check, command::Preferred, cpu::Cpu, echo::Echo, http::Http, py::Py, sh::Sh};

/// A task of the catalogue, over raw bytes. As serialised it is a plain configuration.
#[derive(Debug, Serialize, Deserialize)]
pub struct Named {
    configured: Configured,
    digests: Option<Vec<String>>,
}

/// Which task, and how it is configured.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Configured {
    /// Requests URLs.
    Http(Box<Http>),
    /// Requests URLs and examines the answers.
    Check(Box<Check>),
    /// Sends lines and waits for answers.
    Echo(Echo),
    /// Keeps a processor busy.
    Cpu(Cpu),
    /// Filters and adds up columns of files.
    #[cfg(feature = "columns")]
    Columns(Box<Columns>),
    /// Calls Python functions.
    Py(Box<Py>),
    /// Runs commands.
    Sh(Box<Sh>),
    /// Executes statements.
    #[cfg(feature = "sql")]
    Sql(Box<Sql>),
}

impl Named {
    /// This task, making no digests.
    pub fn new(configured: impl Into<Configured>) -> Self {
        Self {
            configured: configured.into(),
            digests: None,
        }
    }

    /// The same task, making a digest of each output for a comparison. `ignored` are fields to leave out besides those
    /// that the task says vary.
    #[must_use]
    pub fn with_digests(self, ignored: Vec<String>) -> Self {
        Self {
            digests: Some(ignored),
            ..self
        }
    }

    /// The name that chooses it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.erased().name()
    }

    /// How it is run unless somebody says otherwise.
    #[must_use]
    pub fn preferred(&self) -> Preferred {
        self.erased().preferred()
    }

    /// An input as it may be shown: without what is secret in it.
    #[must_use]
    pub fn show<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.erased().show(text)
    }

    /// Why this task is not run under a model that could run it; `None` if it is.
    #[must_use]
    pub fn refuse(&self, model: Model) -> Option<Cow<'static, str>> {
        self.erased().refuse(model)
    }

    /// What whoever runs this task under a model should know; `None` if there is nothing.
    #[must_use]
    pub fn remark(&self, model: Model) -> Option<&'static str> {
        self.erased().remark(model)
    }

    /// The command that is run for the input with this index, as a shell would be given it; `None` if there is none.
    #[must_use]
    pub fn line(&self, input: &RawInput, index: u64) -> Option<Vec<u8>> {
        self.erased().line(input.whole().ok()?, index)
    }

    fn erased(&self) -> &dyn Erased {
        match &self.configured {
            Configured::Http(task) => &**task,
            Configured::Check(task) => &**task,
            Configured::Echo(task) => task,
            Configured::Cpu(task) => task,
            #[cfg(feature = "columns")]
            Configured::Columns(task) => &**task,
            Configured::Py(task) => &**task,
            Configured::Sh(task) => &**task,
            #[cfg(feature = "sql")]
            Configured::Sql(task) => &**task,
        }
    }

    fn given<'a>(
        &'a self,
        input: &'a RawInput,
        context: &'a Context<'a>,
    ) -> Result<Given<'a>, Failure> {
        Ok(Given {
            bytes: input.whole()?,
            lent: input.lent(),
            context,
            ignored: self.digests.as_deref(),
        })
    }
}

impl From<Http> for Configured {
    fn from(task: Http) -> Self {
        Self::Http(Box::new(task))
    }
}

impl From<Check> for Configured {
    fn from(task: Check) -> Self {
        Self::Check(Box::new(task))
    }
}

impl From<Echo> for Configured {
    fn from(task: Echo) -> Self {
        Self::Echo(task)
    }
}

impl From<Cpu> for Configured {
    fn from(task: Cpu) -> Self {
        Self::Cpu(task)
    }
}

#[cfg(feature = "columns")]
impl From<Columns> for Configured {
    fn from(task: Columns) -> Self {
        Self::Columns(Box::new(task))
    }
}

#[cfg(feature = "sql")]
impl From<Sql> for Configured {
    fn from(task: Sql) -> Self {
        Self::Sql(Box::new(task))
    }
}

impl From<Py> for Configured {
    fn from(task: Py) -> Self {
        Self::Py(Box::new(task))
    }
}

impl From<Sh> for Configured {
    fn from(task: Sh) -> Self {
        Self::Sh(Box::new(task))
    }
}

impl Task for Named {
    type Input = RawInput;
    type Output = RawOutput;
    type Lane = NamedLane;

    fn forms(&self) -> Forms {
        self.erased().forms()
    }

    fn run_blocking(
        &self,
        lane: &mut NamedLane,
        input: &RawInput,
        context: &Context<'_>,
    ) -> Result<RawOutput, Failure> {
        let given = self.given(input, context)?;
        self.erased().run_blocking(lane, given)
    }

    fn outside(&self) -> Option<Outside> {
        self.erased().outside()
    }

    fn write_outside<'a>(&self, input: &'a RawInput) -> Result<Cow<'a, [u8]>, Failure> {
        self.erased().write_outside(input.whole()?).map(Cow::Owned)
    }

    fn read_outside(&self, said: Said<'_>) -> Result<RawOutput, Failure> {
        self.erased().read_outside(said, self.digests.as_deref())
    }

    async fn run_async(
        &self,
        lane: &mut NamedLane,
        input: &RawInput,
        context: &Context<'_>,
    ) -> Result<RawOutput, Failure> {
        let given = self.given(input, context)?;
        self.erased().run_async(lane, given).await
    }

    /// The verdict of the task itself, which it gave where the typed output was.
    fn judge(&self, output: &RawOutput) -> Result<(), Failure> {
        output.rejected.clone().map_or(Ok(()), Err)
    }

    fn timeout_kind(&self) -> FailureKind {
        self.erased().timeout_kind()
    }

    fn keeps_deadline(&self) -> bool {
        self.erased().keeps_deadline()
    }

    fn key(&self, input: &RawInput) -> Option<String> {
        self.erased().key(input.whole().ok()?)
    }

    fn without_secrets(&self, input: &RawInput) -> Option<RawInput> {
        input.redacted(|text| match self.show(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(shown) => Some(shown),
        })
    }

    fn input_bytes(&self, input: &RawInput) -> usize {
        size_of::<RawInput>() + input.as_bytes().len() + input.lent().map_or(0, |lent| lent.len())
    }

    fn output_bytes(&self, output: &RawOutput) -> usize {
        let rejected = output.rejected.as_ref();
        size_of::<RawOutput>()
            + output.json.len()
            + output.addable.len()
            + rejected.map_or(0, |why| why.message.len())
    }

    /// What the worker made; `None` if it was not asked to.
    fn digest(&self, output: &RawOutput) -> Option<u64> {
        self.digests.is_some().then_some(output.digest)
    }

    /// The task's own output, not what this adapter makes of it.
    fn compared(&self, output: &RawOutput) -> Option<String> {
        let ignored = self.digests.as_deref()?;
        self.erased().compared(&output.json, ignored)
    }
}
