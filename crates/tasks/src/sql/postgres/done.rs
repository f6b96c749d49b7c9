//! Which inputs of a job are done, as on SQLite: a row of the table `triway_done` for each that changed something,
//! committed together with it.

use tokio_postgres::{Client, Error, Statement, error::SqlState};
use triway_core::Failure;

use super::errors::said;
use crate::sql::{answer::Answer, kinds};

const TABLE: &str = "create table triway_done(\
    job text not null, input bigint not null, answer bytea not null, primary key (job, input))";
const THERE: &str = "select to_regclass('triway_done') is not null";
/// What has changed nothing may be executed again, and needs no row.
const WRITE: &str = "insert into triway_done(job, input, answer) select $1, $2, $3 \
    where txid_current_if_assigned() is not null";
const BEGUN: &str = "select exists(select 1 from triway_done where job = $1)";
const READ: &str = "select answer from triway_done where job = $1 and input = $2";

/// The inputs of a job that are done.
#[derive(Debug)]
pub(super) struct Done {
    job: String,
    write: Statement,
    read: Statement,
}

impl Done {
    /// Those of this job. Makes the table if there is none.
    pub(super) async fn of(job: &str, client: &Client) -> Result<Self, Error> {
        if !is_there(client).await? {
            match client.batch_execute(TABLE).await {
                // Others may make it at the same time.
                Err(error) if was_made(&error) => {}
                made => made?,
            }
        }
        Ok(Self {
            job: job.to_owned(),
            write: client.prepare(WRITE).await?,
            read: client.prepare(READ).await?,
        })
    }

    /// Whether there are any of this job.
    pub(super) async fn any(job: &str, client: &Client) -> Result<bool, Error> {
        if !is_there(client).await? {
            return Ok(false);
        }
        client.query_one(BEGUN, &[&job]).await?.try_get(0)
    }

    /// Writes down that an input is done, in the transaction that there is.
    pub(super) async fn write(
        &self,
        client: &Client,
        input: u64,
        answer: &Answer,
    ) -> Result<(), Error> {
        let bytes = postcard::to_stdvec(answer).unwrap_or_default();
        client
            .execute(&self.write, &[&self.job, &input.cast_signed(), &bytes])
            .await?;
        Ok(())
    }

    /// The answer of an input that is done; `None` if it is not.
    pub(super) async fn read(&self, client: &Client, input: u64) -> Result<Option<Answer>, Error> {
        let found = client
            .query_opt(&self.read, &[&self.job, &input.cast_signed()])
            .await?;
        let bytes = found.map(|row| row.try_get::<_, Vec<u8>>(0)).transpose()?;
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
    }
}

async fn is_there(client: &Client) -> Result<bool, Error> {
    client.query_one(THERE, &[]).await?.try_get(0)
}

fn was_made(error: &Error) -> bool {
    [SqlState::DUPLICATE_TABLE, SqlState::UNIQUE_VIOLATION]
        .map(Some)
        .contains(&error.code().cloned())
}

pub(super) fn unusable(error: &Error) -> Failure {
    Failure::permanent(
        kinds::DATABASE,
        format!("the table triway_done cannot be used: {}", said(error)),
    )
}
