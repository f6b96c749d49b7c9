//! The one place that chooses how connections are secured: rustls on ring, trusting Mozilla's roots.
//!
//! The provider is handed over explicitly; installing one for the whole process would be a decision for the program.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use triway_core::Failure;
use url::Host;

use super::kinds;

/// The configuration that both clients share.
pub(super) fn client_config() -> Arc<ClientConfig> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for every version that rustls knows")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// The name that the server's certificate must be for.
pub(super) fn server_name(host: &Host<String>) -> Result<ServerName<'static>, Failure> {
    match host {
        Host::Ipv4(address) => Ok(ServerName::from(std::net::IpAddr::from(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(std::net::IpAddr::from(*address))),
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|error| {
            Failure::permanent(
                kinds::TLS,
                format!("no certificate can be for `{name}`: {error}"),
            )
        }),
    }
}
