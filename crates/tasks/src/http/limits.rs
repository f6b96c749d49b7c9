//! The time limits of an attempt: one for all of it, and some for phases. The earlier one counts, and names itself.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use triway_core::{Failure, FailureKind};

use triway_wait::Io;

use super::kinds;

/// Until when something may take, and what to call it if it takes longer.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    until: Option<Instant>,
    kind: FailureKind,
    message: &'static str,
}

impl Limit {
    /// The limit of a whole attempt.
    pub(super) fn total(deadline: Option<Instant>) -> Self {
        Self {
            until: deadline,
            kind: kinds::TIMEOUT_TOTAL,
            message: "the answer was not complete when the attempt's time limit expired",
        }
    }

    /// The limit of a connection that begins now.
    pub(super) fn connecting(&self, limit: Option<Duration>) -> Self {
        let message = "there was no connection when the time limit for one expired";
        self.or_earlier(limit, kinds::TIMEOUT_CONNECT, message)
    }

    /// The limit of the wait for a head that begins now.
    pub(super) fn first_byte(&self, limit: Option<Duration>) -> Self {
        let message = "there was no answer when the time limit for its beginning expired";
        self.or_earlier(limit, kinds::TIMEOUT_FIRST_BYTE, message)
    }

    /// The moment at which it expires.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether it has expired.
    pub(super) fn has_passed(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }

    /// Whether a wait that has just ended early was ended by this limit: clocks and timers do not agree to the last bit.
    pub(super) fn passes_now(&self) -> bool {
        const TOLERANCE: Duration = Duration::from_millis(5);
        self.until
            .is_some_and(|until| until <= Instant::now() + TOLERANCE)
    }

    /// What to say when it has expired.
    pub(super) fn failure(&self) -> Failure {
        Failure::new(self.kind.clone(), self.message)
    }

    /// Waits for `future` as long as the limit allows.
    pub(super) async fn watch<I: Io, T>(
        &self,
        future: Pin<&mut (impl Future<Output = Result<T, Failure>> + Send)>,
    ) -> Result<T, Failure> {
        let Some(until) = self.until else {
            return future.await;
        };
        // Timers may let something that is ready pass a limit that has passed.
        if self.has_passed() {
            return Err(self.failure());
        }
        let waited = I::until(until, future).await;
        waited.unwrap_or_else(|| Err(self.failure()))
    }

    fn or_earlier(
        &self,
        limit: Option<Duration>,
        kind: FailureKind,
        message: &'static str,
    ) -> Self {
        let phase = limit.map(|limit| Instant::now() + limit);
        match (phase, self.until) {
            (None, _) => self.clone(),
            (Some(phase), Some(total)) if total <= phase => self.clone(),
            (until, _) => Self {
                until,
                kind,
                message,
            },
        }
    }
}
