//! Answers of some size, slowness or encoding.

use std::{io::Write as _, sync::OnceLock, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::{
    Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue},
};
use serde_json::json;
use url::form_urlencoded;

use super::{
    body::{Drip, ReplyBody},
    replies::{self, Reply, refusal, with},
};

/// The longest delay that is given.
pub(super) const MAX_DELAY: Duration = Duration::from_secs(60);

/// The largest body that `/bytes` gives.
const MAX_BYTES: u64 = 100 << 20;

/// The largest body that drips: each byte is a piece.
const MAX_DRIPS: u32 = 100_000;

/// What a bomb decodes to.
const BOMB_BYTES: usize = 64 << 20;

/// 200 after a while.
pub(super) async fn delay(text: &str) -> Reply {
    let Some(delay) = seconds(text) else {
        return refusal("a delay is a number of seconds from 0 to 60\n");
    };
    tokio::time::sleep(delay).await;
    replies::json(&json!({ "delay": delay.as_secs_f64() }))
}

/// So many bytes.
pub(super) fn bytes(count: &str) -> Reply {
    match count.parse() {
        Ok(count @ 0..=MAX_BYTES) => binary(ReplyBody::Remaining(count)),
        _ => refusal(format!(
            "a size is a number of bytes from 0 to {MAX_BYTES}\n"
        )),
    }
}

/// Byte after byte, evenly over some time.
pub(super) fn drip(query: &str) -> Reply {
    let time = match parameter(query, "seconds") {
        None => Some(Duration::from_secs(1)),
        Some(text) => seconds(&text),
    };
    let count = match parameter(query, "bytes") {
        None => Some(10),
        Some(text) => text.parse().ok().filter(|count| *count <= MAX_DRIPS),
    };
    match (time, count) {
        (Some(time), Some(count)) => binary(ReplyBody::Drip(Drip::new(count, time))),
        _ => refusal(format!(
            "seconds are a number from 0 to {}, bytes one from 0 to {MAX_DRIPS}\n",
            MAX_DELAY.as_secs()
        )),
    }
}

/// A text, compressed.
pub(super) fn gzip() -> Reply {
    let text = json!({ "gzipped": true, "text": "some text, ".repeat(100) }).to_string();
    let mut reply = compressed(zip(text.as_bytes(), Compression::default()));
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, json);
    reply
}

/// Little that becomes much.
pub(super) async fn bomb() -> Reply {
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    let make = || {
        BOMB.get_or_init(|| zip(&vec![0; BOMB_BYTES], Compression::best()))
            .clone()
    };
    // It takes a while the first time, and nothing else shall wait for it.
    let made = tokio::task::spawn_blocking(make).await;
    compressed(made.unwrap_or_default())
}

/// A parameter of a query.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(other, _)| other == name);
    found.map(|(_, value)| value.into_owned())
}

/// A number of seconds that somebody can wait for.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let time = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
    (time <= MAX_DELAY).then_some(time)
}

fn zip(bytes: &[u8], level: Compression) -> Bytes {
    let mut zipped = GzEncoder::new(Vec::new(), level);
    // Writing into memory does not fail.
    let written = zipped.write_all(bytes).and_then(|()| zipped.finish());
    written.unwrap_or_default().into()
}

fn compressed(body: Bytes) -> Reply {
    let reply = binary(ReplyBody::Ready(body));
    with(reply, CONTENT_ENCODING, HeaderValue::from_static("gzip"))
}

fn binary(body: ReplyBody) -> Reply {
    let binary = HeaderValue::from_static("application/octet-stream");
    with(Response::new(body), CONTENT_TYPE, binary)
}
