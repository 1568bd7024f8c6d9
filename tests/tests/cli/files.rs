//! Certificates and keys in whatever files they come, given on the command line.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Certificates, Device, Identity, Keyring, Settings};

use crate::bench::Bench;

const PASSPHRASE: &str = "open sesame";

/// A certificate and its key as PKCS#12, under [`PASSPHRASE`].
fn pkcs12(directory: &Path, identity: &Identity) -> Result<PathBuf> {
    let path = directory.join("console.p12");
    let made = Command::new("openssl")
        .args(["pkcs12", "-export", "-passout", &format!("pass:{PASSPHRASE}"), "-out"])
        .arg(&path)
        .arg("-in")
        .arg(&identity.certificate)
        .arg("-inkey")
        .arg(&identity.key)
        .output()?;
    ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    Ok(path)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn listed(bench: &Bench) -> Result<Vec<Value>> {
    bench.run(&["connections", "list", "--output", "json"])?.ended(0)?.lines()
}

#[test]
fn a_pkcs12_file_is_read_once_and_not_needed_afterwards() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let identity = certificates.issue("lamp-1")?;
    let bench = Bench::with_keyring(Keyring::Unlocked)?;
    let _device = Device::start(&broker, "lamp-1", Some((&certificates, &identity)))?;
    let p12 = pkcs12(certificates.directory(), &certificates.client)?;
    let (url, ca, file) = (broker.url(), text(&certificates.ca), text(&p12));
    let add = ["connections", "add", "plant", "--url", &url, "--ca", &ca, "--pkcs12", &file];

    let refused = bench.run(&add)?.complained("encrypted with a passphrase")?;
    ensure!(refused.hints().iter().any(|hint| hint.contains("--passphrase-stdin")), "{refused:?}");
    let add = [&add[..], &["--passphrase-stdin"]].concat();
    bench.run_with_input(&add, "open barley\n")?.complained("passphrase")?;
    bench.run_with_input(&add, "")?.complained("no passphrase")?;
    ensure!(listed(&bench)?.is_empty(), "nothing is kept of what was refused");

    let said = bench.run_with_input(&add, &format!("{PASSPHRASE}\n"))?.ended(0)?;
    ensure!(said.out.contains("CN=console") && !format!("{said:?}").contains(PASSPHRASE), "{said:?}");
    std::fs::remove_file(&p12)?;
    std::fs::remove_file(&certificates.ca)?;
    let plant = &listed(&bench)?[0];
    ensure!(plant["trust"] == "authorities" && plant["has"]["certificate"] == true, "{plant}");
    let view = bench.run(&["connections", "test", "plant", "--output", "json"])?.ended(0)?.lines()?.remove(0);
    let tls = view["steps"].as_array().and_then(|steps| steps.iter().find(|step| step["step"] == "tls").cloned());
    ensure!(tls.is_some_and(|step| step["state"] == "passed"), "{view}");
    let said = bench.run(&["send", "-c", "plant", "-d", "lamp-1", "led", "on=true", "--output", "json"])?.ended(0)?;
    assert_eq!(said.states()?.last().map(String::as_str), Some("succeeded"), "{said:?}");
    Ok(())
}

#[test]
fn secrets_on_standard_input_have_their_order() -> Result<()> {
    let certificates = Certificates::new()?;
    let (broker, bench) = (Broker::mutual_tls(&certificates)?, Bench::new()?);
    let (url, ca) = (broker.url(), text(&certificates.ca));
    let p12 = text(&pkcs12(certificates.directory(), &certificates.client)?);
    let test = ["connections", "test", "--url", &url, "--ca", &ca, "--password-stdin", "--username", "ops"];
    let test = [&test[..], &["--pkcs12", &p12, "--passphrase-stdin"]].concat();
    bench.run_with_input(&test, &format!("{PASSPHRASE}\ncorrect horse\n"))?.ended(0)?;
    bench.run_with_input(&test, &format!("correct horse\n{PASSPHRASE}\n"))?.complained("is wrong")?;
    bench.run_with_input(&test, &format!("{PASSPHRASE}\n"))?.complained("no password")?;
    let send = [&["send"], &test[2..], &["--devices-from", "-", "led"]].concat();
    bench.run_with_input(&send, "lamp-1\n")?.complained("cannot both be read from standard input")?;
    Ok(())
}

#[test]
fn a_certificate_is_renewed_in_place() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let bench = Bench::with_keyring(Keyring::Unlocked)?;
    let (url, ca, old) = (broker.url(), text(&certificates.ca), &certificates.client);
    let (cert, key) = (text(&old.certificate), text(&old.key));
    let add = ["connections", "add", "plant", "--url", &url, "--ca", &ca, "--cert", &cert, "--key", &key];
    bench.run(&add)?.ended(0)?;
    let before = listed(&bench)?.remove(0);

    let new = certificates.issue("console-2")?;
    let (cert, new_key) = (text(&new.certificate), text(&new.key));
    bench
        .run(&["connections", "renew", "plant", "--cert", &cert, "--key", &key])?
        .complained("does not match the certificate")?;
    bench.run(&["connections", "renew", "plant", "--file", &ca])?.complained("no client certificate")?;
    bench.run(&["connections", "renew", "plant"])?.complained("No certificate files were given")?;
    let expired = certificates.expired()?;
    let (expired_cert, expired_key) = (text(&expired.certificate), text(&expired.key));
    bench
        .run(&["connections", "renew", "plant", "--cert", &expired_cert, "--key", &expired_key])?
        .complained("expired on 2021-01-01")?;
    assert_eq!(listed(&bench)?[0]["certificate_subject"], before["certificate_subject"]);

    let said = bench.run(&["connections", "renew", "plant", "--file", &new_key, "--file", &cert])?.ended(0)?;
    ensure!(said.out.contains("before  CN=console, valid until 2036-01-01 00:00:00"), "{said:?}");
    let now = "now     CN=console-2, valid from 2026-01-01 00:00:00 until 2036-01-01 00:00:00";
    ensure!(said.out.contains(now), "{said:?}");
    let after = listed(&bench)?.remove(0);
    assert_eq!((&after["id"], &after["client_id"]), (&before["id"], &before["client_id"]));
    assert_eq!(after["certificate_subject"], "CN=console-2");
    bench.run(&["connections", "test", "plant"])?.ended(0)?;

    bench.run(&["connections", "edit", "plant", "--no-certificates"])?.ended(0)?;
    let bare = listed(&bench)?.remove(0);
    ensure!(bare["trust"] == "platform" && bare["certificate_subject"].is_null(), "{bare}");
    ensure!(bare["has"]["certificate"] == false && bare["has"]["authorities"] == false, "{bare}");
    bench.run(&["connections", "edit", "plant", "--ca", &ca, "--cert", &cert, "--key", &new_key])?.ended(0)?;
    bench.run(&["connections", "test", "plant"])?.ended(0)?;
    Ok(())
}

#[test]
fn one_certificate_alone_can_be_trusted() -> Result<()> {
    let certificates = Certificates::new()?;
    let server = certificates.server_of_another_name()?;
    let settings = Settings { tls: Some(&certificates), server: Some(server.clone()), ..Settings::default() };
    let (broker, bench) = (Broker::start(&settings)?, Bench::new()?);
    let (url, ca, pin, other) =
        (broker.url(), text(&certificates.ca), text(&server.certificate), text(&certificates.server.certificate));
    let (cert, key) = (text(&certificates.client.certificate), text(&certificates.client.key));
    let test = ["connections", "test", "--url", &url, "--cert", &cert, "--key", &key];
    let named = bench.run(&[&test[..], &["--ca", &ca]].concat())?.ended(1)?;
    ensure!(named.out.contains("✗ TLS"), "its name is another: {named:?}");
    bench.run(&[&test[..], &["--ca", &ca, "--sni", "broker.example.org"]].concat())?.ended(0)?;
    bench.run(&[&test[..], &["--pin", &pin]].concat())?.ended(0)?;
    bench.run(&[&test[..], &["--pin", &other]].concat())?.ended(1)?;
    bench.run(&[&test[..], &["--pin", &key]].concat())?.complained("contains a private key")?;
    Ok(())
}

#[test]
fn everything_that_is_wrong_with_files_is_said() -> Result<()> {
    let certificates = Certificates::new()?;
    let (bench, directory) = (Bench::new()?, certificates.directory());
    let (letter, archive) = (directory.join("letter.pem"), directory.join("kit.zip"));
    std::fs::write(&letter, "Dear customer,\n")?;
    std::fs::write(&archive, b"PK\x03\x04 and nothing more")?;
    let (letter, archive, key) = (text(&letter), text(&archive), text(&certificates.client.key));
    let add = ["connections", "add", "plant", "--url", "mqtts://localhost:1"];
    let said = bench.run(&[&add[..], &["--ca", &letter, "--file", "/nowhere"]].concat())?.ended(2)?;
    let errors = said.err.lines().filter(|line| line.starts_with("error: ")).count();
    ensure!(errors == 2 && said.hints().len() == 2, "each of them: {said:?}");
    bench.run(&[&add[..], &["--kit", &archive]].concat())?.complained("is damaged")?;
    bench.run(&[&add[..], &["--file", &key]].concat())?.complained("The client certificate of the private key in")?;
    bench
        .run_with_input(&[&add[..], &["--passphrase-stdin"]].concat(), "word\n")?
        .complained("none of the files is encrypted")?;
    ensure!(listed(&bench)?.is_empty(), "nothing is kept of what was refused");
    Ok(())
}
