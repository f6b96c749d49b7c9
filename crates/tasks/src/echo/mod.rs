//! The task `echo`: sends a line to a server and waits for the line that it answers.

mod command;
mod exchange;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Task};
use triway_wait::{Blocking, NonBlocking, block_on};

use crate::command::excerpt;

pub use self::exchange::Reply;
use self::exchange::{Connection, Server};

/// How an answer begins that is none.
const ERROR: &str = "Error: ";
/// The server answered that it does not take the message.
pub const REFUSED: FailureKind = FailureKind::new("error-reply");

/// Sends each message on its lane's connection, which is made when it is needed and again when it was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo(Server);

/// State of a lane: its connection, once it has one.
#[derive(Debug, Default)]
pub struct Lane {
    blocking: Option<Connection<Blocking>>,
    nonblocking: Option<Connection<NonBlocking>>,
}

impl Echo {
    /// The task that speaks to a server at the first of these addresses that accepts.
    #[must_use]
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        Self(Server {
            addresses,
            max_reply_bytes: 16 << 20,
        })
    }

    /// The same with another limit to the length of an answer.
    #[must_use]
    pub fn with_max_reply_bytes(self, max_reply_bytes: usize) -> Self {
        Self(Server {
            max_reply_bytes,
            ..self.0
        })
    }
}

impl Task for Echo {
    type Input = String;
    type Output = Reply;
    type Lane = Lane;

    fn forms(&self) -> Forms {
        Forms::Both
    }

    fn run_blocking(
        &self,
        lane: &mut Lane,
        message: &String,
        context: &Context<'_>,
    ) -> Result<Reply, Failure> {
        block_on(self.0.exchange(&mut lane.blocking, message, context))
    }

    async fn run_async(
        &self,
        lane: &mut Lane,
        message: &String,
        context: &Context<'_>,
    ) -> Result<Reply, Failure> {
        self.0
            .exchange(&mut lane.nonblocking, message, context)
            .await
    }

    /// An answer that says that there was an error is none.
    fn judge(&self, reply: &Reply) -> Result<(), Failure> {
        match reply.reply.strip_prefix(ERROR) {
            None => Ok(()),
            Some(why) => Err(Failure::permanent(
                REFUSED,
                format!("the server answered with an error: {}", excerpt(why)),
            )),
        }
    }

    fn input_bytes(&self, message: &String) -> usize {
        size_of::<String>() + message.len()
    }

    fn output_bytes(&self, reply: &Reply) -> usize {
        size_of::<Reply>() + reply.reply.len()
    }
}
