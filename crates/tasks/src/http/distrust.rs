//! What keeps a connection from being secured, in words for whoever runs the server or asks it.

use std::time::{Duration, UNIX_EPOCH};

use humantime::format_rfc3339_seconds;
use rustls::{
    AlertDescription, CertificateError as Fault, Error, InvalidMessage, pki_types::UnixTime,
};

use crate::command::excerpt;

/// How many of the names that a certificate is for are told.
const NAMES: usize = 5;

/// Whether this is an authority's certificate that a server shows as its own, as it is with most that signed
/// themselves.
pub(super) fn is_own_authority(fault: &Fault) -> bool {
    matches!(fault, Fault::Other(other) if other.to_string().contains("CaUsedAsEndEntity"))
}

/// What is wrong.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(fault) => of_certificate(fault),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what the server sends is no TLS; is the URL to begin with http://?".to_owned()
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a certificate of whoever asks, and there is none to give".to_owned()
        }
        Error::AlertReceived(alert) => format!("the server refuses it ({alert:?})"),
        other => other.to_string(),
    }
}

fn of_certificate(fault: &Fault) -> String {
    match fault {
        Fault::ExpiredContext { not_after, .. } => {
            format!("the certificate expired at {}", written(*not_after))
        }
        Fault::NotValidYetContext { not_before, .. } => {
            format!("the certificate is not valid before {}", written(*not_before))
        }
        Fault::NotValidForNameContext {
            expected,
            presented,
        } => format!(
            "the certificate is for {}, not for {}",
            names(presented),
            expected.to_str()
        ),
        Fault::UnknownIssuer => {
            "nobody who is trusted vouches for the certificate; --cacert names a file with further authorities"
                .to_owned()
        }
        fault if is_own_authority(fault) => {
            "the certificate signed itself, as an authority's own does; a server needs one that an authority has \
             signed, and --insecure asks without looking at it"
                .to_owned()
        }
        Fault::BadEncoding => "the certificate cannot be read".to_owned(),
        Fault::BadSignature => "the certificate is not signed by the authority that it names".to_owned(),
        Fault::InvalidPurposeContext { .. } | Fault::InvalidPurpose => {
            "the certificate is not meant for a server".to_owned()
        }
        other => format!("the certificate cannot be trusted: {other}"),
    }
}

fn written(time: UnixTime) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    time.map_or_else(
        || "a time that no calendar has".to_owned(),
        |time| format_rfc3339_seconds(time).to_string(),
    )
}

/// The library gives each as `DnsName("a.test")` or `IpAddress(::1)`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inside = name
            .split_once('(')
            .and_then(|(_, rest)| rest.strip_suffix(')'));
        excerpt(inside.unwrap_or(name).trim_matches('"')).into_owned()
    };
    let mut told: Vec<_> = presented.iter().take(NAMES).map(bare).collect();
    match presented.len() {
        0 => return "no host at all".to_owned(),
        all if all > NAMES => told.push(format!("{} more", all - NAMES)),
        _ => {}
    }
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_signed_itself_is_called_so() {
        let cause = std::io::Error::other("CaUsedAsEndEntity");
        let fault = Fault::Other(rustls::OtherError(std::sync::Arc::new(cause)));
        let words = words(&Error::InvalidCertificate(fault));
        assert!(
            words.starts_with("the certificate signed itself"),
            "{words}"
        );
    }

    #[test]
    fn names_are_told_as_people_write_them() {
        for (presented, told) in [
            (&[][..], "no host at all"),
            (&["DnsName(\"a.test\")", "IpAddress(::1)"], "a.test, ::1"),
            (
                &["1", "2", "3", "4", "5", "6", "7"],
                "1, 2, 3, 4, 5, 2 more",
            ),
        ] {
            let presented: Vec<_> = presented.iter().map(ToString::to_string).collect();
            assert_eq!(names(&presented), told);
        }
    }
}
