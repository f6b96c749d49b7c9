//! What scripts read: outcomes and comparisons, in the format that was asked for. One format a file.

mod csv;
mod destination;
mod excerpt;
mod json;
mod jsonl;
mod md;
mod paced;
mod record;
mod table;
mod target;

use std::io::{self, Write};

use triway_measure::report::Comparison;

pub(crate) use self::{
    destination::Destination,
    paced::Paced,
    record::{Record, Shown},
};
use crate::arguments::FormatName;

/// How outcomes and comparisons are written down.
pub(crate) trait Format: Send {
    /// What stands before the first outcome.
    fn begin(&mut self, _to: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// One outcome.
    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()>;

    /// What stands after the last outcome.
    fn end(&mut self, _to: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// A whole comparison.
    fn comparison(&mut self, comparison: &Comparison, to: &mut dyn Write) -> io::Result<()>;
}

/// The format of this name; `colour` is for formats that people read.
fn format(name: FormatName, colour: bool) -> Box<dyn Format> {
    match name {
        FormatName::Table => Box::new(table::Table { colour }),
        FormatName::Jsonl => Box::new(jsonl::Jsonl),
        FormatName::Json => Box::new(json::Json::default()),
        FormatName::Csv => Box::new(csv::Csv),
        FormatName::Md => Box::new(md::Markdown),
    }
}
