//! Which function is called, by which interpreter, and how.

use std::{borrow::Cow, ffi::OsString, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{script, target::Target};

/// What an input is to the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Form {
    /// A JSON value.
    Json,
    /// The line as it is.
    Lines,
    /// The bytes of the file that it names.
    Files,
}

/// What becomes of a result that JSON cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Convert {
    /// Its `str()`.
    Str,
    /// Its `repr()`.
    Repr,
}

/// Whose event loop awaits coroutines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EventLoop {
    /// The standard library's.
    Asyncio,
    /// That of the package uvloop.
    Uvloop,
}

/// Which function is called, by which interpreter, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// The interpreter.
    pub python: PathBuf,
    /// The function.
    pub target: Target,
    /// What an input is to it.
    pub form: Form,
    /// Whether an input is a list or an object of arguments.
    pub args: bool,
    /// Files that the function's module has as bytes, under these names.
    pub share: Vec<(String, PathBuf)>,
    /// What becomes of a result that JSON cannot hold; without it, that input fails.
    pub default: Option<Convert>,
    /// Whose event loop awaits coroutines.
    pub event_loop: EventLoop,
    /// How long the module may take to be imported.
    pub import_limit: Duration,
    /// Whether a call gives a coroutine, as [`Described::is_async`](super::Described::is_async) says.
    pub is_async: bool,
    /// Whether a class was named, of which an instance is called. Workers see that for themselves.
    #[serde(skip)]
    pub is_class: bool,
    /// Which of `setup` and `teardown` its module has. Workers see that for themselves.
    #[serde(skip)]
    pub hooks: Vec<String>,
    /// Whether each worker also tells how late a thread gets the interpreter's lock. The probe itself costs something.
    pub probe: bool,
    /// The script as this very interpreter compiled it ([`Described::compiled`](super::Described::compiled)), so that no
    /// worker has to; may be empty.
    #[serde(with = "serde_bytes")]
    pub compiled: Vec<u8>,
    /// Where files stand whose names do not begin with a `/`.
    pub folder: PathBuf,
}

impl Policy {
    /// This function as this interpreter calls it, with a JSON value for each input.
    #[must_use]
    pub fn new(python: PathBuf, target: Target) -> Self {
        Self {
            python,
            target,
            form: Form::Json,
            args: false,
            share: Vec::new(),
            default: None,
            event_loop: EventLoop::Asyncio,
            import_limit: Duration::from_secs(30),
            is_async: false,
            is_class: false,
            hooks: Vec::new(),
            probe: false,
            compiled: Vec::new(),
            folder: std::env::current_dir().unwrap_or_default(),
        }
    }
}

/// Names and paths as the script reads them.
pub(super) fn shared(share: &[(String, PathBuf)]) -> Vec<(&str, Cow<'_, str>)> {
    let both = share.iter();
    both.map(|(name, path)| (&**name, path.to_string_lossy()))
        .collect()
}

pub(super) fn arguments() -> Vec<OsString> {
    ["-c", script::BEGINNING].map(OsString::from).into()
}
