//! Explains why a TLS handshake failed and what to do.

use std::{error::Error as StdError, io};

use rustls::{AlertDescription, CertificateError as Refusal, Error, InvalidMessage};
use wilco_ledger::Timestamp;

use super::{facts::date, fault::Fault, trust::NotThePinnedOne};

/// The cause and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What failed and why, as a sentence.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
    /// The SHA-256 of the server's certificate if pinning it would help, as hexadecimal bytes with colons.
    pub pin: Option<String>,
}

/// Explains the TLS error that is the cause of an error; `None` if there is none.
#[must_use]
pub fn explain(error: &(dyn StdError + 'static)) -> Option<Explanation> {
    let mut error = Some(error);
    while let Some(this) = error {
        if let Some(tls) = this.downcast_ref::<Error>() {
            if let Error::InvalidCertificate(Refusal::Other(other)) = tls
                && let Some(fault) = other.0.downcast_ref::<Fault>()
            {
                return Some(fault.explain());
            }
            let (message, hint) = sentences(tls);
            return Some(Explanation { message, hint: hint.map(str::to_owned), pin: None });
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
                "Use mqtt:// for an unencrypted listener (usually port 1883), or the port of the TLS listener \
                 (usually 8883).",
            ),
        ),
        Error::NoCertificatesPresented => {
            ("the broker sent no certificate".to_owned(), Some("Its TLS listener needs a certificate and a key."))
        }
        Error::PeerIncompatible(why) => (
            format!("the broker and Wilco support no common TLS version or cipher ({})", variant(why)),
            Some("The broker must offer TLS 1.2 or 1.3 with an AEAD cipher suite."),
        ),
        Error::NoApplicationProtocol => (
            "the broker does not offer MQTT on this port (ALPN)".to_owned(),
            Some("Check the port: AWS IoT uses 8883 for certificates, and 443 only with ALPN."),
        ),
        Error::InconsistentKeys(_) => (
            "the private key does not match the certificate".to_owned(),
            Some("Add the files to the connection again."),
        ),
        other => (
            format!("the TLS handshake failed ({})", variant(other)),
            Some("Check the broker's log. It must offer TLS 1.2 or 1.3."),
        ),
    }
}

fn server_certificate(refusal: &Refusal) -> (String, Option<&'static str>) {
    let day = |seconds: u64| date(Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000)));
    const CLOCK: &str = "The broker needs a new certificate. If it should be valid, check this computer's clock.";
    const EARLY: &str = "Check this computer's clock. If it is right, the certificate is not valid yet.";
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
            "the broker's certificate is signed by a CA that this connection does not trust".to_owned(),
            Some(
                "Add the CA certificate that signed the broker's certificate (on AWS IoT: AmazonRootCA1). If it \
                 carries your company's name, a proxy inspects TLS: add the proxy's CA certificate, or have the broker \
                 exempted.",
            ),
        ),
        Refusal::NotValidForNameContext { expected, presented } => (
            format!(
                "the broker's certificate is not for the name {}, but for {}",
                expected.to_str(),
                if presented.is_empty() { "no name".to_owned() } else { list(presented) }
            ),
            Some(
                "Use a host name that is in the certificate, enter that name under More, Server name, or create a \
                 certificate for this host name.",
            ),
        ),
        Refusal::NotValidForName => (
            "the broker's certificate does not match the host name".to_owned(),
            Some("Use a host name that is in the certificate."),
        ),
        Refusal::Revoked => ("the broker's certificate has been revoked".to_owned(), None),
        Refusal::BadSignature => (
            "the broker's certificate has an invalid signature".to_owned(),
            Some("The CA certificate that was added may have the same name but a different key: use the current one."),
        ),
        Refusal::InvalidPurpose | Refusal::InvalidPurposeContext { .. } => (
            "the broker's certificate is not a server certificate".to_owned(),
            Some("The broker's certificate needs the extended key usage 'serverAuth', or none."),
        ),
        other => other_refusal(other),
    }
}

/// An error that rustls only passes on, by its name there.
fn other_refusal(refusal: &Refusal) -> (String, Option<&'static str>) {
    let what = match refusal {
        Refusal::Other(other) if other.0.is::<NotThePinnedOne>() => {
            return (
                "the broker's certificate is not the one pinned for this connection".to_owned(),
                Some("If the broker has a new certificate, pin that one. If not, another server may be answering."),
            );
        }
        Refusal::Other(other) => variant(&other.0),
        other => variant(other),
    };
    if what.contains("UnsupportedCertVersion") {
        return (
            "the broker's certificate is X.509 version 1, which TLS libraries no longer accept".to_owned(),
            Some(
                "Sign the broker's certificate again as version 3 with the broker's name in subjectAltName. (The \
                 recipe in mosquitto-tls(7) creates version 1.)",
            ),
        );
    }
    if what.contains("CaUsedAsEndEntity") {
        return (
            "the broker uses a CA certificate as its server certificate".to_owned(),
            Some("Have the CA sign a server certificate for the broker, with basicConstraints=CA:FALSE."),
        );
    }
    (
        format!("the broker's certificate cannot be accepted ({what})"),
        Some("Create it again as X.509 version 3, signed with SHA-256, with the broker's name in subjectAltName."),
    )
}

/// The library's name of a reason, to search for; what it holds is for programs.
fn variant(reason: &impl std::fmt::Debug) -> String {
    let dump = format!("{reason:?}");
    dump.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn alert_received(alert: AlertDescription) -> (String, Option<&'static str>) {
    const OURS: &str = "Check that the client certificate is signed by the CA that the broker trusts for clients, and \
                        (on AWS IoT) that it is active and has a policy attached.";
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => (
            "the broker requires a client certificate, and this connection has none".to_owned(),
            Some("Add the client certificate and its private key to the connection."),
        ),
        AlertDescription::UnknownCA => {
            ("the broker does not trust the CA that signed the client certificate".to_owned(), Some(OURS))
        }
        AlertDescription::CertificateExpired => (
            "the broker reports that the client certificate has expired".to_owned(),
            Some("Renew the client certificate, or check the broker's clock."),
        ),
        AlertDescription::CertificateRevoked => (
            "the broker reports that the client certificate is revoked".to_owned(),
            Some("Get a new client certificate."),
        ),
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => {
            (format!("the broker rejected the client certificate ({})", name(alert)), Some(OURS))
        }
        AlertDescription::HandshakeFailure => (
            "the broker ended the TLS handshake".to_owned(),
            Some("It may require a client certificate, or share no TLS version or cipher with Wilco."),
        ),
        AlertDescription::ProtocolVersion => {
            ("the broker supports neither TLS 1.2 nor 1.3".to_owned(), Some("Allow TLS 1.2 or 1.3 on the broker."))
        }
        AlertDescription::UnrecognisedName => (
            "the broker does not know the server name (SNI)".to_owned(),
            Some("Check the host name; on AWS IoT it must be the endpoint of your account."),
        ),
        AlertDescription::NoApplicationProtocol => (
            "the broker does not offer MQTT on this port (ALPN)".to_owned(),
            Some("Check the port: AWS IoT uses 8883 for certificates, and 443 only with ALPN."),
        ),
        other => (format!("the broker ended the TLS handshake ({})", name(other)), None),
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
