//! The facts about a certificate that are shown to users.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use wilco_ledger::Timestamp;
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer, X509Certificate},
    public_key::PublicKey,
    time::ASN1Time,
    x509::{SubjectPublicKeyInfo, X509Name},
};

use super::CertificateError;

/// Facts about a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The subject, for example `CN=broker`.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// A short name of the issuer, such as `Amazon Root CA 1`: its common name, or another part of it.
    pub issuer_name: String,
    /// Start of the validity.
    pub not_before: Timestamp,
    /// End of the validity.
    pub not_after: Timestamp,
    /// Its serial number, hexadecimal bytes with colons.
    pub serial: String,
    /// The SHA-256 of its DER, hexadecimal bytes with colons.
    pub sha256: String,
    /// The X.509 version: 3, or an older one.
    pub version: u32,
    /// Whether it is a CA certificate.
    pub is_authority: bool,
    /// The host names and addresses in it.
    pub names: Vec<String>,
    /// Its key, for example `RSA 2048` or `EC P-256`.
    pub key: String,
}

impl CertificateFacts {
    /// Reads a certificate; a sentence if it is none.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<CertificateFacts, String> {
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|_| "it contains something that is not a certificate".to_owned())?;
        Ok(CertificateFacts {
            subject: shown(&parsed.subject().to_string()),
            issuer: shown(&parsed.issuer().to_string()),
            issuer_name: shown(&short(parsed.issuer())),
            not_before: milliseconds(parsed.validity().not_before),
            not_after: milliseconds(parsed.validity().not_after),
            serial: parsed.raw_serial_as_string(),
            sha256: sha256(certificate),
            version: parsed.version().0.saturating_add(1),
            is_authority: parsed.is_ca(),
            names: names(&parsed),
            key: key_kind(parsed.public_key()),
        })
    }
}

fn short(name: &X509Name<'_>) -> String {
    let mut names = name.iter_common_name().chain(name.iter_organizational_unit()).chain(name.iter_organization());
    match names.find_map(|name| name.as_str().ok()) {
        Some(name) => name.to_owned(),
        None => name.to_string(),
    }
}

/// The kind of key, for example `RSA 2048` or `EC P-256`.
pub(super) fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> String {
    let named = match key.algorithm.algorithm.to_id_string().as_str() {
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "1.2.840.10045.2.1" => match key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok()) {
            Some(curve) => match curve.to_id_string().as_str() {
                "1.2.840.10045.3.1.7" => "EC P-256",
                "1.3.132.0.34" => "EC P-384",
                "1.3.132.0.35" => "EC P-521",
                "1.3.132.0.10" => "EC secp256k1",
                _ => "EC on another curve",
            },
            None => "EC",
        },
        _ => match key.parsed() {
            Ok(PublicKey::RSA(rsa)) => return format!("RSA {}", rsa.key_size()),
            Ok(PublicKey::DSA(_)) => "DSA",
            _ => "unknown key type",
        },
    };
    named.to_owned()
}

/// Names come from the creator of the file: nothing in them may change the text around them.
pub(super) fn shown(name: &str) -> String {
    let moves = |letter: char| matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    name.replace(|letter: char| letter.is_control() || moves(letter), "\u{FFFD}")
}

/// Whether a certificate from a file is valid now.
pub(super) fn check_time(path: &Path, facts: &CertificateFacts, now: Timestamp) -> Result<(), CertificateError> {
    let path = path.to_owned();
    let subject = facts.subject.clone();
    if now > facts.not_after {
        return Err(CertificateError::Expired { path, subject, date: date(facts.not_after) });
    }
    if now < facts.not_before {
        return Err(CertificateError::NotYetValid { path, subject, date: date(facts.not_before) });
    }
    Ok(())
}

/// The day of an instant in UTC, `2027-03-01`.
pub(super) fn date(at: Timestamp) -> String {
    match ASN1Time::from_timestamp(at.0.div_euclid(1_000)) {
        Ok(time) => {
            let time = time.to_datetime();
            format!("{:04}-{:02}-{:02}", time.year(), u8::from(time.month()), time.day())
        }
        Err(_) => "a date out of range".to_owned(),
    }
}

fn milliseconds(time: ASN1Time) -> Timestamp {
    Timestamp(time.timestamp().saturating_mul(1_000))
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternatives)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()),
        },
        _ => None,
    };
    alternatives.value.general_names.iter().filter_map(name).collect()
}

/// The SHA-256 of a certificate's DER, hexadecimal bytes with colons.
#[must_use]
pub fn sha256(certificate: &CertificateDer<'_>) -> String {
    hex(&Sha256::digest(certificate))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}
