//! The configuration of rustls.

use std::sync::Arc;

use rustls::{ClientConfig, Error, crypto::CryptoProvider};

use super::{CertificateError, Credentials, ShownCertificates, trust::verifier};
use crate::Trust;

/// A configuration for a connection, and a witness of what the server shows in its handshakes. Build one and share it:
/// building costs a millisecond, and sessions are resumed only within one. A connection that is tried by itself gets
/// one of its own, so that its witness sees that one server.
///
/// # Errors
/// [`CertificateError::Unusable`], and what is missing for this kind of trust.
pub fn client_config(
    credentials: &Credentials,
    trust: Trust,
    alpn: &[Vec<u8>],
) -> Result<(Arc<ClientConfig>, ShownCertificates), CertificateError> {
    let unusable = |error: Error| CertificateError::Unusable(error.to_string());
    let (verifier, witness) = verifier(credentials, trust)?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        // Called dangerous, because a verifier could accept anything; ours are rustls' own, or stricter.
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &credentials.key {
        Some(key) => builder.with_client_auth_cert(credentials.chain.clone(), key.0.clone_key()).map_err(unusable)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.to_vec();
    Ok((Arc::new(config), witness))
}

/// Named here, because a process-wide default would depend on what else is linked in.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
