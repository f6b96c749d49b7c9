//! One request from its URL through every redirect to its answer: all decisions, and no I/O.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, StatusCode, Uri, Version,
    header::{
        AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION,
        PROXY_AUTHORIZATION, RETRY_AFTER,
    },
};
use triway_core::Failure;
use url::Url;

use super::{
    answer::{Answer, Protocol},
    decode::Incoming,
    kinds,
    origin::Origin,
    policy::Policy,
    proxies::credentials,
    redact::{redact, redacted},
    route::Route,
    template::Template,
    wire::{Peer, Target},
};
use crate::command::excerpt;

/// What opening a connection took; nothing when a kept one was used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Opening {
    pub(super) queue: Option<Duration>,
    pub(super) dns: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) tls: Option<Duration>,
}

/// The head of an answer, and what it took to get it.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: &'a HeaderMap,
    pub(super) opening: Opening,
    pub(super) first_byte: Duration,
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
    template: &'a Template,
    route: Route,
    /// The URL to ask now, without credentials and fragment.
    url: Url,
    /// What was asked before it, and how.
    asked: Vec<(Method, Url)>,
    method: Method,
    only_once: bool,
    /// Whether the body still goes along.
    with_body: bool,
    /// Whether no redirect has left the first origin, to which the policy's headers were given.
    at_home: bool,
    authorization: Option<HeaderValue>,
    opening: Opening,
    first_byte: Duration,
    status: StatusCode,
    protocol: Protocol,
    retry_after: Option<Duration>,
}

impl<'a> Journey<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        template: &'a Template,
        input: &Url,
    ) -> Result<Self, Failure> {
        let (url, own) = bare(input.clone());
        Ok(Self {
            policy,
            template,
            route: route(policy, &url)?,
            url,
            asked: Vec::new(),
            method: template.method.clone(),
            only_once: false,
            with_body: true,
            at_home: true,
            authorization: own.or_else(|| template.authorization.clone()),
            opening: Opening::default(),
            first_byte: Duration::ZERO,
            status: StatusCode::OK,
            protocol: Protocol::Http11,
            retry_after: None,
        })
    }

    /// The same, and whether no request of it may be sent twice.
    pub(super) fn only_once(self, only_once: bool) -> Self {
        Self { only_once, ..self }
    }

    /// Where the next request goes.
    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    /// What it may do.
    pub(super) fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// Whether the next request may be sent twice without being meant twice (RFC 9110, 9.2.2), and nobody forbade it.
    pub(super) fn may_repeat(&self) -> bool {
        self.method.is_idempotent() && !self.only_once
    }

    /// The next request.
    pub(super) fn request(&self, target: Target) -> Result<Request<Full<Bytes>>, Failure> {
        let uri: Uri = self.url.as_str().parse().map_err(|error| {
            Failure::bad_input(format!("the URL cannot be sent in a request: {error}"))
        })?;
        let body = match self.with_body {
            true => self.template.body.clone(),
            false => Bytes::new(),
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers();
        let host = self.host(&uri);
        if target == Target::Path || self.template.host.is_some() {
            request.headers_mut().extend(host.map(|host| (HOST, host)));
        }
        *request.uri_mut() = match uri.path_and_query() {
            Some(path) if target == Target::Path && !self.route.is_forwarded() => {
                Uri::from(path.clone())
            }
            _ => uri,
        };
        Ok(request)
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = self.template.headers.clone();
        if self.at_home {
            headers.extend(self.template.private.clone());
        }
        if !self.with_body {
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_ENCODING);
        }
        let own = self.authorization.clone();
        headers.extend(own.map(|value| (AUTHORIZATION, value)));
        if self.route.is_forwarded() {
            let proxy = self.route.proxy.as_ref();
            let secret = proxy.and_then(|proxy| proxy.authorization.as_ref());
            // It is base64 and therefore a valid value.
            let value = secret.and_then(|secret| HeaderValue::from_str(secret.reveal()).ok());
            headers.extend(value.map(|value| (PROXY_AUTHORIZATION, value)));
        }
        if !self.policy.reuse {
            headers.insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
        }
        headers
    }

    fn host(&self, uri: &Uri) -> Option<HeaderValue> {
        let given = self.template.host.clone().filter(|_| self.asked.is_empty());
        // An authority is a valid header value: both allow visible ASCII alone here.
        given.or_else(|| HeaderValue::from_str(uri.authority()?.as_str()).ok())
    }

    /// Takes note of an answer's head and decides what comes next.
    pub(super) fn arrived(&mut self, head: &Head<'_>) -> Result<Next, Failure> {
        let Opening {
            queue,
            dns,
            connect,
            tls,
        } = head.opening;
        add(&mut self.opening.queue, queue);
        add(&mut self.opening.dns, dns);
        add(&mut self.opening.connect, connect);
        add(&mut self.opening.tls, tls);
        self.first_byte += head.first_byte;
        self.status = head.status;
        self.protocol = Protocol::of(head.version);
        self.retry_after = head.headers.get(RETRY_AFTER).and_then(retry_after);
        match head.headers.get(LOCATION) {
            Some(location) if matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                self.follow(location)?;
                Ok(Next::Follow)
            }
            _ => Ok(Next::Read),
        }
    }

    /// Takes the final body, which is kept if `keep`.
    pub(super) fn body(&self, headers: &HeaderMap, keep: bool) -> Result<Incoming, Failure> {
        Incoming::new(headers, self.policy.max_body_bytes, keep)
    }

    /// The output, once the final body was read.
    pub(super) fn finish(self, peer: Peer, received: u64, decoded: u64, body: Duration) -> Answer {
        let seconds = |time: Duration| time.as_secs_f64();
        Answer {
            status: self.status.as_u16(),
            protocol: self.protocol,
            bytes: received,
            decoded_bytes: decoded,
            hops: u32::try_from(self.asked.len()).unwrap_or(u32::MAX),
            url: (!self.asked.is_empty()).then(|| redacted(&self.url)),
            remote: peer.address,
            not_after: peer.not_after,
            retry_after_s: self.retry_after.map(seconds),
            queue_s: self.opening.queue.map(seconds),
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
        let (next, own) = bare(next);
        let route = route(self.policy, &next).map_err(|failure| unusable(&failure.message))?;
        let elsewhere = route.origin != self.route.origin;
        if own.is_some() || elsewhere {
            self.authorization = own;
        }
        self.at_home &= !elsewhere;
        self.route = route;
        let before = std::mem::replace(&mut self.url, next);
        self.asked.push((self.method.clone(), before));
        self.change_method();
        self.check_redirect()?;
        self.keep_body_at_home()
    }

    /// A body may hold secrets as headers may, but the request means nothing without it. So its redirect is not followed.
    fn keep_body_at_home(&self) -> Result<(), Failure> {
        if self.at_home || !self.with_body || self.template.body.is_empty() {
            return Ok(());
        }
        let shown = redacted(&self.url);
        let shown = excerpt(&shown);
        Err(Failure::permanent(
            kinds::DENIED,
            format!(
                "a redirect would take the body to another origin, {shown}; if it is meant for that, ask there at once"
            ),
        ))
    }

    /// As every browser does, and as RFC 9110 (15.4) therefore allows: what was posted is not posted on.
    fn change_method(&mut self) {
        let becomes_get = match self.status.as_u16() {
            303 => self.method != Method::HEAD,
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.with_body = false;
        }
    }

    fn check_redirect(&self) -> Result<(), Failure> {
        // What was posted may well lead back to where it was posted, to be looked at.
        let asks_again = |(method, url): &(Method, Url)| (method, url) == (&self.method, &self.url);
        if self.asked.iter().any(asks_again) {
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

fn route(policy: &Policy, url: &Url) -> Result<Route, Failure> {
    let origin = Origin::of(url)?;
    let proxy = policy.proxies.on_the_way(&origin).cloned();
    if proxy.is_some() && policy.reach.is_limited() {
        return Err(kinds::unseen());
    }
    Ok(Route { origin, proxy })
}

/// How long a server wants to be left alone: seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

/// A failure that says which URL it is about.
pub(super) fn blame(input: &Url, mut failure: Failure) -> Failure {
    failure.message = format!("{}: {}", excerpt(&redacted(input)), failure.message);
    failure
}

/// A URL without what is not sent as part of it, and the credentials it had, as a header.
fn bare(mut url: Url) -> (Url, Option<HeaderValue>) {
    url.set_fragment(None);
    let Some(text) = credentials(&url) else {
        return (url, None);
    };
    let mut header = HeaderValue::from_str(&text).ok();
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
    use crate::http::{Credentials, Payload, Proxies, Secret};

    fn answer(
        journey: &mut Journey<'_>,
        status: StatusCode,
        location: &str,
    ) -> Result<Next, Failure> {
        let headers = HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]);
        journey.arrived(&Head {
            status,
            version: Version::HTTP_11,
            headers: &headers,
            opening: Opening::default(),
            first_byte: Duration::ZERO,
        })
    }

    fn redirect(journey: &mut Journey<'_>, location: &str) -> Result<Next, Failure> {
        answer(journey, StatusCode::FOUND, location)
    }

    fn with<R>(policy: &Policy, url: &str, run: impl FnOnce(Journey<'_>) -> R) -> R {
        let template = Template::new(policy).unwrap();
        run(Journey::new(policy, &template, &url.parse().unwrap()).unwrap())
    }

    fn sent<'a>(request: &'a Request<Full<Bytes>>, name: &str) -> Option<&'a str> {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap())
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let own = "Basic dXNlcjpzZSBjcmV0";
        let given = Policy {
            credentials: Some(Credentials::Bearer(Secret::new("token"))),
            headers: vec![
                ("Cookie".to_owned(), Secret::new("a=b")),
                ("Accept-Language".to_owned(), Secret::new("pl")),
            ],
            ..Policy::default()
        };
        for (policy, url, first) in [
            (Policy::default(), "http://user:se%20cret@a.test/", own),
            (given.clone(), "http://a.test/", "Bearer token"),
            (given, "http://user:se%20cret@a.test/", own),
        ] {
            for (location, stays) in [
                ("/elsewhere", true),
                ("http://a.test/x", true),
                ("http://a.test:81/", false),
                ("https://a.test/", false),
                ("http://b.test/", false),
            ] {
                with(&policy, url, |mut journey| {
                    assert_eq!(redirect(&mut journey, location), Ok(Next::Follow));
                    let request = journey.request(Target::Path).unwrap();
                    let expected = stays.then_some(first);
                    assert_eq!(sent(&request, "authorization"), expected, "{location}");
                    let cookies = stays && !policy.headers.is_empty();
                    assert_eq!(sent(&request, "cookie").is_some(), cookies);
                    let harmless = !policy.headers.is_empty();
                    assert_eq!(sent(&request, "accept-language").is_some(), harmless);
                    assert!(!request.uri().to_string().contains('@'));
                });
            }
        }
        with(&Policy::default(), "http://a.test/", |mut journey| {
            redirect(&mut journey, "http://u:p@b.test/").unwrap();
            let request = journey.request(Target::Path).unwrap();
            assert_eq!(sent(&request, "authorization"), Some("Basic dTpw"));
        });
    }

    #[test]
    fn a_redirect_that_cannot_be_followed_says_why() {
        for (location, kind) in [
            ("ftp://a.test/", kinds::PROTOCOL),
            ("http://[::/", kinds::PROTOCOL),
            ("/", kinds::REDIRECT_LOOP),
            ("#other", kinds::REDIRECT_LOOP),
        ] {
            with(&Policy::default(), "http://a.test/#part", |mut journey| {
                let failure = redirect(&mut journey, location).unwrap_err();
                assert_eq!(failure.kind, kind, "{location}");
                assert!(!failure.retryable);
            });
        }
    }

    #[test]
    fn as_many_redirects_are_followed_as_the_policy_allows() {
        for allowed in [0, 1, 10] {
            let policy = Policy {
                max_redirects: allowed,
                ..Policy::default()
            };
            with(&policy, "http://a.test/", |mut journey| {
                for hop in 0..allowed {
                    assert_eq!(redirect(&mut journey, &format!("/{hop}")), Ok(Next::Follow));
                }
                let failure = redirect(&mut journey, "/end").unwrap_err();
                assert_eq!(failure.kind, kinds::TOO_MANY_REDIRECTS);
            });
        }
    }

    #[test]
    fn what_was_posted_is_not_posted_on_unless_the_server_asks() {
        let posting = |method: &str| Policy {
            method: method.to_owned(),
            body: Some(Payload::new("text")),
            headers: vec![("Content-Type".to_owned(), Secret::new("text/plain"))],
            ..Policy::default()
        };
        for (method, status, then) in [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("POST", 303, "GET"),
            ("PUT", 302, "PUT"),
            ("PUT", 303, "GET"),
            ("HEAD", 303, "HEAD"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
        ] {
            with(&posting(method), "http://a.test/", |mut journey| {
                let status = StatusCode::from_u16(status).unwrap();
                answer(&mut journey, status, "/next").unwrap();
                let request = journey.request(Target::Path).unwrap();
                assert_eq!(request.method().as_str(), then, "{method} {status}");
                assert_eq!(sent(&request, "content-type").is_some(), then == method);
            });
        }
    }

    #[test]
    fn what_was_posted_may_be_looked_at_where_it_was_posted() {
        let posting = Policy {
            method: "POST".to_owned(),
            ..Policy::default()
        };
        with(&posting, "http://a.test/form", |mut journey| {
            let mut seen = || answer(&mut journey, StatusCode::SEE_OTHER, "/form");
            assert_eq!(seen(), Ok(Next::Follow));
            assert_eq!(seen().unwrap_err().kind, kinds::REDIRECT_LOOP);
        });
    }

    #[test]
    fn a_request_is_written_as_its_connection_wants_it() {
        let proxied = Policy {
            proxies: Proxies::from_variables(|name| {
                (name == "http_proxy").then(|| "http://u:p@proxy:1".to_owned())
            })
            .unwrap(),
            ..Policy::default()
        };
        let usual = Policy::default();
        for (policy, url, target, line, host) in [
            (
                &usual,
                "http://a.test:8080/x?y=1#z",
                Target::Path,
                "/x?y=1",
                Some("a.test:8080"),
            ),
            (
                &usual,
                "https://a.test:443",
                Target::Path,
                "/",
                Some("a.test"),
            ),
            (
                &usual,
                "http://[::1]:81/",
                Target::Path,
                "/",
                Some("[::1]:81"),
            ),
            (
                &usual,
                "https://a.test/x",
                Target::Url,
                "https://a.test/x",
                None,
            ),
            (
                &proxied,
                "http://a.test/x",
                Target::Path,
                "http://a.test/x",
                Some("a.test"),
            ),
        ] {
            with(policy, url, |journey| {
                let request = journey.request(target).unwrap();
                assert_eq!(request.uri().to_string(), line);
                assert_eq!(sent(&request, "host"), host, "{url}");
                let expected = journey.route().is_forwarded().then_some("Basic dTpw");
                assert_eq!(sent(&request, "proxy-authorization"), expected);
            });
        }
    }

    #[test]
    fn a_server_may_say_how_long_in_two_ways() {
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        for (text, least, most) in [("7", 7, 7), (soon.as_str(), 80, 90)] {
            let wait = retry_after(&text.parse().unwrap()).unwrap().as_secs();
            assert!((least..=most).contains(&wait), "{text}: {wait}");
        }
        let past = "Wed, 21 Oct 2015 07:28:00 GMT".parse().unwrap();
        assert_eq!(retry_after(&past), Some(Duration::ZERO));
        assert_eq!(retry_after(&"soon".parse().unwrap()), None);
    }
}
