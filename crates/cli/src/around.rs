//! What some tasks want done before a run and after it, besides its outcomes.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use triway_core::Plan;
use triway_exec::journal::Journal;

use crate::{
    database::Database,
    exit::Fault,
    total::{Total, TotalFile},
};

/// What is to be done; nothing, for most tasks.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// Where the total over all inputs is to go besides.
    pub(crate) total: Option<PathBuf>,
    /// The database that statements are executed on.
    pub(crate) database: Option<Database>,
}

/// What is left to do when the job has ended.
#[derive(Debug)]
pub(crate) struct Begun {
    total: Option<TotalFile>,
    database: Option<Database>,
}

impl Around {
    /// Refuses what a comparison cannot do for each of its trials.
    ///
    /// # Errors
    /// There is some of it.
    pub(crate) fn check_compares(&self) -> Result<(), Fault> {
        let refused = if self.total.is_some() {
            "--total: a comparison has no total; `triway run` has"
        } else if self.database.is_some() {
            "sql is not compared yet: each trial needs tables of its own"
        } else {
            return Ok(());
        };
        Err(Fault::usage(anyhow!(refused)))
    }

    /// Does what comes before a job with this plan and this journal, whose outcomes go to `output`.
    ///
    /// # Errors
    /// It cannot be done.
    pub(crate) fn begin(
        self,
        plan: &Plan,
        journal: Option<&Journal>,
        output: Option<&Path>,
    ) -> Result<Begun, Fault> {
        let total = TotalFile::open(self.total.as_deref(), output)?;
        if let Some(database) = &self.database {
            let job = journal.map(Journal::job);
            database.begin(plan.concurrency.get(), job.as_deref())?;
        }
        Ok(Begun {
            total,
            database: self.database,
        })
    }
}

impl Begun {
    /// Does what comes after, and gives what is to be told.
    ///
    /// # Errors
    /// It cannot be done.
    pub(crate) fn end(&mut self, total: &Total) -> Result<Option<String>, Fault> {
        if let Some(file) = self.total.take() {
            file.write(total)?;
        }
        self.database.as_ref().map_or(Ok(None), Database::verified)
    }
}
