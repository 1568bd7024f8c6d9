//! The stored form of credentials in the vault: lists of DER values, each prefixed with its length.

use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::{Credentials, Key};
use crate::vault::{Secret, SecretKind, VaultError};

/// The first byte of a stored key is its form.
const PKCS1: u8 = 1;
const SEC1: u8 = 2;
const PKCS8: u8 = 3;

impl Credentials {
    /// The entries for the vault.
    #[must_use]
    pub fn to_secrets(&self) -> Vec<(SecretKind, Secret)> {
        let mut secrets = Vec::new();
        if !self.authorities.is_empty() {
            secrets.push((SecretKind::AuthorityCertificates, list(&self.authorities)));
        }
        if !self.chain.is_empty() {
            secrets.push((SecretKind::CertificateChain, list(&self.chain)));
        }
        if let Some(server) = &self.server {
            secrets.push((SecretKind::ServerCertificate, list(std::slice::from_ref(server))));
        }
        if let Some(key) = &self.key {
            let form = match key.0 {
                PrivateKeyDer::Pkcs1(_) => PKCS1,
                PrivateKeyDer::Sec1(_) => SEC1,
                _ => PKCS8,
            };
            let der = key.0.secret_der();
            let mut bytes = Vec::with_capacity(1 + der.len());
            bytes.push(form);
            bytes.extend_from_slice(der);
            secrets.push((SecretKind::PrivateKey, Secret::new(bytes)));
        }
        secrets
    }

    /// Reads the vault's entries, one kind at a time.
    ///
    /// # Errors
    /// What `get` fails with, and [`VaultError::Damaged`].
    pub fn from_secrets(
        mut get: impl FnMut(SecretKind) -> Result<Option<Secret>, VaultError>,
    ) -> Result<Credentials, VaultError> {
        let mut certificates = |kind: SecretKind| match get(kind)? {
            Some(secret) => read_list(secret.expose()).ok_or_else(|| damaged(kind)),
            None => Ok(Vec::new()),
        };
        let authorities = certificates(SecretKind::AuthorityCertificates)?;
        let chain = certificates(SecretKind::CertificateChain)?;
        let server = certificates(SecretKind::ServerCertificate)?.into_iter().next();
        let key = match get(SecretKind::PrivateKey)? {
            Some(secret) => Some(Key(read_key(secret.expose()).ok_or_else(|| damaged(SecretKind::PrivateKey))?)),
            None => None,
        };
        if key.is_some() == chain.is_empty() {
            let missing = if chain.is_empty() { SecretKind::CertificateChain } else { SecretKind::PrivateKey };
            return Err(VaultError::Damaged { kind: missing.word(), what: "it is missing".to_owned() });
        }
        Ok(Credentials { authorities, chain, key, server })
    }
}

fn damaged(kind: SecretKind) -> VaultError {
    VaultError::Damaged { kind: kind.word(), what: "it cannot be read".to_owned() }
}

fn list(certificates: &[CertificateDer<'_>]) -> Secret {
    let size = certificates.iter().map(|certificate| 4 + certificate.len()).sum();
    let mut bytes = Vec::with_capacity(size);
    for certificate in certificates {
        // A file has ten megabytes at most.
        let length = u32::try_from(certificate.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(certificate);
    }
    Secret::new(bytes)
}

fn read_list(mut bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let mut certificates = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (certificate, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        certificates.push(CertificateDer::from(certificate.to_vec()));
        bytes = rest;
    }
    Some(certificates)
}

fn read_key(bytes: &[u8]) -> Option<PrivateKeyDer<'static>> {
    let (form, der) = bytes.split_first()?;
    let der = der.to_vec();
    Some(match *form {
        PKCS1 => PrivatePkcs1KeyDer::from(der).into(),
        SEC1 => PrivateSec1KeyDer::from(der).into(),
        PKCS8 => PrivatePkcs8KeyDer::from(der).into(),
        _ => return None,
    })
}
