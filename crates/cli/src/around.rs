//! What some tasks want done before a run and after it, besides its outcomes.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use triway_core::Plan;
use triway_exec::journal::Journal;
use triway_measure::{Arm, advise::Interpreter, stage::Stages};
use triway_tasks::{catalog::Named, sql::Sql};

use crate::{
    database::Database,
    exit::Fault,
    servers::Servers,
    total::{Total, TotalFile},
};

/// What is to be done; nothing, for most tasks.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// Where the total over all inputs is to go besides.
    pub(crate) total: Option<PathBuf>,
    /// The database that statements are executed on.
    pub(crate) database: Option<Database>,
    /// The servers that are compared.
    pub(crate) servers: Option<Servers>,
    /// What a report says of what the job runs on.
    pub(crate) about: Option<String>,
    /// The interpreter that calls the job's function.
    pub(crate) interpreter: Option<Interpreter>,
    /// Whether each arm of a comparison is probed in one more trial.
    pub(crate) probe: bool,
}

/// What is left to do when the job has ended.
#[derive(Debug)]
pub(crate) struct Begun {
    total: Option<TotalFile>,
    database: Option<Database>,
}

impl Around {
    /// Refuses to write outcomes or a journal over what the job itself is about.
    ///
    /// # Errors
    /// One of them is named as that.
    pub(crate) fn spare(&self, output: Option<&Path>, journal: Option<&Path>) -> Result<(), Fault> {
        let Some(database) = &self.database else {
            return Ok(());
        };
        let named = [("--output", output), ("--journal", journal)];
        named
            .into_iter()
            .filter_map(|(option, path)| Some((option, path?)))
            .try_for_each(|(option, path)| database.spare(option, path))
    }

    /// The same for a page and a trace.
    pub(crate) fn spare_others(
        &self,
        report: Option<&Path>,
        trace: Option<&Path>,
    ) -> Result<(), Fault> {
        let named = [("--report", report), ("--trace", trace)];
        let spare = |(option, path): (&str, Option<&Path>)| match (&self.database, path) {
            (Some(database), Some(path)) => database.spare(option, path),
            _ => Ok(()),
        };
        named.into_iter().try_for_each(spare)
    }

    /// What each trial of a comparison works on, where the task changes something.
    ///
    /// # Errors
    /// Something of this cannot be done for each trial, or there is no such copy.
    pub(crate) fn stages(
        self,
        task: Option<&Sql>,
        arms: &[Arm],
        ignored: &[String],
    ) -> Result<Option<Stages<Named>>, Fault> {
        if self.total.is_some() {
            return Err(Fault::usage(anyhow!(
                "--total: a comparison has no total; `triway run` has"
            )));
        }
        if let Some(servers) = self.servers {
            return Ok(Some(servers.stages(ignored)));
        }
        match (self.database, task) {
            (Some(database), Some(sql)) => {
                let widest = arms.iter().map(|arm| arm.concurrency.get()).max();
                database.stages(sql, widest.unwrap_or(1), ignored).map(Some)
            }
            _ => Ok(None),
        }
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
        if self.servers.is_some() {
            return Err(Fault::usage(anyhow!(
                "--server: servers are compared, by `triway compare echo`; a run speaks to one, which --to says"
            )));
        }
        if self.probe {
            return Err(Fault::usage(anyhow!(
                "--probe: it slows down what is timed, so it is for `triway compare py`, in a trial of its own"
            )));
        }
        let total = TotalFile::open(self.total.as_deref(), output)?;
        if let Some(database) = &self.database {
            database.begin(plan.concurrency.get(), journal)?;
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
