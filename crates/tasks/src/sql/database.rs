//! Where statements are executed, and what happens there before a job and after it.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};
use triway_core::Failure;

use super::{answer::Answer, kinds, postgres, postgres::Server, sqlite, statement::Statement};

/// Where a statement is executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Database {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A server of PostgreSQL.
    Postgres(Server),
}

impl Database {
    /// Executes a script, of which nothing stays if it fails. It may make a file of SQLite. Blocks.
    ///
    /// # Errors
    /// What the database says.
    pub fn script(&self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Sqlite(path) => sqlite::script(path, text),
            Self::Postgres(server) => postgres::script(server, text),
        }
    }

    /// Looks whether the database knows what a statement names. Blocks.
    ///
    /// # Errors
    /// What it says of the statement, with the place.
    pub fn check(&self, statement: &Statement) -> Result<(), Failure> {
        match self {
            Self::Sqlite(path) => sqlite::check(path, statement),
            Self::Postgres(server) => postgres::check(server, statement),
        }
    }

    /// The same for what is to be a query. Blocks.
    ///
    /// # Errors
    /// What the database says of it; or that it changes something.
    pub fn check_query(&self, query: &Statement) -> Result<(), Failure> {
        self.check(query)?;
        match self.reads(query)? {
            true => Ok(()),
            false => Err(Failure::permanent(
                kinds::BAD_STATEMENT,
                "it is to be a query, and this changes something",
            )),
        }
    }

    /// Looks whether it can be written down there what of a job is done, and makes the table for it. Blocks.
    ///
    /// # Errors
    /// What the database says.
    pub fn check_job(&self, job: &str) -> Result<(), Failure> {
        match self {
            Self::Sqlite(path) => sqlite::check_job(path, job),
            Self::Postgres(server) => postgres::check_job(server, job),
        }
    }

    /// Whether inputs of a job are written down there as done. Blocks.
    ///
    /// # Errors
    /// What the database says.
    pub fn has_begun(&self, job: &str) -> Result<bool, Failure> {
        match self {
            Self::Sqlite(path) => sqlite::has_begun(path, job),
            Self::Postgres(server) => postgres::has_begun(server, job),
        }
    }

    /// Looks whether there is room for so many connections more. Blocks.
    ///
    /// # Errors
    /// There is not.
    pub fn check_room(&self, connections: usize) -> Result<(), Failure> {
        let room = self.room()?;
        match connections > room {
            true => Err(Failure::permanent(
                kinds::TOO_MANY_CONNECTIONS,
                format!(
                    "{connections} connections, one for each that runs at once, are more than the {room} that the server has left; run fewer at once with -c {room}"
                ),
            )),
            false => Ok(()),
        }
    }

    /// How many connections more there may be; `usize::MAX` where nobody counts them. Blocks.
    ///
    /// # Errors
    /// What the database says.
    pub fn room(&self) -> Result<usize, Failure> {
        match self {
            Self::Sqlite(_) => Ok(usize::MAX),
            Self::Postgres(server) => postgres::room(server),
        }
    }

    /// Executes a query, which cannot change anything, and gives its rows. Blocks.
    ///
    /// # Errors
    /// What the database says.
    pub fn verify(&self, query: &Statement) -> Result<Answer, Failure> {
        match self {
            Self::Sqlite(path) => sqlite::verify(path, query),
            Self::Postgres(server) => postgres::verify(&server.reading(), query),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(server) => write!(f, "{server}"),
        }
    }
}
