//! What every format can do.

use std::io::{self, Write};

use super::record::Record;
use crate::findings::Found;

/// How outcomes and findings are written down.
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

    /// All that a verb has found by measuring. A format that is for outcomes alone cannot write it, which
    /// `FormatName::compares` says before anything is measured.
    fn found(&mut self, _found: &dyn Found, _to: &mut dyn Write) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
