//! What all requests of a policy have in common, read and checked once.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hyper::{
    Method,
    header::{
        ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL,
        HOST, HeaderMap, HeaderName, HeaderValue, PRAGMA, RANGE, USER_AGENT,
    },
};

use super::policy::{Credentials, Policy};

/// The headers that go to every origin. Any other may be about who asks, and nobody can tell from its name.
const HARMLESS: [HeaderName; 8] = [
    ACCEPT,
    ACCEPT_CHARSET,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CACHE_CONTROL,
    PRAGMA,
    RANGE,
    USER_AGENT,
];

/// Whether a header of this name goes along to other origins, because it says nothing of who asks.
pub(super) fn goes_to_all(name: &str) -> bool {
    HARMLESS
        .iter()
        .any(|harmless| name.eq_ignore_ascii_case(harmless.as_str()))
}

/// The unchanging parts of a policy's requests.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) method: Method,
    /// What goes to every origin.
    pub(super) headers: HeaderMap,
    /// What goes to the first origin alone, besides the authorization.
    pub(super) private: HeaderMap,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) body: Bytes,
    /// The `Host` that somebody wants to be sent, instead of the URL's.
    pub(super) host: Option<HeaderValue>,
}

/// A policy that no request can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The method is none.
    #[error("`{0}` is no HTTP method; write a word such as GET or POST")]
    Method(String),
    /// A header's name is none.
    #[error("`{0}` is no header name; write NAME: VALUE or NAME=VALUE")]
    HeaderName(String),
    /// A header's value, or the credentials, cannot be sent.
    #[error("the value of the header {0} contains characters that no header may have")]
    HeaderValue(String),
    /// The authorities cannot be read.
    #[error("the certificate authorities cannot be read: {0}")]
    Authorities(String),
}

impl Template {
    pub(super) fn new(policy: &Policy) -> Result<Self, PolicyError> {
        let method = Method::from_bytes(policy.method.as_bytes())
            .map_err(|_| PolicyError::Method(policy.method.clone()))?;
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, value("User-Agent", &policy.user_agent)?);
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if policy.compressed {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd"));
        }
        let mut given = HeaderMap::new();
        for (name, secret) in &policy.headers {
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| PolicyError::HeaderName(name.clone()))?;
            let mut sent = value(name, secret.reveal())?;
            sent.set_sensitive(true);
            given.append(header, sent);
        }
        let host = given.remove(HOST);
        let mut authorization = given.remove(AUTHORIZATION);
        for name in given.keys() {
            headers.remove(name);
        }
        let mut private = HeaderMap::new();
        for (name, value) in &given {
            let goes_along = match goes_to_all(name.as_str()) {
                true => &mut headers,
                false => &mut private,
            };
            goes_along.append(name, value.clone());
        }
        if authorization.is_none()
            && let Some(credentials) = &policy.credentials
        {
            authorization = Some(authorize(credentials)?);
        }
        let body = policy.body.as_ref();
        Ok(Self {
            method,
            headers,
            private,
            authorization,
            body: body.map_or_else(Bytes::new, |body| Bytes::copy_from_slice(body.reveal())),
            host,
        })
    }
}

fn authorize(credentials: &Credentials) -> Result<HeaderValue, PolicyError> {
    let text = match credentials {
        Credentials::Basic(pair) => format!("Basic {}", STANDARD.encode(pair.reveal())),
        Credentials::Bearer(token) => format!("Bearer {}", token.reveal()),
    };
    let mut header = value("Authorization", &text)?;
    header.set_sensitive(true);
    Ok(header)
}

fn value(name: &str, text: &str) -> Result<HeaderValue, PolicyError> {
    HeaderValue::from_str(text).map_err(|_| PolicyError::HeaderValue(name.to_owned()))
}
