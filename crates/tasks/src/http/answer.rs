//! What a request gave.

use serde::{Deserialize, Serialize};

/// What an answer was, and what it took. Seconds are added up over all redirects, but for the body's, which is the
/// last one's alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The status of the last answer.
    pub status: u16,
    /// The size of its body.
    pub bytes: u64,
    /// How many redirects led to it.
    pub hops: u32,
    /// Where they led, without credentials; `None` if there were none.
    pub url: Option<String>,
    /// Looking up the host's name; `None` if a kept connection was used or the host is an address.
    pub dns_s: Option<f64>,
    /// Opening the connection; `None` if a kept one was used.
    pub connect_s: Option<f64>,
    /// Securing it; `None` if a kept one was used or it is not secure.
    pub tls_s: Option<f64>,
    /// From an open connection to the head of the answer, sending the request included.
    pub first_byte_s: f64,
    /// From the head of the answer to the end of its body.
    pub body_s: f64,
}
