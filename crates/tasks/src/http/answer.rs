//! What comes of a request.

use std::{net::SocketAddr, time::Duration};

use hyper::{HeaderMap, Version};
use serde::{Deserialize, Serialize};
use triway_core::Failure;

/// What an answer was, and what it took. Seconds are added up over all redirects, but for the body's, which is the
/// last one's alone; they are `None` where a kept connection was used and there was nothing to wait for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The status of the last answer.
    pub status: u16,
    /// The protocol that it came in.
    pub protocol: Protocol,
    /// The size of its body as it was transferred.
    pub bytes: u64,
    /// The size of its body once decoded; as it was transferred, if nobody here knows its encoding.
    pub decoded_bytes: u64,
    /// How many redirects led to it.
    pub hops: u32,
    /// Where they led, without credentials; `None` if there were none.
    pub url: Option<String>,
    /// The address that was connected to: the server's, or that of the proxy on the way to it.
    pub remote: SocketAddr,
    /// When the server's certificate expires, in RFC 3339; `None` if it has none.
    pub not_after: Option<String>,
    /// How long the server wants to be left alone (`Retry-After`), if it says so.
    pub retry_after_s: Option<f64>,
    /// Waiting for one of the few look-ups of names that may run at once.
    pub queue_s: Option<f64>,
    /// Looking up the host's name; `None` also if the host is an address or its name was known already.
    pub dns_s: Option<f64>,
    /// Opening the connection, and the way through a proxy.
    pub connect_s: Option<f64>,
    /// Securing it; `None` also if it is not secure.
    pub tls_s: Option<f64>,
    /// From an open connection to the head of the answer, sending the request included.
    pub first_byte_s: f64,
    /// From the head of the answer to the end of its body.
    pub body_s: f64,
}

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.0.
    #[serde(rename = "HTTP/1.0")]
    Http10,
    /// HTTP/1.1.
    #[serde(rename = "HTTP/1.1")]
    Http11,
    /// HTTP/2.
    #[serde(rename = "HTTP/2")]
    Http2,
}

/// An answer with what came along.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) answer: Answer,
    pub(crate) headers: HeaderMap,
    /// The decoded body, if it was asked for.
    pub(crate) body: Option<Vec<u8>>,
}

impl Answer {
    /// A failure that this answer is: if the server says how long it wants to be left alone, the failure says so too.
    pub(crate) fn blamed(&self, mut failure: Failure, may_pass: bool) -> Failure {
        failure.retryable = may_pass;
        // RFC 9110 and 6585 speak of it for these; elsewhere (a redirect) it means something else.
        let asks = matches!(self.status, 429 | 503);
        let wait = self.retry_after_s.filter(|_| asks && may_pass);
        match wait.and_then(|wait| Duration::try_from_secs_f64(wait).ok()) {
            Some(wait) => failure.with_retry_after(wait),
            None => failure,
        }
    }

    /// Whether a status that is wrong may be another one later: too early, too many, or the server's own trouble. The
    /// others are what the server means.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.status, 408 | 425 | 429 | 500..)
    }
}

impl Protocol {
    pub(super) fn of(version: Version) -> Self {
        match version {
            Version::HTTP_10 | Version::HTTP_09 => Self::Http10,
            Version::HTTP_2 => Self::Http2,
            _ => Self::Http11,
        }
    }
}
