//! What happens to a database before a job and after it.

use std::path::Path;

use rusqlite::{Error, OpenFlags};
use triway_core::Failure;

use super::{
    connected::{Connected, opened},
    errors::{failure, unopened},
    limit::Limit,
    rows::found,
};
use crate::sql::{answer::Answer, durability::Durability, statement::Statement};

/// Executes a script, which may make the database; nothing of it stays if it fails.
pub(crate) fn script(path: &Path, text: &str) -> Result<(), Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection =
        opened(path, flags, &Limit::new()).map_err(|error| unopened(&error, path))?;
    let done = connection.transaction().and_then(|transaction| {
        transaction.execute_batch(text)?;
        transaction.commit()
    });
    done.map_err(|error| unopened(&error, path))
}

/// Looks whether the database knows what a statement names.
pub(crate) fn check(path: &Path, statement: &Statement) -> Result<(), Failure> {
    let connection = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE, &Limit::new());
    let connection = connection.map_err(|error| unopened(&error, path))?;
    let prepared = connection.prepare(&statement.numbered('?'));
    prepared
        .map(drop)
        .map_err(|error| failure(&error, statement))
}

/// Executes a query and gives its rows.
pub(crate) fn verify(path: &Path, query: &Statement) -> Result<Answer, Failure> {
    let connection = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE, &Limit::new());
    let connection = connection.map_err(|error| unopened(&error, path))?;
    let failed = |error: Error| failure(&error, query);
    let mut prepared = connection.prepare(query.text()).map_err(failed)?;
    Ok(found(&mut prepared, failed)?.answer(true))
}

/// Looks whether it can be written down what of a job is done.
pub(crate) fn check_job(path: &Path, job: &str) -> Result<(), Failure> {
    Connected::open(path, Durability::Full, Some(job)).map(drop)
}
