//! The kinds of failure that requests meet, the same for both clients, and how errors of the system map to them.

use std::{error::Error, fs::File, io, net::SocketAddr};

use rustix::io::Errno;
use triway_core::{Failure, FailureKind};

/// The host has no address, or its name could not be looked up.
pub const NAME: FailureKind = FailureKind::new("name");
/// The host answered that nobody listens on the port.
pub const REFUSED: FailureKind = FailureKind::new("refused");
/// The host could not be reached.
pub const UNREACHABLE: FailureKind = FailureKind::new("unreachable");
/// The connection ended before the answer did.
pub const RESET: FailureKind = FailureKind::new("reset");
/// No secure connection came about.
pub const TLS: FailureKind = FailureKind::new("tls");
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
pub(super) fn connecting(address: SocketAddr, error: &io::Error) -> Failure {
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

/// Why an exchange on an open connection broke off.
pub(super) fn exchanging(error: &io::Error) -> Failure {
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
    Failure::permanent(TLS, format!("no secure connection: {error}"))
}

pub(super) fn protocol(error: &dyn Error) -> Failure {
    let mut message = format!("what the server sent is not valid HTTP/1.1: {error}");
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

pub(super) fn timeout() -> Failure {
    Failure::new(
        FailureKind::TIMEOUT,
        "the answer was not complete when the attempt's time limit expired",
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

fn shortage(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::LOCAL_LIMIT,
        format!(
            "this machine gives no further connection ({error}); raise `ulimit -n` or lower the concurrency"
        ),
    )
}
