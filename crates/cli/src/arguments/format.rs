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
    /// JUnit XML for CI systems, a test case an input; for outcomes only
    Junit,
    /// An annotation for GitHub Actions where an input did not succeed; for outcomes only
    Github,
    /// What the commands of sh wrote, as they wrote it; for outcomes only
    Plain,
    /// GNU parallel's log of jobs; for outcomes only
    Joblog,
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
            "joblog" => Some(Self::Joblog),
            "xml" => Some(Self::Junit),
            _ => None,
        }
    }

    /// Whether a comparison has such a form.
    pub(crate) fn compares(self) -> bool {
        !matches!(
            self,
            Self::Junit | Self::Github | Self::Plain | Self::Joblog
        )
    }
}
