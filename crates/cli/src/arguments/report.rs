//! Pages and traces of what was measured; verbs that measure flatten these.

use std::path::PathBuf;

use clap::Args;

const HEADING: &str = "Output";

/// A page about what was found.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReportArguments {
    /// Write what was found, with pictures and how it was measured, into one self-contained HTML page
    #[arg(long, global = true, value_name = "FILE.html", help_heading = HEADING)]
    pub(crate) report: Option<PathBuf>,
}

/// A trace of who ran what when.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TraceArguments {
    /// Write who ran what when into a trace that https://ui.perfetto.dev opens
    #[arg(long, global = true, value_name = "FILE.json", help_heading = HEADING)]
    pub(crate) trace: Option<PathBuf>,
}
