//! The names of output formats.

use std::path::Path;

use clap::ValueEnum;

/// The formats by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// For people
    Table,
    /// One JSON object a line
    Jsonl,
    /// One JSON document
    Json,
    /// Comma-separated values with a header; texts that begin with = + - @ get a ' before them
    Csv,
    /// A Markdown table
    Md,
}

impl FormatName {
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
