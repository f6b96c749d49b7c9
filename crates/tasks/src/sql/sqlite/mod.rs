//! Statements on a file of SQLite: a connection a lane, its statement prepared once.

mod committer;
mod done;
mod errors;
mod gate;
mod limit;

use std::{path::Path, time::Instant};

use rusqlite::{
    CachedStatement, Connection, Error, OpenFlags, Statement as Prepared,
    types::{ToSqlOutput, ValueRef},
};
use triway_core::{Failure, FailureKind};

pub(super) use self::committer::{Committer, Orders};
use self::{
    done::Done,
    errors::{failure, unopened},
    gate::{Gate, Passed},
    limit::Limit,
};
use super::{
    Durability,
    answer::Answer,
    kinds,
    row::{Row, Value},
    statement::Statement,
    turn::{Taken, Turn},
};

/// The most that the rows of one outcome may hold, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// SQLite looks at the deadline each time it has executed so many instructions of its own: well below a millisecond.
const INSTRUCTIONS: i32 = 10_000;

/// An open connection.
#[derive(Debug)]
pub(super) struct Connected {
    connection: Connection,
    limit: Limit,
    gate: Gate,
    /// Where inputs are written down that are done, for a job that can be resumed.
    done: Option<Done>,
    /// The statement with the marks that SQLite knows.
    numbered: String,
}

/// A row and its place among the inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) row: &'a Row,
    pub(super) index: u64,
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
    pub(super) fn open(
        path: &Path,
        durability: Durability,
        job: Option<&str>,
    ) -> Result<Self, Failure> {
        let limit = Limit::new();
        let connection = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE, &limit);
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
    pub(super) fn execute(
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
    pub(super) fn together(
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
            Care::None => self.change(statement, *input),
            Care::Each => self.change_or_nothing(statement, *input),
        };
        let all = || {
            let answers: Vec<_> = inputs.iter().map(one).collect();
            // Some failures end the transaction with all that others have done in it.
            let stays = care == Care::Each && !self.connection.is_autocommit();
            match answers.iter().find_map(|answer| answer.as_ref().err()) {
                Some(failure) if !stays => Err(failure.clone()),
                _ => Ok(answers),
            }
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
        Ok((taken, self.gate.pass()))
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
            return found(&mut prepared, failed);
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

    /// The same, and takes back what it has changed if it fails.
    fn change_or_nothing(
        &self,
        statement: &Statement,
        input: Input<'_>,
    ) -> Result<Answer, Failure> {
        let failed = |error: Error| failure(&error, statement);
        self.simple("SAVEPOINT one").map_err(failed)?;
        let done = self.change(statement, input);
        if done.is_err() && !self.connection.is_autocommit() {
            self.simple("ROLLBACK TO one").map_err(failed)?;
        }
        if !self.connection.is_autocommit() {
            self.simple("RELEASE one").map_err(failed)?;
        }
        done.or_else(|failure| self.before(input).ok_or(failure))
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
        self.connection.prepare_cached(text)?.raw_execute()?;
        Ok(())
    }
}

/// A connection that waits for locks and looks at its deadline, in write-ahead mode where the file may be written.
fn opened(path: &Path, flags: OpenFlags, limit: &Limit) -> Result<Connection, Error> {
    let mut connection =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let (waits, works) = (limit.clone(), limit.clone());
    connection.busy_handler(Some(move |times| waits.pause(times)))?;
    connection.progress_handler(INSTRUCTIONS, Some(move || works.is_over()))?;
    let wal = connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
    match wal {
        Err(error) if error.sqlite_error_code() != Some(rusqlite::ErrorCode::ReadOnly) => {
            Err(error)
        }
        _ => Ok(connection),
    }
}

fn bind(prepared: &mut Prepared<'_>, statement: &Statement, row: &Row) -> Result<(), Failure> {
    for (place, name) in statement.names().iter().enumerate() {
        let value = ToSqlOutput::Borrowed(match row.value(name)? {
            Value::Null => ValueRef::Null,
            Value::Boolean(value) => ValueRef::Integer((*value).into()),
            Value::Whole(value) => ValueRef::Integer(*value),
            Value::Float(value) => ValueRef::Real(*value),
            Value::Text(text) | Value::Json(text) => ValueRef::Text(text.as_bytes()),
        });
        let bound = prepared.raw_bind_parameter(place + 1, value);
        bound.map_err(|error| failure(&error, statement))?;
    }
    Ok(())
}

fn changed(
    prepared: &mut Prepared<'_>,
    failed: impl Fn(Error) -> Failure + Copy,
) -> Result<Answer, Failure> {
    if prepared.column_count() == 0 {
        let changes = prepared.raw_execute().map_err(failed)?;
        return Ok(Answer {
            changes: Some(changes as u64),
            ..Answer::default()
        });
    }
    let answer = found(prepared, failed)?;
    Ok(Answer {
        changes: Some(answer.rows.len() as u64),
        ..answer
    })
}

fn found(
    prepared: &mut Prepared<'_>,
    failed: impl Fn(Error) -> Failure + Copy,
) -> Result<Answer, Failure> {
    let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let (mut rows, mut bytes) = (Vec::new(), 0);
    let mut left = prepared.raw_query();
    while let Some(row) = left.next().map_err(failed)? {
        let value = |place| row.get_ref(place).map(value).map_err(failed);
        let values = (0..columns.len()).map(value);
        let values = values.collect::<Result<Vec<_>, Failure>>()?;
        bytes += values.iter().map(Value::bytes).sum::<usize>();
        if bytes > MOST_BYTES {
            return Err(Failure::permanent(
                kinds::TOO_LARGE,
                "the query gives more than 16 MiB of rows, which is the most that an outcome may hold",
            ));
        }
        rows.push(values);
    }
    Ok(Answer {
        changes: None,
        columns: Some(columns),
        rows,
    })
}

fn value(stored: ValueRef<'_>) -> Value {
    match stored {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Whole(value),
        ValueRef::Real(value) => Value::Float(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Text(hex(bytes)),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Executes a script, which may make the database; nothing of it stays if it fails.
///
/// # Errors
/// What the database says.
pub fn script(path: &Path, text: &str) -> Result<(), Failure> {
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
///
/// # Errors
/// What it says of the statement, with the place.
pub fn check(path: &Path, statement: &Statement) -> Result<(), Failure> {
    let connection = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE, &Limit::new());
    let connection = connection.map_err(|error| unopened(&error, path))?;
    let prepared = connection.prepare(&statement.numbered('?'));
    prepared
        .map(drop)
        .map_err(|error| failure(&error, statement))
}

/// Executes a query and gives its rows.
///
/// # Errors
/// What the database says.
pub fn verify(path: &Path, query: &Statement) -> Result<Answer, Failure> {
    let connection = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE, &Limit::new());
    let connection = connection.map_err(|error| unopened(&error, path))?;
    let failed = |error: Error| failure(&error, query);
    let mut prepared = connection.prepare(query.text()).map_err(failed)?;
    found(&mut prepared, failed)
}
