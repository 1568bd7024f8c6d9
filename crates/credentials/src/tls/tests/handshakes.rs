//! Handshakes between our client and a server that must be refused, in memory.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};

use super::{Folder, NOW, Pair, accepted, authority, files, kit::kit, params, signed};
use crate::{
    FileRole, Trust,
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

/// The error of our side of a handshake, as an MQTT client would return it: inside an I/O error.
fn handshake_of(config: Arc<ClientConfig>, server: ServerConfig) -> Result<(), io::Error> {
    let name = ServerName::try_from("broker.example").unwrap();
    let mut client = ClientConnection::new(config, name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    shake(&mut client, &mut server)
}

fn shake(client: &mut ClientConnection, server: &mut ServerConnection) -> Result<(), io::Error> {
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
    check(dial(&signed(&authority("Bench CA"), &["broker.example"], (2020, 2120))), "invalid signature");
    let own = Pair { certificate: ca.pem(), key: ca.key().serialize_pem() };
    check(dial(&own), "the broker's certificate is self-signed (CN=Bench CA)");
    let version_1 = Pair {
        certificate: include_str!("../fixtures/v1.pem").to_owned(),
        key: include_str!("../fixtures/v1.key").to_owned(),
    };
    check(dial(&version_1), "X.509 version 1");
}

/// A server's certificate below an intermediate authority, and a server that shows both.
fn dial_below(
    root: &rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
    (intermediate_years, own_years): ((i32, i32), (i32, i32)),
    send: bool,
) -> Result<(), io::Error> {
    let mut params = params(&[], intermediate_years);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Site CA");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let intermediate = rcgen::CertifiedIssuer::signed_by(params, rcgen::KeyPair::generate().unwrap(), root).unwrap();
    let pair = signed(&intermediate, &["broker.example"], own_years);
    let (folder, mut config) = (Folder::new(), server(&pair, None));
    if send {
        let chain = [&pair.certificate, &intermediate.pem()]
            .map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
            .to_vec();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let signing = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let certified = Arc::new(rustls::sign::CertifiedKey::new(chain, signing));
        config.cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(certified));
    }
    handshake(&accepted(&files(Some(folder.file("ca.pem", root.pem())), None, None)), config)
}

#[test]
fn the_certificate_at_fault_is_named() {
    let root = authority("Bench CA");
    let good = (2020, 2120);
    dial_below(&root, (good, good), true).unwrap();
    check(
        dial_below(&root, ((2020, 2021), good), true),
        "the intermediate certificate CN=Site CA, which the broker sends, expired on 2021-01-01",
    );
    check(
        dial_below(&root, ((2110, 2120), good), true),
        "the intermediate certificate CN=Site CA, which the broker sends, is not valid before 2110-01-01",
    );
    check(dial_below(&root, (good, (2020, 2021)), true), "the broker's certificate (CN=bench) expired on 2021-01-01");
    check(
        dial_below(&root, (good, good), false),
        "the broker's certificate (CN=bench) is signed by CN=Site CA, a CA that this connection does not trust",
    );
}

#[test]
fn a_self_signed_certificate_can_be_pinned() {
    let trusting = kit(&[("ca.pem", authority("Bench CA").pem().as_bytes())]).credentials(NOW).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut own = params(&["broker.example"], (2020, 2120));
    own.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
    let own = own.self_signed(&key).unwrap();
    let pair = Pair { certificate: own.pem(), key: key.serialize_pem() };
    let explanation = explain(&handshake(&trusting, server(&pair, None)).unwrap_err()).unwrap();
    assert_eq!(explanation.message, "the broker's certificate is self-signed (CN=localhost)");
    assert_eq!(explanation.pin, Some(crate::tls::sha256(own.der())));
    assert!(explanation.hint.unwrap().contains(&explanation.pin.unwrap()));
    handshake(&pinning(&pair.certificate), server(&pair, None)).unwrap();
}

#[test]
fn names_of_the_wrong_kind_are_told() {
    let ca = authority("Bench CA");
    let credentials = kit(&[("ca.pem", ca.pem().as_bytes())]).credentials(NOW).unwrap();
    let dial = |name: &'static str, pair: &Pair| {
        let (config, _) = client_config(&credentials, Trust::Authorities, &[]).unwrap();
        let mut client = ClientConnection::new(config, ServerName::try_from(name).unwrap()).unwrap();
        let mut server = ServerConnection::new(Arc::new(server(pair, None))).unwrap();
        shake(&mut client, &mut server)
    };
    let key = rcgen::KeyPair::generate().unwrap();
    let mut ip = params(&[], (2020, 2120));
    ip.distinguished_name.push(rcgen::DnType::CommonName, "bench");
    ip.subject_alt_names = vec![rcgen::SanType::DnsName("127.0.0.1".try_into().unwrap())];
    let ip = Pair { certificate: ip.signed_by(&key, &ca).unwrap().pem(), key: key.serialize_pem() };
    check(dial("127.0.0.1", &ip), "the broker's certificate names 127.0.0.1 as a DNS name, not as an IP address");
    check(
        dial("broker.example", &signed(&ca, &[], (2020, 2120))),
        "the broker's certificate (CN=bench) has no host name in subjectAltName; its common name is not used",
    );
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
    check(dial(None), "requires a client certificate");
    check(dial(Some(&signed(&authority("Other CA"), &[], (2020, 2120)))), "does not trust the CA");
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
            check(dial(pair, &other), "is not the one pinned for this connection");
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
fn trusted_certificates_must_be_present() {
    let config = |trust| client_config(&Credentials::default(), trust, &[]);
    assert_eq!(config(Trust::Pinned).err(), Some(CertificateError::NoServerCertificate));
    assert_eq!(config(Trust::Authorities).err(), Some(CertificateError::NoAuthorities));
    config(Trust::Platform).unwrap();
}

#[test]
fn given_certificates_are_trusted_only_if_requested() {
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
