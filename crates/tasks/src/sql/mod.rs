//! The task `sql`: one statement with parameters, executed once for each row.

mod answer;
mod command;
mod copy;
mod database;
mod durability;
pub mod kinds;
mod postgres;
mod row;
mod sqlite;
mod statement;
mod table;
mod turn;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Task};

pub use self::{
    answer::Answer,
    copy::Copied,
    database::Database,
    durability::Durability,
    postgres::Server,
    row::{Row, Value},
    statement::{Statement, StatementError},
};
use self::{row::Input, turn::Turn};

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
    committer: Arc<OnceLock<sqlite::Committer>>,
    /// Since when the server is away, if it is.
    #[serde(skip)]
    away: postgres::Away,
}

/// The most rows that share a commit.
const MOST_TOGETHER: usize = 1024;

/// State of a lane: its connection, once it has one.
#[derive(Debug, Default)]
pub struct Lane {
    sqlite: Option<sqlite::Connected>,
    postgres: postgres::Lane,
}

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
            away: postgres::Away::default(),
        }
    }

    /// The same elsewhere.
    #[must_use]
    pub fn on(self, database: Database) -> Self {
        Self {
            database,
            turn: Arc::default(),
            committer: Arc::default(),
            ..self
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

    fn committer(&self, path: &Path) -> Result<&sqlite::Committer, Failure> {
        if let Some(committer) = self.committer.get() {
            return Ok(committer);
        }
        let started = sqlite::Committer::start(sqlite::Orders {
            path: path.to_owned(),
            durability: self.durability,
            job: self.job.clone(),
            statement: self.statement.clone(),
            most: if self.groups { MOST_TOGETHER } else { 1 },
        })?;
        // Of two that start one at the same time, the second ends unused.
        Ok(self.committer.get_or_init(|| started))
    }

    fn orders<'a>(&'a self, server: &'a Server) -> postgres::Orders<'a> {
        postgres::Orders {
            server,
            statement: &self.statement,
            durability: self.durability,
            job: self.job.as_deref(),
            away: &self.away,
        }
    }
}

impl Task for Sql {
    type Input = Row;
    type Output = Answer;
    type Lane = Lane;

    fn forms(&self) -> Forms {
        Forms::Both
    }

    /// A row that was committed late is committed.
    fn keeps_deadline(&self) -> bool {
        true
    }

    fn run_blocking(
        &self,
        lane: &mut Lane,
        row: &Row,
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        let (deadline, index) = (context.deadline(), context.index());
        let input = Input { row, index };
        match &self.database {
            Database::Sqlite(path) if self.groups => self.committer(path)?.ask(row, context).wait(),
            Database::Sqlite(path) => {
                let connected = match &mut lane.sqlite {
                    Some(connected) => connected,
                    none => none.insert(sqlite::Connected::open(
                        path,
                        self.durability,
                        self.job.as_deref(),
                    )?),
                };
                connected.execute(&self.statement, input, deadline, &self.turn)
            }
            Database::Postgres(server) => {
                lane.postgres
                    .execute_blocking(&self.orders(server), input, deadline)
            }
        }
    }

    /// SQLite has no interface that awaits anything, so one thread of the process executes the statements of all lanes.
    async fn run_async(
        &self,
        lane: &mut Lane,
        row: &Row,
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        match &self.database {
            Database::Sqlite(path) => self.committer(path)?.ask(row, context).awaited().await,
            Database::Postgres(server) => {
                let index = context.index();
                let orders = self.orders(server);
                lane.postgres
                    .execute(&orders, Input { row, index }, context.deadline())
                    .await
            }
        }
    }

    fn input_bytes(&self, row: &Row) -> usize {
        row.bytes()
    }

    fn output_bytes(&self, answer: &Answer) -> usize {
        answer.bytes()
    }
}
