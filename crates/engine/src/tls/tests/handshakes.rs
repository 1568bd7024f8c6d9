//! Handshakes between our client and a server made to be refused, in memory.

use std::{io, sync::Arc};

use rustls::{
    ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};

use super::{Folder, Pair, accepted, authority, files, signed};
use crate::tls::{Credentials, client_config, explain};

fn server(pair: &Pair, clients: Option<&str>) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
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

/// What our side says of a handshake, the way an MQTT client would pass it on: inside an I/O error.
fn handshake(credentials: &Credentials, server: ServerConfig) -> Result<(), io::Error> {
    let name = ServerName::try_from("broker.example").unwrap();
    let mut client =
        ClientConnection::new(client_config(credentials, credentials.trust(), &[]).unwrap().0, name).unwrap();
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

#[test]
fn other_errors_are_not_explained() {
    assert_eq!(explain(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
}
