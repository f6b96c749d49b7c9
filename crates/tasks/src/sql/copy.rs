//! A copy of what a statement changes, for a trial that is to leave the original alone.

use tempfile::TempDir;
use triway_core::Failure;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    database::Database,
    postgres::{self, Schema},
    sqlite,
    statement::Statement,
    table::Table,
};

/// A copy. It is cleared away when this is dropped.
#[derive(Debug)]
pub struct Copied {
    database: Database,
    statement: Statement,
    _kept: Kept,
}

/// What is to be cleared away.
#[derive(Debug)]
enum Kept {
    /// The statement only reads, and the original is good enough.
    Original,
    Folder {
        _folder: TempDir,
    },
    Schema {
        _schema: Schema,
    },
}

/// The rows of a table in any order.
#[derive(Debug, Default)]
pub(super) struct Multiset {
    rows: u64,
    sum: u64,
}

impl Multiset {
    pub(super) fn add(&mut self, row: &str) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(xxh3_64(row.as_bytes()));
    }
}

impl Database {
    /// Copies what a statement changes, and executes a script there. Blocks.
    ///
    /// # Errors
    /// What the database says.
    pub fn copied(&self, statement: &Statement, setup: Option<&str>) -> Result<Copied, Failure> {
        let (database, kept) = match self {
            original if setup.is_none() && original.reads(statement)? => {
                (original.reading(), Kept::Original)
            }
            Self::Sqlite(path) => {
                let (folder, path) = sqlite::copied(path)?;
                (Self::Sqlite(path), Kept::Folder { _folder: folder })
            }
            Self::Postgres(server) => {
                let (schema, server) = postgres::copied(server, statement, setup)?;
                (Self::Postgres(server), Kept::Schema { _schema: schema })
            }
        };
        if let Some(setup) = setup {
            match &database {
                Self::Sqlite(path) => sqlite::script_on_copy(path, setup)?,
                Self::Postgres(server) => postgres::script(server, setup)?,
            }
        }
        Ok(Copied {
            database,
            statement: statement.clone(),
            _kept: kept,
        })
    }

    /// Whether the statement changes and locks nothing, as far as this can be seen before it is executed. Blocks.
    pub(super) fn reads(&self, statement: &Statement) -> Result<bool, Failure> {
        match self {
            Self::Sqlite(path) => sqlite::reads(path, statement),
            Self::Postgres(_) => Ok(statement.reads() && !statement.locks()),
        }
    }

    /// The same, where nothing can be changed: a function that a query calls may do anything.
    fn reading(&self) -> Self {
        match self {
            // It knows what a statement does.
            Self::Sqlite(path) => Self::Sqlite(path.clone()),
            Self::Postgres(server) => Self::Postgres(server.reading()),
        }
    }
}

impl Copied {
    /// Where it is.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The rows of the tables that the statement names, as far as it names columns of them (all, if none), in words that
    /// are the same for the same rows in any order. Reads all of them. Blocks.
    ///
    /// # Errors
    /// What the database says.
    pub fn left(&self) -> Result<String, Failure> {
        let words: Vec<String> = self
            .statement
            .words()
            .into_iter()
            .map(|(word, _)| word)
            .collect();
        let tables = match &self.database {
            Database::Sqlite(path) => sqlite::tables(path)?,
            Database::Postgres(server) => postgres::tables(server)?,
        };
        let named = tables.into_iter().filter(|table| table.is_named(&words));
        let left = named.map(|table| self.rows(&table.with_columns(&words)));
        Ok(left.collect::<Result<Vec<_>, _>>()?.join(", "))
    }

    fn rows(&self, table: &Table) -> Result<String, Failure> {
        let query = table.query();
        let mut found = Multiset::default();
        match &self.database {
            Database::Sqlite(path) => sqlite::each(path, &query, |row| found.add(row))?,
            Database::Postgres(server) => postgres::each(server, &query, |row| found.add(row))?,
        }
        let Multiset { rows, sum } = found;
        Ok(format!("{rows} rows in {} ({sum:016x})", table.name))
    }
}
