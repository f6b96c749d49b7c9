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
    trusting(RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    })
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

fn trusting(roots: RootCertStore) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for every version that rustls knows")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        sync::atomic::AtomicBool,
    };

    use rcgen::CertifiedKey;
    use rustls::{
        ServerConfig, ServerConnection, StreamOwned,
        pki_types::{CertificateDer, PrivateKeyDer},
    };
    use triway_core::{Context, Task};

    use super::*;
    use crate::http::{Answer, Http, Names, Url};

    /// A server that is secured by a certificate for `localhost`, its port, and the certificate.
    fn secured() -> (u16, CertificateDer<'static>) {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let session = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(session, stream.unwrap());
                std::thread::spawn(move || {
                    let mut request = [0; 4096];
                    // A request of this client arrives in one piece.
                    while matches!(stream.read(&mut request), Ok(1..)) {
                        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                    }
                });
            }
        });
        (port, cert.der().clone())
    }

    fn run(task: &Http, url: &Url, blocking: bool) -> Result<Answer, Failure> {
        let cancelled = AtomicBool::new(false);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let context = Context::new(0, 1, Some(deadline), &cancelled);
        if blocking {
            return task.run_blocking(&mut (), url, &context);
        }
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
            .block_on(task.run_async(&mut (), url, &context))
    }

    #[test]
    fn a_connection_is_secured_once_and_used_again() {
        let (port, certificate) = secured();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let task = Http::default();
        let parts = (Arc::new(Names::new()), trusting(roots));
        task.shared.parts.set(parts).unwrap();
        let url: Url = format!("https://localhost:{port}/").parse().unwrap();
        for blocking in [true, false] {
            let first = run(&task, &url, blocking).unwrap();
            assert_eq!((first.status, first.bytes), (200, 2));
            assert!(first.tls_s.is_some() && first.connect_s.is_some());
        }
        let again = run(&task, &url, true).unwrap();
        assert_eq!((again.tls_s, again.connect_s), (None, None));
        let address = format!("https://127.0.0.1:{port}/").parse().unwrap();
        for blocking in [true, false] {
            let failure = run(&task, &address, blocking).unwrap_err();
            assert_eq!(failure.kind, kinds::TLS, "the certificate is for a name");
        }
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_refused() {
        let (port, _) = secured();
        let url = format!("https://localhost:{port}/").parse().unwrap();
        for blocking in [true, false] {
            let failure = run(&Http::default(), &url, blocking).unwrap_err();
            assert_eq!(failure.kind, kinds::TLS, "{failure}");
        }
    }
}
