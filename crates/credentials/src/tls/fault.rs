//! Finds the certificate of a server's chain that the verifier rejected, and the reason.
//!
//! The verifier reports an error without the certificate that caused it. This module checks the chain again to find that
//! certificate. It makes no decision: the chain has been rejected before.

use std::{fmt, sync::Arc};

use rustls::{CertificateError as Refused, DistinguishedName, Error, OtherError};
use rustls_pki_types::{CertificateDer, ServerName};
use wilco_ledger::Timestamp;

use super::{
    content::Certificate,
    explain::Explanation,
    facts::{date, key_kind},
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Certificates between a server's own and its root. Two is usual.
const LONGEST_CHAIN: usize = 10;
/// The shortest RSA key that TLS libraries accept, bits.
const SHORTEST_RSA: usize = 2_048;

/// A certificate that is at fault.
#[derive(Debug)]
pub(super) struct Fault {
    whose: CertificateOwner,
    subject: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CertificateOwner {
    /// The server's certificate.
    Server,
    /// An intermediate certificate that the server sent.
    Intermediate,
    /// A CA certificate that this connection trusts.
    Authority,
}

#[derive(Debug)]
enum Kind {
    Expired(Timestamp),
    NotYetValid(Timestamp),
    SelfSigned { sha256: String },
    UnknownIssuer { issuer: String, sends_intermediates: bool },
    WrongKey { issuer: String },
    WeakSignature(&'static str),
    UnknownSignature,
    ShortKey(String),
    IpAsDnsName(String),
    NoNames,
}

/// The facts about a chain.
pub(super) struct Chain<'a> {
    shown: Vec<Certificate>,
    trusted: &'a [DistinguishedName],
    /// Certificates of authorities that were given, where only those are trusted.
    authorities: &'a [CertificateDer<'static>],
}

impl<'a> Chain<'a> {
    pub(super) fn of(
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        trusted: &'a [DistinguishedName],
        authorities: &'a [CertificateDer<'static>],
    ) -> Chain<'a> {
        let shown = std::iter::once(own).chain(others);
        let shown = shown.filter_map(|der| Certificate::read(der.clone().into_owned()).ok()).collect();
        Chain { shown, trusted, authorities }
    }

    /// The same error, with the certificate at fault named where it can be found.
    pub(super) fn blame(&self, error: Error) -> Error {
        let Error::InvalidCertificate(refusal) = &error else { return error };
        match self.fault(refusal) {
            Some(fault) => Error::InvalidCertificate(Refused::Other(OtherError(Arc::new(fault)))),
            None => error,
        }
    }

    /// The same for a handshake that the server did not sign in a way that can be checked.
    pub(super) fn blame_key(&self, error: Error) -> Error {
        match self.shown.first().and_then(|own| short_key(own).map(|kind| fault(CertificateOwner::Server, own, kind))) {
            Some(fault) => Error::InvalidCertificate(Refused::Other(OtherError(Arc::new(fault)))),
            None => error,
        }
    }

    fn fault(&self, refusal: &Refused) -> Option<Fault> {
        let own = self.shown.first()?;
        match refusal {
            Refused::ExpiredContext { not_after, .. } => {
                let (whose, one) = self.dated(not_after.as_secs(), |one| one.facts.not_after)?;
                Some(fault(whose, one, Kind::Expired(one.facts.not_after)))
            }
            Refused::NotValidYetContext { not_before, .. } => {
                let (whose, one) = self.dated(not_before.as_secs(), |one| one.facts.not_before)?;
                Some(fault(whose, one, Kind::NotYetValid(one.facts.not_before)))
            }
            Refused::UnknownIssuer => Some(self.unknown_issuer(own)),
            Refused::BadSignature => self.bad_signature(),
            Refused::UnsupportedSignatureAlgorithmContext { .. }
            | Refused::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                let weak = self.path().find_map(|(whose, one)| weak_signature(one).map(|kind| fault(whose, one, kind)));
                Some(weak.unwrap_or_else(|| fault(CertificateOwner::Server, own, Kind::UnknownSignature)))
            }
            Refused::NotValidForNameContext { expected: ServerName::IpAddress(ip), presented } => {
                let ip = std::net::IpAddr::from(*ip).to_string();
                let is_dns_name = presented.iter().any(|name| *name == format!("DnsName(\"{ip}\")"));
                is_dns_name.then(|| fault(CertificateOwner::Server, own, Kind::IpAsDnsName(ip)))
            }
            Refused::NotValidForNameContext { presented, .. } if presented.is_empty() => {
                Some(fault(CertificateOwner::Server, own, Kind::NoNames))
            }
            Refused::Other(other) if format!("{:?}", other.0) == "CaUsedAsEndEntity" && own.is_self_issued() => {
                Some(fault(CertificateOwner::Server, own, Kind::SelfSigned { sha256: own.facts.sha256.clone() }))
            }
            _ => None,
        }
    }

    /// The server's certificate, its issuer, and so on.
    fn path(&self) -> impl Iterator<Item = (CertificateOwner, &Certificate)> {
        let first = self.shown.first().map(|own| (CertificateOwner::Server, own));
        let next = |(_, last): &(CertificateOwner, &Certificate)| {
            let issuer = self.shown.iter().find(|one| one.subject == last.issuer && !last.is_self_issued());
            issuer.map(|issuer| (CertificateOwner::Intermediate, issuer))
        };
        std::iter::successors(first, next).take(LONGEST_CHAIN)
    }

    fn dated(&self, seconds: u64, of: fn(&Certificate) -> Timestamp) -> Option<(CertificateOwner, &Certificate)> {
        let is_it = |one: &&Certificate| u64::try_from(of(one).0.div_euclid(1_000)) == Ok(seconds);
        let at = self.shown.iter().position(|one| is_it(&one))?;
        Some((if at == 0 { CertificateOwner::Server } else { CertificateOwner::Intermediate }, &self.shown[at]))
    }

    fn unknown_issuer(&self, own: &Certificate) -> Fault {
        if own.is_self_issued() {
            return fault(CertificateOwner::Server, own, Kind::SelfSigned { sha256: own.facts.sha256.clone() });
        }
        let (whose, top) = self.path().last().unwrap_or((CertificateOwner::Server, own));
        let issuer = top.facts.issuer.clone();
        fault(whose, top, Kind::UnknownIssuer { issuer, sends_intermediates: self.shown.len() > 1 })
    }

    fn bad_signature(&self) -> Option<Fault> {
        let authorities: Vec<_> =
            self.authorities.iter().filter_map(|der| Certificate::read(der.clone()).ok()).collect();
        for (whose, one) in self.path() {
            let sent = self.shown.iter().map(|issuer| (CertificateOwner::Intermediate, issuer));
            let issuers = sent.chain(authorities.iter().map(|issuer| (CertificateOwner::Authority, issuer)));
            let mut issuers: Vec<_> = issuers.filter(|(_, issuer)| issuer.subject == one.issuer).collect();
            if let Some((whose, issuer, kind)) =
                issuers.iter().find_map(|(whose, issuer)| short_key(issuer).map(|kind| (*whose, *issuer, kind)))
            {
                return Some(fault(whose, issuer, kind));
            }
            issuers.retain(|(_, issuer)| one.is_signed_by(issuer));
            let is_trusted_by_name = self.trusted.iter().any(|name| name.as_ref() == one.issuer);
            if issuers.is_empty() && (is_trusted_by_name || !authorities.is_empty()) {
                return Some(fault(whose, one, Kind::WrongKey { issuer: one.facts.issuer.clone() }));
            }
        }
        None
    }
}

fn fault(whose: CertificateOwner, one: &Certificate, kind: Kind) -> Fault {
    Fault { whose, subject: one.facts.subject.clone(), kind }
}

fn short_key(one: &Certificate) -> Option<Kind> {
    let (_, parsed) = X509Certificate::from_der(&one.der).ok()?;
    match parsed.public_key().parsed() {
        Ok(x509_parser::public_key::PublicKey::RSA(rsa)) if rsa.key_size() < SHORTEST_RSA => {
            Some(Kind::ShortKey(key_kind(parsed.public_key())))
        }
        _ => None,
    }
}

fn weak_signature(one: &Certificate) -> Option<Kind> {
    let (_, parsed) = X509Certificate::from_der(&one.der).ok()?;
    Some(Kind::WeakSignature(match parsed.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.4" => "MD5 with RSA",
        "1.2.840.113549.1.1.5" => "SHA-1 with RSA",
        "1.2.840.10045.4.1" => "SHA-1 with ECDSA",
        _ => return None,
    }))
}

impl Fault {
    /// The certificate that was rejected, why, and how to fix it.
    pub(super) fn explain(&self) -> Explanation {
        let subject = &self.subject;
        let name = match self.whose {
            CertificateOwner::Server => format!("the broker's certificate ({subject})"),
            CertificateOwner::Intermediate => {
                format!("the intermediate certificate {subject}, which the broker sends,")
            }
            CertificateOwner::Authority => format!("the CA certificate {subject}"),
        };
        let owner = if self.whose == CertificateOwner::Authority { "The authority" } else { "The broker" };
        let renew = || match self.whose {
            CertificateOwner::Server => {
                "The broker needs a new certificate. If it should be valid, check this computer's clock.".to_owned()
            }
            _ => format!("{owner} needs a new one in its chain; the server certificate itself may be valid."),
        };
        let (message, hint) = match &self.kind {
            Kind::Expired(at) => (format!("{name} expired on {}", date(*at)), renew()),
            Kind::NotYetValid(at) => (
                format!("{name} is not valid before {}", date(*at)),
                "Check this computer's clock. If it is right, the certificate is not valid yet.".to_owned(),
            ),
            Kind::SelfSigned { sha256 } => (
                format!("the broker's certificate is self-signed ({subject})"),
                format!(
                    "If it is your broker's, pin this certificate: choose Pin this certificate in the window, or save \
                     it to a file and use --pin FILE. First compare its SHA-256 fingerprint with the one on the broker \
                     (openssl x509 -noout -fingerprint -sha256 -in FILE): {sha256}"
                ),
            ),
            Kind::UnknownIssuer { issuer, sends_intermediates } => (
                format!("{name} is signed by {issuer}, a CA that this connection does not trust"),
                if *sends_intermediates {
                    "Add that CA certificate (on AWS IoT: AmazonRootCA1). If it carries your company's name, a proxy \
                     inspects TLS: add the proxy's CA certificate, or have the broker exempted."
                } else {
                    "Add that CA certificate (on AWS IoT: AmazonRootCA1). If it is an intermediate, the broker must \
                     send it together with its own certificate. If it carries your company's name, a proxy inspects \
                     TLS: add the proxy's CA certificate, or have the broker exempted."
                }
                .to_owned(),
            ),
            Kind::WrongKey { issuer } => (
                format!("{name} has an invalid signature: it was not signed with the known key of {issuer}"),
                "The CA certificate that was added may have the same name but a different key: use the current one."
                    .to_owned(),
            ),
            Kind::WeakSignature(algorithm) => (
                format!("{name} has a weak signature ({algorithm}), which TLS libraries no longer accept"),
                "Sign it again with SHA-256.".to_owned(),
            ),
            Kind::UnknownSignature => (
                format!("{name} or its chain is signed with an algorithm that Wilco does not support"),
                "Sign it with RSA (2,048 bits or more), ECDSA on P-256 or P-384, or Ed25519.".to_owned(),
            ),
            Kind::ShortKey(key) => (
                format!("{name} has a key that is too short ({key})"),
                "Create a new one with RSA of 2,048 bits or more, or with EC P-256.".to_owned(),
            ),
            Kind::IpAsDnsName(ip) => (
                format!("the broker's certificate names {ip} as a DNS name, not as an IP address"),
                format!(
                    "Create it again with the subjectAltName IP:{ip} instead of DNS:{ip} (RFC 9525), or use a host \
                     name that is in the certificate."
                ),
            ),
            Kind::NoNames => (
                format!(
                    "the broker's certificate ({subject}) has no host name in subjectAltName; its common name is \
                         not used"
                ),
                "Create it again with the broker's name in subjectAltName (RFC 9525).".to_owned(),
            ),
        };
        let pin = match &self.kind {
            Kind::SelfSigned { sha256 } => Some(sha256.clone()),
            _ => None,
        };
        Explanation { message, hint: Some(hint), pin }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain().message)
    }
}

impl std::error::Error for Fault {}
