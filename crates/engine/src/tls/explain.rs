//! Why a TLS handshake failed, as a sentence and what to do.

use std::{error::Error as StdError, io};

use rustls::{AlertDescription, CertificateError as Refusal, Error, InvalidMessage};
use wilco_ledger::Timestamp;

use super::{facts::date, trust::NotThePinnedOne};

/// What happened and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, as a sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Explains an error in which a TLS error is hidden somewhere; `None` if there is none in it.
#[must_use]
pub fn explain(error: &(dyn StdError + 'static)) -> Option<Explanation> {
    let mut error = Some(error);
    while let Some(this) = error {
        if let Some(tls) = this.downcast_ref::<Error>() {
            let (message, hint) = sentences(tls);
            return Some(Explanation { message, hint: hint.map(str::to_owned) });
        }
        // An I/O error names as its source the source of what is in it, and so passes over it.
        let inner = this.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error = match inner {
            Some(inner) => Some(inner),
            None => this.source(),
        };
    }
    None
}

fn sentences(error: &Error) -> (String, Option<&'static str>) {
    match error {
        Error::InvalidCertificate(refusal) => server_certificate(refusal),
        Error::AlertReceived(alert) => alert_received(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => (
            "the broker does not speak TLS on this port".to_owned(),
            Some(
                "Use mqtt:// for an unencrypted listener (usually port 1883), or the port of the TLS listener (usually 8883).",
            ),
        ),
        Error::NoCertificatesPresented => {
            ("the broker has shown no certificate".to_owned(), Some("Its TLS listener needs a certificate and a key."))
        }
        Error::PeerIncompatible(why) => (
            format!("the broker and Wilco have no TLS version or cipher in common ({why:?})"),
            Some("The broker must offer TLS 1.2 or 1.3 with an AEAD cipher suite."),
        ),
        Error::NoApplicationProtocol => (
            "the broker does not offer MQTT on this port (ALPN)".to_owned(),
            Some("Check the port: AWS IoT uses 8883 for certificates, and 443 only with ALPN."),
        ),
        Error::InconsistentKeys(_) => (
            "the private key belongs to another certificate".to_owned(),
            Some("Give the connection its files once more."),
        ),
        other => (format!("the TLS handshake failed: {other}"), None),
    }
}

fn server_certificate(refusal: &Refusal) -> (String, Option<&'static str>) {
    let day = |seconds: u64| date(Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000)));
    const CLOCK: &str = "The broker needs a new certificate. If it should be valid, check this computer's clock.";
    const EARLY: &str = "Check this computer's clock. If it is right, the certificate was made for later.";
    match refusal {
        Refusal::ExpiredContext { not_after, .. } => {
            (format!("the broker's certificate expired on {}", day(not_after.as_secs())), Some(CLOCK))
        }
        Refusal::Expired => ("the broker's certificate has expired".to_owned(), Some(CLOCK)),
        Refusal::NotValidYetContext { not_before, .. } => {
            (format!("the broker's certificate is not valid before {}", day(not_before.as_secs())), Some(EARLY))
        }
        Refusal::NotValidYet => ("the broker's certificate is not valid yet".to_owned(), Some(EARLY)),
        Refusal::UnknownIssuer => (
            "the broker's certificate is signed by an authority that this connection does not trust".to_owned(),
            Some(
                "Give the CA certificate that has signed the broker's certificate (on AWS IoT: AmazonRootCA1). If the name is \
                 your company's, a proxy that looks into TLS stands in between: ask for its CA certificate, or for a way \
                 around it.",
            ),
        ),
        Refusal::NotValidForNameContext { expected, presented } => (
            format!(
                "the broker's certificate is not for the name {}, but for {}",
                expected.to_str(),
                if presented.is_empty() { "no name at all".to_owned() } else { list(presented) }
            ),
            Some(
                "Dial the broker by a name that is in its certificate, give that name under More, Server name, or have a \
                 certificate made with the name that is dialled.",
            ),
        ),
        Refusal::NotValidForName => (
            "the broker's certificate is for another name than the one dialled".to_owned(),
            Some("Dial the broker by a name that is in its certificate."),
        ),
        Refusal::Revoked => ("the broker's certificate has been revoked".to_owned(), None),
        Refusal::BadSignature => (
            "the broker's certificate carries a wrong signature".to_owned(),
            Some(
                "A CA certificate of the same name but with another key may have been given: take the one that is used now.",
            ),
        ),
        Refusal::InvalidPurpose | Refusal::InvalidPurposeContext { .. } => (
            "the broker shows a certificate that is not meant for servers".to_owned(),
            Some("The broker's certificate needs the extended key usage 'serverAuth', or none."),
        ),
        other => other_refusal(other),
    }
}

/// What rustls only passes on, by the name it has there.
fn other_refusal(refusal: &Refusal) -> (String, Option<&'static str>) {
    let what = match refusal {
        Refusal::Other(other) if other.0.is::<NotThePinnedOne>() => {
            return (
                "the broker shows another certificate than the only one that this connection trusts".to_owned(),
                Some(
                    "If the broker has got a new certificate, choose that one. If it has not, something else answers \
                     in its place.",
                ),
            );
        }
        Refusal::Other(other) => other.to_string(),
        other => other.to_string(),
    };
    if what.contains("UnsupportedCertVersion") {
        return (
            "the broker's certificate is X.509 version 1, which TLS libraries no longer accept".to_owned(),
            Some(
                "Sign the broker's certificate again as version 3 with the broker's name in it (subjectAltName); the \
                 recipe in mosquitto-tls(7) makes version 1.",
            ),
        );
    }
    if what.contains("CaUsedAsEndEntity") {
        return (
            "the broker uses an authority's own certificate as its server certificate".to_owned(),
            Some("Have the authority sign a certificate for the broker, with basicConstraints=CA:FALSE."),
        );
    }
    (format!("the broker's certificate cannot be accepted: {what}"), None)
}

fn alert_received(alert: AlertDescription) -> (String, Option<&'static str>) {
    const OURS: &str = "Check that the client certificate is signed by the CA that the broker trusts for clients, and (on \
                        AWS IoT) that it is active and has a policy attached.";
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => (
            "the broker wants a client certificate, and this connection has none".to_owned(),
            Some("Add the client certificate and its private key to the connection."),
        ),
        AlertDescription::UnknownCA => {
            ("the broker does not know the authority that has signed our client certificate".to_owned(), Some(OURS))
        }
        AlertDescription::CertificateExpired => (
            "the broker says that our client certificate has expired".to_owned(),
            Some("Get a new client certificate, or check the broker's clock."),
        ),
        AlertDescription::CertificateRevoked => {
            ("the broker says that our client certificate has been revoked".to_owned(), Some("Get a new one."))
        }
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => {
            (format!("the broker refuses our client certificate ({})", name(alert)), Some(OURS))
        }
        AlertDescription::HandshakeFailure => (
            "the broker broke off the TLS handshake".to_owned(),
            Some("It may want a client certificate, or offer no TLS version or cipher that Wilco can use."),
        ),
        AlertDescription::ProtocolVersion => {
            ("the broker offers neither TLS 1.2 nor 1.3".to_owned(), Some("Allow TLS 1.2 or 1.3 on the broker."))
        }
        AlertDescription::UnrecognisedName => (
            "the broker does not know the name that was dialled".to_owned(),
            Some("Check the host name; on AWS IoT it must be the account's own endpoint."),
        ),
        AlertDescription::NoApplicationProtocol => (
            "the broker does not offer MQTT on this port (ALPN)".to_owned(),
            Some("Check the port: AWS IoT uses 8883 for certificates, and 443 only with ALPN."),
        ),
        other => (format!("the broker broke off the TLS handshake ({})", name(other)), None),
    }
}

fn name(alert: AlertDescription) -> String {
    format!("TLS alert {alert:?}")
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names.iter().take(SHOWN).map(|name| bare(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// The verifier writes a name as `DnsName("broker.example")`.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}
