//! Reads and checks certificate files, configures rustls with them, and explains failed handshakes.
//!
//! Files are read once; the vault keeps their DER bytes. Nothing here opens a socket or writes to disk, and there is no
//! way to switch verification off.

mod archive;
mod asn1;
mod config;
mod content;
mod error;
mod explain;
mod facts;
mod fault;
mod file;
mod key;
mod kit;
mod locked;
mod pem;
mod secrets;
#[cfg(test)]
mod tests;
mod trust;

pub use config::client_config;
pub use error::CertificateError;
pub use explain::{Explanation, explain};
pub use facts::{CertificateFacts, sha256};
pub use kit::{Kit, Source};
pub use trust::ShownCertificates;

use rustls_pki_types::CertificateDer;

use crate::Trust;
use key::Key;

/// The credentials of a connection, and the certificates that it trusts.
#[derive(Default)]
pub struct Credentials {
    /// The trusted CA certificates.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The client certificate and its chain, starting with the certificate itself; empty without mutual TLS.
    pub chain: Vec<CertificateDer<'static>>,
    /// The client certificate's private key.
    key: Option<Key>,
    /// The pinned server certificate.
    pub server: Option<CertificateDer<'static>>,
}

impl Credentials {
    /// Facts about the client certificate; `None` without one.
    #[must_use]
    pub fn facts(&self) -> Option<CertificateFacts> {
        self.chain.first().and_then(|certificate| CertificateFacts::of(certificate).ok())
    }

    /// Facts about the CA certificates.
    #[must_use]
    pub fn authority_facts(&self) -> Vec<CertificateFacts> {
        self.authorities.iter().filter_map(|certificate| CertificateFacts::of(certificate).ok()).collect()
    }

    /// Facts about the pinned certificate.
    #[must_use]
    pub fn server_facts(&self) -> Option<CertificateFacts> {
        self.server.as_ref().and_then(|certificate| CertificateFacts::of(certificate).ok())
    }

    /// The kind of trust: the pinned certificate, or else the CA certificates, or else the platform's roots.
    #[must_use]
    pub fn trust(&self) -> Trust {
        match (&self.server, &self.authorities[..]) {
            (Some(_), _) => Trust::Pinned,
            (None, []) => Trust::Platform,
            (None, _) => Trust::Authorities,
        }
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
            .field("server", &self.server.is_some())
            .finish_non_exhaustive()
    }
}
