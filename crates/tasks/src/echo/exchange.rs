//! One message and its answer, however it is waited for.

use std::{fmt, io, net::SocketAddr, pin::pin, time::Instant};

use serde::{Deserialize, Serialize};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use triway_core::{Failure, FailureKind};
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
        deadline: Option<Instant>,
    ) -> Result<Reply, Failure> {
        let work = pin!(self.spoken(kept, message, deadline));
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
        deadline: Option<Instant>,
    ) -> Result<Reply, Failure> {
        // Whoever gives this future up gives up the connection as well: an answer is still to come on it.
        if let Some(mut connection) = kept.take() {
            match connection.ask(message, self.max_reply_bytes).await {
                Ok(reply) => {
                    *kept = Some(connection);
                    return Ok(Reply {
                        reply,
                        connect_s: None,
                    });
                }
                Err(Broken::Failed(failure)) => return Err(failure),
                // The server may have closed it while nobody looked.
                Err(Broken::Unanswered(_)) => {}
            }
        }
        let began = Instant::now();
        let mut connection = self.connect::<I>(deadline).await?;
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
    async fn ask(&mut self, message: &str, most: usize) -> Result<String, Broken> {
        let mut line = Vec::with_capacity(message.len() + 1);
        line.extend_from_slice(message.as_bytes());
        line.push(b'\n');
        // What comes unasked is no answer to this.
        self.kept.clear();
        if let Err(error) = self.stream.write_all(&line).await {
            return Err(Broken::Unanswered(kinds::exchanging(&error)));
        }
        let mut searched = 0;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.kept[searched..]) {
                let end = searched + end;
                let reply = self.kept[..end]
                    .strip_suffix(b"\r")
                    .unwrap_or(&self.kept[..end]);
                return Ok(String::from_utf8_lossy(reply).into_owned());
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
