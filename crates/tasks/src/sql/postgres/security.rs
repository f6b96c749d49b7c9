//! Whether a connection is encrypted, and whose certificate is believed: `sslmode` as libpq has it.

use std::{fs, path::PathBuf};

use tokio_postgres_rustls::MakeRustlsConnect;
use triway_core::Failure;

use crate::{
    http::{Trust, trusting},
    sql::kinds,
};

/// How much of TLS there has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Security {
    /// `disable`.
    None,
    /// `prefer`: where the server offers it, with any certificate.
    Offered,
    /// `require`: with any certificate.
    Unverified,
    /// `verify-full`: with a certificate for the host, by one of the authorities in this file or else the usual ones.
    Verified(Option<PathBuf>),
}

impl Security {
    pub(super) fn of(mode: Option<&str>, authorities: Option<String>) -> Result<Self, String> {
        match mode {
            Some("disable") => Ok(Self::None),
            None | Some("prefer" | "allow") => Ok(Self::Offered),
            Some("require") => Ok(Self::Unverified),
            Some("verify-full") => Ok(Self::Verified(
                authorities
                    .filter(|file| file != "system")
                    .map(PathBuf::from),
            )),
            Some(other) => Err(format!(
                "sslmode={other} is not known here: there are disable, prefer, require and verify-full"
            )),
        }
    }

    /// What secures connections. Reads the file of authorities.
    pub(super) fn tls(&self) -> Result<MakeRustlsConnect, Failure> {
        let refused = |message: String| Failure::permanent(kinds::TLS, message);
        let trust = match self {
            Self::None | Self::Offered | Self::Unverified => Trust::Anybody,
            Self::Verified(None) => Trust::Usual,
            Self::Verified(Some(file)) => {
                let pem = fs::read(file);
                let pem = pem
                    .map_err(|error| refused(format!("sslrootcert={}: {error}", file.display())))?;
                Trust::Authorities(pem)
            }
        };
        let config = trusting(&trust).map_err(|error| refused(error.to_string()))?;
        Ok(MakeRustlsConnect::new(config))
    }
}
