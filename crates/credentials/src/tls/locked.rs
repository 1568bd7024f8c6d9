//! Encrypted keys and containers, and their decryption with a passphrase.
//!
//! Files declare themselves how much work a passphrase takes (iterations), so this is checked before any of it is done.

mod pbe;
mod pkcs12;
mod traditional;

use rustls_pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::{
    Key,
    asn1::{OCTET_STRING, SEQUENCE, Walk},
};
pub(super) use pkcs12::resembles as is_pkcs12;
pub(super) use traditional::Traditional;

/// Something locked. It holds only what the file held.
pub(super) enum Locked {
    /// An encrypted PKCS#8 key (RFC 5958 section 3), DER.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// An encrypted PEM key as OpenSSL wrote them before PKCS#8.
    Traditional(Traditional),
    /// A PKCS#12 file (RFC 7292).
    Pkcs12(Zeroizing<Vec<u8>>),
}

/// The content.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) keys: Vec<Key>,
}

/// Why something was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The passphrase is wrong.
    WrongPassphrase,
    /// It would take more work or memory than is allowed.
    TooCostly,
    /// An unsupported kind of encryption.
    Unknown,
    /// The content is damaged.
    Damaged,
}

/// Work that may still be done on passphrases, in rounds of a hash.
pub(super) struct Budget(u64);

/// Some seconds of work. OpenSSL writes 2,048 rounds, Java 10,000, password stores up to a million. Mutated files with
/// a million would keep a fuzzer from trying others.
const ROUNDS: u64 = if cfg!(fuzzing) { 2_000 } else { 10_000_000 };
/// OpenSSL's scrypt takes 16 MiB.
const MEMORY: u64 = 64 * 1024 * 1024;

impl Budget {
    pub(super) fn new() -> Budget {
        Budget(ROUNDS)
    }

    fn spend(&mut self, rounds: u64) -> Result<(), Refusal> {
        self.0 = self.0.checked_sub(rounds).ok_or(Refusal::TooCostly)?;
        Ok(())
    }
}

impl Locked {
    /// Tries a passphrase.
    pub(super) fn open(&self, passphrase: &str, budget: &mut Budget) -> Result<Opened, Refusal> {
        let key = match self {
            Locked::Pkcs12(bytes) => return pkcs12::open(bytes, passphrase, budget),
            Locked::Pkcs8(bytes) => pkcs8(bytes, passphrase, budget)?,
            Locked::Traditional(key) => key.open(passphrase)?,
        };
        Ok(Opened { certificates: Vec::new(), keys: vec![key] })
    }

    /// The name while it is locked.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Locked::Pkcs8(_) | Locked::Traditional(_) => "Private key",
            Locked::Pkcs12(_) => "PKCS#12 file",
        }
    }
}

/// `EncryptedPrivateKeyInfo ::= SEQUENCE { encryptionAlgorithm AlgorithmIdentifier, encryptedData OCTET STRING }`
fn pkcs8(bytes: &[u8], passphrase: &str, budget: &mut Budget) -> Result<Key, Refusal> {
    let mut walk = Walk::inside(bytes).ok_or(Refusal::Damaged)?;
    let algorithm = walk.enter(SEQUENCE).ok_or(Refusal::Damaged)?;
    let data = walk.take(OCTET_STRING).ok_or(Refusal::Damaged)?;
    let plain = pbe::decrypt(algorithm, data, passphrase, budget)?;
    // One wrong passphrase of 256 leaves something that is padded rightly by chance.
    Key::from_der(&plain).ok_or(Refusal::WrongPassphrase)
}
