//! The verbs, one a file.

pub(crate) mod advise;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod generate;
pub(crate) mod journal;
pub(crate) mod man;
pub(crate) mod overhead;
pub(crate) mod run;
pub(crate) mod serve;
mod serve_echo;
mod serve_http;
pub(crate) mod sweep;
