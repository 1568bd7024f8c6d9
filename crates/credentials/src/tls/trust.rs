//! Verifies the server's certificate, and records the chain that the server sent.
//!
//! There is no verifier that accepts everything: a pinned certificate must match exactly, and the server must prove in every
//! handshake that it has the key.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use rustls::{
    CertificateError as Refused, DigitallySignedStruct, DistinguishedName, Error, OtherError, PeerMisbehaved,
    RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime, pem::PemObject,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{CertificateError, CertificateFacts, Credentials, asn1, config::provider, fault::Chain};
use crate::Trust;

/// The issuers of AWS's server certificates; not every system has them. From Amazon Trust Services' repository.
const AMAZON: &[u8] = include_bytes!("roots/amazon.pem");

/// Records the certificates that the server sends, even if they are refused.
#[derive(Debug, Clone, Default)]
pub struct ShownCertificates(Arc<Mutex<Option<Vec<CertificateDer<'static>>>>>);

impl ShownCertificates {
    /// The chain that the server sent in the latest handshake, its own certificate first; empty before that.
    #[must_use]
    pub fn presented(&self) -> Option<Vec<CertificateFacts>> {
        let seen = self.0.lock();
        seen.as_ref().map(|chain| chain.iter().filter_map(|der| CertificateFacts::of(der).ok()).collect())
    }

    /// The server's own certificate in the latest handshake.
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        self.0.lock().as_ref()?.first().cloned()
    }

    /// Forgets the recorded chain.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }

    fn see(&self, own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) {
        let chain = std::iter::once(own).chain(others).map(|der| der.clone().into_owned()).collect();
        *self.0.lock() = Some(chain);
    }
}

/// The server showed another certificate than the one that is trusted.
#[derive(Debug)]
pub(super) struct NotThePinnedOne;

impl fmt::Display for NotThePinnedOne {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the pinned certificate")
    }
}

impl std::error::Error for NotThePinnedOne {}

/// A verifier for this trust, which records the chain.
pub(super) fn verifier(
    credentials: &Credentials,
    trust: Trust,
) -> Result<(Arc<dyn ServerCertVerifier>, ShownCertificates), CertificateError> {
    let witness = ShownCertificates::default();
    let watched = |inner, trusted, authorities| Watched { inner, witness: witness.clone(), trusted, authorities };
    let watched = match trust {
        Trust::Platform => {
            let roots = platform()?;
            let trusted = roots.subjects();
            watched(chained(roots)?, trusted, Vec::new())
        }
        Trust::Authorities => {
            let roots = given(&credentials.authorities)?;
            let trusted = roots.subjects();
            watched(chained(roots)?, trusted, credentials.authorities.clone())
        }
        Trust::Pinned => watched(Arc::new(Pinned::new(credentials)?), Vec::new(), Vec::new()),
    };
    Ok((Arc::new(watched), witness))
}

fn chained(roots: RootCertStore) -> Result<Arc<dyn ServerCertVerifier>, CertificateError> {
    match WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build() {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(CertificateError::Unusable(error.to_string())),
    }
}

fn given(authorities: &[CertificateDer<'static>]) -> Result<RootCertStore, CertificateError> {
    if authorities.is_empty() {
        return Err(CertificateError::NoAuthorities);
    }
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority.clone()).map_err(|error| CertificateError::Unusable(error.to_string()))?;
    }
    Ok(roots)
}

fn platform() -> Result<RootCertStore, CertificateError> {
    let mut roots = RootCertStore::empty();
    // Some of what platforms have cannot be read by rustls; the others serve anyway.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(AMAZON).filter_map(Result::ok));
    if roots.is_empty() { Err(CertificateError::NoRoots) } else { Ok(roots) }
}

/// Passes everything on, remembers what was shown, and names the certificate at fault.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn ServerCertVerifier>,
    witness: ShownCertificates,
    /// The names of the authorities that are trusted.
    trusted: Vec<DistinguishedName>,
    /// Their certificates, where they were given.
    authorities: Vec<CertificateDer<'static>>,
}

impl Watched {
    fn chain(&self, own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Chain<'_> {
        Chain::of(own, others, &self.trusted, &self.authorities)
    }
}

impl ServerCertVerifier for Watched {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.witness.see(end_entity, intermediates);
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| self.chain(end_entity, intermediates).blame(error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss).map_err(|error| self.chain(cert, &[]).blame_key(error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss).map_err(|error| self.chain(cert, &[]).blame_key(error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}

/// Accepts one certificate, whatever its name, dates or version: the user who pinned it has identified the server.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    /// Its public key, DER. The key alone, because rustls reads no version 1 certificate.
    public_key: SubjectPublicKeyInfoDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    fn new(credentials: &Credentials) -> Result<Pinned, CertificateError> {
        let certificate = credentials.server.clone().ok_or(CertificateError::NoServerCertificate)?;
        let unusable = || CertificateError::Unusable("the server's certificate cannot be read".to_owned());
        let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|_| unusable())?;
        let public_key = SubjectPublicKeyInfoDer::from(parsed.public_key().raw.to_vec());
        Ok(Pinned { certificate, public_key, algorithms: provider().signature_verification_algorithms })
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.certificate {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(Refused::Other(OtherError(Arc::new(NotThePinnedOne)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (algorithm, bits) = parts(&self.public_key).ok_or(Error::InvalidCertificate(Refused::BadEncoding))?;
        let of_scheme = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == dss.scheme);
        // In TLS 1.2 a scheme does not say on which curve.
        let mut fitting = of_scheme.flat_map(|(_, all)| *all).filter(|one| one.public_key_alg_id() == algorithm);
        let Some(verify) = fitting.next() else {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        };
        match verify.verify_signature(bits, message, dss.signature()) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(_) => Err(Error::InvalidCertificate(Refused::BadSignature)),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        _: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature_with_raw_key(message, &self.public_key, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The algorithm and the bits of a public key.
fn parts(public_key: &[u8]) -> Option<(AlgorithmIdentifier, &[u8])> {
    let mut walk = asn1::Walk::inside(public_key)?;
    let algorithm = walk.take(asn1::SEQUENCE)?;
    let bits = walk.take(asn1::BIT_STRING)?.strip_prefix(&[0])?;
    // rustls compares it with constants of its own, so it needs one that is the same.
    let known = provider().signature_verification_algorithms.all.iter().map(|one| one.public_key_alg_id());
    known.into_iter().find(|known| known.as_ref() == algorithm).map(|known| (known, bits))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use super::{AMAZON, CertificateDer, CertificateFacts, PemObject, RootCertStore};

    #[test]
    fn amazons_roots_are_there_and_usable() {
        let roots: Vec<_> = CertificateDer::pem_slice_iter(AMAZON).map(Result::unwrap).collect();
        let names: Vec<_> = roots.iter().map(|root| CertificateFacts::of(root).unwrap().issuer_name).collect();
        assert_eq!(
            names,
            [
                "Amazon Root CA 1",
                "Amazon Root CA 2",
                "Amazon Root CA 3",
                "Amazon Root CA 4",
                "Starfield Services Root Certificate Authority - G2"
            ]
        );
        assert_eq!(RootCertStore::empty().add_parsable_certificates(roots), (5, 0));
    }
}
