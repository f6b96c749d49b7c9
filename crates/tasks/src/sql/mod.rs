//! The task `sql`: one statement with parameters, executed once for each row.

mod answer;
mod command;
pub mod kinds;
mod row;
mod sqlite;
mod statement;
mod turn;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Task};

pub use self::{
    answer::Answer,
    row::{Row, Value},
    sqlite::{check, script, verify},
    statement::{Statement, StatementError},
};
use self::{
    sqlite::{Committer, Orders},
    turn::Turn,
};

/// Executes a statement for each row, each in a transaction of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sql {
    statement: Statement,
    database: Database,
    durability: Durability,
    groups: bool,
    job: Option<String>,
    /// Whose turn it is to write; lanes of one process wait for it in turn rather than by trying again.
    #[serde(skip)]
    turn: Arc<Turn>,
    /// Who writes for the lanes that do not write themselves.
    #[serde(skip)]
    committer: Arc<OnceLock<Committer>>,
}

/// The most rows that share a commit.
const MOST_TOGETHER: usize = 1024;

/// Where a statement is executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Database {
    /// A file of SQLite.
    Sqlite(PathBuf),
}

/// What an outcome that succeeded vouches for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// What it changed survives a loss of power.
    #[default]
    Full,
    /// It survives the end of this program, and of a loss of power only what was written some seconds before.
    Normal,
}

/// State of a lane: its connection, once it has one.
#[derive(Debug, Default)]
pub struct Lane(Option<sqlite::Connected>);

impl Sql {
    /// The task that executes this statement there, with full durability.
    #[must_use]
    pub fn new(statement: Statement, database: Database) -> Self {
        Self {
            statement,
            database,
            durability: Durability::default(),
            groups: false,
            job: None,
            turn: Arc::default(),
            committer: Arc::default(),
        }
    }

    /// The same with another durability.
    #[must_use]
    pub fn with_durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// The same, but rows that are there at the same time share a commit.
    #[must_use]
    pub fn in_groups(self, groups: bool) -> Self {
        Self { groups, ..self }
    }

    /// The same as part of a job that can be resumed: what is done is written down with what it changes.
    #[must_use]
    pub fn of_job(self, job: Option<String>) -> Self {
        Self { job, ..self }
    }

    fn committer(&self) -> Result<&Committer, Failure> {
        if let Some(committer) = self.committer.get() {
            return Ok(committer);
        }
        let Database::Sqlite(path) = &self.database;
        let started = Committer::start(Orders {
            path: path.clone(),
            durability: self.durability,
            job: self.job.clone(),
            statement: self.statement.clone(),
            most: if self.groups { MOST_TOGETHER } else { 1 },
        })?;
        // Of two that start one at the same time, the second ends unused.
        Ok(self.committer.get_or_init(|| started))
    }
}

impl Task for Sql {
    type Input = Row;
    type Output = Answer;
    type Lane = Lane;

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        lane: &mut Lane,
        row: &Row,
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        if self.groups {
            return self.committer()?.ask(row, context).wait();
        }
        let Database::Sqlite(path) = &self.database;
        let connected = match &mut lane.0 {
            Some(connected) => connected,
            none => none.insert(sqlite::Connected::open(
                path,
                self.durability,
                self.job.as_deref(),
            )?),
        };
        let input = sqlite::Input {
            row,
            index: context.index(),
        };
        connected.execute(&self.statement, input, context.deadline(), &self.turn)
    }

    /// SQLite has no interface that awaits anything, so one thread of the process executes the statements of all lanes.
    async fn run_async(
        &self,
        _: &mut Lane,
        row: &Row,
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        self.committer()?.ask(row, context).awaited().await
    }

    fn input_bytes(&self, row: &Row) -> usize {
        row.bytes()
    }

    fn output_bytes(&self, answer: &Answer) -> usize {
        answer.bytes()
    }
}
