//! Tests of the scripted broker, byte for byte.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Misbehaviour, Scripted, ScriptedBroker, Seen, Tls};
use crate::{Certificates, Identity, soon};

/// MQTT 5: clean start, user `ada`, password `pw`, client id `c`.
const CONNECT_5: &[u8] = b"\x10\x17\x00\x04MQTT\x05\xc2\x00\x1e\x00\x00\x01c\x00\x03ada\x00\x02pw";
/// MQTT 3.1.1, client id `c`.
const CONNECT_4: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x1e\x00\x01c";
const WELCOME_5: &[u8] = &[0x20, 3, 0, 0, 0];
const WELCOME_4: &[u8] = &[0x20, 2, 0, 0];
/// SUBSCRIBE 7 to `+/resp` and `x`.
const SUBSCRIBE_5: &[u8] = b"\x82\x10\x00\x07\x00\x00\x06+/resp\x01\x00\x01x\x00";
const SUBSCRIBE_4: &[u8] = b"\x82\x0f\x00\x07\x00\x06+/resp\x01\x00\x01x\x00";
/// PUBLISH 9 of `hi` on `c/resp`, QoS 1, with Correlation Data `n`.
const PUBLISH_5: &[u8] = b"\x32\x11\x00\x06c/resp\x00\x09\x04\x09\x00\x01nhi";
const PUBLISH_4: &[u8] = b"\x32\x0c\x00\x06c/resp\x00\x09hi";

fn dial(broker: &ScriptedBroker) -> Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, broker.port()))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    Ok(stream)
}

/// Everything that comes until the broker closes, to each of these packets in turn.
fn conversation(script: Scripted, packets: &[&[u8]]) -> Result<(Vec<u8>, Vec<Seen>)> {
    let broker = script.start()?;
    let mut stream = dial(&broker)?;
    for packet in packets {
        stream.write_all(packet)?;
    }
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard)?;
    Ok((heard, broker.seen()))
}

#[track_caller]
fn check(script: Scripted, packets: &[&[u8]], expected: &[&[u8]]) {
    let (heard, _) = conversation(script, packets).expect("a conversation");
    assert_eq!(heard, expected.concat(), "{:?}", String::from_utf8_lossy(&heard));
}

const GOODBYE: &[u8] = &[0xe0, 0];

#[test]
fn without_a_script_everything_is_allowed_and_comes_back() -> Result<()> {
    let (heard, seen) = conversation(Scripted::new(), &[CONNECT_5, SUBSCRIBE_5, PUBLISH_5, &[0xc0, 0], GOODBYE])?;
    let suback: &[u8] = &[0x90, 5, 0, 7, 0, 1, 1];
    let back: &[u8] = b"\x32\x11\x00\x06c/resp\x00\x01\x04\x09\x00\x01nhi";
    assert_eq!(heard, [WELCOME_5, suback, &[0x40, 2, 0, 9], back, &[0xd0, 0]].concat());
    assert_eq!(
        seen,
        [
            Seen::Opened,
            Seen::Connect {
                version: 5,
                client_id: "c".into(),
                username: Some("ada".into()),
                password: Some(b"pw".to_vec()),
                keep_alive: 30
            },
            Seen::Subscribe { filters: vec!["+/resp".into(), "x".into()] },
            Seen::Publish { topic: "c/resp".into(), payload: b"hi".to_vec(), qos: 1 },
            Seen::Ping,
            Seen::Disconnect,
        ]
    );
    check(
        Scripted::new(),
        &[CONNECT_4, SUBSCRIBE_4, PUBLISH_4, b"\xa2\x0a\x00\x08\x00\x06+/resp", PUBLISH_4, GOODBYE],
        &[
            WELCOME_4,
            &[0x90, 4, 0, 7, 1, 1],
            &[0x40, 2, 0, 9],
            b"\x32\x0c\x00\x06c/resp\x00\x01hi",
            &[0xb0, 2, 0, 8],
            &[0x40, 2, 0, 9],
        ],
    );
    Ok(())
}

#[test]
fn connect_is_refused_in_every_way() {
    let reason = |reason: u8| Scripted::new().on_connect(Misbehaviour::Reason(reason));
    for code in [0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x9c] {
        check(reason(code), &[CONNECT_5], &[&[0x20, 3, 0, code, 0]]);
    }
    for (code, old) in [(0x84, 1), (0x85, 2), (0x86, 4), (0x87, 5), (0x89, 3)] {
        check(reason(code), &[CONNECT_4], &[&[0x20, 2, 0, old]]);
    }
    check(Scripted::new().on_open(Misbehaviour::Close), &[], &[]);
    check(Scripted::new().on_connect(Misbehaviour::Close), &[CONNECT_5], &[]);
    check(
        Scripted::new().connack_properties(&[0x21, 0, 100]),
        &[CONNECT_5, GOODBYE],
        &[&[0x20, 6, 0, 0, 3, 0x21, 0, 100]],
    );
    let taken_over = || Scripted::new().after_connack(Misbehaviour::Disconnect(0x8e));
    check(taken_over(), &[CONNECT_5], &[WELCOME_5, &[0xe0, 1, 0x8e]]);
    check(taken_over(), &[CONNECT_4], &[WELCOME_4]);
}

#[test]
fn a_subscription_or_a_publish_is_refused_as_told() {
    let script = |then: Misbehaviour| Scripted::new().on_subscribe("+/resp", then);
    check(
        script(Misbehaviour::Reason(0x87)),
        &[CONNECT_5, SUBSCRIBE_5, GOODBYE],
        &[WELCOME_5, &[0x90, 5, 0, 7, 0, 0x87, 1]],
    );
    check(
        script(Misbehaviour::Reason(0x8f)),
        &[CONNECT_4, SUBSCRIBE_4, GOODBYE],
        &[WELCOME_4, &[0x90, 4, 0, 7, 0x80, 1]],
    );
    check(script(Misbehaviour::Close), &[CONNECT_5, SUBSCRIBE_5], &[WELCOME_5]);
    // Granted, and nothing is ever heard there.
    check(
        script(Misbehaviour::Swallow),
        &[CONNECT_5, SUBSCRIBE_5, PUBLISH_5, GOODBYE],
        &[WELCOME_5, &[0x90, 5, 0, 7, 0, 1, 1], &[0x40, 2, 0, 9]],
    );
    let script = |then: Misbehaviour| Scripted::new().on_publish("+/resp", then);
    let suback: &[u8] = &[0x90, 5, 0, 7, 0, 1, 1];
    check(
        script(Misbehaviour::Reason(0x97)),
        &[CONNECT_5, SUBSCRIBE_5, PUBLISH_5, GOODBYE],
        &[WELCOME_5, suback, &[0x40, 3, 0, 9, 0x97]],
    );
    check(script(Misbehaviour::Reason(0x10)), &[CONNECT_5, PUBLISH_5, GOODBYE], &[WELCOME_5, &[0x40, 3, 0, 9, 0x10]]);
    check(script(Misbehaviour::Close), &[CONNECT_5, PUBLISH_5], &[WELCOME_5]);
    check(
        script(Misbehaviour::Swallow),
        &[CONNECT_5, SUBSCRIBE_5, PUBLISH_5, GOODBYE],
        &[WELCOME_5, suback, &[0x40, 2, 0, 9]],
    );
    check(
        Scripted::new().on_publish("x", Misbehaviour::Close),
        &[CONNECT_4, PUBLISH_4, GOODBYE],
        &[WELCOME_4, &[0x40, 2, 0, 9]],
    );
}

#[test]
fn features_that_a_broker_lacks_are_detected_when_used() {
    let check = |properties: &[u8], packet: &[u8], expected: &[&str]| {
        let script = Scripted::new().connack_properties(properties);
        let (_, seen) = conversation(script, &[CONNECT_5, packet, GOODBYE]).expect("a conversation");
        let used = seen.iter().filter_map(|seen| if let Seen::NotOffered(used) = seen { Some(*used) } else { None });
        assert_eq!(used.collect::<Vec<_>>(), expected, "{properties:?} {packet:?}");
    };
    // A retained publish, one with the topic alias 1 behind a user property, and a subscription with an identifier.
    let retained: &[u8] = b"\x31\x05\x00\x01x\x00\x00";
    let aliased: &[u8] = b"\x30\x0e\x00\x01x\x0a\x26\x00\x01a\x00\x01b\x23\x00\x01";
    let identified: &[u8] = b"\x82\x0a\x00\x07\x03\x0b\x80\x01\x00\x01x\x00";
    let shared: &[u8] = b"\x82\x10\x00\x07\x00\x00\x0a$share/g/+\x00";
    check(&[], retained, &[]);
    check(&[0x25, 1], retained, &[]);
    check(b"\x1f\x00\x01r\x25\x00", retained, &["retain"]);
    check(&[], aliased, &["topic alias"]);
    check(&[0x22, 0, 0], aliased, &["topic alias"]);
    check(&[0x22, 0, 1], aliased, &[]);
    check(&[], identified, &[]);
    check(&[0x29, 0], identified, &["subscription identifier"]);
    check(&[0x2a, 0, 0x28, 0], shared, &["shared", "wildcard"]);
    check(&[0x24, 0], PUBLISH_5, &["QoS"]);
    check(&[0x27, 0, 0, 0, 18], PUBLISH_5, &["packet size"]);
    check(&[0x27, 0, 0, 0, 19], PUBLISH_5, &[]);
}

#[test]
fn silence_and_delay_take_their_time() -> Result<()> {
    let silent = Scripted::new().on_connect(Misbehaviour::Silence).start()?;
    let mut stream = dial(&silent)?;
    stream.write_all(CONNECT_5)?;
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    assert!(stream.read(&mut [0]).is_err(), "it says nothing");
    drop(silent);
    assert_eq!(stream.read(&mut [0])?, 0, "its connections end with it");

    let started = Instant::now();
    check(
        Scripted::new().delays(Duration::from_millis(44)),
        &[CONNECT_5, PUBLISH_5, GOODBYE],
        &[WELCOME_5, &[0x40, 2, 0, 9]],
    );
    assert!(started.elapsed() >= Duration::from_millis(88));
    Ok(())
}

#[test]
fn other_servers_are_recognised_by_their_reply() {
    let portal = "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n";
    check(Scripted::new().says(portal), &[CONNECT_5], &[portal.as_bytes()]);
    let (_, seen) = conversation(Scripted::new(), &[b"\x10\x02\x00\xff", GOODBYE]).expect("a conversation");
    assert!(matches!(&seen[1..], [Seen::Broke(why)] if why.contains("no MQTT packet")), "{seen:?}");
}

fn trusting(authority: &Path, identity: Option<&Identity>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    Ok(match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_auth_cert(
            vec![CertificateDer::from_pem_file(&identity.certificate)?],
            PrivateKeyDer::from_pem_file(&identity.key)?,
        )?,
    })
}

/// Connects over TLS and MQTT; the error of whatever goes wrong first.
fn connect(broker: &ScriptedBroker, config: ClientConfig) -> Result<()> {
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    let mut tls = StreamOwned::new(connection, dial(broker)?);
    tls.write_all(CONNECT_5)?;
    let mut welcome = [0; WELCOME_5.len()];
    tls.read_exact(&mut welcome)?;
    assert_eq!(welcome, WELCOME_5);
    Ok(())
}

#[test]
fn tls_shows_any_certificate_whether_it_is_good_or_not() -> Result<()> {
    let certificates = Certificates::new()?;
    let check = |identity: &Identity, authority: &Path, expected: Option<&str>| -> Result<()> {
        let broker = Scripted::new().tls(Tls::with(identity)).start()?;
        let outcome = connect(&broker, trusting(authority, None)?).map_err(|error| error.to_string());
        match (&outcome, expected) {
            (Ok(()), None) => {}
            (Err(why), Some(part)) => assert!(why.contains(part), "{why}"),
            _ => panic!("{}: {outcome:?}", identity.certificate.display()),
        }
        Ok(())
    };
    let ca = &certificates.ca;
    check(&certificates.server, ca, None)?;
    check(&certificates.expired_server()?, ca, Some("xpired"))?;
    check(&certificates.server_of_the_future()?, ca, Some("not valid yet"))?;
    check(&certificates.server_of_another_name()?, ca, Some("not valid for name"))?;
    check(&certificates.server_of_another_authority()?, ca, Some("UnknownIssuer"))?;
    check(&certificates.self_signed_server()?, ca, Some("invalid peer certificate"))?;
    check(&certificates.version_1()?, ca, Some("UnsupportedCertVersion"))?;
    let (inspected, company) = certificates.inspected_server()?;
    check(&inspected, ca, Some("UnknownIssuer"))?;
    check(&inspected, &company, None)
}

#[test]
fn clients_without_the_right_certificate_are_refused_with_an_alert() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = || {
        let tls = Tls::with(&certificates.server).only_for_clients_of(&certificates.ca).speaking(&["mqtt"]);
        Scripted::new().tls(tls).start()
    };
    let handshake = |broker: &ScriptedBroker| {
        broker.seen().into_iter().find(|seen| matches!(seen, Seen::Handshake { .. } | Seen::Broke(_)))
    };
    let mut config = trusting(&certificates.ca, Some(&certificates.client))?;
    config.alpn_protocols = vec![b"mqtt".to_vec()];
    let welcoming = broker()?;
    connect(&welcoming, config)?;
    assert_eq!(
        handshake(&welcoming),
        Some(Seen::Handshake { name: Some("localhost".into()), protocol: Some("mqtt".into()), is_mutual: true })
    );
    let check = |identity: Option<&Identity>, alert: &str| -> Result<()> {
        let broker = broker()?;
        let why = connect(&broker, trusting(&certificates.ca, identity)?).expect_err("a refusal").to_string();
        assert!(why.contains(alert), "{why}");
        let seen = soon("word of the refusal", Duration::from_secs(5), || handshake(&broker))?;
        assert!(matches!(seen, Seen::Broke(_)), "{seen:?}");
        Ok(())
    };
    check(None, "CertificateRequired")?;
    check(Some(&certificates.client_of_another_authority()?), "UnknownCA")?;
    check(Some(&certificates.expired()?), "CertificateExpired")
}

#[test]
fn a_certificate_that_is_not_active_is_let_in_and_then_hung_up_on() -> Result<()> {
    let certificates = Certificates::new()?;
    let tls = Tls::with(&certificates.server).only_for_clients_of(&certificates.ca);
    let broker = Scripted::new().tls(tls).on_connect(Misbehaviour::Close).start()?;
    let why = connect(&broker, trusting(&certificates.ca, Some(&certificates.client))?).expect_err("no CONNACK");
    assert!(why.to_string().contains("failed to fill whole buffer"), "{why}");
    let seen = broker.seen();
    assert!(
        matches!(seen[..], [Seen::Opened, Seen::Handshake { is_mutual: true, .. }, Seen::Connect { .. }]),
        "{seen:?}"
    );
    assert_eq!(broker.connections(), 1);
    Ok(())
}
