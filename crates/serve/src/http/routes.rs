//! What each path of the test server answers.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::{
    Method, Request, StatusCode, Version,
    body::{Body as _, Incoming},
    header::{ALLOW, CONTENT_LENGTH, HOST, HeaderValue, LOCATION},
    http::request::Parts,
};
use percent_encoding::percent_decode_str;

use super::{
    body::ReplyBody,
    echo,
    limits::Limits,
    replies::{Reply, refusal, text, with},
    shaped, upload,
};

/// The longest chain of redirects.
const MOST_REDIRECTS: u32 = 1000;

const ROUTES: &str = "\
A test server of triway. Any method will do, except where GET stands before a path.

/status/N                  that status, 200 to 599
/delay/SECONDS             200 after so many seconds, fractions included, 60 at most
/bytes/N                   N bytes, 104857600 at most
/drip?seconds=S&bytes=N    N bytes (10, 100000 at most), evenly over S seconds (1, 60 at most)
/gzip                      a compressed answer
/bomb                      a small answer that decodes to 64 MiB
/redirect/N                so many redirects, 1000 at most, then /get
/redirect-loop             a redirect to itself
/headers                   the request's headers as JSON
/cookies                   the request's cookies as JSON
/anything                  the request as JSON: method, url, args, headers, data, origin; below it too
/basic-auth/USER/PASS      200 for these credentials, 401 for others
/rate/N                    200 for N requests a second, of all clients together, 429 for more; N up to 1000000
/slots/N?seconds=S         N requests at once, each taking S seconds (0.01, 60 at most); others wait
/flaky/P                   503 in P per cent of all cases, 0 to 100, and 200 in the others
GET /get                   the request as JSON: url, args, headers, origin
GET /                      this list

Other parameters are ignored. The body of a request may have 1048576 bytes.
";

/// What answers need besides the request.
pub(super) struct Asked {
    pub(super) limits: Arc<Limits>,
    /// Who asks.
    pub(super) origin: SocketAddr,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    /// How long a request's body may take.
    pub(super) patience: Duration,
}

/// The answer to one request.
pub(super) async fn answer(request: Request<Incoming>, asked: &Asked) -> Reply {
    if !names_its_host(&request) {
        return refusal("a request in HTTP/1.1 has one header Host, neither none nor two\n");
    }
    let (parts, body) = request.into_parts();
    let mut reply = match upload::receive(body, asked.patience).await {
        Ok(body) => find(&parts, &body, asked).await,
        Err(refused) => *refused,
    };
    if parts.method == Method::HEAD
        && let Some(length) = reply.body().size_hint().exact()
    {
        // HTTP/1.1 would leave the body out by itself, HTTP/2 would not.
        reply.headers_mut().insert(CONTENT_LENGTH, length.into());
        *reply.body_mut() = ReplyBody::empty();
    }
    reply
}

/// What RFC 9112 (3.2) wants of HTTP/1.1 alone.
fn names_its_host(request: &Request<Incoming>) -> bool {
    request.version() != Version::HTTP_11 || request.headers().get_all(HOST).iter().count() == 1
}

async fn find(parts: &Parts, body: &[u8], asked: &Asked) -> Reply {
    let path = parts.uri.path();
    let steps: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    if !serves(&parts.method, &steps) {
        let reply = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        return with(reply, ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    let query = parts.uri.query().unwrap_or("");
    match steps[..] {
        ["status", code] => status(code),
        ["delay", seconds] => shaped::delay(seconds).await,
        ["bytes", count] => shaped::bytes(count),
        ["drip"] => shaped::drip(query),
        ["gzip"] => shaped::gzip(),
        ["bomb"] => shaped::bomb().await,
        ["redirect", count] => redirect(count),
        ["redirect-loop"] => found("/redirect-loop"),
        ["anything", ..] => echo::anything(parts, body, asked.origin, asked.scheme),
        ["get"] => echo::get(parts, asked.origin, asked.scheme),
        ["headers"] => echo::headers(parts),
        ["cookies"] => echo::cookies(parts),
        ["basic-auth", user, password] => {
            let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
            echo::basic_auth(parts, &plain(user), &plain(password))
        }
        ["rate", most] => asked.limits.rate(most),
        ["slots", most] => asked.limits.slots(most, query).await,
        ["flaky", share] => asked.limits.flaky(share),
        [""] => text(StatusCode::OK, ROUTES),
        _ => text(StatusCode::NOT_FOUND, "no such route; / lists them\n"),
    }
}

/// What says in its name that it is read, is read; an answer other than an error to CONNECT would promise a tunnel.
fn serves(method: &Method, steps: &[&str]) -> bool {
    match *method {
        Method::GET | Method::HEAD => true,
        Method::CONNECT => false,
        _ => !matches!(steps, [""] | ["get"]),
    }
}

fn status(code: &str) -> Reply {
    match code.parse::<u16>() {
        // What follows an interim status would be read as a second answer.
        Ok(code @ 100..200) => refusal(format!(
            "{code} is an interim status; no answer ends with it\n"
        )),
        Ok(code @ 200..600) => {
            let code = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST);
            let mut reply = text(code, format!("{code}\n"));
            if matches!(code.as_u16(), 204 | 205 | 304) {
                // These have no body; HTTP/2 would send one all the same.
                *reply.body_mut() = ReplyBody::empty();
            }
            reply
        }
        _ => refusal("a status is a number from 200 to 599\n"),
    }
}

fn redirect(count: &str) -> Reply {
    match count.parse::<u32>() {
        Ok(0 | 1) => found("/get"),
        Ok(count @ 2..=MOST_REDIRECTS) => found(&format!("/redirect/{}", count - 1)),
        _ => refusal(format!(
            "redirects are a number from 0 to {MOST_REDIRECTS}\n"
        )),
    }
}

fn found(location: &str) -> Reply {
    let reply = text(StatusCode::FOUND, "elsewhere\n");
    // All locations are made here, of ASCII.
    match HeaderValue::from_str(location) {
        Ok(location) => with(reply, LOCATION, location),
        Err(_) => reply,
    }
}
