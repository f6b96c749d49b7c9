//! What happens to a database before a job and after it.

use std::path::{Path, PathBuf};

use rusqlite::{
    Connection, Error, ErrorCode, OpenFlags, TransactionBehavior,
    hooks::{AuthAction, AuthContext, Authorization},
};
use tempfile::TempDir;
use triway_core::Failure;

use super::{
    connected::{Connected, opened, writing},
    done::Done,
    errors::{failure, unopened},
    limit::Limit,
    rows::{found, handed},
};
use crate::sql::{
    answer::Answer, durability::Durability, kinds, statement::Statement, table::Table,
};

/// Executes a script, which may make the database; nothing of it stays if it fails.
pub(crate) fn script(path: &Path, text: &str) -> Result<(), Failure> {
    execute(path, text, false)
}

/// The same on a copy: nothing but that is to be changed.
pub(crate) fn script_on_copy(path: &Path, text: &str) -> Result<(), Failure> {
    execute(path, text, true)
}

fn execute(path: &Path, text: &str, is_copy: bool) -> Result<(), Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection =
        writing(path, flags, &Limit::new()).map_err(|error| unopened(&error, path))?;
    if is_copy {
        let no_other_file = |context: AuthContext<'_>| match context.action {
            AuthAction::Attach { .. } => Authorization::Deny,
            _ => Authorization::Allow,
        };
        connection
            .authorizer(Some(no_other_file))
            .map_err(|error| unopened(&error, path))?;
    }
    // One that begins with reading cannot wait for a lock that it needs later.
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let done = begun.and_then(|transaction| {
        transaction.execute_batch(text)?;
        transaction.commit()
    });
    done.map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::AuthorizationForStatementDenied) if is_copy => Failure::permanent(
            kinds::BAD_STATEMENT,
            "the setup attaches another file, and each trial is to change its own copy alone",
        ),
        _ => unopened(&error, path),
    })
}

/// Looks whether the database knows what a statement names.
pub(crate) fn check(path: &Path, statement: &Statement) -> Result<(), Failure> {
    let connection = existing(path)?;
    let prepared = connection.prepare(&statement.numbered('?'));
    prepared
        .map(drop)
        .map_err(|error| failure(&error, statement))
}

/// Executes a query and gives its rows.
pub(crate) fn verify(path: &Path, query: &Statement) -> Result<Answer, Failure> {
    let connection = existing(path)?;
    let failed = |error: Error| failure(&error, query);
    let mut prepared = connection.prepare(query.text()).map_err(failed)?;
    Ok(found(&mut prepared, failed)?.answer(true))
}

/// Looks whether it can be written down what of a job is done.
pub(crate) fn check_job(path: &Path, job: &str) -> Result<(), Failure> {
    Connected::open(path, Durability::Full, Some(job)).map(drop)
}

/// Whether inputs of a job are written down as done.
pub(crate) fn has_begun(path: &Path, job: &str) -> Result<bool, Failure> {
    if !path.exists() {
        return Ok(false);
    }
    Done::any(job, &existing(path)?).map_err(|error| unopened(&error, path))
}

/// A copy of the file beside it, if there is one; and where that is.
pub(crate) fn copied(path: &Path) -> Result<(TempDir, PathBuf), Failure> {
    let beside = folder_beside(path).map_err(|error| {
        let message = format!(
            "no copy of {} can be made beside it: {error}",
            path.display()
        );
        Failure::permanent(kinds::IO, message)
    });
    let (folder, copy) = beside?;
    if path.exists() {
        let connection = existing(path)?;
        let made = connection.execute("vacuum into ?1", [copy.to_string_lossy()]);
        made.map_err(|error| unopened(&error, path))?;
    }
    Ok((folder, copy))
}

/// Whether the statement only reads.
pub(crate) fn reads(path: &Path, statement: &Statement) -> Result<bool, Failure> {
    let connection = existing(path)?;
    let prepared = connection.prepare(&statement.numbered('?'));
    let prepared = prepared.map_err(|error| failure(&error, statement))?;
    Ok(prepared.readonly())
}

/// The tables that there are.
pub(crate) fn tables(path: &Path) -> Result<Vec<Table>, Failure> {
    let connection = existing(path)?;
    let found = || {
        let mut prepared = connection
            .prepare("select name from sqlite_schema where type = 'table' order by name")?;
        let names = prepared
            .query_map((), |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        let mut columns = connection.prepare("select name from pragma_table_info(?1)")?;
        let mut table = |name: String| {
            let columns = columns
                .query_map([&name], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            Ok(Table { name, columns })
        };
        names
            .into_iter()
            .map(&mut table)
            .collect::<Result<Vec<_>, _>>()
    };
    found().map_err(|error| unopened(&error, path))
}

/// Hands each row of a query out as JSON.
pub(crate) fn each(path: &Path, query: &Statement, hand: impl FnMut(&str)) -> Result<(), Failure> {
    let connection = existing(path)?;
    let failed = |error: Error| failure(&error, query);
    let mut prepared = connection.prepare(query.text()).map_err(failed)?;
    handed(&mut prepared, failed, hand)
}

/// A connection that leaves the file in the mode that it has.
fn existing(path: &Path) -> Result<Connection, Failure> {
    let connection = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE, &Limit::new());
    connection.map_err(|error| unopened(&error, path))
}

/// A folder beside a file: what is written there costs what it costs there.
fn folder_beside(path: &Path) -> std::io::Result<(TempDir, PathBuf)> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = tempfile::Builder::new()
        .prefix(".triway-copy-")
        .tempdir_in(parent.unwrap_or(Path::new(".")))?;
    let path = folder.path().join("copy.db");
    Ok((folder, path))
}
