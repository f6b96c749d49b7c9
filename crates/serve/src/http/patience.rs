//! How long the server bears with a client that does nothing: one clock a connection, whatever the protocol on it.
//!
//! It covers a handshake that stops half-way, a head that never ends, an idle connection, and an answer that nobody
//! reads. Hyper's own limit covers the second and third of these, on HTTP/1.1 alone.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::body::ReplyBody;

/// What happens on one connection. The counts order nothing else, so they need no ordering themselves.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Requests begun and pieces of answers taken.
    steps: AtomicU64,
    /// How many answers wait for the server rather than for the client.
    answering: AtomicUsize,
}

impl Activity {
    /// From now on until the guard is dropped it is the server who takes its time.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.steps.fetch_add(1, Ordering::Relaxed);
        self.answering.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    /// Ends when the client did nothing for `patience`, or for up to twice that: to look now and then costs less than
    /// to wind a clock at each request.
    pub(super) async fn gone_quiet(&self, patience: Duration) {
        let mut seen = 0;
        loop {
            tokio::time::sleep(patience).await;
            let steps = self.steps.load(Ordering::Relaxed);
            if steps == seen && self.answering.load(Ordering::Relaxed) == 0 {
                return;
            }
            seen = steps;
        }
    }
}

/// Stands for an answer that the server has not yet given.
#[derive(Debug)]
pub(super) struct Answering(Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body of which each piece that the client makes room for is a sign of life.
#[derive(Debug)]
pub(super) struct Watched {
    body: ReplyBody,
    activity: Arc<Activity>,
    /// A body that is not ready yet is the server's delay, not the client's.
    waiting: Option<Answering>,
}

impl Watched {
    pub(super) fn new(body: ReplyBody, activity: Arc<Activity>) -> Self {
        Self {
            body,
            activity,
            waiting: None,
        }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_pending() {
            if self.waiting.is_none() {
                self.waiting = Some(self.activity.answering());
            }
        } else {
            self.waiting = None;
            self.activity.steps.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
