//! What a request may do, the same for both clients: data alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    accept::Accept,
    proxies::Proxies,
    reach::Reach,
    secret::{Payload, Secret},
};

/// What is sent, what a request may do, and what counts as a success. The total time limit is not here: it comes with
/// each attempt.
///
/// `Debug` shows no credentials, header values or bodies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Policy {
    /// The method; `POST` is only said if somebody asks for it.
    pub method: String,
    /// Headers that are sent besides or instead of those that are always sent. A redirect to another origin (scheme,
    /// host and port) takes along none but `Accept`, `Accept-Charset`, `Accept-Encoding`, `Accept-Language`,
    /// `Cache-Control`, `Pragma`, `Range` and `User-Agent`: any other may be a secret.
    pub headers: Vec<(String, Secret)>,
    /// What is sent along. A redirect that would take it to another origin is not followed but fails as
    /// [`DENIED`](super::kinds::DENIED).
    pub body: Option<Payload>,
    /// Credentials for the origin of each input; a redirect to another origin does not get them. Those in a URL go
    /// before them.
    pub credentials: Option<Credentials>,
    /// What the request says it is sent by.
    pub user_agent: String,
    /// The statuses that count as a success.
    pub accept: Accept,
    /// How many redirects are followed; the next one is a failure.
    pub max_redirects: u32,
    /// How large a body may be, in decoded bytes.
    pub max_body_bytes: u64,
    /// The time for a connection: from the look-up of the name until it is open and secured. Each redirect has it anew.
    pub connect_limit: Option<Duration>,
    /// The time from a request's sending until the head of its answer. Each redirect has it anew.
    pub first_byte_limit: Option<Duration>,
    /// Which addresses of a host are taken.
    pub family: Family,
    /// Whether connections are kept and used again.
    pub reuse: bool,
    /// Whether the async form offers HTTP/2 on secured connections. The blocking form never does.
    pub http2: bool,
    /// Whether compressed answers are asked for.
    pub compressed: bool,
    /// Whom to trust.
    pub trust: Trust,
    /// The proxies on the way.
    pub proxies: Proxies,
    /// Which addresses may be connected to.
    pub reach: Reach,
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Credentials {
    /// `USER:PASSWORD`, for basic authentication.
    Basic(Secret),
    /// A bearer token.
    Bearer(Secret),
}

/// Which addresses of a host are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Family {
    /// IPv4 and IPv6, in the order in which the system gives them.
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// Whose word about a server's certificate is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Trust {
    /// The system's authorities and Mozilla's.
    #[default]
    Usual,
    /// These authorities alone: certificates in PEM.
    Authorities(Vec<u8>),
    /// Anybody's: certificates are not verified.
    Anybody,
}

impl Default for Policy {
    /// A GET with Triway's own name, statuses 200 to 399, ten redirects, bodies of up to 16 MiB, ten seconds for a
    /// connection and thirty for the head of an answer; connections are kept, and no proxy is used.
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            headers: Vec::new(),
            body: None,
            credentials: None,
            user_agent: concat!("triway/", env!("CARGO_PKG_VERSION")).to_owned(),
            accept: Accept::default(),
            max_redirects: 10,
            max_body_bytes: 16 << 20,
            connect_limit: Some(Duration::from_secs(10)),
            first_byte_limit: Some(Duration::from_secs(30)),
            family: Family::Any,
            reuse: true,
            http2: false,
            compressed: true,
            trust: Trust::Usual,
            proxies: Proxies::default(),
            reach: Reach::default(),
        }
    }
}
