//! The signing key of the installation: Ed25519 (RFC 8032), generated at its first use and kept in the keyring.
//!
//! Every program that can read the keyring can sign with it.

use std::fmt;

use ring::{
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use sha2::{Digest, Sha256};

use crate::vault::{Secret, SecretKind, Vault, VaultError};

/// The owner of the installation's own secrets.
pub const INSTALLATION: &str = "installation";

/// Bytes of a public key.
const PUBLIC: usize = 32;
/// Bytes of a fingerprint: enough that no other key with the same one can be found.
const FINGERPRINT: usize = 16;

/// The key with which this installation signs.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The installation's key; generates one if there is none. Blocks, as the vault does.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn open_or_create(vault: &Vault) -> Result<SigningKey, VaultError> {
        if let Some(key) = SigningKey::open(vault)? {
            return Ok(key);
        }
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        let made =
            made.map_err(|_| VaultError::Other("the system gave no random bytes for a signing key".to_owned()))?;
        let secret = Secret::new(made.as_ref().to_vec());
        vault.put(INSTALLATION, SecretKind::SigningKey, &secret)?;
        SigningKey::read(&secret)
    }

    /// The installation's key, if it has one. Blocks, as the vault does.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn open(vault: &Vault) -> Result<Option<SigningKey>, VaultError> {
        vault.get(INSTALLATION, SecretKind::SigningKey)?.as_ref().map(SigningKey::read).transpose()
    }

    /// The public key, which verifies the signatures.
    ///
    /// # Panics
    /// Never: every Ed25519 public key has 32 bytes.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; PUBLIC];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }

    /// A signature, 64 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }

    fn read(secret: &Secret) -> Result<SigningKey, VaultError> {
        let damaged = |_| VaultError::Damaged {
            kind: SecretKind::SigningKey.word(),
            what: "it is not an Ed25519 key".to_owned(),
        };
        Ed25519KeyPair::from_pkcs8(secret.expose()).map(SigningKey).map_err(damaged)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The public part of a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; PUBLIC]);

impl PublicKey {
    /// Creates it from its 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<PublicKey> {
        bytes.try_into().ok().map(PublicKey)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the owner of the key signed exactly this.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }

    /// The fingerprint that people compare: the first 16 bytes of its SHA-256 as hexadecimal digits, in groups of four.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0);
        let pairs = digest[..FINGERPRINT].chunks(2).map(|pair| format!("{:02x}{:02x}", pair[0], pair[1]));
        pairs.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
mod tests {
    use super::{INSTALLATION, PublicKey, SigningKey};
    use crate::vault::{Secret, SecretKind, Vault, VaultError};

    #[test]
    fn a_key_is_made_once_and_signs() {
        let vault = Vault::in_memory();
        assert!(SigningKey::open(&vault).unwrap().is_none());
        let key = SigningKey::open_or_create(&vault).unwrap();
        let again = SigningKey::open_or_create(&vault).unwrap();
        assert_eq!(key.public(), again.public());
        let signature = key.sign(b"led on");
        let public = PublicKey::from_bytes(again.public().as_bytes()).unwrap();
        assert!(public.verifies(b"led on", &signature));
        assert!(!public.verifies(b"led off", &signature));
        assert!(!public.verifies(b"led on", &signature[1..]));
        let other = SigningKey::open_or_create(&Vault::in_memory()).unwrap().public();
        assert!(!other.verifies(b"led on", &signature));
        assert_ne!(other.fingerprint(), public.fingerprint());
        assert_eq!(public.fingerprint().split(' ').map(str::len).collect::<Vec<_>>(), [4; 8]);
    }

    #[test]
    fn only_keys_are_replaced() {
        let vault = Vault::in_memory();
        vault.put(INSTALLATION, SecretKind::SigningKey, &Secret::new(b"not a key".to_vec())).unwrap();
        assert!(matches!(SigningKey::open_or_create(&vault), Err(VaultError::Damaged { .. })));
    }
}
