//! Servers that are secured, well or badly, by an authority of the tests' own.

use std::{
    io::{Read as _, Write as _},
    net::SocketAddr,
    sync::{Arc, LazyLock},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::servers::bad;

/// The authority, and its certificate in PEM.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Authority {
        issuer: Issuer::new(params, key),
        pem,
    }
});

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Expired,
    NotYetValid,
    WrongHost,
    SelfSigned,
}

/// The authority's certificate in PEM.
pub(crate) fn pem() -> Vec<u8> {
    AUTHORITY.pem.clone().into_bytes()
}

/// A certificate for `localhost` and its key, both in PEM.
pub(crate) fn localhost() -> (String, String) {
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &AUTHORITY.issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// A server for `localhost` with a certificate that has this fault; it answers each request with `ok`.
pub(crate) fn secured(fault: Fault) -> SocketAddr {
    let config = config(fault);
    bad(move |stream| {
        let session = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        let mut request = [0; 4096];
        // A request of these clients arrives in one piece.
        while matches!(stream.read(&mut request), Ok(1..)) {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    })
    .0
}

fn config(fault: Fault) -> Arc<ServerConfig> {
    let host = match fault {
        Fault::WrongHost => "elsewhere.test",
        _ => "localhost",
    };
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    (params.not_before, params.not_after) = match fault {
        Fault::Expired => (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1)),
        Fault::NotYetValid => (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
        _ => (date_time_ymd(2001, 1, 1), date_time_ymd(2091, 2, 3)),
    };
    let key = KeyPair::generate().unwrap();
    let certificate = match fault {
        Fault::SelfSigned => params.self_signed(&key),
        _ => params.signed_by(&key, &AUTHORITY.issuer),
    };
    let certificate: CertificateDer<'static> = certificate.unwrap().der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}
