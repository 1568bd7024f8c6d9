//! What rustls needs.

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, Error, InconsistentKeys, RootCertStore, crypto::CryptoProvider, sign::CertifiedKey};
use rustls_pki_types::CertificateDer;

use super::{CertificateError, Credentials, Key};

/// A configuration for a connection. Build one and share it: building costs a millisecond, and sessions are resumed
/// only within one.
///
/// # Errors
/// [`CertificateError::Unusable`] and [`CertificateError::NoRoots`].
pub fn client_config(credentials: &Credentials, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, CertificateError> {
    let unusable = |error: Error| CertificateError::Unusable(error.to_string());
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots(credentials)?);
    let mut config = match &credentials.key {
        Some(key) => builder.with_client_auth_cert(credentials.chain.clone(), key.0.clone_key()).map_err(unusable)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

/// Whether the key is the certificate's, and whether rustls can use it at all.
pub(super) fn check_key(
    certificate: &Path,
    chain: &[CertificateDer<'static>],
    key_path: &Path,
    key: &Key,
) -> Result<(), CertificateError> {
    let unusable = |_| CertificateError::UnusableKey { path: key_path.to_owned() };
    let signing = provider().key_provider.load_private_key(key.0.clone_key()).map_err(unusable)?;
    match CertifiedKey::new(chain.to_vec(), signing).keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(()),
        Err(Error::InconsistentKeys(_)) => {
            Err(CertificateError::KeyMismatch { key: key_path.to_owned(), certificate: certificate.to_owned() })
        }
        Err(error) => Err(CertificateError::Damaged { path: certificate.to_owned(), what: error.to_string() }),
    }
}

/// Named here, because a process-wide default would depend on what else is linked in.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(credentials: &Credentials) -> Result<RootCertStore, CertificateError> {
    let mut roots = RootCertStore::empty();
    if !credentials.authorities.is_empty() {
        for authority in &credentials.authorities {
            roots.add(authority.clone()).map_err(|error| CertificateError::Unusable(error.to_string()))?;
        }
        return Ok(roots);
    }
    let native = rustls_native_certs::load_native_certs();
    // Some of what platforms have cannot be read by rustls; the others serve all the same.
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        let why = native.errors.first().map_or_else(|| "none was found".to_owned(), ToString::to_string);
        return Err(CertificateError::NoRoots(why));
    }
    Ok(roots)
}
