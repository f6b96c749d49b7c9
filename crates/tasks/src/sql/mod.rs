//! The task `sql`: one statement with parameters, executed once for each row.

mod answer;
mod command;
pub mod kinds;
mod row;
mod sqlite;
mod statement;
mod turn;

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, Forms, Task};

use self::turn::Turn;
pub use self::{
    answer::Answer,
    row::{Row, Value},
    sqlite::{check, script, verify},
    statement::{Statement, StatementError},
};

/// Executes a statement for each row, each in a transaction of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sql {
    statement: Statement,
    database: Database,
    durability: Durability,
    /// Whose turn it is to write; lanes of one process wait for it in turn rather than by trying again.
    #[serde(skip)]
    turn: Arc<Turn>,
}

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
            turn: Arc::default(),
        }
    }

    /// The same with another durability.
    #[must_use]
    pub fn with_durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }
}

impl Task for Sql {
    type Input = Row;
    type Output = Answer;
    type Lane = Lane;

    /// SQLite has no interface that waits without holding its thread.
    fn forms(&self) -> Forms {
        Forms::Blocking
    }

    fn run_blocking(
        &self,
        lane: &mut Lane,
        row: &Row,
        context: &Context<'_>,
    ) -> Result<Answer, Failure> {
        let Database::Sqlite(path) = &self.database;
        let connected = match &mut lane.0 {
            Some(connected) => connected,
            none => none.insert(sqlite::Connected::open(path, self.durability)?),
        };
        connected.execute(&self.statement, row, context, &self.turn)
    }

    fn input_bytes(&self, row: &Row) -> usize {
        row.bytes()
    }

    fn output_bytes(&self, answer: &Answer) -> usize {
        answer.bytes()
    }
}
