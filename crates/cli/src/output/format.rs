//! What every format can do.

use std::io::{self, Write};

use triway_measure::report::Comparison;

use super::record::Record;

/// How outcomes and comparisons are written down.
pub(crate) trait Format: Send {
    /// What stands before the first outcome of a task.
    fn begin(&mut self, _task: &str, _to: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// One outcome.
    fn outcome(&mut self, record: &Record<'_>, to: &mut dyn Write) -> io::Result<()>;

    /// What stands after the last outcome.
    fn end(&mut self, _to: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// A whole comparison. A format that is for outcomes alone has none, which `FormatName::compares` says before
    /// anything is compared.
    fn comparison(&mut self, _comparison: &Comparison, _to: &mut dyn Write) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
