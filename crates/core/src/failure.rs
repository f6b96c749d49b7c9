//! Why an attempt at an input did not succeed: a kind for programs, a message for people.

use std::{borrow::Cow, fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// A short, stable name for a sort of failure, such as `refused` or `http-status`.
///
/// Tasks add kinds of their own; those that executors give are constants here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FailureKind(Cow<'static, str>);

impl FailureKind {
    /// The task panicked.
    pub const PANIC: Self = Self::new("panic");
    /// The attempt outlasted its time limit.
    pub const TIMEOUT: Self = Self::new("timeout");
    /// The job was stopped before the input was done.
    pub const CANCELLED: Self = Self::new("cancelled");
    /// The worker process that had the input died.
    pub const WORKER_LOST: Self = Self::new("worker-lost");
    /// The input is not of the form that the task needs.
    pub const BAD_INPUT: Self = Self::new("bad-input");
    /// This machine did not give what the attempt needed (descriptors, memory), and the attempt had no effect.
    ///
    /// As long as other attempts run, such an input goes back to those that wait, free of charge, and fewer inputs run
    /// at once from then on; only an attempt that runs alone fails of it.
    pub const LOCAL_LIMIT: Self = Self::new("local-limit");
    /// The task has no form (blocking or async) that the model can run.
    pub const NO_FORM: Self = Self::new("no-form");
    /// An error of the user's own code that carries no kind.
    pub const ERROR: Self = Self::new("error");

    /// A kind with this name: lower case, words joined by hyphens.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Whether a time limit has expired: `timeout`, or a task's own kind that begins with `timeout-`.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        let rest = self.0.strip_prefix(Self::TIMEOUT.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    /// The name, as every output shows it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What went wrong with one attempt.
///
/// It is deliberately no [`std::error::Error`], so that `?` turns any error of a task's own code into one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// A sentence that names the cause.
    pub message: String,
    /// Whether another attempt could end differently; a malformed input stays malformed.
    pub retryable: bool,
    /// For so long the other side wants to be left alone, as HTTP's `Retry-After` says.
    ///
    /// The next attempt at this input, and any at another input of the same [`crate::Task::key`], comes no earlier. Where
    /// it is longer than [`crate::Retry::longest_wait`], the failure is final, and the others do not wait.
    pub retry_after: Option<Duration>,
    /// Where in the user's own code it arose, in lines, where somebody can tell.
    pub trace: Option<String>,
}

impl Failure {
    /// A failure that another attempt may not meet again.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retryable: true,
            retry_after: None,
            trace: None,
        }
    }

    /// A failure that every further attempt would meet as well.
    pub fn permanent(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            retryable: false,
            ..Self::new(kind, message)
        }
    }

    /// An input that is not of the form the task needs; never retried.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::permanent(FailureKind::BAD_INPUT, message)
    }

    /// The same failure with where it arose.
    #[must_use]
    pub fn with_trace(self, trace: Option<String>) -> Self {
        Self { trace, ..self }
    }

    /// The same failure of another side that wants to be left alone for so long.
    #[must_use]
    pub fn with_retry_after(self, time: Duration) -> Self {
        Self {
            retry_after: Some(time),
            ..self
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::new(FailureKind::ERROR, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_keeps_the_causes() {
        fn parse(text: &str) -> Result<u64, Failure> {
            Ok(text.parse::<u64>()?)
        }
        let failure = parse("x").unwrap_err();
        assert_eq!(failure.kind, FailureKind::ERROR);
        assert_eq!(failure.message, "invalid digit found in string");
    }
}
