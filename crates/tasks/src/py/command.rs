//! The task `py` by name: an input is a line.

use std::{borrow::Cow, sync::Arc};

use triway_core::{Failure, Model};

use super::{Described, NotDescribed, Py, describe};
use crate::command::{CommandTask, Lanes, Preferred};

impl Py {
    /// What the interpreter says of itself and of the function. It imports the module. Blocks until then.
    ///
    /// # Errors
    /// There is no such function, the module cannot be imported or takes longer than the policy allows, or the
    /// interpreter does not answer.
    pub fn describe(&self) -> Result<Described, NotDescribed> {
        describe::describe(&self.policy)
    }
}

impl CommandTask for Py {
    const NAME: &'static str = "py";
    const INPUT: &'static str = "a JSON value";
    const DOES: &'static str = "calls a Python function with it, in interpreters";
    const VARYING: &'static [&'static str] = &[];

    fn preferred() -> Preferred {
        Preferred {
            model: Model::Processes,
            lanes: Lanes::Pools,
            timeout: None,
            retries: 0,
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Arc<[u8]>, Failure> {
        Ok(bytes.into())
    }

    fn refuse(&self, model: Model) -> Option<Cow<'static, str>> {
        (model == Model::Async && !self.policy.is_async)
            .then(|| format!("{} is not `async def`", self.policy.target.name()).into())
    }
}
