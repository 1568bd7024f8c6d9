//! From PEM files to checked credentials, to what rustls needs, and from its refusals to sentences.
//!
//! Files are read once: what is kept are DER bytes in the vault. Nothing here opens a socket, and nothing is ever
//! accepted that rustls would not accept: there is no way to switch verification off.

mod config;
mod error;
mod explain;
mod facts;
mod pem;
mod secrets;
#[cfg(test)]
mod tests;

pub use config::client_config;
pub use error::CertificateError;
pub use explain::{Explanation, explain};
pub use facts::CertificateFacts;

use std::path::Path;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use wilco_ledger::Timestamp;

use crate::api::TlsFiles;
use error::Role;
use pem::Contents;

/// What a connection proves itself with, and whom it trusts.
#[derive(Default)]
pub struct Credentials {
    /// The authorities that the server's certificate may be signed by; the platform's where there are none.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The client certificate and its chain, the certificate itself first; none without mutual TLS.
    pub chain: Vec<CertificateDer<'static>>,
    /// The client certificate's private key.
    key: Option<Key>,
}

/// A private key. Wiped when it is dropped, and never printed.
struct Key(PrivateKeyDer<'static>);

impl Drop for Key {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// Reads the files of a connection and checks what can be checked without its broker. Blocks.
///
/// # Errors
/// [`CertificateError`], one sentence for each thing that can be wrong.
pub fn read(files: &TlsFiles, now: Timestamp) -> Result<Credentials, CertificateError> {
    let authorities = match &files.ca {
        Some(path) => authorities(path, now)?,
        None => Vec::new(),
    };
    let (chain, key) = match (&files.certificate, &files.key) {
        (None, None) => (Vec::new(), None),
        (None, Some(key)) => return Err(CertificateError::KeyWithoutCertificate { key: key.clone() }),
        (Some(certificate), key) => {
            let (chain, key) = client(certificate, key.as_deref(), now)?;
            (chain, Some(key))
        }
    };
    Ok(Credentials { authorities, chain, key })
}

fn authorities(path: &Path, now: Timestamp) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let contents = pem::read(path, Role::Authorities)?;
    let mut last = None;
    for certificate in &contents.certificates {
        let facts = facts::check(path, certificate)?;
        // A bundle may hold old ones beside the one that is needed.
        match facts::check_time(path, &facts, now) {
            Ok(()) => return Ok(contents.certificates),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| contents.lacks_certificate(path, Role::Authorities)))
}

fn client(
    certificate: &Path,
    key: Option<&Path>,
    now: Timestamp,
) -> Result<(Vec<CertificateDer<'static>>, Key), CertificateError> {
    let contents = pem::read(certificate, Role::Certificate)?;
    let Some(first) = contents.certificates.first() else {
        return Err(contents.lacks_certificate(certificate, Role::Certificate));
    };
    let facts = facts::check(certificate, first)?;
    if facts.version < 3 {
        return Err(CertificateError::Version1 { path: certificate.to_owned(), version: facts.version });
    }
    facts::check_time(certificate, &facts, now)?;
    let Contents { certificates: chain, keys: own, .. } = contents;
    let (key_path, keys) = match key {
        Some(path) => {
            let contents = pem::read(path, Role::Key)?;
            if contents.keys.is_empty() {
                return Err(contents.lacks_key(path));
            }
            (path, contents.keys)
        }
        // The certificate's own file may hold it.
        None => (certificate, own),
    };
    let Some(key) = keys.into_iter().next() else {
        return Err(CertificateError::CertificateWithoutKey { certificate: certificate.to_owned() });
    };
    config::check_key(certificate, &chain, key_path, &key)?;
    Ok((chain, key))
}

impl Credentials {
    /// The client certificate for people; `None` without one.
    #[must_use]
    pub fn facts(&self) -> Option<CertificateFacts> {
        self.chain.first().and_then(|certificate| CertificateFacts::of(certificate).ok())
    }

    /// The authorities for people.
    #[must_use]
    pub fn authority_facts(&self) -> Vec<CertificateFacts> {
        self.authorities.iter().filter_map(|certificate| CertificateFacts::of(certificate).ok()).collect()
    }

    /// Whether there is a client certificate.
    #[must_use]
    pub fn is_mutual(&self) -> bool {
        !self.chain.is_empty()
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("authorities", &self.authorities.len())
            .field("chain", &self.chain.len())
            .finish_non_exhaustive()
    }
}
