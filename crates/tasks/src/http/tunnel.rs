//! Through a proxy to a secured server: CONNECT (RFC 9110, 9.3.6).

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use triway_core::Failure;

use triway_wait::Stream;

use super::{kinds, origin::Origin, proxies::Proxy};

/// The longest answer of a proxy.
const MOST_BYTES: usize = 16 << 10;

/// Has the proxy at the other end of `stream` lead on to `origin`.
pub(super) async fn tunnel(
    stream: &mut impl Stream,
    origin: &Origin,
    proxy: &Proxy,
) -> Result<(), Failure> {
    let target = format!("{}:{}", origin.host, origin.port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = &proxy.authorization {
        request.push_str(&format!(
            "Proxy-Authorization: {}\r\n",
            authorization.reveal()
        ));
    }
    request.push_str("\r\n");
    let broken = |error: io::Error| kinds::exchanging(&error);
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut head = Vec::new();
    // Byte by byte: what comes after the head belongs to the server behind.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MOST_BYTES {
            return Err(kinds::proxy_refused("its answer does not end"));
        }
        head.push(stream.read_u8().await.map_err(broken)?);
    }
    judge(&head)
}

fn judge(head: &[u8]) -> Result<(), Failure> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(_) => {}
        Err(error) => return Err(kinds::proxy_refused(&error.to_string())),
    }
    match response.code {
        Some(200..=299) => Ok(()),
        Some(407) => Err(kinds::proxy_refused(
            "it wants to know who asks (407); write the credentials into its URL",
        )),
        Some(code) => Err(kinds::proxy_refused(&format!("it answers {code}"))),
        None => Err(kinds::proxy_refused("it answers without a status")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_opens_the_way() {
        for (head, open) in [
            ("HTTP/1.1 200 Connection established\r\n\r\n", true),
            ("HTTP/1.0 200 OK\r\nVia: x\r\n\r\n", true),
            ("HTTP/1.1 407 Who?\r\n\r\n", false),
            ("HTTP/1.1 502 No\r\n\r\n", false),
            ("220 smtp\r\n\r\n", false),
        ] {
            assert_eq!(judge(head.as_bytes()).is_ok(), open, "{head}");
        }
    }
}
