//! The task `py`: calls the user's own Python function, in interpreters that are worker processes.
//!
//! This program calls no Python. It describes to the executors how an interpreter is started ([`Task::outside`]), what it
//! is told, and reads what it answers. What happens inside stands in the folder `python`.

mod command;
mod describe;
mod interpreter;
mod policy;
mod returned;
mod script;
mod target;

use std::{borrow::Cow, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use triway_core::{Failure, FailureKind, Forms, Outside, Said, Task};

pub use describe::{Described, NotDescribed};
pub use interpreter::{NoInterpreter, interpreter};
pub use policy::{Convert, EventLoop, Form, Policy};
pub use returned::Returned;
pub use target::{NoTarget, Target};

/// Calls a Python function for each input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Py {
    policy: Policy,
}

impl Py {
    /// The task under this policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy }
    }

    /// How it was configured.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same task, whose workers also tell how late a thread gets the interpreter's lock.
    #[must_use]
    pub fn probing(mut self) -> Self {
        self.policy.probe = true;
        self
    }

    fn configuration(&self) -> String {
        let policy = &self.policy;
        json!({
            "target": policy.target.as_str(),
            "is_async": policy.is_async,
            "args": policy.args,
            "input": policy.form,
            "share": policy::shared(&policy.share),
            "default": policy.default,
            "probe": policy.probe,
            "loop": policy.event_loop,
            "folder": policy.folder,
        })
        .to_string()
    }
}

impl Task for Py {
    type Input = Arc<[u8]>;
    type Output = Returned;
    type Lane = ();

    fn forms(&self) -> Forms {
        match self.policy.is_async {
            true => Forms::Both,
            false => Forms::Blocking,
        }
    }

    fn outside(&self) -> Option<Outside> {
        let script = match &*self.policy.compiled {
            [] => Cow::Borrowed(script::SCRIPT.as_bytes()),
            compiled => Cow::Owned(compiled.to_vec()),
        };
        let mut outside = Outside::new(self.policy.python.clone(), script, self.configuration());
        outside.arguments = policy::arguments();
        outside.start_limit = self.policy.import_limit;
        Some(outside)
    }

    fn write_outside<'a>(&self, input: &'a Arc<[u8]>) -> Result<Cow<'a, [u8]>, Failure> {
        Ok(Cow::Borrowed(input))
    }

    fn read_outside(&self, said: Said<'_>) -> Result<Returned, Failure> {
        let json = match said {
            Said::Json(text) => str::from_utf8(text).ok().map(str::to_owned),
            Said::Bytes(bytes) => Some(json!({ "base64": STANDARD.encode(bytes) }).to_string()),
            _ => None,
        };
        let value = json.and_then(|json| RawValue::from_string(json).ok());
        value.map(Returned::new).ok_or_else(|| {
            Failure::permanent(
                FailureKind::ERROR,
                "the interpreter gave a result that is no JSON",
            )
        })
    }

    fn output_bytes(&self, output: &Returned) -> usize {
        size_of::<Returned>() + output.json().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_json_whatever_they_were() {
        let policy = Policy::new("python3".into(), "app.py:f".parse().unwrap());
        let py = Py::new(policy);
        for (said, expected) in [
            (Said::Json(b"{\"a\":[1,2.50]}"), Some("{\"a\":[1,2.50]}")),
            (
                Said::Json(b"123456789012345678901234567890"),
                Some("123456789012345678901234567890"),
            ),
            (Said::Bytes(b"\xff\0"), Some("{\"base64\":\"/wA=\"}")),
            (Said::Json(b"NaN"), None),
            (Said::Json(b"[1"), None),
        ] {
            let read = py.read_outside(said).ok();
            let text = read.map(|value| serde_json::to_string(&value).unwrap());
            assert_eq!(text.as_deref(), expected, "{said:?}");
        }
    }
}
