//! All secrets of one connection. They are stored and replaced together, so that a new certificate is never paired with
//! the old key.

use wilco_connection::Secrets;

use crate::{
    tls::Credentials,
    vault::{Secret, SecretKind, Vault, VaultError},
};

/// The secrets of a connection in the keyring.
#[derive(Default, Clone)]
pub struct Bundle(Vec<(SecretKind, Secret)>);

/// The kinds by the numbers under which they are stored.
const KINDS: [(u8, SecretKind); 8] = [
    (1, SecretKind::Password),
    (2, SecretKind::PrivateKey),
    (3, SecretKind::CertificateChain),
    (4, SecretKind::AuthorityCertificates),
    (5, SecretKind::ServerCertificate),
    (6, SecretKind::ProxyPassword),
    (7, SecretKind::AddressQuery),
    (8, SecretKind::DevicePasswords),
];

impl Bundle {
    /// The secret of this kind.
    #[must_use]
    pub fn get(&self, kind: SecretKind) -> Option<&Secret> {
        self.0.iter().find(|(of, _)| *of == kind).map(|(_, secret)| secret)
    }

    /// Sets a secret, replacing the one of the same kind.
    pub fn set(&mut self, kind: SecretKind, secret: Option<Secret>) {
        self.0.retain(|(of, _)| *of != kind);
        self.0.extend(secret.map(|secret| (kind, secret)));
    }

    /// Replaces the stored credentials with the given ones; other kinds stay.
    pub fn bring(&mut self, credentials: &Credentials) {
        for (kind, secret) in credentials.to_secrets() {
            self.set(kind, Some(secret));
        }
    }

    /// Removes certificates and keys; passwords stay.
    pub fn forget_certificates(&mut self) {
        let stays = |kind| {
            matches!(
                kind,
                SecretKind::Password
                    | SecretKind::ProxyPassword
                    | SecretKind::AddressQuery
                    | SecretKind::DevicePasswords
            )
        };
        self.0.retain(|(kind, _)| stays(*kind));
    }

    /// The certificates and the key in the bundle.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] where they cannot be read.
    pub fn credentials(&self) -> Result<Credentials, VaultError> {
        Credentials::from_secrets(|kind| Ok(self.get(kind).cloned()))
    }

    /// Whether the bundle is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The kinds of secrets in the bundle.
    #[must_use]
    pub fn has(&self) -> Secrets {
        let has = |kind| self.get(kind).is_some();
        Secrets {
            password: has(SecretKind::Password),
            certificate: has(SecretKind::CertificateChain) && has(SecretKind::PrivateKey),
            authorities: has(SecretKind::AuthorityCertificates),
            server: has(SecretKind::ServerCertificate),
            proxy_password: has(SecretKind::ProxyPassword),
            device_passwords: has(SecretKind::DevicePasswords),
        }
    }

    /// Reads the secrets of a connection from the keyring. Blocks.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn fetch(vault: &Vault, owner: &str) -> Result<Bundle, VaultError> {
        let Some(secret) = vault.get(owner, SecretKind::Bundle)? else { return Ok(Bundle::default()) };
        Bundle::read(&secret).ok_or_else(|| VaultError::Damaged {
            kind: SecretKind::Bundle.word(),
            what: "it cannot be read".to_owned(),
        })
    }

    /// Stores all secrets in the keyring, replacing the stored ones. Blocks.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub fn keep(&self, vault: &Vault, owner: &str, in_memory: bool) -> Result<(), VaultError> {
        let written = self.write();
        if in_memory {
            vault.hold_in_memory(owner, SecretKind::Bundle, written);
            return Ok(());
        }
        if self.0.is_empty() {
            return vault.remove_all(owner);
        }
        vault.put(owner, SecretKind::Bundle, &written)
    }

    /// Kind, length and bytes of each.
    #[must_use]
    pub fn write(&self) -> Secret {
        let size = self.0.iter().map(|(_, secret)| 5 + secret.expose().len()).sum();
        // Large enough from the start: a vector that grows leaves copies behind.
        let mut bytes = Vec::with_capacity(size);
        for (number, kind) in KINDS {
            let Some(secret) = self.get(kind).map(Secret::expose) else { continue };
            bytes.push(number);
            bytes.extend_from_slice(&u32::try_from(secret.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(secret);
        }
        Secret::new(bytes)
    }

    /// `None` for what [`Bundle::write`] has not written.
    #[must_use]
    pub fn read(secret: &Secret) -> Option<Bundle> {
        let mut bundle = Bundle::default();
        let mut bytes = secret.expose();
        while let Some((number, rest)) = bytes.split_first() {
            let (_, kind) = KINDS.into_iter().find(|(known, _)| known == number)?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let (secret, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
            bundle.set(kind, Some(Secret::new(secret.to_vec())));
            bytes = rest;
        }
        Some(bundle)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use super::Bundle;
    use crate::vault::{Secret, SecretKind, Vault};

    fn exposed(bundle: &Bundle, kind: SecretKind) -> Option<Vec<u8>> {
        bundle.get(kind).map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn secrets_are_kept_and_replaced_together() {
        let vault = Vault::in_memory();
        let mut bundle = Bundle::fetch(&vault, "bench").unwrap();
        assert_eq!(bundle.has(), wilco_connection::Secrets::default());
        bundle.set(SecretKind::Password, Some(Secret::from("pässword".to_owned())));
        bundle.set(SecretKind::ServerCertificate, Some(Secret::new(vec![7; 9_000])));
        bundle.keep(&vault, "bench", false).unwrap();
        bundle = Bundle::fetch(&vault, "bench").unwrap();
        assert_eq!(exposed(&bundle, SecretKind::Password).unwrap(), "pässword".as_bytes());
        assert_eq!(exposed(&bundle, SecretKind::ServerCertificate).unwrap(), [7; 9_000]);
        assert!(bundle.has().server && bundle.has().password && !bundle.has().certificate);
        bundle.forget_certificates();
        bundle.keep(&vault, "bench", false).unwrap();
        bundle = Bundle::fetch(&vault, "bench").unwrap();
        assert_eq!(exposed(&bundle, SecretKind::ServerCertificate), None);
        bundle.set(SecretKind::Password, None);
        bundle.keep(&vault, "bench", false).unwrap();
        assert!(vault.get("bench", SecretKind::Bundle).unwrap().is_none(), "nothing is kept of nothing");
    }

    #[test]
    fn a_bundle_that_makes_no_sense_is_told_from_none() {
        for damaged in [&b"\x09\0\0\0\0"[..], b"\x01\0\0", b"\x01\0\0\0\x05abc"] {
            let vault = Vault::in_memory();
            vault.put("bench", SecretKind::Bundle, &Secret::new(damaged.to_vec())).unwrap();
            assert!(Bundle::fetch(&vault, "bench").is_err());
        }
    }
}
