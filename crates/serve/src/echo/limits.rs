//! What a client may do, the same however it is served.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of an echo server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Connections at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// Bytes of a message; a longer one is answered with an error, and its connection closed.
    pub message_bytes: usize,
    /// How long the next message may take to be there whole, and its answer to be taken.
    pub idle: Duration,
    /// How long a connection may last; `None` for as long as it is used.
    pub total: Option<Duration>,
    /// How long each message is worked on: a wait, as for a database.
    pub delay: Duration,
    /// How long connections may take to come to their end once the server is to end.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            message_bytes: 64 << 10,
            idle: Duration::from_secs(60),
            total: None,
            delay: Duration::ZERO,
            drain: Duration::from_secs(5),
        }
    }
}
