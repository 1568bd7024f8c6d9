//! Connections: edited, duplicated, ordered, exported and imported.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_engine::api::{
    CommandState, ConnectionEntry, ConnectionView, Failure, FailureCode, FileRole, FileToRead, FilesToRead,
    MqttVersion, Preset, ProxySettings, Trust,
};
use wilco_tests::{Broker, Certificates, Device, Identity, Settings};

use crate::desk::{Desk, led, mutual, plain, to};

const PASSPHRASE: &str = "four words of mine";

/// What was entered of a connection, as JSON; nothing of how it stands.
fn entered(view: &ConnectionView) -> Result<Value> {
    Ok(serde_json::to_value(ConnectionEntry { id: None, client_id: None, ..view.into() })?)
}

fn file(path: &Path, role: FileRole) -> FileToRead {
    FileToRead { path: path.to_owned(), role }
}

async fn brought(desk: &Desk, files: Vec<FileToRead>) -> Result<String> {
    Ok(desk.console().read_files(FilesToRead { files, ..FilesToRead::default() }).await?.id)
}

/// Whatever can be entered, so that anything forgotten is missed.
fn whatever_can_be_entered(entry: &mut ConnectionEntry) {
    entry.settings.preset = Preset::Mosquitto;
    entry.settings.mqtt = MqttVersion::V311;
    entry.settings.username = Some("ops".into());
    entry.password = Some("pässword".into());
    entry.settings.dialects = vec!["text".into()];
    entry.settings.prefix = "cmd/plant".into();
    entry.settings.devices_named = vec!["pump-7".into(), "pump-8".into()];
    entry.settings.keep_alive_s = 45;
    entry.settings.session_expiry_s = 7_200;
    entry.settings.server_name = Some("localhost".into());
    entry.settings.alpn = vec!["mqtt".into()];
    entry.settings.denied = vec!["cmd/plant/pump-7/req".into()];
    entry.settings.proxy = Some(ProxySettings { url: "socks5://127.0.0.1:1".into(), username: Some("me".into()) });
    entry.proxy_password = Some("proxy's".into());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_what_was_entered_and_nothing_else() -> Result<()> {
    let certificates = Certificates::new()?;
    let desk = Desk::new().await?;
    let new = to("plant", "mqtts://localhost:1").bringing(Some(&certificates.ca), Some(&certificates.client));
    let connection = desk.add(new.with(whatever_can_be_entered)).await?;
    let before = desk.view(&connection).await?;
    ensure!(before.has.password && before.has.proxy_password && before.has.certificate && before.has.authorities);
    type Change = fn(&mut ConnectionEntry);
    let changes: [(&str, Change); 8] = [
        ("name", |entry| entry.name = "site".into()),
        ("keep_alive_s", |entry| entry.settings.keep_alive_s = 60),
        ("prefix", |entry| entry.settings.prefix.clear()),
        ("devices", |entry| entry.settings.devices_named.clear()),
        ("username", |entry| entry.settings.username = Some("dev".into())),
        ("alpn", |entry| entry.settings.alpn.clear()),
        ("server_name", |entry| entry.settings.server_name = None),
        ("mqtt", |entry| entry.settings.mqtt = MqttVersion::V5),
    ];
    for (changed, change) in changes {
        let before = desk.view(&connection).await?;
        let after = desk.edit(&connection, change).await?;
        let mut expected = ConnectionEntry::from(&before);
        change(&mut expected);
        let expected = serde_json::to_value(ConnectionEntry { id: None, client_id: None, ..expected })?;
        assert_eq!(entered(&after)?, expected, "{changed}");
        assert_eq!((&after.id, &after.client_id, after.has), (&before.id, &before.client_id, before.has), "{changed}");
        assert_eq!(after.certificate_subject, before.certificate_subject);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_stays_unless_another_or_none_is_entered() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let passwords = directory.path().join("passwords");
    ensure!(
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["me", "right"]).status()?.success()
    );
    let more = format!("allow_anonymous false\npassword_file {}", passwords.display());
    let broker = Broker::start(&Settings { more: &more, ..Settings::default() })?;
    let desk = Desk::new().await?;
    let connection = desk
        .connect(plain("bench", &broker).with(|entry| {
            entry.settings.username = Some("me".into());
            entry.password = Some("right".into());
        }))
        .await?;
    desk.edit(&connection, |entry| entry.settings.keep_alive_s = 60).await?;
    desk.online(&connection).await?;
    ensure!(desk.view(&connection).await?.has.password);

    let view = desk.edit(&connection, |entry| entry.password = Some(String::new())).await?;
    ensure!(!view.has.password);
    let (message, _) = desk.trouble(&connection).await?;
    ensure!(message.contains("not authorized"), "{message}");
    desk.edit(&connection, |entry| entry.password = Some("guess".into())).await?;
    desk.trouble(&connection).await?;
    desk.edit(&connection, |entry| entry.password = Some("right".into())).await?;
    desk.online(&connection).await
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_replaced_piece_by_piece() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(mutual("plant", &broker, &certificates, &certificates.client)).await?;
    let subject = async || desk.view(&connection).await.map(|view| view.certificate_subject.unwrap_or_default());

    // The authority only, and the wrong one: the client certificate stays.
    let kit = brought(&desk, vec![file(&certificates.other_ca, FileRole::Authorities)]).await?;
    desk.edit(&connection, |entry| entry.kit = Some(kit)).await?;
    let (message, _) = desk.trouble(&connection).await?;
    ensure!(message.contains("does not trust"), "{message}");
    assert_eq!(subject().await?, "CN=console");
    let kit = brought(&desk, vec![file(&certificates.ca, FileRole::Authorities)]).await?;
    desk.edit(&connection, |entry| entry.kit = Some(kit)).await?;
    desk.online(&connection).await?;

    // The client certificate and its key only: the authority stays.
    let Identity { certificate, key } = certificates.issue("console-2")?;
    let kit = brought(&desk, vec![file(&certificate, FileRole::Any), file(&key, FileRole::Any)]).await?;
    desk.edit(&connection, |entry| entry.kit = Some(kit)).await?;
    desk.online(&connection).await?;
    assert_eq!(subject().await?, "CN=console-2");

    // Half a pair is no pair, and everything is as it was.
    for half in [&certificates.client.certificate, &certificates.client.key] {
        let kit = brought(&desk, vec![file(half, FileRole::Any)]).await?;
        let failure = desk.edit(&connection, |entry| entry.kit = Some(kit)).await.err().context("it was taken")?;
        let failure: Failure = failure.downcast()?;
        ensure!(failure.message.contains("missing") && failure.hint.is_some(), "{failure:?}");
        assert_eq!(subject().await?, "CN=console-2");
    }
    // An old one is kept nowhere else, so that one is forgotten is seen.
    let forget = |entry: &mut ConnectionEntry| {
        (entry.without_certificates, entry.settings.trust) = (true, Trust::Platform);
    };
    let view = desk.edit(&connection, forget).await?;
    ensure!(!view.has.certificate && !view.has.authorities && view.certificate_subject.is_none(), "{view:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_works_beside_the_one_it_was_made_of() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let _device = Device::start(&broker, "kitchen", Some((&certificates, &certificates.issue("kitchen")?)))?;
    let desk = Desk::new().await?;
    let one = desk.connect(mutual("plant", &broker, &certificates, &certificates.client)).await?;
    let other = desk.console().duplicate_connection(&one).await?;
    desk.online(&other.id).await?;
    let before = desk.view(&one).await?;
    ensure!(other.client_id != before.client_id && other.name == "plant copy" && other.has == before.has, "{other:#?}");
    for connection in [&one, &other.id, &one] {
        desk.sees_online(connection, 1).await?;
        assert_eq!(desk.carry_out(led(connection, "kitchen")).await?.state, CommandState::Succeeded);
    }
    // Each has its own secrets: the end of one is not the other's.
    desk.console().remove_connection(&one).await?;
    let mut desk = desk;
    desk.reopen().await?;
    desk.online(&other.id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_connections_is_kept_over_a_restart_and_an_edit() -> Result<()> {
    let mut desk = Desk::new().await?;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(desk.add(to(name, "mqtt://localhost:1")).await?);
    }
    desk.console().order_connections(&[ids[2].clone(), ids[0].clone()]).await?;
    let names = async |desk: &Desk| -> Result<String> {
        Ok(desk.console().connections().await?.iter().map(|view| view.name.as_str()).collect())
    };
    assert_eq!(names(&desk).await?, "cabd");
    desk.edit(&ids[0], |entry| entry.name = "x".into()).await?;
    assert_eq!(names(&desk).await?, "cxbd");
    desk.reopen().await?;
    assert_eq!(names(&desk).await?, "cxbd");
    desk.add(to("e", "mqtt://localhost:1")).await?;
    assert_eq!(names(&desk).await?, "cxbde");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_connection_is_the_same_after_import() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let (here, there) = (Desk::new().await?, Desk::new().await?);
    here.connect(mutual("plant", &broker, &certificates, &certificates.client)).await?;
    let rich = to("rich", "mqtts://localhost:1").bringing(Some(&certificates.ca), Some(&certificates.client));
    here.add(rich.with(whatever_can_be_entered)).await?;
    here.add(to("bare", "ws://localhost:1/here")).await?;
    let views = here.console().connections().await?;

    let (with, without) = (here.path().join("with.age"), here.path().join("without.json"));
    here.console().export_connections(&[], with.clone().into(), Some(PASSPHRASE.into())).await?;
    here.console().export_connections(&[], without.clone().into(), None).await?;
    let imported = there.console().import_connections(with.clone(), Some(PASSPHRASE.into()), false).await?;
    assert_eq!((imported.names.join(" ").as_str(), imported.without_secrets.len()), ("plant rich bare", 0));
    let arrived = there.console().connections().await?;
    for (before, after) in views.iter().zip(&arrived) {
        assert_eq!(entered(after)?, entered(before)?);
        assert_eq!((after.has, &after.certificate_subject), (before.has, &before.certificate_subject));
        assert_eq!(after.certificate_expires_at, before.certificate_expires_at);
        ensure!(after.client_id != before.client_id, "two consoles of one client ID throw each other out");
    }
    // Both at once, each with the same secrets and under a client id of its own.
    there.online(&arrived[0].id).await?;
    here.online(&views[0].id).await?;
    // And on to a third, where the password and the proxy's come out as they went in.
    let again = there.path().join("again.age");
    there.console().export_connections(&[], again.clone().into(), Some(PASSPHRASE.into())).await?;
    assert_eq!(plain_text(&again)?, plain_text(&with)?);

    let imported = there.console().import_connections(without, None, false).await?;
    assert_eq!(imported.names, ["plant 2", "rich 2", "bare 2"]);
    assert_eq!(imported.without_secrets, ["plant 2", "rich 2"]);
    let arrived = there.console().connections().await?;
    let (message, hint) = there.trouble(&arrived[3].id).await?;
    ensure!(message.contains("The secrets of 'plant 2' are not in the keyring") && hint.contains("Edit"), "{message}");
    // Given its files, it is like the other one.
    let files = [(&certificates.ca, FileRole::Authorities)];
    let pair = [(&certificates.client.certificate, FileRole::Certificate), (&certificates.client.key, FileRole::Key)];
    let files = files.into_iter().chain(pair).map(|(path, role)| file(path, role)).collect();
    let kit = brought(&there, files).await?;
    there.edit(&arrived[3].id, |entry| entry.kit = Some(kit)).await?;
    there.online(&arrived[3].id).await
}

/// What an encrypted file says, by the library that made it.
fn plain_text(path: &Path) -> Result<Value> {
    let identity = age::scrypt::Identity::new(age::secrecy::SecretString::from(PASSPHRASE.to_owned()));
    Ok(serde_json::from_slice(&age::decrypt(&identity, &std::fs::read(path)?)?)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_imported_is_told_and_nothing_is_added() -> Result<()> {
    let desk = Desk::new().await?;
    let with = desk.path().join("with.age");
    desk.console().export_connections(&[], with.clone().into(), Some(PASSPHRASE.into())).await?;
    let sealed = std::fs::read(&with)?;
    let page = |change: fn(&mut Value)| {
        let mut page = json!({"format": "wilco connections", "version": 1, "connections": []});
        change(&mut page);
        page.to_string().into_bytes()
    };
    let for_a_key = format!(
        "age-encryption.org/v1\n-> X25519 {key}\n{key}\n--- {key}\n{body}",
        key = "A".repeat(43),
        body = "x".repeat(64)
    );
    let mut changed = sealed.clone();
    // A letter of the armoured text, well after the header.
    let place = changed.len() - 60;
    changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
    let many = page(|page| {
        let secrets = json!({"password": false, "certificate": false, "authorities": false, "server": false, "proxy_password": false});
        let line = |number| {
            json!({"name": format!("plant {number}"), "url": "mqtt://localhost", "dialects": ["wilco"],
                "keep_alive_s": 30, "session_expiry_s": 0, "has": secrets})
        };
        page["connections"] = (0..30_000).map(line).collect();
    });
    let files: [(&str, Vec<u8>, &str); 11] = [
        ("newer.json", page(|page| page["version"] = json!(3)), "by a newer version"),
        ("empty.json", Vec::new(), "is not a file that Wilco exported"),
        ("other.json", br#"{"name": "package"}"#.to_vec(), "is not a file that Wilco exported"),
        ("list.json", b"[1, 2]".to_vec(), "is not a file that Wilco exported"),
        ("half.json", page(|_| {})[..30].to_vec(), "is not a file that Wilco exported"),
        ("lacking.json", page(|page| page["connections"] = json!([{"name": "x"}])), "is damaged"),
        ("half.age", sealed[..sealed.len() / 2].to_vec(), "is damaged"),
        ("changed.age", changed, "is damaged"),
        ("key.age", for_a_key.into_bytes(), "encrypted with a key, not with a passphrase"),
        ("big.json", vec![b' '; 20 << 20], "too large"),
        ("many.json", many, "has 30,000 connections; the limit is 1,000"),
    ];
    for (name, content, words) in files {
        let path = desk.path().join(name);
        std::fs::write(&path, content)?;
        refused(&desk, path, words).await.with_context(|| name.to_owned())?;
    }
    refused(&desk, desk.path().to_owned(), "is a folder").await?;
    refused(&desk, "/nowhere/connections.age".into(), "The file /nowhere").await?;
    let locked = desk.console().import_connections(with.clone(), Some("another passphrase".into()), false).await?;
    ensure!(locked.locked && locked.names.is_empty());
    ensure!(desk.console().import_connections(with, None, false).await?.locked);
    ensure!(desk.console().connections().await?.is_empty());
    Ok(())
}

async fn refused(desk: &Desk, path: PathBuf, words: &str) -> Result<()> {
    let outcome = desk.console().import_connections(path, Some(PASSPHRASE.into()), false).await;
    let failure = outcome.err().context("it was imported")?;
    ensure!(failure.code == FailureCode::File && failure.message.contains(words), "{failure:?}");
    ensure!(failure.message.ends_with('.') && failure.hint.is_some(), "{failure:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_connection_in_a_file_keeps_the_others_out() -> Result<()> {
    let (here, there) = (Desk::new().await?, Desk::new().await?);
    here.add(to("good", "mqtt://localhost:1")).await?;
    here.add(to("bad", "mqtt://localhost:1")).await?;
    let path = here.path().join("connections.json");
    here.console().export_connections(&[], path.clone().into(), None).await?;
    let mut page: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    page["connections"][1]["url"] = json!("ftp://localhost");
    std::fs::write(&path, page.to_string())?;
    let failure = there.console().import_connections(path, None, false).await.err().context("it was imported")?;
    let said = "The connection bad of this file cannot be imported. Wilco does not support the scheme";
    ensure!(failure.message.starts_with(said), "{failure:?}");
    ensure!(there.console().connections().await?.is_empty(), "the good one stayed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_cannot_be_written_is_told_and_leaves_nothing() -> Result<()> {
    let desk = Desk::new().await?;
    desk.add(to("plant", "mqtt://localhost:1")).await?;
    let folder = desk.path().join("folder");
    std::fs::create_dir(&folder)?;
    let cases = [
        (PathBuf::from("/nowhere/connections.json"), "The folder of /nowhere"),
        (folder.clone(), "is a folder"),
        (PathBuf::from("/proc/connections.json"), "connections.json"),
    ];
    for (path, words) in cases {
        let outcome = desk.console().export_connections(&[], path.clone().into(), None).await;
        let failure = outcome.err().with_context(|| format!("{} was written", path.display()))?;
        ensure!(failure.code == FailureCode::File && failure.message.contains(words), "{failure:?}");
        ensure!(failure.hint.is_some());
    }
    let short =
        desk.console().export_connections(&[], desk.path().join("short.age").into(), Some("short".into())).await;
    ensure!(short.err().is_some_and(|failure| failure.code == FailureCode::Invalid));
    let left: Vec<_> =
        std::fs::read_dir(desk.path())?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    ensure!(!left.iter().any(|name| name.contains("part") || name.contains("age")), "{left:?}");
    Ok(())
}
