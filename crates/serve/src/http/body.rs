//! The bodies that the test server sends: a text that stands ready, bytes made as they are sent, and bytes that drip.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// The content of `/bytes/N` repeats this block: no random numbers, so that every answer has the same digest.
static BLOCK: [u8; 64 << 10] = block();

/// The body of one answer.
#[derive(Debug)]
pub(super) enum ReplyBody {
    /// All of it, if not yet sent.
    Ready(Bytes),
    /// So many bytes are still to be sent.
    Remaining(u64),
    /// Byte after byte.
    Drip(Drip),
}

/// Bytes that come one at a time.
#[derive(Debug)]
pub(super) struct Drip {
    left: u32,
    interval: Duration,
    next: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Drip {
    /// So many bytes, spread evenly over some time.
    pub(super) fn new(count: u32, time: Duration) -> Self {
        let interval = time / count.max(1);
        let next = Instant::now() + interval;
        Self {
            left: count,
            interval,
            next,
            timer: Box::pin(sleep_until(next)),
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        ready!(self.timer.as_mut().poll(context));
        self.next += self.interval;
        self.timer.as_mut().reset(self.next);
        self.left -= 1;
        Poll::Ready(Bytes::from_static(b"*"))
    }
}

impl ReplyBody {
    /// No body at all.
    pub(super) fn empty() -> Self {
        Self::Ready(Bytes::new())
    }

    fn left(&self) -> u64 {
        match self {
            Self::Ready(text) => text.len() as u64,
            Self::Remaining(left) => *left,
            Self::Drip(drip) => drip.left.into(),
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Bytes> {
        Poll::Ready(match self {
            Self::Drip(drip) => return drip.poll_next(context),
            Self::Ready(text) => std::mem::take(text),
            Self::Remaining(left) => {
                let chunk = usize::try_from(*left)
                    .unwrap_or(BLOCK.len())
                    .min(BLOCK.len());
                *left -= chunk as u64;
                Bytes::from_static(&BLOCK[..chunk])
            }
        })
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        self.poll_next(context)
            .map(|bytes| Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

const fn block() -> [u8; 64 << 10] {
    let mut block = [0; 64 << 10];
    let mut i = 0;
    while i < block.len() {
        block[i] = b'a' + (i % 26) as u8;
        i += 1;
    }
    block
}
