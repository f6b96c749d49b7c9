//! The two bodies that the test server sends: a text that stands ready, and a number of bytes made as they are sent.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The content of `/bytes/N` repeats this block: no random numbers, so that every answer has the same digest.
static BLOCK: [u8; 64 << 10] = block();

/// The body of one answer.
#[derive(Debug)]
pub(super) enum ReplyBody {
    /// All of it, if not yet sent.
    Ready(Bytes),
    /// So many bytes are still to be sent.
    Remaining(u64),
}

impl ReplyBody {
    fn left(&self) -> u64 {
        match self {
            Self::Ready(text) => text.len() as u64,
            Self::Remaining(left) => *left,
        }
    }

    fn next_chunk(&mut self) -> Bytes {
        match self {
            Self::Ready(text) => std::mem::take(text),
            Self::Remaining(left) => {
                let chunk = usize::try_from(*left)
                    .unwrap_or(BLOCK.len())
                    .min(BLOCK.len());
                *left -= chunk as u64;
                Bytes::from_static(&BLOCK[..chunk])
            }
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(self.next_chunk()))))
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
