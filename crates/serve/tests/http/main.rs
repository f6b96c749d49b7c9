//! The test server over real connections: every route, what it refuses, TLS, clients that dawdle, and how it shuts down.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod connections;
mod curl;
mod patience;
mod routes;
mod server;
mod shared;
mod tls;
