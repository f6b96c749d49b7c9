//! A certificate of the server's own, for this machine, by an authority that exists for as long as the server.

use std::{io, sync::Arc, time::SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use time::{Duration, OffsetDateTime};

/// How long certificates are valid: some clients refuse those that last for many years.
const VALID: Duration = Duration::days(365);

/// The clocks of other machines may be behind.
const BACKDATED: Duration = Duration::days(1);

/// The names that every certificate is for.
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
        Self::with_names([])
    }

    /// The same, and for further host names and addresses.
    ///
    /// # Errors
    /// A name that no certificate can hold, or no key could be made.
    pub fn with_names(names: impl IntoIterator<Item = String>) -> io::Result<Self> {
        let all = NAMES.map(str::to_owned).into_iter().chain(names).collect();
        make(all).map_err(io::Error::other)
    }

    /// The certificate of the authority, in PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

fn make(names: Vec<String>) -> Result<Secured, Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = named("an authority of triway serve", Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate()?;
    let pem = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);

    let mut own = named("triway serve", names)?;
    own.use_authority_key_identifier_extension = true;
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
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

fn named(name: &str, names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let now = OffsetDateTime::from(SystemTime::now());
    let mut params = CertificateParams::new(names)?;
    params.not_before = now - BACKDATED;
    params.not_after = now + VALID;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
