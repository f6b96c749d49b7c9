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

use std::{
    io::{self, Write},
    path::Path,
};

use clap::ValueEnum;
use triway_measure::report::Comparison;

pub(crate) use self::{
    destination::Destination,
    paced::Paced,
    record::{Record, Shown},
};

/// The formats by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// For people
    Table,
    /// One JSON object a line
    Jsonl,
    /// One JSON document
    Json,
    /// Comma-separated values with a header
    Csv,
    /// A Markdown table
    Md,
}

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

impl FormatName {
    /// The format of this name; `colour` is for formats that people read.
    pub(crate) fn format(self, colour: bool) -> Box<dyn Format> {
        match self {
            Self::Table => Box::new(table::Table { colour }),
            Self::Jsonl => Box::new(jsonl::Jsonl),
            Self::Json => Box::new(json::Json::default()),
            Self::Csv => Box::new(csv::Csv),
            Self::Md => Box::new(md::Markdown),
        }
    }

    /// The format that a file's extension stands for.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match &*extension {
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "md" => Some(Self::Md),
            _ => None,
        }
    }
}
