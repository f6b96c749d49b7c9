//! Where a request goes.

use triway_core::Failure;
use url::{Host, Url};

/// Scheme, host and port of a URL.
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
