//! The broker's endpoint: URL, TLS and topics.

use std::{fs, io, path::PathBuf, sync::Arc};

use rumqttc_v5::{TlsConfiguration, Transport};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use url::Url;
use wilco_dialect::Topics;

/// A broker and how all devices of a program connect to it.
#[derive(Clone)]
pub struct Endpoint {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The topics of the fleet.
    pub topics: Topics,
    pub(crate) transport: Transport,
}

/// The PEM files for `mqtts://`.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// The trusted certificates; if not given, the platform's roots.
    pub ca: Option<PathBuf>,
    /// The device's certificate, and the chain above it.
    pub cert: Option<PathBuf>,
    /// The certificate's private key.
    pub key: Option<PathBuf>,
}

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("'{0}' is not a URL such as mqtt://localhost:1883 or mqtts://broker.example:8883")]
    Url(String),
    /// A URL with another scheme.
    #[error("'{0}://' is not supported: use mqtt:// or mqtts://")]
    Scheme(String),
    /// A certificate without a key, or a key without a certificate.
    #[error("a client certificate needs its private key, and a key its certificate")]
    HalfIdentity,
    /// TLS files for a connection without TLS.
    #[error("certificates are only used with mqtts://")]
    Unused,
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file does not contain what it should.
    #[error("{path} has no usable {what} in PEM form")]
    Pem {
        /// The path of the file.
        path: PathBuf,
        /// The missing item.
        what: &'static str,
    },
    /// The certificate and key do not match.
    #[error("the TLS files cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl Endpoint {
    /// Parses a URL and reads the files that belong to it.
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub fn new(url: &str, files: &TlsFiles, topics: Topics) -> Result<Endpoint, EndpointError> {
        let parsed = Url::parse(url).map_err(|_| EndpointError::Url(url.to_owned()))?;
        let host = parsed.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| EndpointError::Url(url.to_owned()))?;
        // An IPv6 address stands in brackets in a URL, and without them everywhere else.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let (transport, usual_port) = match parsed.scheme() {
            "mqtt" if files.ca.is_some() || files.cert.is_some() || files.key.is_some() => {
                return Err(EndpointError::Unused);
            }
            "mqtt" => (Transport::tcp(), 1883),
            "mqtts" => {
                let config = TlsConfiguration::Rustls(Arc::new(tls(files)?));
                (Transport::tls_with_config(config), 8883)
            }
            other => return Err(EndpointError::Scheme(other.to_owned())),
        };
        Ok(Endpoint { host, port: parsed.port().unwrap_or(usual_port), topics, transport })
    }
}

fn tls(files: &TlsFiles) -> Result<ClientConfig, EndpointError> {
    // Named here, because a process-wide default depends on what else is built into the program.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(files)?);
    match (&files.cert, &files.key) {
        (Some(cert), Some(key)) => Ok(builder.with_client_auth_cert(certificates(cert)?, private_key(key)?)?),
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(EndpointError::HalfIdentity),
    }
}

fn roots(files: &TlsFiles) -> Result<RootCertStore, EndpointError> {
    let mut roots = RootCertStore::empty();
    match &files.ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, EndpointError> {
    let missing = || EndpointError::Pem { path: path.clone(), what: "certificate" };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    certificates.ok().filter(|certificates| !certificates.is_empty()).ok_or_else(missing)
}

fn private_key(path: &PathBuf) -> Result<PrivateKeyDer<'static>, EndpointError> {
    let missing = |_| EndpointError::Pem { path: path.clone(), what: "private key" };
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(missing)
}

fn read(path: &PathBuf) -> Result<Vec<u8>, EndpointError> {
    fs::read(path).map_err(|source| EndpointError::File { path: path.clone(), source })
}

#[cfg(test)]
mod tests {
    use wilco_dialect::Topics;

    use super::{Endpoint, TlsFiles};

    #[test]
    fn a_url_names_the_broker() {
        let check = |url: &str, expected: Result<(&str, u16), &str>| {
            let endpoint = Endpoint::new(url, &TlsFiles::default(), Topics::default());
            match (endpoint, expected) {
                (Ok(endpoint), Ok(expected)) => assert_eq!((endpoint.host.as_str(), endpoint.port), expected, "{url}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (Ok(_), _) => panic!("{url} should be refused"),
                (Err(error), Ok(_)) => panic!("{url}: {error}"),
            }
        };
        check("mqtt://localhost:1884", Ok(("localhost", 1884)));
        check("mqtt://10.0.0.1", Ok(("10.0.0.1", 1883)));
        check("mqtt://[::1]:1883", Ok(("::1", 1883)));
        check("mqtts://broker.example", Ok(("broker.example", 8883)));
        check("http://localhost", Err("'http://'"));
        check("localhost:1883", Err("is not a URL"));
        check("here", Err("'here' is not a URL"));
        check("mqtt://", Err("is not a URL"));
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let text = directory.path().join("text.pem");
        std::fs::write(&text, "hello").expect("written");
        let check = |url: &str, files: TlsFiles, part: &str| {
            let Err(error) = Endpoint::new(url, &files, Topics::default()) else { panic!("{part}") };
            assert!(error.to_string().contains(part), "{error}");
        };
        let none = TlsFiles::default();
        let missing = directory.path().join("missing.pem");
        check("mqtts://a", TlsFiles { ca: Some(missing), ..none.clone() }, "missing.pem cannot be read");
        check("mqtts://a", TlsFiles { ca: Some(text.clone()), ..none.clone() }, "no usable certificate");
        check("mqtts://a", TlsFiles { cert: Some(text.clone()), ..none.clone() }, "needs its private key");
        check("mqtt://a", TlsFiles { ca: Some(text), ..none }, "only used with mqtts://");
    }
}
