//! The operation that a job applies to each of its inputs.

use std::{borrow::Cow, future::Future};

use crate::{Context, Failure, FailureKind, Outside, Said};

/// Which forms a task has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forms {
    /// [`Task::run_blocking`] alone.
    Blocking,
    /// [`Task::run_async`] alone.
    Async,
    /// Both, doing the same.
    Both,
}

impl Forms {
    /// Whether there is a blocking form.
    #[must_use]
    pub const fn has_blocking(self) -> bool {
        matches!(self, Self::Blocking | Self::Both)
    }

    /// Whether there is an async form.
    #[must_use]
    pub const fn has_async(self) -> bool {
        matches!(self, Self::Async | Self::Both)
    }
}

/// An operation on one input, in a blocking form, an async form or both.
///
/// The task value itself is the state that all lanes of a process share (a client, a pool). State of one lane (a
/// connection, a prepared statement) goes into [`Task::Lane`].
///
/// A task for worker processes, or to be compared, must also be `Serialize` and `Deserialize` (that is its
/// configuration; skip what is only state), as must its inputs and outputs.
///
/// Between processes these travel in [postcard](https://docs.rs/postcard), which writes values alone and leaves names
/// and kinds to the type. So a type whose reader asks the data what comes next does not read back, and an input or
/// output that holds one fails, under processes and in comparisons only: `serde_json::Value`, and what derives
/// `#[serde(untagged)]`, `#[serde(tag = …)]`, `#[serde(flatten)]` or `#[serde(skip_serializing_if = …)]`. Such a value
/// travels as text or bytes, which the task reads itself.
pub trait Task: Send + Sync + 'static {
    /// What it is applied to. Cloned once an attempt: put what is large behind an [`std::sync::Arc`].
    type Input: Clone + Send + Sync + 'static;
    /// What it gives back.
    type Output: Send + 'static;
    /// State of one lane, empty at first; the task fills it when it first needs it. After a panic it starts anew.
    type Lane: Default + Send + 'static;

    /// Which forms this task has. Executors never call a form that is not named here.
    fn forms(&self) -> Forms;

    /// One attempt, on the thread that calls it. It may block.
    ///
    /// # Errors
    /// Whatever the attempt failed with.
    fn run_blocking(
        &self,
        _lane: &mut Self::Lane,
        _input: &Self::Input,
        _context: &Context<'_>,
    ) -> Result<Self::Output, Failure> {
        Err(missing_form("a blocking"))
    }

    /// One attempt that must not block the thread it runs on. Dropping the future cancels it.
    ///
    /// # Errors
    /// Whatever the attempt failed with.
    fn run_async(
        &self,
        _lane: &mut Self::Lane,
        _input: &Self::Input,
        _context: &Context<'_>,
    ) -> impl Future<Output = Result<Self::Output, Failure>> + Send {
        async { Err(missing_form("an async")) }
    }

    /// Whether an output counts as a success. The outcome keeps the output either way.
    ///
    /// # Errors
    /// Why the output counts as a failure.
    fn judge(&self, _output: &Self::Output) -> Result<(), Failure> {
        Ok(())
    }

    /// The kind of failure of an attempt whose time limit has expired, whoever notices it first: `timeout`, or a kind
    /// that begins with `timeout-`.
    fn timeout_kind(&self) -> FailureKind {
        FailureKind::TIMEOUT
    }

    /// Whether an attempt ends by itself soon after its deadline, and then says truly what became of it.
    ///
    /// The default is `false`: what comes after the deadline is a timeout, whatever it is, and an async attempt is dropped
    /// there. A task that changes something lasting (a row that is committed) says `true`. Its success counts although it
    /// is late, it has the plan's grace to answer, and where it does not answer even then, it is not tried again, for
    /// nobody knows what it has done.
    fn keeps_deadline(&self) -> bool {
        false
    }

    /// How its workers are started, where they are no processes of this program. `None`, the default, is for a task that
    /// this program runs itself.
    ///
    /// Of such a task no form is ever called here; [`Task::forms`] says which ones its workers have.
    fn outside(&self) -> Option<Outside> {
        None
    }

    /// An input as a worker from outside reads it.
    ///
    /// # Errors
    /// Why it is none.
    fn write_outside<'a>(&self, _input: &'a Self::Input) -> Result<Cow<'a, [u8]>, Failure> {
        Err(missing_form("an outside"))
    }

    /// The output that a worker from outside gave.
    ///
    /// # Errors
    /// What was said is no output.
    fn read_outside(&self, _said: Said<'_>) -> Result<Self::Output, Failure> {
        Err(missing_form("an outside"))
    }

    /// What inputs may share a limit by, such as the host of a URL; `None` is not limited.
    ///
    /// It is asked where the plan has such a limit, and from the first failure on that says
    /// [`retry_after`](Failure::retry_after).
    fn key(&self, _input: &Self::Input) -> Option<String> {
        None
    }

    /// An input as it may be written down: without what is secret in it. `None`, the default, is the input as it is.
    ///
    /// A journal holds nothing else of an input but a digest. What is given back must have a serialised form as the input
    /// has.
    fn without_secrets(&self, _input: &Self::Input) -> Option<Self::Input> {
        None
    }

    /// Bytes that an input occupies while it waits, counted against the bound on waiting inputs.
    fn input_bytes(&self, _input: &Self::Input) -> usize {
        size_of::<Self::Input>()
    }

    /// Bytes that an output occupies while it waits for its turn, counted against the window of ordered outcomes.
    fn output_bytes(&self, _output: &Self::Output) -> usize {
        size_of::<Self::Output>()
    }

    /// A digest of all in an output that must be the same under every model, for a comparison.
    ///
    /// `None`, the default, lets the digest of the whole serialised output stand for it. A task whose outputs hold
    /// what legitimately varies (times, request ids) gives a digest of the rest.
    fn digest(&self, _output: &Self::Output) -> Option<u64> {
        None
    }

    /// What a comparison shows of an output that differs from another: best what takes part in [`Task::digest`] and
    /// nothing else.
    ///
    /// `None`, the default, shows the output as JSON.
    fn compared(&self, _output: &Self::Output) -> Option<String> {
        None
    }
}

fn missing_form(form: &str) -> Failure {
    Failure::permanent(
        FailureKind::NO_FORM,
        format!("the task names {form} form that it does not implement"),
    )
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::atomic::AtomicBool,
        task::{Context as Polled, Poll, Waker},
    };

    use super::*;

    /// Names both forms and has neither.
    struct Formless;

    impl Task for Formless {
        type Input = ();
        type Output = ();
        type Lane = ();

        fn forms(&self) -> Forms {
            Forms::Both
        }
    }

    #[test]
    fn a_form_that_is_named_and_missing_fails_in_plain_words() {
        let cancelled = AtomicBool::new(false);
        let context = Context::new(0, 1, None, &cancelled);
        let blocking = Formless.run_blocking(&mut (), &(), &context);
        let mut lane = ();
        let waiting = pin!(Formless.run_async(&mut lane, &(), &context));
        let Poll::Ready(polled) = waiting.poll(&mut Polled::from_waker(Waker::noop())) else {
            panic!("there is nothing to wait for");
        };
        for (result, form) in [(blocking, "a blocking form"), (polled, "an async form")] {
            let failure = result.unwrap_err();
            assert_eq!(failure.kind, FailureKind::NO_FORM);
            assert_eq!(
                failure.message,
                format!("the task names {form} that it does not implement")
            );
        }
    }
}
