//! Answers that say what was asked.

use std::net::SocketAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, COOKIE, HOST, HeaderValue, WWW_AUTHENTICATE},
    http::request::Parts,
};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::replies::{Reply, json as answer, text, with};

/// The request without its body.
pub(super) fn get(parts: &Parts, origin: SocketAddr, scheme: &str) -> Reply {
    answer(&Value::Object(told(parts, origin, scheme)))
}

/// The whole request.
pub(super) fn anything(parts: &Parts, body: &[u8], origin: SocketAddr, scheme: &str) -> Reply {
    let mut told = told(parts, origin, scheme);
    told.insert("method".to_owned(), parts.method.as_str().into());
    match str::from_utf8(body) {
        Ok(text) => told.insert("data".to_owned(), text.into()),
        Err(_) => told.insert("data_b64".to_owned(), STANDARD.encode(body).into()),
    };
    answer(&Value::Object(told))
}

/// The headers.
pub(super) fn headers(parts: &Parts) -> Reply {
    answer(&json!({ "headers": listed(&parts.headers) }))
}

/// The cookies.
pub(super) fn cookies(parts: &Parts) -> Reply {
    let mut cookies = Map::new();
    for value in parts.headers.get_all(COOKIE) {
        let value = String::from_utf8_lossy(value.as_bytes());
        for pair in value.split(';') {
            let (name, value) = pair.trim().split_once('=').unwrap_or((pair.trim(), ""));
            add(&mut cookies, name.to_owned(), value.to_owned());
        }
    }
    answer(&json!({ "cookies": cookies }))
}

/// Whether the request brings this user's credentials along.
pub(super) fn basic_auth(parts: &Parts, user: &str, password: &str) -> Reply {
    let wanted = STANDARD.encode(format!("{user}:{password}"));
    let given = parts.headers.get(AUTHORIZATION);
    let given = given.and_then(|given| given.to_str().ok()?.split_once(' '));
    if given.is_some_and(|(scheme, given)| scheme.eq_ignore_ascii_case("basic") && given == wanted)
    {
        return answer(&json!({ "authenticated": true, "user": user }));
    }
    let reply = text(StatusCode::UNAUTHORIZED, "who asks?\n");
    let challenge = HeaderValue::from_static("Basic realm=\"triway\"");
    with(reply, WWW_AUTHENTICATE, challenge)
}

fn told(parts: &Parts, origin: SocketAddr, scheme: &str) -> Map<String, Value> {
    let host = parts
        .headers
        .get(HOST)
        .map_or("", |host| host.to_str().unwrap_or(""));
    let mut args = Map::new();
    for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or("").as_bytes()) {
        add(&mut args, name.into_owned(), value.into_owned());
    }
    // In HTTP/2 the target is the whole URL, in HTTP/1.1 the path.
    let url = match parts.uri.authority() {
        Some(_) => parts.uri.to_string(),
        None => format!("{scheme}://{host}{}", parts.uri),
    };
    Map::from_iter([
        ("args".to_owned(), args.into()),
        ("headers".to_owned(), listed(&parts.headers).into()),
        ("origin".to_owned(), origin.ip().to_string().into()),
        ("url".to_owned(), url.into()),
    ])
}

fn listed(headers: &HeaderMap) -> Map<String, Value> {
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
