//! An outcome as it may be shown: without secrets, and with the input's place where the input itself is at fault.

use std::borrow::Cow;

use triway_core::{Failure, FailureKind, Outcome};
use triway_tasks::{
    catalog::{INPUT_TOO_LARGE, Named, RawInput, RawOutput},
    command::excerpt,
    http::Url,
};

use crate::inputs::Places;

/// One outcome on its way to a format.
pub(crate) struct Record<'a> {
    /// What became of the input.
    pub(crate) outcome: &'a Outcome<RawInput, RawOutput>,
    /// The input.
    pub(crate) input: Shown<'a>,
    /// Where the input stood.
    pub(crate) places: &'a Places,
    /// Unknown where it comes from a journal.
    task: Option<&'a Named>,
}

/// An input as it may be shown.
pub(crate) enum Shown<'a> {
    /// It is text.
    Text(Cow<'a, str>),
    /// It is not.
    Bytes(Cow<'a, [u8]>),
}

impl<'a> Record<'a> {
    /// This outcome of this task.
    pub(crate) fn new(
        task: &'a Named,
        outcome: &'a Outcome<RawInput, RawOutput>,
        places: &'a Places,
    ) -> Self {
        Self {
            input: Shown::of(task, outcome.input.as_bytes()),
            outcome,
            places,
            task: Some(task),
        }
    }

    /// This outcome as a journal has it, which holds no secrets.
    pub(crate) fn recorded(outcome: &'a Outcome<RawInput, RawOutput>, places: &'a Places) -> Self {
        let bytes = outcome.input.as_bytes();
        let text = str::from_utf8(bytes).map(|text| Shown::Text(Cow::Borrowed(text)));
        Self {
            input: text.unwrap_or(Shown::Bytes(Cow::Borrowed(bytes))),
            outcome,
            places,
            task: None,
        }
    }

    /// Why it did not succeed. A message about the input itself says where that stood.
    pub(crate) fn message(&self, failure: &'a Failure) -> Cow<'a, str> {
        if [FailureKind::BAD_INPUT, INPUT_TOO_LARGE].contains(&failure.kind) {
            let place = self.places.name(self.outcome.index);
            return Cow::Owned(format!("{place}: {}", failure.message));
        }
        Cow::Borrowed(&failure.message)
    }

    /// The same for whoever shows the input beside it: a message about a request begins with its URL.
    pub(crate) fn message_beside_input(&self, failure: &'a Failure) -> Cow<'a, str> {
        let message = self.message(failure);
        let subjects = [Some(self.input.lossy()), self.url().map(Cow::Owned)];
        let rest = subjects.iter().flatten().find_map(|subject| {
            let rest = message.strip_prefix(&*excerpt(subject))?;
            rest.strip_prefix(": ")
        });
        match rest {
            Some(rest) => Cow::Owned(rest.to_owned()),
            None => message,
        }
    }

    /// The input as a URL is written that was understood.
    fn url(&self) -> Option<String> {
        let text = str::from_utf8(self.outcome.input.as_bytes()).ok()?;
        let url = Url::parse(text.trim()).ok()?;
        let shown = self.task.map(|task| task.show(url.as_str()).into_owned());
        Some(shown.unwrap_or_else(|| url.into()))
    }

    /// The command that was run, as a shell would be given it; the input where there was none.
    pub(crate) fn command(&self) -> Vec<u8> {
        let (input, index) = (&self.outcome.input, self.outcome.index);
        let line = self.task.and_then(|task| task.line(input, index));
        line.unwrap_or_else(|| self.input.lossy().replace(['\t', '\n'], " ").into_bytes())
    }

    /// What the task gave back, as JSON.
    pub(crate) fn output(&self) -> Option<&'a str> {
        let output = self.outcome.output.as_ref();
        output.map(|output| &*output.json)
    }
}

impl<'a> Shown<'a> {
    fn of(task: &Named, bytes: &'a [u8]) -> Self {
        if let Ok(text) = str::from_utf8(bytes) {
            return Self::Text(task.show(text));
        }
        // What cannot be read as text may hold a secret all the same.
        let lossy = String::from_utf8_lossy(bytes);
        match task.show(&lossy) {
            Cow::Owned(redacted) => Self::Bytes(Cow::Owned(redacted.into_bytes())),
            Cow::Borrowed(_) => Self::Bytes(Cow::Borrowed(bytes)),
        }
    }

    /// The input as text, whatever it takes.
    pub(crate) fn lossy(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes),
        }
    }
}
