//! Identifies a file by its content, never by its name.

use std::path::Path;

use rustls_pki_types::CertificateDer;
use x509_parser::{
    error::X509Error,
    prelude::{FromDer, X509Certificate},
};
use zeroize::Zeroizing;

use super::{
    CertificateError, CertificateFacts, Key, archive,
    asn1::{BIT_STRING, CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, Walk},
    key::{self, Public},
    locked::{self, Locked},
    pem,
};

/// Things that one file may hold. The bundle of all public authorities has 150.
pub(super) const MOST_THINGS: usize = 1_000;

/// One thing in a file, or in a file of an archive.
pub(super) struct Found {
    /// The name of the file.
    pub(super) name: String,
    /// `PEM`, `DER` or `PKCS#12`.
    pub(super) form: &'static str,
    pub(super) thing: FoundItem,
}

impl Found {
    /// Whether it is a PKCS#12 file, or would be if it were not damaged.
    pub(super) fn is_pkcs12(&self) -> bool {
        match &self.thing {
            FoundItem::Locked { what, .. } => matches!(what, Locked::Pkcs12(_)),
            FoundItem::Broken(CertificateError::OldEncoding { .. }) => true,
            FoundItem::Broken(_) => self.form == "DER",
            _ => false,
        }
    }
}

/// The kind of a found item.
pub(super) enum FoundItem {
    Certificate(Box<Certificate>),
    Key {
        key: Key,
        public: Public,
    },
    Locked {
        what: Locked,
        /// A passphrase has been tried and was the wrong one.
        tried: bool,
    },
    /// Not needed, with a description.
    Aside(&'static str),
    Broken(CertificateError),
}

/// A certificate and what is compared of it.
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    pub(super) facts: CertificateFacts,
    pub(super) public: Public,
    /// The names as they are encoded.
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
}

impl Certificate {
    pub(super) fn read(der: CertificateDer<'static>) -> Result<Certificate, String> {
        let facts = CertificateFacts::of(&der)?;
        let (_, parsed) =
            X509Certificate::from_der(&der).map_err(|_| "it contains something that is not a certificate")?;
        let public = Public::of(parsed.public_key());
        let subject = parsed.subject().as_raw().to_vec();
        let issuer = parsed.issuer().as_raw().to_vec();
        Ok(Certificate { facts, public, subject, issuer, der })
    }

    pub(super) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether it is a CA certificate: by its own statement, or because its version cannot state it.
    pub(super) fn is_authority(&self) -> bool {
        self.facts.is_authority || (self.facts.version < 3 && self.is_self_issued())
    }

    /// Whether `other` has signed it.
    pub(super) fn is_signed_by(&self, other: &Certificate) -> bool {
        if self.issuer != other.subject {
            return false;
        }
        let (Ok((_, own)), Ok((_, other))) =
            (X509Certificate::from_der(&self.der), X509Certificate::from_der(&other.der))
        else {
            return false;
        };
        // Of a kind of signature that cannot be checked here, the name alone has to do; the server checks it anyway.
        !matches!(own.verify_signature(Some(other.public_key())), Err(X509Error::SignatureVerificationError))
    }
}

/// Tells what `bytes` are, and takes them apart.
pub(super) fn read(name: &str, bytes: &[u8]) -> Vec<Found> {
    if archive::is(bytes) {
        return archive::read(name, bytes);
    }
    read_file(name, bytes)
}

/// The same for a file inside an archive; an archive there is not opened.
pub(super) fn read_entry(name: &str, bytes: &[u8]) -> Vec<Found> {
    if archive::is(bytes) {
        return one(name, "", FoundItem::Aside("Archive inside an archive, not opened"));
    }
    read_file(name, bytes)
}

fn read_file(name: &str, bytes: &[u8]) -> Vec<Found> {
    let decoded = pem::text(bytes);
    let text = decoded.as_ref().map_or(bytes, |text| text);
    if pem::is(text) {
        let unescaped = pem::unescaped(text);
        let mut found = pem::read(name, unescaped.as_ref().map_or(text, |text| text));
        if found.len() > MOST_THINGS {
            found.truncate(MOST_THINGS);
            found.push(broken(name, "PEM", CertificateError::TooMany { path: name.into(), limit: MOST_THINGS }));
        }
        return found;
    }
    // A text may begin with the digit that is DER's sign for a sequence.
    if bytes.first() == Some(&SEQUENCE) && !is_text(bytes) {
        return der(name, "DER", bytes);
    }
    if let Some(bytes) = pem::bare(text) {
        return der(name, "Base64", &bytes);
    }
    one(name, "", FoundItem::Aside(unknown(text)))
}

/// DER of a kind that is not known yet.
pub(super) fn der(name: &str, form: &'static str, bytes: &[u8]) -> Vec<Found> {
    let thing = if let Some(Ok(certificate)) = resembles_certificate(bytes).then(|| certificate(bytes)) {
        FoundItem::Certificate(Box::new(certificate))
    } else if locked::is_pkcs12(bytes) {
        return one(name, "PKCS#12", lock(Locked::Pkcs12(Zeroizing::new(bytes.to_vec()))));
    } else if let Some(certificates) = pkcs7(bytes) {
        return certificates.into_iter().map(|der| certificate_from(name, "PKCS#7", der)).collect();
    } else if let Some(key) = Key::from_der(bytes) {
        key_thing(name, key)
    } else if key::resembles_encrypted(bytes) {
        lock(Locked::Pkcs8(Zeroizing::new(bytes.to_vec())))
    } else if key::resembles_public(bytes) {
        FoundItem::Aside(PUBLIC_KEY)
    } else if resembles_request(bytes) {
        FoundItem::Aside(REQUEST)
    } else if bytes.starts_with(&[SEQUENCE, 0x80]) {
        FoundItem::Broken(CertificateError::OldEncoding { path: name.into() })
    } else if Walk::along(bytes).next().is_none() {
        return vec![damaged(name, form, "it is incomplete")];
    } else {
        FoundItem::Aside(NOTHING_KNOWN)
    };
    one(name, form, thing)
}

pub(super) const PUBLIC_KEY: &str = "Public key, not needed";
pub(super) const REQUEST: &str = "Certificate signing request (CSR), not yet signed by a CA";
pub(super) const NOTHING_KNOWN: &str = "Neither a certificate nor a key";

/// One certificate, DER, from a file.
pub(super) fn certificate_from(name: &str, form: &'static str, der: CertificateDer<'static>) -> Found {
    match Certificate::read(der) {
        Ok(certificate) => Found { name: name.to_owned(), form, thing: FoundItem::Certificate(Box::new(certificate)) },
        Err(what) => broken(name, form, CertificateError::Damaged { path: name.into(), what }),
    }
}

/// One private key from a file.
pub(super) fn key_thing(name: &str, key: Key) -> FoundItem {
    match key.public() {
        Some(public) => FoundItem::Key { key, public },
        None => FoundItem::Broken(CertificateError::UnusableKey { path: name.into() }),
    }
}

pub(super) fn lock(what: Locked) -> FoundItem {
    FoundItem::Locked { what, tried: false }
}

pub(super) fn broken(name: &str, form: &'static str, error: CertificateError) -> Found {
    Found { name: name.to_owned(), form, thing: FoundItem::Broken(error) }
}

pub(super) fn damaged(name: &str, form: &'static str, what: &str) -> Found {
    broken(name, form, CertificateError::Damaged { path: Path::new(name).to_owned(), what: what.to_owned() })
}

pub(super) fn one(name: &str, form: &'static str, thing: FoundItem) -> Vec<Found> {
    vec![Found { name: name.to_owned(), form, thing }]
}

/// The first element alone: OpenSSL's "trusted" certificates have more behind it.
fn certificate(bytes: &[u8]) -> Result<Certificate, String> {
    let whole = Walk::along(bytes).next().map_or(bytes, |element| element.whole);
    Certificate::read(CertificateDer::from(whole.to_vec()))
}

/// `SEQUENCE { SEQUENCE { [0] version or INTEGER serial, … }, algorithm, BIT STRING }`
fn resembles_certificate(bytes: &[u8]) -> bool {
    signed(bytes).is_some_and(|(mut inside, _)| {
        inside.take(CONTEXT_0);
        inside.take(INTEGER).is_some() && inside.next().is_some_and(|element| element.tag == SEQUENCE)
    })
}

/// `SEQUENCE { SEQUENCE { INTEGER 0, name, public key, … }, algorithm, BIT STRING }`
fn resembles_request(bytes: &[u8]) -> bool {
    signed(bytes).is_some_and(|(mut inside, _)| inside.number() == Some(0))
}

fn signed(bytes: &[u8]) -> Option<(Walk<'_>, &[u8])> {
    let mut walk = Walk::inside(bytes)?;
    let inside = walk.enter(SEQUENCE)?;
    walk.enter(SEQUENCE)?;
    Some((inside, walk.take(BIT_STRING)?))
}

/// The certificates of a PKCS#7 bundle (RFC 2315 section 9.1), as Windows exports chains.
pub(super) fn pkcs7(bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    /// 1.2.840.113549.1.7.2
    const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
    const SET: u8 = 0x31;
    let mut walk = Walk::inside(bytes)?;
    walk.take(OBJECT_IDENTIFIER).filter(|kind| *kind == SIGNED_DATA)?;
    let mut data = walk.enter(CONTEXT_0)?.enter(SEQUENCE)?;
    data.number()?;
    data.take(SET)?;
    data.take(SEQUENCE)?;
    let mut walk = data.enter(CONTEXT_0)?;
    let mut certificates = Vec::new();
    while let Some(element) = walk.next().filter(|_| certificates.len() < MOST_THINGS) {
        certificates.push(CertificateDer::from(element.whole.to_vec()));
    }
    Some(certificates)
}

fn unknown(bytes: &[u8]) -> &'static str {
    if bytes.is_empty() {
        "Empty file"
    } else if bytes.starts_with(b"#!") {
        "Script, ignored"
    } else if bytes.starts_with(b"ssh-") || bytes.starts_with(b"ecdsa-sha2-") {
        "SSH public key, not needed"
    } else if is_text(bytes) {
        "Text file, ignored"
    } else {
        NOTHING_KNOWN
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let moves = |letter: char| letter.is_control() && !letter.is_whitespace();
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(moves))
}
