//! One connection with its prepared statement.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures_util::TryStreamExt as _;
use tokio::time::timeout_at;
use tokio_postgres::{Client, Error, NoTls, types::ToSql};
use tokio_postgres_rustls::MakeRustlsConnect;
use triway_core::{Failure, FailureKind};

use super::{
    address::Settings,
    done::Done,
    errors::{Before, failure, is_lost, unconnected},
    parameter::Parameter,
    security::Security,
};
use crate::sql::{
    answer::Answer, answer::Rows, durability::Durability, kinds, row::Input, statement::Statement,
};

/// How long a connection may take to be there.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long before an attempt's deadline its statement is cancelled, at most, so that its end is known by then.
const MARGIN: Duration = Duration::from_millis(500);

/// Makes rows of JSON of whatever the statement gives, so that a value of any type can be read.
const BEFORE: &str = "with given as (";
const BEHIND: &str = "\n) select to_json(given)::text from given";

/// A connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    tls: Option<MakeTls>,
    prepared: Option<Prepared>,
    done: Option<Done>,
    was_cancelled: AtomicBool,
}

/// Without a `Debug` of its own.
struct MakeTls(MakeRustlsConnect);

impl std::fmt::Debug for MakeTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TLS")
    }
}

#[derive(Debug)]
struct Prepared {
    statement: tokio_postgres::Statement,
    gives_rows: bool,
}

/// Why a session gives no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The statement had no effect.
    Failed(Failure),
    /// The connection is gone. Whether the statement had an effect is not known if it was on its way.
    Lost { failure: Failure, on_its_way: bool },
}

impl Trouble {
    /// What is told where nothing is to be saved.
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Failed(failure) | Self::Lost { failure, .. } => failure,
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Session {
    /// Connects. The flag says whether trying again soon could help.
    pub(super) async fn open(settings: &Settings) -> Result<Self, (Failure, bool)> {
        let connecting = async {
            match settings.security {
                Security::None => {
                    let (client, connection) = settings
                        .config
                        .connect(NoTls)
                        .await
                        .map_err(|error| unconnected(&error))?;
                    tokio::spawn(connection);
                    Ok((client, None))
                }
                _ => {
                    let tls = settings
                        .security
                        .tls()
                        .map_err(|failure| (failure, false))?;
                    let connected = settings.config.connect(tls.clone()).await;
                    let (client, connection) = connected.map_err(|error| unconnected(&error))?;
                    tokio::spawn(connection);
                    Ok((client, Some(MakeTls(tls))))
                }
            }
        };
        let connected = tokio::time::timeout(CONNECTING, connecting).await;
        let (client, tls) = connected.unwrap_or_else(|_| {
            let message = format!("the server did not answer within {CONNECTING:?}");
            Err((Failure::new(kinds::CONNECT, message), true))
        })?;
        if let Some(search_path) = &settings.search_path {
            let set = client
                .execute(
                    "select set_config('search_path', $1, false)",
                    &[search_path],
                )
                .await;
            set.map_err(|error| unconnected(&error))?;
        }
        if settings.reading {
            let set = client
                .batch_execute("set default_transaction_read_only = on")
                .await;
            set.map_err(|error| unconnected(&error))?;
        }
        Ok(Self {
            client,
            tls,
            prepared: None,
            done: None,
            was_cancelled: AtomicBool::new(false),
        })
    }

    /// The same, ready to execute this statement.
    pub(super) async fn ready(
        mut self,
        statement: &Statement,
        durability: Durability,
        job: Option<&str>,
    ) -> Result<Self, Trouble> {
        let failed = |error: Error| trouble(&error, statement, 0);
        if durability == Durability::Normal {
            self.client
                .batch_execute("set synchronous_commit = off")
                .await
                .map_err(failed)?;
        }
        if let Some(job) = job {
            self.done = Some(Done::of(job, &self.client).await.map_err(failed)?);
        }
        let prepared = Prepared::of(&self.client, statement).await;
        self.prepared =
            Some(prepared.map_err(|(error, before)| trouble(&error, statement, before))?);
        Ok(self)
    }

    /// Whether it can be used any longer, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        // A request to cancel may come late, and then meets the next statement.
        !self.client.is_closed() && !self.was_cancelled.load(Ordering::Relaxed)
    }

    /// Executes the statement; it is cancelled shortly before the deadline, and its end waited for until then.
    pub(super) async fn execute(
        &self,
        statement: &Statement,
        input: Input<'_>,
        deadline: Option<Instant>,
    ) -> Result<Answer, Trouble> {
        let mut work = std::pin::pin!(self.whole(statement, input));
        let Some(deadline) = deadline else {
            return work.await;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let soon = deadline - (left / 4).min(MARGIN);
        if let Ok(ended) = timeout_at(soon.into(), &mut work).await {
            return ended;
        }
        let end = async {
            self.cancel().await;
            work.await
        };
        timeout_at((deadline + MARGIN).into(), end)
            .await
            .unwrap_or_else(|_| {
                let message =
                    "the server does not answer, not even whether it has cancelled the statement";
                Err(Trouble::Lost {
                    failure: Failure::new(FailureKind::TIMEOUT, message),
                    on_its_way: true,
                })
            })
    }

    async fn cancel(&self) {
        self.was_cancelled.store(true, Ordering::Relaxed);
        let token = self.client.cancel_token();
        let _asked = match &self.tls {
            Some(tls) => token.cancel_query(tls.0.clone()).await,
            None => token.cancel_query(NoTls).await,
        };
    }

    /// The statement alone is a transaction; where its being done is written down, both are one.
    async fn whole(&self, statement: &Statement, input: Input<'_>) -> Result<Answer, Trouble> {
        let Some(done) = &self.done else {
            return self.once(statement, input).await;
        };
        let begin = self.client.batch_execute("begin");
        let (begun, answer) = tokio::join!(biased; begin, self.once(statement, input));
        begun.map_err(|error| trouble(&error, statement, 0))?;
        let written = match answer {
            Ok(answer) => match done.write(&self.client, input.index, &answer).await {
                Ok(()) => Ok(answer),
                Err(error) => Err(trouble(&error, statement, 0)),
            },
            Err(trouble) => Err(trouble),
        };
        match written {
            Ok(answer) => {
                let committed = self.client.batch_execute("commit").await;
                committed
                    .map(|()| answer)
                    .map_err(|error| trouble(&error, statement, 0))
            }
            Err(Trouble::Failed(failure)) => {
                let ended = self.client.batch_execute("rollback").await;
                ended.map_err(|error| trouble(&error, statement, 0))?;
                let before = done.read(&self.client, input.index).await;
                before
                    .map_err(|error| trouble(&error, statement, 0))?
                    .ok_or(Trouble::Failed(failure))
            }
            Err(lost) => Err(lost),
        }
    }

    async fn once(&self, statement: &Statement, input: Input<'_>) -> Result<Answer, Trouble> {
        let prepared = self.prepared();
        if prepared.gives_rows {
            let mut rows = Rows::default();
            self.each(statement, input, |row| rows.push(row)).await?;
            return Ok(rows.answer(statement.reads()));
        }
        let values = values(statement, input)?;
        let values: Vec<_> = values
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        let changes = self.client.execute(&prepared.statement, &values).await;
        Ok(Answer {
            changes: Some(changes.map_err(|error| trouble(&error, statement, 0))?),
            rows: None,
        })
    }

    /// Hands out each row that the statement gives, as JSON.
    pub(super) async fn each(
        &self,
        statement: &Statement,
        input: Input<'_>,
        mut hand: impl FnMut(String) -> Result<(), Failure>,
    ) -> Result<(), Trouble> {
        let prepared = self.prepared();
        let failed = |error: Error| trouble(&error, statement, prepared.before());
        let values = values(statement, input)?;
        let found = self
            .client
            .query_raw(&prepared.statement, values)
            .await
            .map_err(failed)?;
        let mut found = std::pin::pin!(found);
        while let Some(row) = found.try_next().await.map_err(failed)? {
            hand(row.try_get(0).map_err(failed)?)?;
        }
        Ok(())
    }

    fn prepared(&self) -> &Prepared {
        self.prepared
            .as_ref()
            .expect("sessions are made ready before they execute")
    }
}

fn values<'a>(statement: &Statement, input: Input<'a>) -> Result<Vec<Parameter<'a>>, Failure> {
    let values = statement.names().iter();
    values
        .map(|name| input.row.value(name).map(Parameter))
        .collect()
}

impl Prepared {
    /// Has the server look at the statement, and at what makes JSON of its rows if it gives any.
    async fn of(client: &Client, statement: &Statement) -> Result<Self, (Error, Before)> {
        let numbered = statement.numbered('$');
        let plain = client
            .prepare(&numbered)
            .await
            .map_err(|error| (error, 0))?;
        if plain.columns().is_empty() {
            return Ok(Self {
                statement: plain,
                gives_rows: false,
            });
        }
        let wrapped = client.prepare(&format!("{BEFORE}{numbered}{BEHIND}")).await;
        wrapped
            .map(|statement| Self {
                statement,
                gives_rows: true,
            })
            .map_err(|error| (error, BEFORE.len()))
    }

    fn before(&self) -> Before {
        if self.gives_rows { BEFORE.len() } else { 0 }
    }
}

fn trouble(error: &Error, statement: &Statement, before: Before) -> Trouble {
    let failure = failure(error, statement, before);
    match is_lost(error) {
        true => Trouble::Lost {
            failure,
            on_its_way: true,
        },
        false => Trouble::Failed(failure),
    }
}
