//! One message and its answer, however it is waited for.

use std::{
    fmt,
    future::poll_fn,
    io,
    mem::MaybeUninit,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Poll, ready},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, ReadBuf};
use triway_core::{Context, Failure, FailureKind};
use triway_wait::Io;

use crate::http::kinds;

/// Who is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Server {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) max_reply_bytes: usize,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The line, without its end; what is no UTF-8 is replaced.
    pub reply: String,
    /// Seconds until the connection was there, for the first message on it.
    pub connect_s: Option<f64>,
}

/// An open connection, with what came behind the last answer.
pub(super) struct Connection<I: Io> {
    stream: I::Stream,
    kept: Vec<u8>,
}

/// Why there is no answer.
enum Broken {
    /// The connection ended before a byte of the answer came.
    Unanswered(Failure),
    Failed(Failure),
}

impl Server {
    /// Sends a message and waits for its answer, until the deadline at the latest.
    pub(super) async fn exchange<I: Io>(
        &self,
        kept: &mut Option<Connection<I>>,
        message: &str,
        context: &Context<'_>,
    ) -> Result<Reply, Failure> {
        let deadline = context.deadline();
        let work = pin!(self.spoken(kept, message, context));
        match deadline {
            None => work.await,
            Some(deadline) => I::until(deadline, work).await.unwrap_or_else(|| {
                Err(Failure::new(
                    FailureKind::TIMEOUT,
                    "no whole answer within the time limit",
                ))
            }),
        }
    }

    async fn spoken<I: Io>(
        &self,
        kept: &mut Option<Connection<I>>,
        message: &str,
        context: &Context<'_>,
    ) -> Result<Reply, Failure> {
        // Whoever gives this future up gives up the connection as well: an answer is still to come on it.
        if let Some(mut connection) = kept.take()
            && connection.is_silent().await
        {
            match connection.ask(message, self.max_reply_bytes).await {
                Ok(reply) => {
                    *kept = Some(connection);
                    return Ok(Reply {
                        reply,
                        connect_s: None,
                    });
                }
                Err(Broken::Failed(failure)) => return Err(failure),
                // The server may have closed it while nobody looked, or have read it and then closed.
                Err(Broken::Unanswered(failure)) if context.is_only_once() => return Err(failure),
                Err(Broken::Unanswered(_)) => {}
            }
        }
        let began = Instant::now();
        let mut connection = self.connect::<I>(context.deadline()).await?;
        let connect_s = Some(began.elapsed().as_secs_f64());
        match connection.ask(message, self.max_reply_bytes).await {
            Ok(reply) => {
                *kept = Some(connection);
                Ok(Reply { reply, connect_s })
            }
            Err(Broken::Failed(failure) | Broken::Unanswered(failure)) => Err(failure),
        }
    }

    async fn connect<I: Io>(&self, deadline: Option<Instant>) -> Result<Connection<I>, Failure> {
        let mut last = Failure::permanent(kinds::NAME, "the server has no address");
        for address in &self.addresses {
            match I::connect(*address, deadline).await {
                Ok(stream) => {
                    return Ok(Connection {
                        stream,
                        kept: Vec::new(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    let message = format!("no connection to {address} within the time limit");
                    last = Failure::new(kinds::TIMEOUT_CONNECT, message);
                }
                Err(error) => last = kinds::connecting(*address, &error),
            }
        }
        Err(last)
    }
}

impl<I: Io> Connection<I> {
    /// Whether the server has said nothing since its last answer. What came unasked, also its end, would be taken for
    /// the answer to the next message.
    async fn is_silent(&mut self) -> bool {
        let mut unasked = [0];
        let unasked = &mut ReadBuf::new(&mut unasked);
        let stream = &mut self.stream;
        let heard = poll_fn(|context| {
            let read = Pin::new(&mut *stream).poll_read(context, unasked);
            Poll::Ready(read.is_ready())
        });
        self.kept.is_empty() && !heard.await
    }

    /// Writes a line. Where it does not fit on the way, what the server says meanwhile is taken in: one that answers while
    /// it reads may read no further before.
    async fn send(&mut self, line: &[u8], most: usize) -> io::Result<()> {
        let Self { stream, kept } = self;
        let (mut sent, mut listening) = (0, true);
        poll_fn(|context| {
            while sent < line.len() {
                match Pin::new(&mut *stream).poll_write(context, &line[sent..])? {
                    Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(written) => sent += written,
                    Poll::Pending if !listening => return Poll::Pending,
                    Poll::Pending => {
                        let mut scratch = [MaybeUninit::uninit(); 4096];
                        let mut read = ReadBuf::uninit(&mut scratch);
                        ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
                        kept.extend_from_slice(read.filled());
                        listening = !read.filled().is_empty() && kept.len() <= most;
                    }
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    async fn ask(&mut self, message: &str, most: usize) -> Result<String, Broken> {
        let mut line = Vec::with_capacity(message.len() + 1);
        line.extend_from_slice(message.as_bytes());
        line.push(b'\n');
        if let Err(error) = self.send(&line, most).await {
            return Err(Broken::Unanswered(kinds::exchanging(&error)));
        }
        let mut searched = 0;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.kept[searched..]) {
                let end = searched + end;
                let line = &self.kept[..end];
                let reply = line.strip_suffix(b"\r").unwrap_or(line);
                let reply = String::from_utf8_lossy(reply).into_owned();
                // Anything behind it came unasked, and is found there before the next message.
                self.kept.drain(..=end);
                return Ok(reply);
            }
            searched = self.kept.len();
            if searched > most {
                let message =
                    format!("the answer has more than {most} bytes without an end of line");
                return Err(Broken::Failed(Failure::permanent(
                    kinds::TOO_LARGE,
                    message,
                )));
            }
            let failure = match self.stream.read_buf(&mut self.kept).await {
                Ok(0) => Failure::new(
                    kinds::RESET,
                    "the server closed the connection before its answer was whole",
                ),
                Ok(_) => continue,
                Err(error) => kinds::exchanging(&error),
            };
            return Err(match searched {
                0 => Broken::Unanswered(failure),
                _ => Broken::Failed(failure),
            });
        }
    }
}

impl<I: Io> fmt::Debug for Connection<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
