//! A request's body, taken in whole before it is answered.
//!
//! Every route takes it, whether or not it wants it: a connection on which some of it is left cannot be kept.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    StatusCode,
    body::{Body as _, Incoming},
};

use super::replies::{Reply, text};

/// The largest body that is taken.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// The body, or the answer that says why there is none.
pub(super) async fn receive(body: Incoming, patience: Duration) -> Result<Bytes, Box<Reply>> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > MOST_BYTES as u64 {
        // Said before the client sends it, if it asks with `Expect: 100-continue`.
        return Err(too_large());
    }
    let whole = Limited::new(body, MOST_BYTES).collect();
    match tokio::time::timeout(patience, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Box::new(text(
            StatusCode::BAD_REQUEST,
            format!("the body did not come whole: {error}\n"),
        ))),
        Err(_) => Err(Box::new(text(
            StatusCode::REQUEST_TIMEOUT,
            "the body took too long\n",
        ))),
    }
}

fn too_large() -> Box<Reply> {
    let why = format!("a request's body may have {MOST_BYTES} bytes\n");
    Box::new(text(StatusCode::PAYLOAD_TOO_LARGE, why))
}
