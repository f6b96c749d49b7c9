//! Which inputs of a job are done: a row of the table `triway_done` for each, committed together with what its statement
//! changes.
//!
//! A journal has an outcome only after its commit, so a program that is killed in between would execute the statement
//! again. The second row of an input is refused by the table's key, whatever the statement is, and takes the second
//! execution back with it; the first one's answer stands in the table.

use rusqlite::{Connection, Error, OptionalExtension as _};
use triway_core::Failure;

use crate::sql::{answer::Answer, kinds};

const TABLE: &str = "create table if not exists triway_done(\
    job text not null, input integer not null, answer blob not null, primary key (job, input)) without rowid";
const WRITE: &str = "insert into triway_done(job, input, answer) values (?1, ?2, ?3)";
const THERE: &str = "select exists(select 1 from sqlite_schema where name = 'triway_done')";
const BEGUN: &str = "select exists(select 1 from triway_done where job = ?1)";
const READ: &str = "select answer from triway_done where job = ?1 and input = ?2";

/// The inputs of a job that are done.
#[derive(Debug, Clone)]
pub(super) struct Done {
    job: String,
}

impl Done {
    /// Those of this job. Makes the table if there is none.
    pub(super) fn of(job: &str, connection: &Connection) -> Result<Self, Error> {
        connection.execute(TABLE, ())?;
        Ok(Self {
            job: job.to_owned(),
        })
    }

    /// Whether there are any of this job.
    pub(super) fn any(job: &str, connection: &Connection) -> Result<bool, Error> {
        let is_there = connection.query_row(THERE, (), |row| row.get(0))?;
        Ok(is_there && connection.query_row(BEGUN, [job], |row| row.get(0))?)
    }

    /// Writes down that an input is done, in the transaction that there is.
    pub(super) fn write(
        &self,
        connection: &Connection,
        input: u64,
        answer: &Answer,
    ) -> Result<(), Failure> {
        let bytes = postcard::to_stdvec(answer)?;
        let mut prepared = connection.prepare_cached(WRITE).map_err(unusable)?;
        let written = prepared.execute((&self.job, input.cast_signed(), bytes));
        written.map(drop).map_err(unusable)
    }

    /// The answer of an input that is done; `None` if it is not.
    pub(super) fn read(&self, connection: &Connection, input: u64) -> Option<Answer> {
        let mut prepared = connection.prepare_cached(READ).ok()?;
        let found = prepared.query_row((&self.job, input.cast_signed()), |row| {
            row.get::<_, Vec<u8>>(0)
        });
        postcard::from_bytes(&found.optional().ok()??).ok()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by name")]
fn unusable(error: Error) -> Failure {
    Failure::new(
        kinds::DATABASE,
        format!("the table triway_done cannot be used: {error}"),
    )
}
