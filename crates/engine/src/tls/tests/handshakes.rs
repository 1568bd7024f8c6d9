//! Handshakes between our client and a server made to be refused, in memory.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};

use super::{Folder, NOW, Pair, accepted, authority, files, kit::kit, signed};
use crate::{
    api::{FileRole, Trust},
    tls::{CertificateError, Credentials, client_config, explain},
};

fn server(pair: &Pair, clients: Option<&str>) -> ServerConfig {
    server_speaking(rustls::ALL_VERSIONS, pair, clients)
}

fn server_speaking(versions: &[&'static SupportedProtocolVersion], pair: &Pair, clients: Option<&str>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).unwrap();
    let builder = match clients {
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    // A resolver takes any pair; the usual way refuses a version 1 certificate here already.
    let signing = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    let certified = Arc::new(rustls::sign::CertifiedKey::new(vec![certificate], signing));
    builder.with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
}

fn handshake(credentials: &Credentials, server: ServerConfig) -> Result<(), io::Error> {
    let (config, _) = client_config(credentials, credentials.trust(), &[]).unwrap();
    handshake_of(config, server)
}

/// What our side says of a handshake, the way an MQTT client would pass it on: inside an I/O error.
fn handshake_of(config: Arc<ClientConfig>, server: ServerConfig) -> Result<(), io::Error> {
    let name = ServerName::try_from("broker.example").unwrap();
    let mut client = ClientConnection::new(config, name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let into = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    for _ in 0..8 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire)?;
        }
        server.read_tls(&mut &*wire)?;
        // The server's own opinion reaches us as an alert.
        let _ = server.process_new_packets();
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire)?;
        }
        client.read_tls(&mut &*wire)?;
        client.process_new_packets().map_err(into)?;
    }
    Ok(())
}

fn check(handshake: Result<(), io::Error>, message: &str) {
    let explanation = explain(&handshake.unwrap_err()).unwrap();
    assert!(explanation.message.contains(message), "{explanation:?}");
    assert!(explanation.hint.is_some(), "{explanation:?}");
}

#[test]
fn refused_server_certificates_are_explained() {
    let (folder, ca) = (Folder::new(), authority("Bench CA"));
    let trusting = accepted(&files(Some(folder.file("ca.pem", ca.pem())), None, None));
    let dial = |pair: &Pair| handshake(&trusting, server(pair, None));
    let good = signed(&ca, &["broker.example"], (2020, 2120));
    dial(&good).unwrap();
    check(dial(&signed(&ca, &["broker.example"], (2020, 2021))), "expired on 2021-01-01");
    check(dial(&signed(&ca, &["broker.example"], (2110, 2120))), "not valid before 2110-01-01");
    let names = ["a.example", "b.example", "c.example", "d.example", "e.example"];
    check(
        dial(&signed(&ca, &names, (2020, 2120))),
        "not for the name broker.example, but for a.example, b.example, c.example, d.example and 1 more",
    );
    check(dial(&signed(&authority("Other CA"), &["broker.example"], (2020, 2120))), "does not trust");
    check(dial(&signed(&authority("Bench CA"), &["broker.example"], (2020, 2120))), "wrong signature");
    let own = Pair { certificate: ca.pem(), key: ca.key().serialize_pem() };
    check(dial(&own), "an authority's own certificate");
    let version_1 = Pair {
        certificate: include_str!("../fixtures/v1.pem").to_owned(),
        key: include_str!("../fixtures/v1.key").to_owned(),
    };
    check(dial(&version_1), "X.509 version 1");
}

#[test]
fn our_own_refused_certificate_is_explained() {
    let (folder, ca) = (Folder::new(), authority("Bench CA"));
    let broker = signed(&ca, &["broker.example"], (2020, 2120));
    let dial = |client: Option<&Pair>| {
        let file = |name: &str, content: &str| Some(folder.file(name, content));
        let credentials = accepted(&files(
            file("ca.pem", &ca.pem()),
            client.and_then(|pair| file("client.pem", &pair.certificate)),
            client.and_then(|pair| file("client.key", &pair.key)),
        ));
        handshake(&credentials, server(&broker, Some(&ca.pem())))
    };
    dial(Some(&signed(&ca, &[], (2020, 2120)))).unwrap();
    check(dial(None), "wants a client certificate");
    check(dial(Some(&signed(&authority("Other CA"), &[], (2020, 2120)))), "does not know the authority");
}

#[test]
fn an_unencrypted_listener_is_explained() {
    let folder = Folder::new();
    let trusting = accepted(&files(Some(folder.file("ca.pem", authority("Bench CA").pem())), None, None));
    let (config, _) = client_config(&trusting, trusting.trust(), &[]).unwrap();
    let mut client = ClientConnection::new(config, ServerName::try_from("broker.example").unwrap()).unwrap();
    client.read_tls(&mut &b"\x20\x02\x00\x01\x00\x00"[..]).unwrap();
    let error = client.process_new_packets().unwrap_err();
    check(Err(io::Error::other(error)), "does not speak TLS");
}

/// Trusts that certificate and nothing else.
fn pinning(certificate: &str) -> Credentials {
    let mut kit = kit(&[]);
    super::kit::add(&mut kit, "server.pem", certificate.as_bytes(), FileRole::Server);
    kit.credentials(NOW).unwrap()
}

fn version_1() -> Pair {
    Pair {
        certificate: include_str!("../fixtures/v1.pem").to_owned(),
        key: include_str!("../fixtures/v1.key").to_owned(),
    }
}

fn rsa() -> Pair {
    Pair {
        certificate: include_str!("../fixtures/rsa.pem").to_owned(),
        key: include_str!("../fixtures/rsa-pkcs1.key").to_owned(),
    }
}

#[test]
fn a_pinned_certificate_is_accepted_and_no_other() {
    let ca = authority("Bench CA");
    let right = signed(&ca, &["broker.example"], (2020, 2120));
    let expired_of_another_name = signed(&ca, &["elsewhere.example"], (2020, 2021));
    for version in rustls::ALL_VERSIONS {
        let dial = |trusted: &Pair, shown: &Pair| {
            handshake(&pinning(&trusted.certificate), server_speaking(&[version], shown, None))
        };
        for pair in [&right, &expired_of_another_name, &version_1(), &rsa()] {
            dial(pair, pair).unwrap();
            let other = signed(&ca, &["broker.example"], (2020, 2120));
            check(dial(pair, &other), "shows another certificate than the only one that this connection trusts");
        }
        // The right certificate, and not its key: anybody has that certificate.
        for pair in [&right, &version_1()] {
            let stolen = Pair { certificate: pair.certificate.clone(), key: ca.key().serialize_pem() };
            check_any(dial(pair, &stolen));
        }
    }
}

fn check_any(handshake: Result<(), io::Error>) {
    assert!(explain(&handshake.unwrap_err()).is_some());
}

#[test]
fn what_is_trusted_has_to_be_there() {
    let config = |trust| client_config(&Credentials::default(), trust, &[]);
    assert_eq!(config(Trust::Pinned).err(), Some(CertificateError::NoServerCertificate));
    assert_eq!(config(Trust::Authorities).err(), Some(CertificateError::NoAuthorities));
    config(Trust::Platform).unwrap();
}

#[test]
fn what_was_given_is_trusted_only_where_it_is_asked_for() {
    let ca = authority("Bench CA");
    let broker = signed(&ca, &["broker.example"], (2020, 2120));
    let credentials = kit(&[("ca.pem", ca.pem().as_bytes())]).credentials(NOW).unwrap();
    let dial = |trust| {
        let (config, _) = client_config(&credentials, trust, &[]).unwrap();
        handshake_of(config, server(&broker, None))
    };
    dial(Trust::Authorities).unwrap();
    check(dial(Trust::Platform), "does not trust");
}

#[test]
fn a_witness_sees_what_was_shown_also_where_it_was_refused() {
    let (ca, inspecting) = (authority("Bench CA"), authority("Inspecting Proxy Root"));
    let credentials = kit(&[("ca.pem", ca.pem().as_bytes())]).credentials(NOW).unwrap();
    let (config, witness) = client_config(&credentials, Trust::Authorities, &[]).unwrap();
    let seen = || witness.presented().unwrap().into_iter().map(|facts| facts.issuer_name).collect::<Vec<_>>();
    assert_eq!(witness.presented(), None);
    let shown = signed(&inspecting, &["broker.example"], (2020, 2120));
    check(handshake_of(config.clone(), server(&shown, None)), "does not trust");
    assert_eq!(seen(), ["Inspecting Proxy Root"]);
    handshake_of(config, server(&signed(&ca, &["broker.example"], (2020, 2120)), None)).unwrap();
    assert_eq!(seen(), ["Bench CA"]);
}

#[test]
fn other_errors_are_not_explained() {
    assert_eq!(explain(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
}
