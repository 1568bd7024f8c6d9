//! Password-based encryption: PBES2 (RFC 8018), and the older schemes of PKCS#12 (RFC 7292 appendix C), which OpenSSL
//! also put around PKCS#8 keys.

use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit, block_padding::Pkcs7};
use der::Decode;
use pkcs5::pbes2::{Kdf, Parameters, ScryptParams};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::{
    Budget, MEMORY, Refusal,
    pkcs12::{Purpose, derive, password},
};
use crate::tls::asn1::{OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, Walk};

/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D];
/// 1.2.840.113549.1.12.1, followed by the number of the scheme.
const PKCS12_PBE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x01];

/// Decrypts with an `AlgorithmIdentifier`.
pub(super) fn decrypt(
    mut algorithm: Walk<'_>,
    data: &[u8],
    passphrase: &str,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let oid = algorithm.take(OBJECT_IDENTIFIER).ok_or(Refusal::Damaged)?;
    let parameters = algorithm.next().filter(|element| element.tag == SEQUENCE).ok_or(Refusal::Unknown)?;
    if oid == PBES2 {
        return pbes2(parameters.whole, data, passphrase, budget);
    }
    match oid.strip_prefix(PKCS12_PBE) {
        Some([which]) => pkcs12_pbe(*which, Walk::along(parameters.content), data, passphrase, budget),
        _ => Err(Refusal::Unknown),
    }
}

fn pbes2(parameters: &[u8], data: &[u8], passphrase: &str, budget: &mut Budget) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let parameters = Parameters::from_der(parameters).map_err(|_| Refusal::Unknown)?;
    match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => budget.spend(u64::from(pbkdf2.iteration_count))?,
        Kdf::Scrypt(scrypt) => budget.spend(scrypt_rounds(scrypt)?)?,
        _ => return Err(Refusal::Unknown),
    }
    let mut buffer = Zeroizing::new(data.to_vec());
    match parameters.decrypt_in_place(passphrase, &mut buffer) {
        Ok(plain) => {
            let length = plain.len();
            buffer.truncate(length);
            Ok(buffer)
        }
        Err(pkcs5::Error::DecryptFailed) => Err(Refusal::WrongPassphrase),
        Err(_) => Err(Refusal::Unknown),
    }
}

/// The cost of scrypt: a round mixes one block of the table, which is as much work as some rounds of a hash.
fn scrypt_rounds(scrypt: &ScryptParams) -> Result<u64, Refusal> {
    // `pkcs5` takes a logarithm of it.
    if !scrypt.cost_parameter.is_power_of_two() {
        return Err(Refusal::Damaged);
    }
    let blocks = scrypt.cost_parameter.checked_mul(u64::from(scrypt.block_size)).ok_or(Refusal::TooCostly)?;
    let memory = blocks.checked_mul(128).ok_or(Refusal::TooCostly)?;
    // Each of the parallel parts has a small table of its own, and they are worked on one after the other.
    let parallel = u64::from(scrypt.parallelization);
    if memory > MEMORY || u64::from(scrypt.block_size) * parallel * 128 > MEMORY {
        return Err(Refusal::TooCostly);
    }
    blocks.checked_mul(parallel).ok_or(Refusal::TooCostly)
}

/// `pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER }`
fn pkcs12_pbe(
    which: u8,
    mut parameters: Walk<'_>,
    data: &[u8],
    passphrase: &str,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let salt = parameters.take(OCTET_STRING).ok_or(Refusal::Damaged)?;
    let rounds = parameters.number().ok_or(Refusal::Damaged)?;
    let decrypt = match which {
        3 => old::<des::TdesEde3>,
        4 => old::<des::TdesEde2>,
        5 | 6 => old::<rc2::Rc2>,
        // RC4.
        _ => return Err(Refusal::Unknown),
    };
    let size = match which {
        3 => 24,
        6 => 5,
        _ => 16,
    };
    budget.spend(rounds.saturating_mul(3))?;
    decrypt(size, salt, rounds, data, passphrase)
}

/// The three ciphers have blocks of eight bytes.
fn old<C: BlockCipherDecrypt + KeyInit>(
    size: usize,
    salt: &[u8],
    rounds: u64,
    data: &[u8],
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let password = password(passphrase);
    let key = derive::<Sha1>(Purpose::Key, &password, salt, rounds, size);
    let initial = derive::<Sha1>(Purpose::InitialValue, &password, salt, rounds, 8);
    cbc_decrypt::<C>(&key, &initial, data)
}

pub(super) fn cbc_decrypt<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    initial: &[u8],
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let mut buffer = Zeroizing::new(data.to_vec());
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, initial).map_err(|_| Refusal::Damaged)?;
    let length = cipher.decrypt_padded::<Pkcs7>(&mut buffer).map_err(|_| Refusal::WrongPassphrase)?.len();
    buffer.truncate(length);
    Ok(buffer)
}
