//! A lane's connection, which is made when it is needed and again when it is lost.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;
use triway_core::Failure;

use super::{
    address::Server,
    session::{Session, Trouble},
};
use crate::sql::{answer::Answer, durability::Durability, kinds, row::Input, statement::Statement};

/// How long a server that is away is waited for, by all lanes together: then their rows fail.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the first pause between two tries to connect is; the next ones double, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// How often a row is executed when the connection is lost each time: it may be the row that ends it.
const TRIES: u32 = 3;

/// What all lanes have in common.
#[derive(Debug, Clone)]
pub(crate) struct Orders<'a> {
    pub(crate) server: &'a Server,
    pub(crate) statement: &'a Statement,
    pub(crate) durability: Durability,
    pub(crate) job: Option<&'a str>,
    pub(crate) away: &'a Away,
}

/// Since when the server is away, if it is.
#[derive(Debug, Default, Clone)]
pub(crate) struct Away(Arc<Mutex<Option<Instant>>>);

/// A lane's connection, and what drives it where lanes are threads.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    session: Option<Session>,
    runtime: Option<Runtime>,
}

impl Lane {
    /// Executes the statement with the values of a row. Blocks.
    ///
    /// The client of the crate `postgres` would do the same: drive the async one in the thread that waits.
    pub(crate) fn execute_blocking(
        &mut self,
        orders: &Orders<'_>,
        input: Input<'_>,
        deadline: Option<Instant>,
    ) -> Result<Answer, Failure> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        };
        let answer = runtime.block_on(self.execute(orders, input, deadline));
        self.runtime = Some(runtime);
        answer
    }

    /// Executes the statement with the values of a row.
    pub(crate) async fn execute(
        &mut self,
        orders: &Orders<'_>,
        input: Input<'_>,
        deadline: Option<Instant>,
    ) -> Result<Answer, Failure> {
        let mut tries = 1;
        loop {
            // Whoever gives up this future gives up the connection, on which an answer is still to come.
            let session = match self.session.take().filter(Session::is_open) {
                Some(session) => Ok(session),
                None => orders.session(deadline).await,
            };
            let (failure, on_its_way) = match session {
                Ok(session) => match session.execute(orders.statement, input, deadline).await {
                    Ok(answer) => {
                        self.session = Some(session);
                        return Ok(answer);
                    }
                    Err(Trouble::Failed(failure)) => {
                        self.session = Some(session);
                        return Err(failure);
                    }
                    Err(Trouble::Lost {
                        failure,
                        on_its_way,
                    }) => (failure, on_its_way),
                },
                Err(Trouble::Failed(failure)) => return Err(failure),
                Err(Trouble::Lost { failure, .. }) => (failure, false),
            };
            if on_its_way && !orders.may_repeat() {
                return Err(unknown(&failure));
            }
            if tries == TRIES || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Err(failure);
            }
            tries += 1;
        }
    }
}

impl Orders<'_> {
    /// What only reads may be executed twice, and what is written down is not done twice.
    fn may_repeat(&self) -> bool {
        self.job.is_some() || self.statement.reads()
    }

    /// A connection that is ready; waits for the server as long as there is patience left.
    async fn session(&self, deadline: Option<Instant>) -> Result<Session, Trouble> {
        let settings = self.server.settings()?;
        let since = Instant::now();
        let mut pause = FIRST_PAUSE;
        let session = loop {
            let (failure, soon) = match Session::open(&settings).await {
                Ok(session) => break session,
                Err(failed) => failed,
            };
            let over = self.away.since().min(since) + PATIENCE;
            let next = Instant::now() + pause;
            if !soon || next > deadline.unwrap_or(over).min(over) {
                return Err(Trouble::Failed(failure));
            }
            // Lanes that lost a server together do not come back together.
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = (pause * 2).min(LAST_PAUSE);
        };
        self.away.is_there();
        session
            .ready(self.statement, self.durability, self.job)
            .await
    }
}

impl Away {
    fn since(&self) -> Instant {
        *self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(Instant::now)
    }

    fn is_there(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Nobody knows whether the row was written, so it is not written again.
fn unknown(failure: &Failure) -> Failure {
    Failure::permanent(
        kinds::UNKNOWN_COMMIT,
        format!(
            "the statement was on its way, and whether it was done is not known ({}); it is not executed again. With \
             --journal it would be looked up",
            failure.message
        ),
    )
}
