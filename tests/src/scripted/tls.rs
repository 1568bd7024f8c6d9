//! TLS of a scripted broker, with any certificate, also invalid ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use crate::Identity;

/// How a scripted broker does TLS.
#[derive(Debug, Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    clients: Option<PathBuf>,
    alpn: Vec<Vec<u8>>,
}

impl Tls {
    /// With this certificate, and for any client.
    pub fn with(identity: &Identity) -> Tls {
        Tls { certificate: identity.certificate.clone(), key: identity.key.clone(), clients: None, alpn: Vec::new() }
    }

    /// Only for clients with a certificate of this authority. Others are refused with an alert.
    #[must_use]
    pub fn only_for_clients_of(self, authority: &Path) -> Tls {
        Tls { clients: Some(authority.to_owned()), ..self }
    }

    /// Speaks these protocols (ALPN). A client that wants others, or none of them, is refused only if it wants any.
    #[must_use]
    pub fn speaking(self, protocols: &[&str]) -> Tls {
        Tls { alpn: protocols.iter().map(|name| name.as_bytes().to_vec()).collect(), ..self }
    }

    pub(super) fn config(&self) -> Result<Arc<ServerConfig>> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).context("the broker's key")?;
        let key = provider.key_provider.load_private_key(key)?;
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(authority)? {
                    roots.add(certificate)?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::new(Always(Arc::new(CertifiedKey::new(chain, key)))));
        config.alpn_protocols.clone_from(&self.alpn);
        Ok(Arc::new(config))
    }
}

/// Shows the same certificate whatever is asked for. The library's own way refuses those that it cannot read itself.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)?.collect();
    certificates.with_context(|| format!("certificates in {}", path.display()))
}
