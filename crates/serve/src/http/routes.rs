//! What each path of the test server answers.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::body::ReplyBody;

/// The longest delay that `/delay` gives.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// The largest body that `/bytes` gives.
const MAX_BYTES: u64 = 100 << 20;

const ROUTES: &str = "\
/status/N       that status, 200 to 599
/delay/SECONDS  200 after so many seconds, fractions included, 60 at most
/bytes/N        N bytes, 104857600 at most
/get            the request as JSON: url, args, headers, origin
/headers        the request's headers as JSON
";

type Reply = Response<ReplyBody>;

/// The answer to one request of a client at `origin`.
pub(super) async fn answer(request: &Request<Incoming>, origin: Option<SocketAddr>) -> Reply {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        reply
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return reply;
    }
    let path = request.uri().path();
    let mut parts = path.strip_prefix('/').unwrap_or(path).splitn(2, '/');
    match (parts.next().unwrap_or(""), parts.next()) {
        ("status", Some(code)) => status(code),
        ("delay", Some(seconds)) => delay(seconds).await,
        ("bytes", Some(count)) => bytes(count),
        ("get", None) => get(request, origin),
        ("headers", None) => json_reply(&json!({ "headers": headers(request.headers()) })),
        ("", None) => text(StatusCode::OK, ROUTES),
        _ => text(StatusCode::NOT_FOUND, "no such route; / lists them\n"),
    }
}

fn status(code: &str) -> Reply {
    match code.parse::<u16>() {
        // What follows an interim status would be read as a second answer.
        Ok(code @ 100..200) => text(
            StatusCode::BAD_REQUEST,
            format!("{code} is an interim status; no answer ends with it\n"),
        ),
        Ok(code @ 200..600) => {
            let code = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST);
            text(code, format!("{code}\n"))
        }
        _ => text(
            StatusCode::BAD_REQUEST,
            "a status is a number from 200 to 599\n",
        ),
    }
}

async fn delay(seconds: &str) -> Reply {
    let delay = seconds
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|delay| *delay <= MAX_DELAY);
    let Some(delay) = delay else {
        return text(
            StatusCode::BAD_REQUEST,
            "a delay is a number of seconds from 0 to 60\n",
        );
    };
    tokio::time::sleep(delay).await;
    json_reply(&json!({ "delay": delay.as_secs_f64() }))
}

fn bytes(count: &str) -> Reply {
    match count.parse() {
        Ok(count @ 0..=MAX_BYTES) => {
            let mut reply = Response::new(ReplyBody::Remaining(count));
            reply.headers_mut().insert(
                CONTENT_TYPE,
                HeaderValue::from_static("application/octet-stream"),
            );
            reply
        }
        _ => text(
            StatusCode::BAD_REQUEST,
            format!("a size is a number of bytes from 0 to {MAX_BYTES}\n"),
        ),
    }
}

fn get(request: &Request<Incoming>, origin: Option<SocketAddr>) -> Reply {
    let host = request
        .headers()
        .get(hyper::header::HOST)
        .map_or("", |host| host.to_str().unwrap_or(""));
    let mut args = Map::new();
    for (name, value) in
        form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes()).into_owned()
    {
        add(&mut args, name, value);
    }
    json_reply(&json!({
        "args": args,
        "headers": headers(request.headers()),
        "origin": origin.map(|origin| origin.ip().to_string()),
        "url": format!("http://{host}{}", request.uri()),
    }))
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        add(&mut all, name.as_str().to_owned(), value);
    }
    all
}

/// One value stands alone, several with the same name become a list, as in httpbin.
fn add(map: &mut Map<String, Value>, name: String, value: String) {
    match map.get_mut(&name) {
        None => {
            map.insert(name, Value::String(value));
        }
        Some(Value::Array(values)) => values.push(Value::String(value)),
        Some(first) => *first = Value::Array(vec![first.take(), Value::String(value)]),
    }
}

fn json_reply(value: &Value) -> Reply {
    let mut reply = Response::new(ReplyBody::Ready(format!("{value}\n").into()));
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(ReplyBody::Ready(text.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    reply
}
