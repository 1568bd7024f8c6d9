//! Keys as OpenSSL encrypted them before PKCS#8: PEM with the headers `Proc-Type: 4,ENCRYPTED` and `DEK-Info`.

use cbc::cipher::{BlockCipherDecrypt, KeyInit};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::{Refusal, pbe::cbc_decrypt};
use crate::tls::Key;

/// Such a key.
pub(in crate::tls) struct Traditional {
    cipher: Cipher,
    initial: Vec<u8>,
    data: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Des,
    TripleDes,
}

impl Traditional {
    /// From the value of the header `DEK-Info`, `AES-256-CBC,0123…`, and the bytes below it.
    pub(in crate::tls) fn new(dek: &str, data: Zeroizing<Vec<u8>>) -> Option<Traditional> {
        let (name, initial) = dek.split_once(',')?;
        let cipher = match name.trim() {
            "AES-128-CBC" => Cipher::Aes128,
            "AES-192-CBC" => Cipher::Aes192,
            "AES-256-CBC" => Cipher::Aes256,
            "DES-CBC" => Cipher::Des,
            "DES-EDE3-CBC" => Cipher::TripleDes,
            _ => return None,
        };
        let initial = unhex(initial.trim())?;
        (initial.len() == cipher.block()).then_some(Traditional { cipher, initial, data })
    }

    pub(super) fn open(&self, passphrase: &str) -> Result<Key, Refusal> {
        let plain = match self.cipher {
            Cipher::Aes128 => self.decrypt::<aes::Aes128Dec>(passphrase, 16),
            Cipher::Aes192 => self.decrypt::<aes::Aes192Dec>(passphrase, 24),
            Cipher::Aes256 => self.decrypt::<aes::Aes256Dec>(passphrase, 32),
            Cipher::Des => self.decrypt::<des::Des>(passphrase, 8),
            Cipher::TripleDes => self.decrypt::<des::TdesEde3>(passphrase, 24),
        }?;
        Key::from_der(&plain).ok_or(Refusal::WrongPassphrase)
    }

    fn decrypt<C: BlockCipherDecrypt + KeyInit>(
        &self,
        passphrase: &str,
        size: usize,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        cbc_decrypt::<C>(&stretched(passphrase, &self.initial[..8], size), &self.initial, &self.data)
    }
}

impl Cipher {
    fn block(self) -> usize {
        match self {
            Cipher::Des | Cipher::TripleDes => 8,
            _ => 16,
        }
    }
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn stretched(passphrase: &str, salt: &[u8], size: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(size + 16));
    while key.len() < size {
        let last = key.len().saturating_sub(16);
        let mut hash = Md5::new().chain_update(&key[last..]);
        hash.update(passphrase.as_bytes());
        hash.update(salt);
        key.extend_from_slice(&hash.finalize());
    }
    key.truncate(size);
    key
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    // More would be no initial value of any cipher.
    if text.len() > 32 || !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
