//! The one place that decides how connections are secured: rustls on ring.
//!
//! The provider is handed over explicitly; installing one for the whole process would be a decision for the program.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use triway_core::Failure;
use url::Host;
use x509_cert::{Certificate, der::Decode as _};

use super::{
    kinds,
    policy::{Policy, Trust},
    template::PolicyError,
};

/// The configuration of one client. HTTP/2 is offered only where `multiplexed`.
pub(super) fn client_config(
    policy: &Policy,
    multiplexed: bool,
) -> Result<Arc<ClientConfig>, PolicyError> {
    let mut config = trusting(&policy.trust)?;
    if multiplexed && policy.http2 {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    }
    if !policy.reuse {
        // A connection that knows the server from before is not cold.
        config.resumption = Resumption::disabled();
    }
    Ok(Arc::new(config))
}

/// A configuration that believes these certificates, for whatever is spoken.
pub(crate) fn trusting(trust: &Trust) -> Result<ClientConfig, PolicyError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for every version that rustls knows");
    let builder = match trust {
        Trust::Anybody => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous(provider))),
        Trust::Usual => builder.with_root_certificates(usual_authorities()),
        Trust::Authorities(pem) => builder.with_root_certificates(authorities(pem)?),
    };
    Ok(builder.with_no_client_auth())
}

/// Whether a policy's authorities can be read.
pub(super) fn check(policy: &Policy) -> Result<(), PolicyError> {
    match &policy.trust {
        Trust::Authorities(pem) => authorities(pem).map(drop),
        _ => Ok(()),
    }
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

/// When a certificate expires, in RFC 3339; `None` if it does not say so in a way that can be read.
pub(super) fn not_after(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate.validity.not_after;
    Some(humantime::format_rfc3339_seconds(end.to_system_time()).to_string())
}

/// The system's authorities and Mozilla's. What of the system's cannot be read is not needed.
fn usual_authorities() -> RootCertStore {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let _counts = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

fn authorities(pem: &[u8]) -> Result<RootCertStore, PolicyError> {
    let unreadable = |why: String| PolicyError::Authorities(why);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unreadable(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(unreadable("there is no certificate in PEM".to_owned())),
        false => Ok(roots),
    }
}

/// Believes every certificate, but not that a server without its key has it.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
