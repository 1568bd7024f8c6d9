//! PKCS#12 (RFC 7292): certificates and keys in one file, under one passphrase.
//!
//! All certificates and keys are extracted, whatever attributes pair them: they are matched by their public keys. Revocation
//! lists and other secrets are skipped.

use hmac::{
    EagerHash, Hmac, KeyInit, Mac,
    digest::{Digest, OutputSizeUser, block_api::BlockSizeUser},
};
use rustls_pki_types::CertificateDer;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::{Budget, Opened, Refusal, pbe};
use crate::tls::{
    Key,
    asn1::{CONTEXT_0, CONTEXT_0_PRIMITIVE, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, Walk},
};

/// 1.2.840.113549.1.7.1
const DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01];
/// 1.2.840.113549.1.7.6
const ENCRYPTED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x06];
/// 1.2.840.113549.1.12.10.1, followed by the number of the bag type.
const BAG: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x0A, 0x01];
/// 1.2.840.113549.1.9.22.1
const X509_CERTIFICATE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x16, 0x01];
/// 1.3.14.3.2.26
const SHA1: &[u8] = &[0x2B, 0x0E, 0x03, 0x02, 0x1A];
/// 2.16.840.1.101.3.4.2, followed by the number of the hash.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// Whether this can be a PKCS#12 file: `SEQUENCE { version 3, authSafe ContentInfo, … }`.
pub(in crate::tls) fn resembles(bytes: &[u8]) -> bool {
    let content = || {
        let mut walk = Walk::inside(bytes)?;
        walk.number().filter(|version| *version == 3)?;
        walk.enter(SEQUENCE)?.take(OBJECT_IDENTIFIER)
    };
    content().is_some()
}

/// Takes everything out.
pub(super) fn open(bytes: &[u8], passphrase: &str, budget: &mut Budget) -> Result<Opened, Refusal> {
    let mut walk = Walk::inside(bytes).ok_or(Refusal::Damaged)?;
    walk.number().ok_or(Refusal::Damaged)?;
    let mut content = walk.enter(SEQUENCE).ok_or(Refusal::Damaged)?;
    if content.take(OBJECT_IDENTIFIER) != Some(DATA) {
        // Signed instead of protected by a passphrase.
        return Err(Refusal::Unknown);
    }
    let safes = content.enter(CONTEXT_0).and_then(|mut inner| inner.take(OCTET_STRING)).ok_or(Refusal::Damaged)?;
    if let Some(mac) = walk.enter(SEQUENCE) {
        check_mac(mac, safes, passphrase, budget)?;
    }
    let mut opened = Opened::default();
    let mut safes = Walk::inside(safes).ok_or(Refusal::Damaged)?;
    while let Some(safe) = safes.enter(SEQUENCE) {
        open_safe(safe, passphrase, budget, &mut opened)?;
    }
    if safes.is_empty() { Ok(opened) } else { Err(Refusal::Damaged) }
}

/// `MacData ::= SEQUENCE { mac DigestInfo, macSalt OCTET STRING, iterations INTEGER DEFAULT 1 }`
fn check_mac(mut mac: Walk<'_>, data: &[u8], passphrase: &str, budget: &mut Budget) -> Result<(), Refusal> {
    let mut digest = mac.enter(SEQUENCE).ok_or(Refusal::Damaged)?;
    let algorithm = digest.enter(SEQUENCE).and_then(|mut algorithm| algorithm.take(OBJECT_IDENTIFIER));
    let expected = digest.take(OCTET_STRING).ok_or(Refusal::Damaged)?;
    let salt = mac.take(OCTET_STRING).ok_or(Refusal::Damaged)?;
    let rounds = if mac.is_empty() { 1 } else { mac.number().ok_or(Refusal::Damaged)? };
    let is_right = match algorithm.ok_or(Refusal::Damaged)? {
        SHA1 => is_right::<Sha1>,
        oid => match oid.strip_prefix(SHA2) {
            Some([1]) => is_right::<Sha256>,
            Some([2]) => is_right::<Sha384>,
            Some([3]) => is_right::<Sha512>,
            Some([4]) => is_right::<Sha224>,
            _ => return Err(Refusal::Unknown),
        },
    };
    budget.spend(rounds.saturating_mul(2))?;
    if is_right(&password(passphrase), salt, rounds, data, expected) { Ok(()) } else { Err(Refusal::WrongPassphrase) }
}

fn is_right<D: Digest + EagerHash + BlockSizeUser>(
    password: &[u8],
    salt: &[u8],
    rounds: u64,
    data: &[u8],
    expected: &[u8],
) -> bool {
    let key = derive::<D>(Purpose::Mac, password, salt, rounds, <D as OutputSizeUser>::output_size());
    Hmac::<D>::new_from_slice(&key).is_ok_and(|mac| mac.chain_update(data).verify_slice(expected).is_ok())
}

fn open_safe(mut safe: Walk<'_>, passphrase: &str, budget: &mut Budget, opened: &mut Opened) -> Result<(), Refusal> {
    let kind = safe.take(OBJECT_IDENTIFIER).ok_or(Refusal::Damaged)?;
    let mut content = safe.enter(CONTEXT_0).ok_or(Refusal::Damaged)?;
    let decrypted;
    let bags = match kind {
        DATA => content.take(OCTET_STRING).ok_or(Refusal::Damaged)?,
        ENCRYPTED_DATA => {
            decrypted = decrypt_safe(content, passphrase, budget)?;
            &decrypted
        }
        _ => return Err(Refusal::Unknown),
    };
    let mut bags = Walk::inside(bags).ok_or(Refusal::WrongPassphrase)?;
    while let Some(bag) = bags.enter(SEQUENCE) {
        open_bag(bag, passphrase, budget, opened)?;
    }
    if bags.is_empty() { Ok(()) } else { Err(Refusal::Damaged) }
}

/// `EncryptedData ::= SEQUENCE { version, SEQUENCE { contentType, algorithm, [0] IMPLICIT OCTET STRING } }`
fn decrypt_safe(mut content: Walk<'_>, passphrase: &str, budget: &mut Budget) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut data = content.enter(SEQUENCE).ok_or(Refusal::Damaged)?;
    data.number().ok_or(Refusal::Damaged)?;
    let mut content = data.enter(SEQUENCE).ok_or(Refusal::Damaged)?;
    content.take(OBJECT_IDENTIFIER).ok_or(Refusal::Damaged)?;
    let algorithm = content.enter(SEQUENCE).ok_or(Refusal::Damaged)?;
    let bytes = content.take(CONTEXT_0_PRIMITIVE).ok_or(Refusal::Damaged)?;
    pbe::decrypt(algorithm, bytes, passphrase, budget)
}

/// `SafeBag ::= SEQUENCE { bagId, bagValue [0] EXPLICIT, bagAttributes SET OPTIONAL }`
fn open_bag(mut bag: Walk<'_>, passphrase: &str, budget: &mut Budget, opened: &mut Opened) -> Result<(), Refusal> {
    let kind = bag.take(OBJECT_IDENTIFIER).ok_or(Refusal::Damaged)?;
    let value = bag.take(CONTEXT_0).ok_or(Refusal::Damaged)?;
    match kind.strip_prefix(BAG) {
        Some([1]) => opened.keys.push(Key::from_der(value).ok_or(Refusal::Damaged)?),
        Some([2]) => opened.keys.push(super::pkcs8(value, passphrase, budget)?),
        Some([3]) => opened.certificates.extend(certificate(value)),
        _ => {}
    }
    Ok(())
}

/// `CertBag ::= SEQUENCE { certId, certValue [0] EXPLICIT OCTET STRING }`; certificates of other kinds are none to us.
fn certificate(bag: &[u8]) -> Option<CertificateDer<'static>> {
    let mut walk = Walk::inside(bag)?;
    walk.take(OBJECT_IDENTIFIER).filter(|kind| *kind == X509_CERTIFICATE)?;
    walk.enter(CONTEXT_0)?.take(OCTET_STRING).map(|der| CertificateDer::from(der.to_vec()))
}

/// The purpose of derived bytes (RFC 7292 appendix B.3).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Key = 1,
    InitialValue = 2,
    Mac = 3,
}

/// A passphrase in the encoding of PKCS#12: UTF-16, the high byte first, with a zero at its end.
pub(super) fn password(passphrase: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * passphrase.len() + 2));
    for unit in passphrase.encode_utf16().chain([0]) {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes
}

/// RFC 7292 appendix B.2.
pub(super) fn derive<D: Digest + BlockSizeUser>(
    purpose: Purpose,
    password: &[u8],
    salt: &[u8],
    rounds: u64,
    size: usize,
) -> Zeroizing<Vec<u8>> {
    let block = <D as BlockSizeUser>::block_size();
    let mut input = Zeroizing::new(Vec::with_capacity(filled(salt, block) + filled(password, block)));
    for part in [salt, password] {
        input.extend(part.iter().cycle().take(filled(part, block)));
    }
    let mut derived = Zeroizing::new(Vec::with_capacity(size + <D as OutputSizeUser>::output_size()));
    loop {
        let mut hash = D::new().chain_update(vec![purpose as u8; block]).chain_update(&*input).finalize();
        for _ in 1..rounds {
            hash = D::digest(&hash);
        }
        derived.extend_from_slice(&hash);
        if derived.len() >= size {
            derived.truncate(size);
            return derived;
        }
        input.chunks_exact_mut(block).for_each(|part| add_and_one(part, &hash));
    }
}

/// The length of something that is repeated until it fills blocks.
fn filled(part: &[u8], block: usize) -> usize {
    part.len().div_ceil(block) * block
}

/// Adds the hash, repeated over the whole length, and one.
fn add_and_one(number: &mut [u8], hash: &[u8]) {
    let mut carry = 1;
    for at in (0..number.len()).rev() {
        let sum = u16::from(number[at]) + u16::from(hash[at % hash.len()]) + carry;
        number[at] = sum.to_be_bytes()[1];
        carry = sum >> 8;
    }
}
