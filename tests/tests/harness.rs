//! Tests of the harness: a broker that requires certificates, and a keyring that keeps a secret.

use wilco_tests::{Broker, Certificates, Device, Display, Keyring, Session, Settings};

use anyhow::Result;

#[test]
fn a_message_goes_through_mutual_tls() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    broker.publish("d1/status", b"hello", true)?;
    assert_eq!(broker.first("d1/status", 5)?, "hello");
    Ok(())
}

#[test]
fn a_stranger_is_refused() -> Result<()> {
    let (ours, others) = (Certificates::new()?, Certificates::new()?);
    let broker = Broker::mutual_tls(&ours)?;
    let output = std::process::Command::new("mosquitto_pub")
        .args(["-h", "localhost", "-p", &broker.port().to_string(), "-t", "d1/status", "-m", "hello"])
        .arg("--cafile")
        .arg(&ours.ca)
        .arg("--cert")
        .arg(&others.client.certificate)
        .arg("--key")
        .arg(&others.client.key)
        .output()?;
    assert!(!output.status.success(), "{output:?}");
    Ok(())
}

#[test]
fn a_broker_keeps_its_port_and_its_messages_over_a_restart() -> Result<()> {
    let mut broker = Broker::start(&Settings { persistent: true, ..Settings::default() })?;
    let url = broker.url();
    broker.publish("d1/status", b"kept", true)?;
    broker.restart()?;
    assert_eq!(broker.url(), url);
    assert_eq!(broker.first("d1/status", 5)?, "kept");
    Ok(())
}

#[test]
fn a_device_is_online_by_mutual_tls_and_again_after_a_power_cut() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let mut device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    device.kill();
    device.resume(&broker)?;
    assert!(broker.first("bench-1/status", 5)?.contains("\"online\":true"));
    Ok(())
}

#[test]
fn a_keyring_is_as_it_was_asked_for() -> Result<()> {
    assert!(Session::start(Keyring::Unlocked)?.is_unlocked());
    assert!(!Session::start(Keyring::Locked)?.is_unlocked());
    assert!(!Session::start(Keyring::Absent)?.is_unlocked());
    Ok(())
}

#[test]
fn sessions_and_displays_stand_beside_each_other() -> Result<()> {
    let (one, two) = (Session::start(Keyring::Unlocked)?, Session::start(Keyring::Absent)?);
    assert_ne!(one.variables(), two.variables());
    let (left, right) = (Display::start()?, Display::start()?);
    assert_ne!(left.name(), right.name());
    Ok(())
}
