//! A private key: recognised in DER, and matched to its certificate by its public key.

use rustls_pki_types::PrivateKeyDer;
use x509_parser::{prelude::FromDer, x509::SubjectPublicKeyInfo};
use zeroize::Zeroize;

use super::{
    asn1::{INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, Walk},
    config::provider,
    facts::key_kind,
};

/// A private key. Wiped when it is dropped, and never printed.
pub(super) struct Key(pub(super) PrivateKeyDer<'static>);

impl Key {
    /// Reads PKCS#8, PKCS#1 or SEC1; none if it is something else. Says nothing of whether it can be used.
    pub(super) fn from_der(der: &[u8]) -> Option<Key> {
        let mut walk = Walk::inside(der)?;
        walk.number()?;
        let is_key = match walk.next()?.tag {
            // PKCS#8: an algorithm and the key.
            SEQUENCE => walk.take(OCTET_STRING).is_some(),
            // PKCS#1: the modulus and seven more numbers.
            INTEGER => (0..7).all(|_| walk.take(INTEGER).is_some()),
            // SEC1: the curve is a name, or stands in what is around it.
            OCTET_STRING => true,
            _ => false,
        };
        if !is_key {
            return None;
        }
        PrivateKeyDer::try_from(der).ok().map(|key| Key(key.clone_key()))
    }

    /// The public key that belongs to it; none if rustls cannot use it.
    pub(super) fn public(&self) -> Option<Public> {
        let signing = provider().key_provider.load_private_key(self.0.clone_key()).ok()?;
        let spki = signing.public_key()?;
        let (_, spki) = SubjectPublicKeyInfo::from_der(&spki).ok()?;
        Some(Public::of(&spki))
    }
}

impl Clone for Key {
    fn clone(&self) -> Key {
        Key(self.0.clone_key())
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The common part of a private key and its certificate.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Public {
    bits: Vec<u8>,
    /// `RSA 2048` or `EC P-256` for instance.
    pub(super) kind: String,
}

impl Public {
    pub(super) fn of(spki: &SubjectPublicKeyInfo<'_>) -> Public {
        Public { bits: spki.subject_public_key.data.to_vec(), kind: key_kind(spki) }
    }
}

/// Whether this can be a public key alone: `SEQUENCE { algorithm, BIT STRING }`.
pub(super) fn resembles_public(der: &[u8]) -> bool {
    let content = || {
        let mut walk = Walk::inside(der)?;
        walk.enter(SEQUENCE)?.take(OBJECT_IDENTIFIER)?;
        walk.take(super::asn1::BIT_STRING)
    };
    content().is_some()
}

/// Whether this can be an encrypted PKCS#8 key: `SEQUENCE { algorithm, OCTET STRING }`.
pub(super) fn resembles_encrypted(der: &[u8]) -> bool {
    let content = || {
        let mut walk = Walk::inside(der)?;
        walk.enter(SEQUENCE)?.take(OBJECT_IDENTIFIER)?;
        walk.take(OCTET_STRING)
    };
    content().is_some()
}
