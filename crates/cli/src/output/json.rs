//! One JSON document: an array of outcomes, or a comparison in lines that people can read as well.

use std::io::{self, Write};

use super::{format::Format, jsonl, record::Record};
use crate::findings::Found;

/// JSON.
#[derive(Default)]
pub(super) struct Json {
    any: bool,
}

impl Format for Json {
    fn begin(&mut self, _task: &str, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(b"[")
    }

    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(if self.any { b",\n" } else { b"\n" })?;
        self.any = true;
        jsonl::object(record, to)
    }

    fn end(&mut self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(b"\n]\n")
    }

    fn found(&mut self, found: &dyn Found, to: &mut dyn Write) -> io::Result<()> {
        found.json(true, to)
    }
}
