//! How answers are made.

use bytes::Bytes;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;

use super::body::ReplyBody;

/// An answer.
pub(super) type Reply = Response<ReplyBody>;

/// An answer that says what is wrong with the request.
pub(super) fn refusal(why: impl Into<Bytes>) -> Reply {
    text(StatusCode::BAD_REQUEST, why)
}

/// An answer with a further header.
pub(super) fn with(mut reply: Reply, name: HeaderName, value: HeaderValue) -> Reply {
    reply.headers_mut().insert(name, value);
    reply
}

pub(super) fn json(value: &Value) -> Reply {
    let mut reply = Response::new(ReplyBody::Ready(format!("{value}\n").into()));
    reply
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(ReplyBody::Ready(text.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    reply
}
