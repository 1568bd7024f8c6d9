//! How the bare client and the echo device connect: like Wilco's engine, without the store and the acknowledgements.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rumqttc_v5::{AsyncClient, EventLoop, MqttOptions, NetworkOptions, TlsConfiguration, Transport};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Publishes without a PUBACK, at most: as Wilco has it.
const IN_FLIGHT: u16 = 500;

/// The PEM files of mutual TLS.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    /// The files as words of a command line; none for a connection without TLS.
    pub(crate) fn of(words: &[&str]) -> Result<Option<Self>> {
        match words {
            [] => Ok(None),
            [authority, certificate, key] => {
                Ok(Some(Self { authority: authority.into(), certificate: certificate.into(), key: key.into() }))
            }
            _ => bail!("TLS needs three files: authority, certificate and key."),
        }
    }

    /// The same words.
    pub(crate) fn words(&self) -> [&Path; 3] {
        [&self.authority, &self.certificate, &self.key]
    }
}

/// A client for `mqtt://localhost:1883` and the like; with files, over mutual TLS.
pub(crate) fn open(id: &str, url: &str, files: Option<&Files>) -> Result<(AsyncClient, EventLoop)> {
    let (_, address) = url.split_once("://").with_context(|| format!("{url} is not the address of a broker"))?;
    let (host, port) = address.rsplit_once(':').with_context(|| format!("{url} has no port"))?;
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    let mut options = MqttOptions::new(id, (host.to_owned(), port.parse::<u16>()?));
    options
        .set_network_options(network)
        .set_keep_alive(30)
        .set_clean_start(true)
        .set_max_packet_size(Some(1 << 20))
        .set_max_request_batch(100)
        .set_outgoing_inflight_upper_limit(IN_FLIGHT);
    if let Some(files) = files {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls(files)?))));
    }
    Ok(AsyncClient::builder(options).capacity(100_000).build())
}

fn tls(files: &Files) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.authority)?)?;
    let chain = CertificateDer::pem_file_iter(&files.certificate)?.collect::<Result<Vec<_>, _>>()?;
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(&files.key)?)?)
}
