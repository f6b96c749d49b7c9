//! A certificate of the server's own, for this machine, by an authority that exists for as long as the server.

use std::{io, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// The names that the certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// How a server is secured, and whom its clients must trust for that.
#[derive(Debug, Clone)]
pub struct Secured {
    pub(super) config: Arc<ServerConfig>,
    authority: String,
}

impl Secured {
    /// For `localhost`, 127.0.0.1 and ::1, by a new authority; HTTP/2 is offered.
    ///
    /// # Errors
    /// No key could be made.
    pub fn for_this_machine() -> io::Result<Self> {
        make().map_err(io::Error::other)
    }

    /// The certificate of the authority, in PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

fn make() -> Result<Secured, Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let name = &mut authority.distinguished_name;
    name.push(DnType::CommonName, "an authority of triway serve");
    let key = KeyPair::generate()?;
    let pem = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);

    let own = CertificateParams::new(NAMES.map(str::to_owned).to_vec())?;
    let key = KeyPair::generate()?;
    let certificate = own.signed_by(&key, &issuer)?.der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Secured {
        config: Arc::new(config),
        authority: pem,
    })
}
