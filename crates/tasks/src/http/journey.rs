//! One request from its URL through every redirect to its answer: all decisions, and no I/O, so that both clients take
//! the same ones.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper::{
    Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderValue, LOCATION, USER_AGENT},
};
use percent_encoding::percent_decode_str;
use triway_core::Failure;
use url::{Host, Url};

use super::{
    answer::Answer,
    kinds,
    policy::Policy,
    redact::{redact, redacted},
};
use crate::command::excerpt;

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) secure: bool,
    pub(super) host: Host<String>,
    pub(super) port: u16,
}

impl Origin {
    /// The origin of a URL that this task can request.
    pub(super) fn of(url: &Url) -> Result<Self, Failure> {
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            other => {
                return Err(Failure::bad_input(format!(
                    "the scheme must be http or https, not `{other}`"
                )));
            }
        };
        match (url.host(), url.port_or_known_default()) {
            (Some(host), Some(port)) => Ok(Self {
                secure,
                host: host.to_owned(),
                port,
            }),
            _ => Err(Failure::bad_input("the URL names no host")),
        }
    }
}

/// What opening a connection took; nothing when a kept one was used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Opening {
    pub(super) dns: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) tls: Option<Duration>,
}

/// What to do with an answer whose head has arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Drop its body and make the next request.
    Follow,
    /// It is the final one: read its body.
    Read,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Journey<'a> {
    policy: &'a Policy,
    origin: Origin,
    /// The URL to ask now, without credentials and fragment.
    url: Url,
    /// Those asked before it.
    asked: Vec<Url>,
    /// The credentials that a URL brought along; they are for its origin alone.
    authorization: Option<HeaderValue>,
    opening: Opening,
    first_byte: Duration,
    status: StatusCode,
}

impl<'a> Journey<'a> {
    pub(super) fn new(policy: &'a Policy, input: &'a Url) -> Result<Self, Failure> {
        let (url, authorization) = bare(input.clone());
        Ok(Self {
            policy,
            origin: Origin::of(&url)?,
            url,
            asked: Vec::new(),
            authorization,
            opening: Opening::default(),
            first_byte: Duration::ZERO,
            status: StatusCode::OK,
        })
    }

    /// Where the next request goes.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The next request, with its whole URL as target and without a `Host` header.
    pub(super) fn request<B: Default>(&self) -> Result<Request<B>, Failure> {
        let uri: Uri = self.url.as_str().parse().map_err(|error| {
            Failure::bad_input(format!("the URL cannot be sent in a request: {error}"))
        })?;
        let agent = HeaderValue::from_str(&self.policy.user_agent).map_err(|_| {
            Failure::bad_input("the user agent contains characters that no header may have")
        })?;
        let mut request = Request::new(B::default());
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, agent);
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }

    /// The next request as it stands on the wire: path and query as target, and a `Host` header.
    pub(super) fn wire_request<B: Default>(&self) -> Result<Request<B>, Failure> {
        let mut request = self.request()?;
        if let Some(host) = request.uri().authority() {
            // An authority is a valid header value: both allow visible ASCII alone here.
            if let Ok(host) = HeaderValue::from_str(host.as_str()) {
                request.headers_mut().insert(HOST, host);
            }
        }
        if let Some(target) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = Uri::from(target);
        }
        Ok(request)
    }

    /// Takes note of an answer's head and decides what comes next.
    pub(super) fn arrived(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        opening: Opening,
        first_byte: Duration,
    ) -> Result<Next, Failure> {
        add(&mut self.opening.dns, opening.dns);
        add(&mut self.opening.connect, opening.connect);
        add(&mut self.opening.tls, opening.tls);
        self.first_byte += first_byte;
        self.status = status;
        match headers.get(LOCATION) {
            Some(location) if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                self.follow(location)?;
                Ok(Next::Follow)
            }
            _ => Ok(Next::Read),
        }
    }

    /// Whether a body of so many bytes is still within the policy.
    pub(super) fn check_body(&self, bytes: u64) -> Result<(), Failure> {
        if bytes > self.policy.max_body_bytes {
            return Err(kinds::too_large(self.policy.max_body_bytes));
        }
        Ok(())
    }

    /// The output, once the final body was read.
    pub(super) fn finish(self, bytes: u64, body: Duration) -> Answer {
        let seconds = |time: Duration| time.as_secs_f64();
        Answer {
            status: self.status.as_u16(),
            bytes,
            hops: u32::try_from(self.asked.len()).unwrap_or(u32::MAX),
            url: (!self.asked.is_empty()).then(|| redacted(&self.url)),
            dns_s: self.opening.dns.map(seconds),
            connect_s: self.opening.connect.map(seconds),
            tls_s: self.opening.tls.map(seconds),
            first_byte_s: seconds(self.first_byte),
            body_s: seconds(body),
        }
    }

    fn follow(&mut self, location: &HeaderValue) -> Result<(), Failure> {
        let location = String::from_utf8_lossy(location.as_bytes());
        let unusable = |why: &str| {
            let shown = excerpt(&redact(&location)).into_owned();
            Failure::permanent(
                kinds::PROTOCOL,
                format!("the redirect to `{shown}` cannot be followed: {why}"),
            )
        };
        let next = self
            .url
            .join(&location)
            .map_err(|error| unusable(&error.to_string()))?;
        let (next, authorization) = bare(next);
        let origin = Origin::of(&next).map_err(|failure| unusable(&failure.message))?;
        if authorization.is_some() || origin != self.origin {
            self.authorization = authorization;
        }
        self.origin = origin;
        self.asked.push(std::mem::replace(&mut self.url, next));
        self.check_redirect()
    }

    fn check_redirect(&self) -> Result<(), Failure> {
        if self.asked.contains(&self.url) {
            return Err(Failure::permanent(
                kinds::REDIRECT_LOOP,
                format!("redirects lead back to {}", excerpt(&redacted(&self.url))),
            ));
        }
        if self.asked.len() > self.policy.max_redirects as usize {
            return Err(Failure::permanent(
                kinds::TOO_MANY_REDIRECTS,
                format!("more than {} redirects", self.policy.max_redirects),
            ));
        }
        Ok(())
    }
}

/// A failure that says which URL it is about.
pub(super) fn blame(input: &Url, mut failure: Failure) -> Failure {
    failure.message = format!("{}: {}", excerpt(&redacted(input)), failure.message);
    failure
}

/// A URL without what is not sent as part of it, and the credentials it had, as a header.
fn bare(mut url: Url) -> (Url, Option<HeaderValue>) {
    url.set_fragment(None);
    if url.username().is_empty() && url.password().is_none() {
        return (url, None);
    }
    let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or("")));
    let mut header = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok();
    if let Some(header) = &mut header {
        header.set_sensitive(true);
    }
    // Neither fails for a URL that has a host, and others are refused before anything is sent.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (url, header)
}

fn add(sum: &mut Option<Duration>, more: Option<Duration>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or_default() + more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(journey: &mut Journey<'_>, location: &str) -> Result<Next, Failure> {
        let headers = HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]);
        journey.arrived(
            StatusCode::FOUND,
            &headers,
            Opening::default(),
            Duration::ZERO,
        )
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let policy = Policy::default();
        for (location, kept) in [
            ("/elsewhere", Some("Basic dXNlcjpzZSBjcmV0")),
            ("http://a.test/x", Some("Basic dXNlcjpzZSBjcmV0")),
            ("http://a.test:81/", None),
            ("https://a.test/", None),
            ("http://b.test/", None),
            ("http://u:p@b.test/", Some("Basic dTpw")),
        ] {
            let input = "http://user:se%20cret@a.test/".parse().unwrap();
            let mut journey = Journey::new(&policy, &input).unwrap();
            assert_eq!(redirect(&mut journey, location), Ok(Next::Follow));
            let request = journey.request::<()>().unwrap();
            let sent = request.headers().get(AUTHORIZATION);
            assert_eq!(sent.map(|sent| sent.to_str().unwrap()), kept, "{location}");
            assert!(!request.uri().to_string().contains('@'));
        }
    }

    #[test]
    fn a_redirect_that_cannot_be_followed_says_why() {
        let policy = Policy::default();
        let input = "http://a.test/#part".parse().unwrap();
        for (location, kind) in [
            ("ftp://a.test/", kinds::PROTOCOL),
            ("http://[::/", kinds::PROTOCOL),
            ("/", kinds::REDIRECT_LOOP),
            ("#other", kinds::REDIRECT_LOOP),
        ] {
            let mut journey = Journey::new(&policy, &input).unwrap();
            let failure = redirect(&mut journey, location).unwrap_err();
            assert_eq!(failure.kind, kind, "{location}");
            assert!(!failure.retryable);
        }
    }

    #[test]
    fn as_many_redirects_are_followed_as_the_policy_allows() {
        let input = "http://a.test/".parse().unwrap();
        for allowed in [0, 1, 10] {
            let policy = Policy {
                max_redirects: allowed,
                ..Policy::default()
            };
            let mut journey = Journey::new(&policy, &input).unwrap();
            for hop in 0..allowed {
                assert_eq!(redirect(&mut journey, &format!("/{hop}")), Ok(Next::Follow));
            }
            let failure = redirect(&mut journey, "/end").unwrap_err();
            assert_eq!(failure.kind, kinds::TOO_MANY_REDIRECTS);
        }
    }

    #[test]
    fn the_wire_request_names_path_query_and_host() {
        let policy = Policy::default();
        for (url, target, host) in [
            ("http://a.test:8080/x?y=1#z", "/x?y=1", "a.test:8080"),
            ("https://a.test:443", "/", "a.test"),
            ("http://[::1]:81/", "/", "[::1]:81"),
        ] {
            let input = url.parse().unwrap();
            let journey = Journey::new(&policy, &input).unwrap();
            let request = journey.wire_request::<()>().unwrap();
            assert_eq!(request.uri().to_string(), target);
            assert_eq!(request.headers()[HOST], host);
        }
    }
}
