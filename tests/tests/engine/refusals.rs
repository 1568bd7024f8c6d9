//! Brokers that are unreachable or refuse the connection: a sentence each, and what to do.

use std::process::Command;

use anyhow::{Context, Result};
use wilco_engine::api::{
    CommandState, ConnectionEntry, Failure, FailureCode, MqttVersion, Preset, ProxySettings, Step, Trust,
};
use wilco_tests::{Broker, Certificates, Identity, Settings};

use crate::desk::{Desk, NewConnection, led, mutual, plain, stopped_at};

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_broker_is_reported_and_found_automatically_once_it_starts() -> Result<()> {
    for mqtt in [MqttVersion::V5, MqttVersion::V311] {
        let mut broker = Broker::plain()?;
        broker.stop()?;
        let desk = Desk::new().await?;
        let connection = desk.add(plain("bench", &broker).over(mqtt)).await?;
        let (message, hint) = desk.trouble(&connection).await?;
        assert_eq!(message, format!("Connection refused: nothing listens at localhost, port {}.", broker.port()));
        assert!(hint.contains("Check that the broker is running"), "{hint}");
        let waiting = desk.send(led(&connection, "kitchen")).await?;
        broker.resume()?;
        desk.online(&connection).await?;
        desk.reaches("kitchen", &waiting, CommandState::AtBroker).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_the_tls_handshake_is_explained() -> Result<()> {
    let certificates = Certificates::new()?;
    let version_1 = certificates.version_1()?;
    let good = Broker::mutual_tls(&certificates)?;
    let with_server = |server: Identity| {
        Broker::start(&Settings { tls: Some(&certificates), server: Some(server), ..Settings::default() })
    };
    let misnamed = with_server(certificates.server_of_another_name()?)?;
    let outdated = with_server(version_1.clone())?;
    let plain_listener = Broker::plain()?;
    let unexpected_devices = Certificates::new()?;

    let sound = |broker: &Broker| mutual("tls", broker, &certificates, &certificates.client);
    let version_1_ca = certificates.directory().join("version-1-ca.pem");
    let client = Some(&certificates.client);

    let nobody = sound(&good).bringing(Some(&certificates.ca), None);
    check(nobody, "requires a client certificate, and this connection has none", "Add the client certificate").await?;
    let wrong_ca = sound(&good).bringing(Some(&certificates.other_ca), client);
    check(wrong_ca, "a CA that this connection does not trust", "Add that CA certificate").await?;
    let unexpected_device = sound(&good).bringing(Some(&certificates.ca), Some(&unexpected_devices.client));
    check(unexpected_device, "client certificate", "signed by the CA that the broker trusts").await?;
    check(sound(&misnamed), "is not for the name localhost, but for broker.example.org", "Use a host name").await?;
    let version_1 = sound(&outdated).bringing(Some(&version_1_ca), client);
    check(version_1, "X.509 version 1", "Sign the broker's certificate again as version 3").await?;
    let unencrypted = sound(&good).with(|entry| entry.url = plain_listener.url().replace("mqtt:", "mqtts:"));
    check(unencrypted, "", "").await?;
    let without_tls = sound(&good).bringing(None, None).with(|entry| entry.url = good.url().replace("mqtts:", "mqtt:"));
    check(without_tls, "", "mqtts://").await
}

/// What is said by the running connection, by a test before it is stored, and by a test afterwards.
async fn check(new: NewConnection, message: &str, hint: &str) -> Result<()> {
    for mqtt in [MqttVersion::V5, MqttVersion::V311] {
        let desk = Desk::new().await?;
        let new = new.clone().over(mqtt);
        let tested = desk.preflight(new.clone()).await?;
        let connection = desk.add(new).await?;
        let (said, advised) = desk.trouble(&connection).await?;
        assert!(said.contains(message) && said.ends_with('.'), "{mqtt:?}: '{said}' instead of '{message}'");
        assert!(advised.contains(hint), "{mqtt:?}: '{advised}' instead of '{hint}'");
        let stored = desk.preflight_stored(&connection).await?;
        for view in [tested, stored] {
            let (step, said) = stopped_at(&view)?;
            assert!(!view.ok && view.done && step >= Step::Tls, "{mqtt:?}: {view:?}");
            assert!(
                said.contains(message) && said.contains(hint),
                "{mqtt:?}: '{said}' instead of '{message}' '{hint}'"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_files_that_cannot_work_are_refused_before_anything_is_kept() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let desk = Desk::new().await?;
    let text = certificates.directory().join("notes.pem");
    std::fs::write(&text, "Remember to renew the certificates.")?;
    let client = &certificates.client;
    let other = certificates.issue("other")?;
    let pair = |certificate: &std::path::Path, key: &std::path::Path| Identity {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
    };
    let gone = certificates.directory().join("gone.pem");
    for (identity, message) in [
        (certificates.expired()?, "expired on 2021-01-01"),
        (certificates.version_1()?, "is X.509 version 1"),
        (pair(&client.certificate, &other.key), "does not match the certificate"),
        (pair(&text, &client.key), "is neither a certificate nor a private key"),
        (pair(&client.key, &client.certificate), "was given as the client certificate, but contains"),
        (pair(&gone, &client.key), "cannot be read"),
    ] {
        let new = mutual("bench", &broker, &certificates, &identity);
        let failure = desk.try_to_add(new).await.err().context(message)?;
        assert_eq!(failure.code, FailureCode::File, "{failure:?}");
        assert!(failure.message.contains(message) && failure.hint.is_some(), "{failure:?} instead of {message}");
    }
    assert!(desk.console().connections().await?.is_empty());
    desk.connect(mutual("bench", &broker, &certificates, client)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_the_right_one_works() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let passwords = directory.path().join("passwords");
    let made =
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["operator", "right"]).status()?;
    assert!(made.success());
    let more = format!("allow_anonymous false\npassword_file {}", passwords.display());
    let broker = Broker::start(&Settings { more: &more, ..Settings::default() })?;
    for mqtt in [MqttVersion::V5, MqttVersion::V311] {
        let mut desk = Desk::new().await?;
        let with = |name: &str, password: &str| {
            plain(name, &broker).over(mqtt).with(|entry| {
                entry.settings.username = Some("operator".into());
                entry.password = Some(password.into());
            })
        };
        let wrong = desk.add(with("wrong", "guess")).await?;
        let (message, hint) = desk.trouble(&wrong).await?;
        assert!(message.contains("not authorized"), "{message}");
        assert!(hint.contains("user name and password"), "{hint}");
        assert!(!format!("{message}{hint}").contains("guess"));
        let right = desk.connect(with("right", "right")).await?;
        desk.reopen().await?;
        desk.online(&right).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_whose_rules_forbid_the_answers_is_explained_and_used_once_they_allow_them() -> Result<()> {
    for mqtt in [MqttVersion::V5, MqttVersion::V311] {
        let directory = tempfile::tempdir()?;
        let rules = directory.path().join("rules.json");
        std::fs::write(&rules, rules_for("+/status"))?;
        let more = format!(
            "plugin {}\nplugin_opt_config_file {}",
            dynamic_security().context("mosquitto's plugin for dynamic security is not installed")?,
            rules.display()
        );
        let mut broker = Broker::start(&Settings { more: &more, ..Settings::default() })?;
        let desk = Desk::new().await?;
        let connection = desk.add(plain("bench", &broker).over(mqtt)).await?;
        let (message, hint) = desk.trouble(&connection).await?;
        assert!(message.contains("denied the subscription to +/resp"), "{message}");
        assert!(hint.contains("Allow this client ID to subscribe"), "{hint}");

        broker.stop()?;
        std::fs::write(&rules, rules_for("#"))?;
        broker.resume()?;
        desk.online(&connection).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_makes_no_sense_is_refused_with_what_would() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    desk.connect(plain("bench", &broker)).await?;
    let refused = async |new: NewConnection| -> Result<Failure> {
        let failure = desk.try_to_add(new).await.err().context("it was taken")?;
        assert!(failure.code == FailureCode::Invalid && failure.hint.is_some(), "{failure:?}");
        Ok(failure)
    };
    refused(plain("bench", &broker)).await?;
    refused(plain(" ", &broker)).await?;
    let other = || plain("other", &broker);
    refused(other().with(|entry| entry.url = "http://localhost".into())).await?;
    refused(other().with(|entry| entry.url = "mqtt://me:secret@localhost".into())).await?;
    refused(other().with(|entry| entry.url = "mqtt://localhost/path".into())).await?;
    refused(other().with(|entry| entry.settings.prefix = "cmd/+".into())).await?;
    refused(other().with(|entry| entry.settings.dialects = vec!["klingon".into()])).await?;
    refused(other().with(|entry| entry.client_id = Some("$me".into()))).await?;
    refused(other().with(|entry| entry.settings.devices_named = vec!["a/b".into()])).await?;
    refused(other().with(|entry| entry.settings.keep_alive_s = 0)).await?;
    refused(other().with(|entry| entry.settings.session_expiry_s = 700_000)).await?;
    refused(other().with(|entry| entry.password = Some("x".into())).over(MqttVersion::V311)).await?;
    let proxy = |url: &str| Some(ProxySettings { url: url.into(), username: None });
    refused(other().with(|entry| entry.settings.proxy = proxy("ftp://proxy"))).await?;
    let with_password = |entry: &mut ConnectionEntry| {
        (entry.settings.proxy, entry.proxy_password) = (proxy("http://proxy"), Some("x".into()));
    };
    refused(other().with(with_password)).await?;
    let tls = || other().with(|entry| entry.url = "mqtts://localhost".into());
    refused(tls().with(|entry| entry.settings.trust = Trust::Authorities)).await?;
    refused(tls().with(|entry| entry.settings.trust = Trust::Pinned)).await?;
    refused(tls().with(|entry| entry.settings.alpn = vec!["x".repeat(256)])).await?;
    let aws = || other().with(|entry| entry.settings.preset = Preset::Aws);
    refused(aws().with(|entry| entry.settings.keep_alive_s = 29)).await?;
    refused(aws().with(|entry| entry.settings.prefix = "a/b/c/d/e/f/g/h".into())).await?;
    assert_eq!(desk.console().connections().await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_id_that_is_no_topic_level_is_refused_and_nothing_is_sent() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("bench", &broker)).await?;
    for device in ["", "a+b", "+", "#", "a/b", "$SYS", "all", "groups", "a\0b"] {
        let mut new = led(&connection, "kitchen");
        new.devices.push(device.into());
        let failure = desk.console().send(new).await.err().with_context(|| format!("'{device}' was taken"))?;
        assert!(failure.code == FailureCode::Invalid && failure.hint.is_some(), "{failure:?}");
    }
    assert_eq!(desk.console().history(wilco_engine::api::HistoryQuery::default()).await?.total, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_with_one_client_id_are_told_of_each_other() -> Result<()> {
    let broker = Broker::plain()?;
    let (one, two) = (Desk::new().await?, Desk::new().await?);
    let same = || plain("bench", &broker).with(|entry| entry.client_id = Some("operator".into()));
    let first = one.connect(same()).await?;
    two.connect(same()).await?;
    let (message, hint) = one.trouble(&first).await?;
    // mosquitto throws a client out without a word.
    assert!(message.contains("closed the connection"), "{message}");
    assert!(hint.contains("another client connects with the same client ID"), "{hint}");
    Ok(())
}

fn dynamic_security() -> Option<String> {
    let directories = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let mut candidates: Vec<_> = directories.collect();
    candidates.push("/usr/lib".into());
    let found =
        candidates.into_iter().map(|path| path.join("mosquitto_dynamic_security.so")).find(|path| path.is_file());
    found.map(|path| path.display().to_string())
}

/// Everybody may subscribe to this filter, and publish and receive everything.
fn rules_for(filter: &str) -> String {
    serde_json::json!({
        "defaultACLAccess": {
            "publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true
        },
        "anonymousGroup": "everybody",
        "groups": [{"groupname": "everybody", "roles": [{"rolename": "listener"}]}],
        "roles": [{"rolename": "listener", "acls": [
            {"acltype": "subscribePattern", "topic": filter, "allow": true}
        ]}],
        "clients": []
    })
    .to_string()
}
