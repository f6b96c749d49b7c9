//! The kinds of failure that requests meet, the same for both clients, and how errors of the system map to them.

use std::{
    error::Error,
    fs::File,
    io,
    net::{IpAddr, SocketAddr},
};

use rustix::io::Errno;
use triway_core::{Failure, FailureKind};

use super::{distrust, origin::Origin, template::PolicyError};
use crate::command::excerpt;

/// The host has no address, or its name could not be looked up.
pub const NAME: FailureKind = FailureKind::new("name");
/// The host answered that nobody listens on the port.
pub const REFUSED: FailureKind = FailureKind::new("refused");
/// The host could not be reached.
pub const UNREACHABLE: FailureKind = FailureKind::new("unreachable");
/// The connection ended before the answer did.
pub const RESET: FailureKind = FailureKind::new("reset");
/// The connection could not be secured, for another reason than those below.
pub const TLS: FailureKind = FailureKind::new("tls");
/// The server's certificate has expired.
pub const TLS_EXPIRED: FailureKind = FailureKind::new("tls-expired");
/// The server's certificate is not valid yet.
pub const TLS_NOT_YET_VALID: FailureKind = FailureKind::new("tls-not-yet-valid");
/// Nobody who is trusted vouches for the server's certificate.
pub const TLS_UNTRUSTED: FailureKind = FailureKind::new("tls-untrusted");
/// The server's certificate is for another host.
pub const TLS_WRONG_HOST: FailureKind = FailureKind::new("tls-wrong-host");
/// There was no connection within its time limit.
pub const TIMEOUT_CONNECT: FailureKind = FailureKind::new("timeout-connect");
/// The answer did not begin within its time limit.
pub const TIMEOUT_FIRST_BYTE: FailureKind = FailureKind::new("timeout-first-byte");
/// The attempt did not end within its time limit.
pub const TIMEOUT_TOTAL: FailureKind = FailureKind::new("timeout-total");
/// The policy does not let anybody connect to the address, or a redirect would take a body to another origin.
pub const DENIED: FailureKind = FailureKind::new("denied");
/// The proxy on the way refused.
pub const PROXY: FailureKind = FailureKind::new("proxy");
/// The body is larger than the policy allows.
pub const TOO_LARGE: FailureKind = FailureKind::new("too-large");
/// More redirects than the policy allows.
pub const TOO_MANY_REDIRECTS: FailureKind = FailureKind::new("too-many-redirects");
/// A redirect led back to a URL that was already asked.
pub const REDIRECT_LOOP: FailureKind = FailureKind::new("redirect-loop");
/// What came is no HTTP, or HTTP that makes no sense.
pub const PROTOCOL: FailureKind = FailureKind::new("protocol");
/// The status is outside those that count as a success.
pub const HTTP_STATUS: FailureKind = FailureKind::new("http-status");

/// Why the address of `name` is not known.
pub(super) fn looking_up(name: &str, error: &io::Error) -> Failure {
    // The system's resolver needs descriptors of its own, and does not say that it got none.
    match File::open("/dev/null") {
        Err(missing) if is_shortage(&missing) => shortage(&missing),
        _ => unknown(name, &error.to_string()),
    }
}

pub(super) fn unknown(name: &str, why: &str) -> Failure {
    Failure::new(
        NAME,
        format!("the address of `{name}` cannot be found: {why}"),
    )
}

/// Why no connection to `address` came about.
pub(crate) fn connecting(address: SocketAddr, error: &io::Error) -> Failure {
    if is_shortage(error) {
        return shortage(error);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Failure::new(REFUSED, format!("{address} refuses connections"))
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            Failure::new(RESET, format!("{address} closed the connection: {error}"))
        }
        _ => Failure::new(UNREACHABLE, format!("{address} cannot be reached: {error}")),
    }
}

/// Why a connection could not be secured.
pub(super) fn securing(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::new(
            RESET,
            "the server closed the connection before it was secured",
        ),
        _ => exchanging(error),
    }
}

/// Why no request can be made at all.
pub(super) fn policy(error: &PolicyError) -> Failure {
    Failure::permanent(FailureKind::ERROR, error.to_string())
}

/// Why an exchange on an open connection broke off.
pub(crate) fn exchanging(error: &io::Error) -> Failure {
    if let Some(fault) = error
        .get_ref()
        .and_then(<dyn Error + Send + Sync>::downcast_ref)
    {
        return tls(fault);
    }
    if is_shortage(error) {
        return shortage(error);
    }
    match error.kind() {
        // Both clients report what they cannot parse inside a body this way.
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            protocol(error)
        }
        io::ErrorKind::UnexpectedEof => closed(),
        _ => Failure::new(RESET, format!("the connection broke off: {error}")),
    }
}

pub(super) fn tls(error: &rustls::Error) -> Failure {
    use rustls::CertificateError as Fault;
    let kind = match error {
        rustls::Error::InvalidCertificate(fault) => match fault {
            Fault::Expired | Fault::ExpiredContext { .. } => TLS_EXPIRED,
            Fault::NotValidYet | Fault::NotValidYetContext { .. } => TLS_NOT_YET_VALID,
            Fault::NotValidForName | Fault::NotValidForNameContext { .. } => TLS_WRONG_HOST,
            Fault::UnknownIssuer | Fault::BadSignature => TLS_UNTRUSTED,
            // A certificate that signed itself is an authority that nobody trusts, and no server's.
            fault if distrust::is_own_authority(fault) => TLS_UNTRUSTED,
            _ => TLS,
        },
        _ => TLS,
    };
    Failure::permanent(
        kind,
        format!("no secure connection: {}", distrust::words(error)),
    )
}

pub(super) fn protocol(error: &dyn Error) -> Failure {
    let mut message = format!("what the server sent is not valid HTTP: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    Failure::new(PROTOCOL, message)
}

pub(super) fn closed() -> Failure {
    Failure::new(
        RESET,
        "the server closed the connection before its answer was complete",
    )
}

pub(super) fn denied(address: IpAddr) -> Failure {
    Failure::permanent(
        DENIED,
        format!("{address} is among the addresses that --deny names"),
    )
}

pub(super) fn unseen() -> Failure {
    Failure::permanent(
        DENIED,
        "a proxy is on the way, so that nobody here sees the address that --deny is about; ask without one (--no-proxy)",
    )
}

pub(super) fn no_address() -> Failure {
    Failure::new(NAME, "the host has no address of the family asked for")
}

pub(super) fn proxy_refused(why: &str) -> Failure {
    Failure::new(PROXY, format!("the proxy does not lead there: {why}"))
}

/// The way to a proxy failed, which says nothing of the server behind it.
pub(super) fn no_proxy(proxy: &Origin, mut failure: Failure) -> Failure {
    let is_own = failure.kind == FailureKind::LOCAL_LIMIT || failure.kind.is_timeout();
    if is_own {
        return failure;
    }
    let Origin { host, port, .. } = proxy;
    failure.message = format!(
        "the proxy {host}:{port} cannot be asked: {}; see http_proxy, https_proxy and no_proxy, or ask without one \
         (--no-proxy)",
        failure.message
    );
    failure.kind = PROXY;
    failure
}

pub(super) fn undecodable(error: &io::Error) -> Failure {
    Failure::new(
        PROTOCOL,
        format!("the body is not in the encoding that its head names: {error}"),
    )
}

pub(super) fn unknown_encoding(encoding: &str) -> Failure {
    let encoding = excerpt(encoding);
    Failure::permanent(
        PROTOCOL,
        format!("nobody here knows the encoding of the body, `{encoding}`"),
    )
}

pub(super) fn too_large(limit: u64) -> Failure {
    Failure::permanent(
        TOO_LARGE,
        format!("the body is larger than the limit of {limit} bytes"),
    )
}

fn is_shortage(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(
        errno,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)
    )
}

pub(super) fn shortage(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::LOCAL_LIMIT,
        format!(
            "this machine gives no further connection ({error}); raise `ulimit -n` or lower the concurrency"
        ),
    )
}
