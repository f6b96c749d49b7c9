//! The task `check`: requests a URL as `http` does, and says whether the answer is what it should be.

mod command;
mod examine;
mod path;
mod rules;
pub mod sources;

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Task};
use url::Url;

pub use examine::{Health, Problem, kinds};
pub use path::{Expected, ExpectedError};
pub use rules::{Rule, RuleError, Rules};

use crate::http::{Fetched, Http, Policy, Terms};
use examine::examine;
use rules::Applied;

/// Requests a URL and examines the answer by rules.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Check {
    http: Http,
    rules: Rules,
}

impl Check {
    /// Requests under this policy, and these rules for the answers. The policy's own `accept` counts where no rule says
    /// which statuses are right.
    #[must_use]
    pub fn new(policy: Policy, rules: Rules) -> Self {
        Self {
            http: Http::new(policy),
            rules,
        }
    }

    /// What is wrong with an answer, without the secrets that its server may have sent back.
    fn examine(&self, rule: &Applied<'_>, fetched: Fetched) -> Health {
        let mut health = examine(rule, fetched);
        for problem in &mut health.problems {
            problem.message = self
                .http
                .policy()
                .masked(std::mem::take(&mut problem.message));
        }
        health
    }
}

impl Task for Check {
    type Input = Url;
    type Output = Health;
    type Lane = ();

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        (): &mut (),
        input: &Url,
        context: &Context<'_>,
    ) -> Result<Health, Failure> {
        let rule = self.rules.of(input, &self.http.policy().accept);
        let keep = rule.needs_body();
        let fetched = self.http.fetch_blocking(input, Terms::of(context, keep))?;
        Ok(self.examine(&rule, fetched))
    }

    async fn run_async(
        &self,
        (): &mut (),
        input: &Url,
        context: &Context<'_>,
    ) -> Result<Health, Failure> {
        let rule = self.rules.of(input, &self.http.policy().accept);
        let keep = rule.needs_body();
        let fetched = self.http.fetch(input, Terms::of(context, keep)).await?;
        Ok(self.examine(&rule, fetched))
    }

    fn judge(&self, output: &Health) -> Result<(), Failure> {
        output.verdict()
    }

    fn timeout_kind(&self) -> FailureKind {
        self.http.timeout_kind()
    }

    fn key(&self, input: &Url) -> Option<String> {
        self.http.key(input)
    }

    fn input_bytes(&self, input: &Url) -> usize {
        self.http.input_bytes(input)
    }

    fn output_bytes(&self, output: &Health) -> usize {
        let told = output.problems.iter().map(|problem| problem.message.len());
        self.http.output_bytes(&output.answer) + told.sum::<usize>()
    }
}
