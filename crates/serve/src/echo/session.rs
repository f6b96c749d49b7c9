//! One connection, however it is waited for: reads a line, waits, answers `Echo: …`.
//!
//! A connection that waits for its next message holds no buffer: bytes are read into one that belongs to the thread, and
//! only what is no whole line yet is kept. What a client does not take is kept too, and nothing more is read until it has
//! taken it, so neither a slow writer nor a slow reader makes the server hold more than a message.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use triway_wait::Io;

use super::{counters::Counters, limits::Limits};

/// How much is read at once.
const SCRATCH: usize = 16 << 10;
/// How much is answered at once, where it is more than one message.
const ANSWERS: usize = 2 * SCRATCH;
/// How an answer begins.
const ECHO: &[u8] = b"Echo: ";
/// How long, and how much of what a client sends behind a message that is too long is thrown away, so that it sees the
/// answer before its connection is closed.
const LINGER: Duration = Duration::from_millis(500);
const MOST_THROWN_AWAY: usize = 4 << 20;

/// A hundred years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

thread_local! {
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
    static WRITE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Serves a connection to its end. `ended` tells that the server is to end: then what is there is answered, and no
/// further message waited for.
pub(super) async fn serve<I: Io>(
    mut stream: I::Stream,
    limits: &Limits,
    counters: &Counters,
    ended: impl Future<Output = ()> + Send,
) {
    let _open = counters.open();
    let last = limits.total.map(after);
    let mut ended = pin!(ended);
    let mut kept = Vec::new();
    loop {
        let until = soonest(limits.idle, last);
        let next = {
            let message = pin!(messages(&mut stream, &mut kept, limits, ended.as_mut()));
            I::until(until, message).await
        };
        let bytes = match next {
            Some(Next::Messages(bytes)) => bytes,
            Some(Next::TooLong) => return refuse::<I>(&mut stream, limits).await,
            Some(Next::End) | None => return,
        };
        let began = Instant::now();
        if !limits.delay.is_zero() {
            let until = soonest(limits.delay, last);
            let _passed = I::until(until, pin!(std::future::pending::<()>())).await;
        }
        // What is there already is always ready, so that no wait would notice.
        if last.is_some_and(|last| last <= Instant::now()) {
            return;
        }
        let answered = pin!(answer(&mut stream, &mut kept, bytes));
        let Some(Ok(count)) = I::until(soonest(limits.idle, last), answered).await else {
            return;
        };
        counters.answered(count, began.elapsed());
    }
}

/// What comes next on a connection.
enum Next {
    /// So many bytes of what is kept are whole messages.
    Messages(usize),
    /// A message that is longer than any may be.
    TooLong,
    /// There is nothing more to be answered.
    End,
}

fn soonest(from_now: Duration, last: Option<Instant>) -> Instant {
    let until = after(from_now);
    last.map_or(until, |last| last.min(until))
}

/// So much from now; longer than any server runs, where a clock cannot count that far.
pub(super) fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + LONGEST)
}

/// Waits for a whole message. Where messages take no time, those that are there are answered in one go.
async fn messages<S: AsyncRead + Unpin>(
    stream: &mut S,
    kept: &mut Vec<u8>,
    limits: &Limits,
    mut ended: Pin<&mut (impl Future<Output = ()> + Send)>,
) -> Next {
    let mut searched = 0;
    loop {
        if let Some(bytes) = whole(kept, searched, limits) {
            return Next::Messages(bytes);
        }
        // The end of its line may be on its way, with a carriage return before it.
        if is_too_long(kept, limits) {
            return Next::TooLong;
        }
        searched = kept.len();
        if kept.is_empty() {
            *kept = Vec::new();
        }
        let read = poll_fn(|context| {
            let read = read(stream, kept, context);
            match read.is_pending() && ended.as_mut().poll(context).is_ready() {
                true => Poll::Ready(Ok(0)),
                false => read,
            }
        });
        match read.await {
            // A message that is not whole yet when the server is to end never will be.
            Ok(0) if kept.is_empty() || is_over(ended.as_mut()).await => return Next::End,
            // The last message may have no end of line.
            Ok(0) => {
                kept.push(b'\n');
                return Next::Messages(kept.len());
            }
            Ok(_) => {}
            Err(_) => {
                kept.clear();
                return Next::End;
            }
        }
    }
}

async fn is_over(mut ended: Pin<&mut (impl Future<Output = ()> + Send)>) -> bool {
    poll_fn(|context| Poll::Ready(ended.as_mut().poll(context).is_ready())).await
}

/// How many bytes are whole messages that may be answered now, before one that is too long. Nothing ends before
/// `searched`.
fn whole(kept: &[u8], searched: usize, limits: &Limits) -> Option<usize> {
    let (mut start, mut bytes) = (0, None);
    for (before, newline) in memchr::memchr_iter(b'\n', &kept[searched..]).enumerate() {
        let end = searched + newline + 1;
        let is_one_more =
            before == 0 || (limits.delay.is_zero() && answer_bytes(end, before + 1) <= ANSWERS);
        if !is_one_more || is_too_long(&kept[start..end], limits) {
            break;
        }
        (start, bytes) = (end, Some(end));
    }
    bytes
}

fn is_too_long(line: &[u8], limits: &Limits) -> bool {
    without_end(line).len() > limits.message_bytes
}

/// A line without what ends it.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// At most as long as the answers to so many messages.
const fn answer_bytes(bytes: usize, messages: usize) -> usize {
    bytes + messages * ECHO.len()
}

/// Reads what is there behind what is kept.
fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    kept: &mut Vec<u8>,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    READ.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        let read = Pin::new(stream).poll_read(context, &mut buffer);
        read.map_ok(|()| {
            kept.extend_from_slice(buffer.filled());
            buffer.filled().len()
        })
    })
}

/// Answers the messages in the first bytes of what is kept, and says how many they were.
async fn answer<S: AsyncWrite + Unpin>(
    stream: &mut S,
    kept: &mut Vec<u8>,
    bytes: usize,
) -> io::Result<u64> {
    let mut count = 0;
    let mut rest = Vec::new();
    poll_fn(|context| {
        WRITE.with_borrow_mut(|answers| {
            count = echo(&kept[..bytes], answers);
            let written = match Pin::new(&mut *stream).poll_write(context, answers) {
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => 0,
            };
            rest = answers[written..].to_vec();
            answers.clear();
            // A long message is rare, and its room is not kept for the next one.
            answers.shrink_to(ANSWERS);
            Poll::Ready(Ok(()))
        })
    })
    .await?;
    kept.drain(..bytes);
    if !rest.is_empty() {
        stream.write_all(&rest).await?;
    }
    Ok(count)
}

/// The answers to whole lines.
fn echo(lines: &[u8], answers: &mut Vec<u8>) -> u64 {
    let mut count = 0;
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        answers.extend_from_slice(ECHO);
        answers.extend_from_slice(without_end(line));
        answers.push(b'\n');
        count += 1;
    }
    count
}

/// Says why a message is not answered. What is still on its way is thrown away, for a connection that is closed with
/// something unread is reset, and the client may never see what it was told.
async fn refuse<I: Io>(stream: &mut I::Stream, limits: &Limits) {
    let said = format!(
        "Error: a message is at most {} bytes\n",
        limits.message_bytes
    );
    let refusal = async {
        stream.write_all(said.as_bytes()).await?;
        stream.shutdown().await?;
        let (mut thrown, mut away) = (Vec::new(), 0);
        while away < MOST_THROWN_AWAY {
            let read = poll_fn(|context| read(stream, &mut thrown, context)).await?;
            if read == 0 {
                break;
            }
            away += read;
            thrown.clear();
        }
        Ok::<(), io::Error>(())
    };
    let _told = I::until(Instant::now() + LINGER, pin!(refusal)).await;
}
