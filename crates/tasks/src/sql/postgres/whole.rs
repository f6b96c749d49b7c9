//! What happens to a database before a job and after it. All of it blocks.

use tokio::runtime::Runtime;
use triway_core::Failure;

use super::{
    address::Server,
    done::{Done, unusable},
    errors::scripted,
    session::{Session, Trouble},
};
use crate::sql::{
    answer::Answer, durability::Durability, row::Input, row::Row, statement::Statement,
};

/// How many more connections the server accepts from users that are no superusers, and from how many in all.
const ROOM: &str = "select current_setting('max_connections')::bigint \
    - current_setting('superuser_reserved_connections')::bigint \
    - (select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid())";

const BEGIN: &str = "begin;";

/// Executes a script of statements in one transaction; nothing of it stays if it fails.
pub(crate) fn script(server: &Server, text: &str) -> Result<(), Failure> {
    let all = format!("{BEGIN}{text}\n;commit");
    connected(server, async |session| {
        let done = session.client.batch_execute(&all).await;
        done.map_err(|error| scripted(&error, text, BEGIN.len()))
    })
}

/// Looks whether the database knows what a statement names.
pub(crate) fn check(server: &Server, statement: &Statement) -> Result<(), Failure> {
    connected(server, async |session| {
        let ready = session.ready(statement, Durability::Full, None).await;
        ready.map(drop).map_err(Trouble::into_failure)
    })
}

/// Looks whether it can be written down what of a job is done.
pub(crate) fn check_job(server: &Server, job: &str) -> Result<(), Failure> {
    connected(server, async |session| {
        let made = Done::of(job, &session.client).await;
        made.map(drop).map_err(|error| unusable(&error))
    })
}

/// Whether inputs of a job are written down as done.
pub(crate) fn has_begun(server: &Server, job: &str) -> Result<bool, Failure> {
    connected(server, async |session| {
        let any = Done::any(job, &session.client).await;
        any.map_err(|error| unusable(&error))
    })
}

/// Executes a query and gives its rows.
pub(crate) fn verify(server: &Server, query: &Statement) -> Result<Answer, Failure> {
    connected(server, async |session| {
        let ready = session
            .ready(query, Durability::Full, None)
            .await
            .map_err(Trouble::into_failure)?;
        let input = Input {
            row: &Row::default(),
            index: 0,
        };
        ready
            .execute(query, input, None)
            .await
            .map_err(Trouble::into_failure)
    })
}

/// Hands each row of a query out as JSON.
pub(crate) fn each(
    server: &Server,
    query: &Statement,
    mut hand: impl FnMut(&str),
) -> Result<(), Failure> {
    connected(server, async |session| {
        let ready = session
            .ready(query, Durability::Full, None)
            .await
            .map_err(Trouble::into_failure)?;
        let input = Input {
            row: &Row::default(),
            index: 0,
        };
        let taken = ready.each(query, input, |row| {
            hand(&row);
            Ok(())
        });
        taken.await.map_err(Trouble::into_failure)
    })
}

/// How many connections more the server accepts, as far as it tells.
pub(crate) fn room(server: &Server) -> Result<usize, Failure> {
    connected(server, async |session| {
        let asked = session
            .client
            .query_one(ROOM, &[])
            .await
            .and_then(|row| row.try_get::<_, i64>(0));
        // Some poolers do not know these settings; then each connection shows for itself.
        Ok(asked.map_or(usize::MAX, |room| usize::try_from(room).unwrap_or(0)))
    })
}

/// Connects, does something, and disconnects.
pub(super) fn connected<R>(
    server: &Server,
    work: impl AsyncFnOnce(Session) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let runtime: Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let settings = server.settings()?;
    runtime.block_on(async {
        let session = Session::open(&settings)
            .await
            .map_err(|(failure, _)| failure)?;
        work(session).await
    })
}
