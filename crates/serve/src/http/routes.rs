//! What each path of the test server answers.

use std::net::SocketAddr;

use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    header::{ALLOW, HeaderValue, LOCATION},
};
use percent_encoding::percent_decode_str;

use super::{
    echo,
    limits::Limits,
    replies::{Reply, refusal, text, with},
    shaped,
};

/// The longest chain of redirects.
const MOST_REDIRECTS: u32 = 1000;

const ROUTES: &str = "\
/status/N                  that status, 200 to 599
/delay/SECONDS             200 after so many seconds, fractions included, 60 at most
/bytes/N                   N bytes, 104857600 at most
/drip?seconds=S&bytes=N    N bytes (10), evenly over S seconds (1)
/gzip                      a compressed answer
/bomb                      a small answer that decodes to 64 MiB
/redirect/N                so many redirects, then /get
/redirect-loop             a redirect to itself
/get                       the request as JSON: url, args, headers, origin
/headers                   the request's headers as JSON
/cookies                   the request's cookies as JSON
/anything                  any request as JSON, with method and body
/basic-auth/USER/PASS      200 for these credentials, 401 for others
/rate/N                    200 for N requests a second together, 429 for more
/slots/N?seconds=S         N requests at once, each taking S seconds (0.01); others wait
/flaky/P                   503 in P per cent of all cases, 200 in the others
";

/// What answers need besides the request.
pub(super) struct Asked<'a> {
    pub(super) limits: &'a Limits,
    /// Who asks.
    pub(super) origin: Option<SocketAddr>,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
}

/// The answer to one request.
pub(super) async fn answer(request: Request<Incoming>, asked: Asked<'_>) -> Reply {
    let path = request.uri().path().to_owned();
    let steps: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if let ["anything", ..] = steps[..] {
        return echo::anything(request, asked.origin, asked.scheme).await;
    }
    let (parts, _) = request.into_parts();
    let any_method = matches!(
        steps[..],
        ["status" | "delay" | "flaky" | "rate" | "slots", _]
    );
    if !any_method && !matches!(parts.method, Method::GET | Method::HEAD) {
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
        ["get"] => echo::get(&parts, asked.origin, asked.scheme),
        ["headers"] => echo::headers(&parts),
        ["cookies"] => echo::cookies(&parts),
        ["basic-auth", user, password] => {
            let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
            echo::basic_auth(&parts, &plain(user), &plain(password))
        }
        ["rate", most] => asked.limits.rate(most),
        ["slots", most] => asked.limits.slots(most, query).await,
        ["flaky", share] => asked.limits.flaky(share),
        [""] => text(StatusCode::OK, ROUTES),
        _ => text(StatusCode::NOT_FOUND, "no such route; / lists them\n"),
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
            text(code, format!("{code}\n"))
        }
        _ => refusal("a status is a number from 200 to 599\n"),
    }
}

fn redirect(count: &str) -> Reply {
    match count.parse::<u32>() {
        Ok(0) => found("/get"),
        Ok(1) => found("/get"),
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
