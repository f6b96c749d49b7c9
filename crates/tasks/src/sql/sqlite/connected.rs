//! A connection to a file of SQLite: transactions, alone or shared, and their deadlines.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{
    CachedStatement, Connection, Error, ErrorCode, OpenFlags, Statement as Prepared,
    types::{ToSqlOutput, ValueRef},
};
use triway_core::{Failure, FailureKind};

use super::{
    done::Done,
    errors::{failure, unopened},
    gate::{Gate, Passed},
    limit::Limit,
    rows::{changed, found},
};
use crate::sql::{
    answer::Answer,
    durability::Durability,
    kinds,
    row::{Input, Row, Value},
    statement::Statement,
    turn::{Taken, Turn},
};

/// SQLite looks at the deadline each time it has executed so many instructions of its own: well below a millisecond.
const INSTRUCTIONS: i32 = 10_000;

/// How long a connection tries to bring a file into write-ahead mode.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connected {
    connection: Connection,
    limit: Limit,
    gate: Gate,
    /// Where inputs are written down that are done, for a job that can be resumed.
    done: Option<Done>,
    /// The statement with the marks that SQLite knows.
    numbered: String,
}

/// How rows share a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Quickly, as long as none of them fails.
    None,
    /// Taking back what a row has changed before it failed.
    Each,
}

impl Connected {
    /// Opens a file that is there.
    pub(crate) fn open(
        path: &Path,
        durability: Durability,
        job: Option<&str>,
    ) -> Result<Self, Failure> {
        let limit = Limit::new();
        let connection = writing(path, OpenFlags::SQLITE_OPEN_READ_WRITE, &limit);
        let connection = connection.and_then(|connection| {
            let synchronous = match durability {
                Durability::Full => "FULL",
                Durability::Normal => "NORMAL",
            };
            connection.pragma_update(None, "synchronous", synchronous)?;
            let done = job.map(|job| Done::of(job, &connection)).transpose()?;
            Ok((connection, done))
        });
        let (connection, done) = connection.map_err(|error| unopened(&error, path))?;
        Ok(Self {
            connection,
            done,
            limit,
            gate: Gate::of(path),
            numbered: String::new(),
        })
    }

    /// Executes the statement with the values of a row. What it changes is committed when this returns, or not at all.
    pub(crate) fn execute(
        &mut self,
        statement: &Statement,
        input: Input<'_>,
        deadline: Option<Instant>,
        turn: &Turn,
    ) -> Result<Answer, Failure> {
        self.limit.set(deadline);
        if self.is_reading(statement)? {
            return self.change(statement, input);
        }
        let _writing = self.write(deadline, turn)?;
        let done = self.transaction(statement, || self.change(statement, input));
        done.or_else(|failure| self.before(input).ok_or(failure))
    }

    /// The same for several rows, which share a commit as far as they succeed.
    pub(crate) fn together(
        &mut self,
        statement: &Statement,
        inputs: &[Input<'_>],
        deadline: Option<Instant>,
        turn: &Turn,
    ) -> Vec<Result<Answer, Failure>> {
        self.limit.set(deadline);
        if inputs.len() > 1 && matches!(self.is_reading(statement), Ok(false)) {
            for care in [Care::None, Care::Each] {
                if let Ok(_writing) = self.write(deadline, turn)
                    && let Some(answers) = self.committed(statement, inputs, care)
                {
                    return answers;
                }
            }
        }
        let alone = |input: &Input<'_>| self.execute(statement, *input, deadline, turn);
        inputs.iter().map(alone).collect()
    }

    /// What became of all these rows in one transaction; `None` if nothing of it stays.
    fn committed(
        &self,
        statement: &Statement,
        inputs: &[Input<'_>],
        care: Care,
    ) -> Option<Vec<Result<Answer, Failure>>> {
        let one = |input: &Input<'_>| match care {
            Care::None => self.change(statement, *input).map(Ok),
            Care::Each => self.change_or_nothing(statement, *input),
        };
        let all = || {
            let mut answers = Vec::with_capacity(inputs.len());
            for input in inputs {
                answers.push(one(input)?);
            }
            Ok(answers)
        };
        self.transaction(statement, all).ok()
    }

    /// Waits until this connection may write. A lane that waits for its turn does so before it takes any lock.
    fn write<'a>(
        &'a self,
        deadline: Option<Instant>,
        turn: &'a Turn,
    ) -> Result<(Taken<'a>, Passed<'a>), Failure> {
        let taken = turn.wait(deadline).ok_or_else(|| {
            Failure::new(
                FailureKind::TIMEOUT,
                "the database was written by other lanes until the attempt's time limit",
            )
        })?;
        Ok((taken, self.gate.pass(&self.limit)))
    }

    /// Does something in a transaction, of which nothing stays if it fails.
    fn transaction<R>(
        &self,
        statement: &Statement,
        work: impl FnOnce() -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let failed = |error: Error| failure(&error, statement);
        // One that begins with reading cannot wait for a lock that it needs later.
        self.simple("BEGIN IMMEDIATE").map_err(failed)?;
        let done = work();
        let done = done.and_then(|done| self.simple("COMMIT").map_err(failed).map(|()| done));
        if done.is_err() && !self.connection.is_autocommit() {
            let _ended = self.simple("ROLLBACK");
        }
        done
    }

    /// Executes the statement in the transaction that there is, if there is one.
    fn change(&self, statement: &Statement, input: Input<'_>) -> Result<Answer, Failure> {
        let failed = |error: Error| failure(&error, statement);
        let mut prepared = self.prepared(statement)?;
        bind(&mut prepared, statement, input.row)?;
        if prepared.readonly() {
            return Ok(found(&mut prepared, failed)?.answer(true));
        }
        let answer = changed(&mut prepared, failed)?;
        if let Some(done) = &self.done {
            done.write(&self.connection, input.index, &answer)?;
        }
        Ok(answer)
    }

    /// What an earlier execution for this input gave, if there was one.
    fn before(&self, input: Input<'_>) -> Option<Answer> {
        self.done.as_ref()?.read(&self.connection, input.index)
    }

    /// The same, and takes back what it has changed if it fails. The outer error is that nothing of the transaction stays:
    /// some failures end it, and what came after them would be written on its own.
    fn change_or_nothing(
        &self,
        statement: &Statement,
        input: Input<'_>,
    ) -> Result<Result<Answer, Failure>, Failure> {
        let failed = |error: Error| failure(&error, statement);
        self.simple("SAVEPOINT one").map_err(failed)?;
        let done = self.change(statement, input);
        if self.connection.is_autocommit() {
            return done.map(Ok);
        }
        if done.is_err() {
            self.simple("ROLLBACK TO one").map_err(failed)?;
        }
        self.simple("RELEASE one").map_err(failed)?;
        Ok(done.or_else(|failure| self.before(input).ok_or(failure)))
    }

    fn is_reading(&mut self, statement: &Statement) -> Result<bool, Failure> {
        if self.numbered.is_empty() {
            self.numbered = statement.numbered('?');
        }
        Ok(self.prepared(statement)?.readonly())
    }

    fn prepared(&self, statement: &Statement) -> Result<CachedStatement<'_>, Failure> {
        let prepared = self.connection.prepare_cached(&self.numbered);
        prepared.map_err(|error| failure(&error, statement))
    }

    fn simple(&self, text: &str) -> Result<(), Error> {
        let execute = || self.connection.prepare_cached(text)?.raw_execute();
        self.limit.uninterrupted(execute).map(drop)
    }
}

/// A connection that waits for locks and looks at its deadline.
pub(super) fn opened(path: &Path, flags: OpenFlags, limit: &Limit) -> Result<Connection, Error> {
    let mut connection =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let (waits, works) = (limit.clone(), limit.clone());
    connection.busy_handler(Some(move |times| waits.pause(times)))?;
    connection.progress_handler(INSTRUCTIONS, Some(move || works.interrupts()))?;
    Ok(connection)
}

/// The same in write-ahead mode, where the file may be written.
///
/// A file is not brought into that mode while others have a lock on it, and SQLite does not ask its handler then: of
/// lanes that open the file together all but one would be told that it is locked. Who still cannot after a while works
/// in the mode that there is, which is slower and just as right.
pub(super) fn writing(path: &Path, flags: OpenFlags, limit: &Limit) -> Result<Connection, Error> {
    let connection = opened(path, flags, limit)?;
    let since = Instant::now();
    for times in 0.. {
        let wal = connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
        match wal.as_ref().map_err(Error::sqlite_error_code) {
            Ok(()) | Err(Some(ErrorCode::ReadOnly)) => break,
            Err(Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) => {
                if since.elapsed() > PATIENCE || !limit.pause(times) {
                    break;
                }
            }
            Err(_) => wal?,
        }
    }
    Ok(connection)
}

fn bind(prepared: &mut Prepared<'_>, statement: &Statement, row: &Row) -> Result<(), Failure> {
    for (place, name) in statement.names().iter().enumerate() {
        let value = ToSqlOutput::Borrowed(match row.value(name)? {
            Value::Null => ValueRef::Null,
            Value::Boolean(value) => ValueRef::Integer((*value).into()),
            Value::Number(text) => number(name, text)?,
            Value::Text(text) | Value::Json(text) => ValueRef::Text(text.as_bytes()),
        });
        let bound = prepared.raw_bind_parameter(place + 1, value);
        bound.map_err(|error| failure(&error, statement))?;
    }
    Ok(())
}

fn number(name: &str, text: &str) -> Result<ValueRef<'static>, Failure> {
    if let Ok(whole) = text.parse() {
        return Ok(ValueRef::Integer(whole));
    }
    match text.parse() {
        Ok(float) if text.contains(['.', 'e', 'E']) && f64::is_finite(float) => {
            Ok(ValueRef::Real(float))
        }
        _ => Err(Failure::permanent(
            kinds::WRONG_TYPE,
            format!(
                "the value of :{name} is {text}, and the numbers of SQLite have 64 bits (a text would be kept)"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQLite asks whether to go on once in so many instructions of a statement, those of its earlier executions included.
    #[test]
    fn what_begins_and_ends_transactions_is_not_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("create table t(n)")
            .unwrap();
        let connected = Connected::open(&path, Durability::Normal, None).unwrap();
        connected.limit.set(Some(Instant::now()));
        for _ in 0..INSTRUCTIONS {
            for text in ["BEGIN IMMEDIATE", "SAVEPOINT one", "RELEASE one", "COMMIT"] {
                connected.simple(text).unwrap();
            }
        }
        let interrupted = connected.connection.execute_batch(
            "with recursive c(x) as (select 1 union all select x + 1 from c limit 1000000) insert into t select x from c",
        );
        assert!(interrupted.is_err(), "anything else is");
    }
}
