//! Recognisable secrets are entered in every possible way, and then searched for in everything that was written or
//! printed: they are in the keyring, and nowhere else.

mod canary;
mod memory;
mod planted;
mod stage;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use wilco_engine::api::{ConnectionEntry, ConnectionSettings, FileRole, FileToRead, FilesToRead, ProxySettings, Trust};
use wilco_engine::tls::{Kit, Source};
use wilco_engine::vault::{Secret, SecretKind, Vault};
use wilco_ledger::Timestamp;
use wilco_tests::{Broker, Certificates, Misbehaviour, Proxy, Scripted};

use crate::app::App;
use crate::desk::{Desk, led, plain};
use crate::ways::WebSockets;
use canary::Canaries;
use memory::found_in_memory;
use planted::PlantedSecrets;
use stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_are_in_the_keyring_and_nowhere_else() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let web = WebSockets::start(Some(&certificates))?;
    let mut stage = Stage::new().await?;
    let files = PlantedSecrets::new(&mut stage.canaries, &certificates)?;

    brings_files(&mut stage, &files, &certificates).await?;
    let connection = enters_and_tries(&mut stage, &files, &certificates, (&broker, &web)).await?;
    changes(&mut stage, &files, &certificates, &connection).await?;
    takes_elsewhere(&mut stage, &files, &connection).await?;
    uses_the_command_line(&mut stage, &files, &certificates, &broker)?;
    let kept = stage.session.kept()?;
    stage.searches_processes()?;
    stage.searches()?;
    stage.app.stop()?;
    stage.searches()?;

    // They were there to be found.
    let log = stage.app.log();
    ensure!(log.contains("TRACE") && log.contains("DEBUG"), "the app has not said all that it can say");
    ensure!(kept.iter().any(|entry| !stage.canaries.found_in(entry).is_empty()), "there are none in the keyring");
    ensure!(!kept.iter().any(|entry| entry.windows(10).any(|part| part == b"-----BEGIN")), "PEM is in the keyring");
    let planted = stage.canaries.found_below(certificates.directory())?;
    ensure!(planted.len() >= 6, "the keys are not recognised in their own files: {planted:?}");
    Ok(())
}

/// Every kind of file, with right and wrong passphrases, damaged ones, and what does not fit together.
async fn brings_files(stage: &mut Stage, files: &PlantedSecrets, certificates: &Certificates) -> Result<()> {
    let any = FileRole::Any;
    for path in [&files.pkcs12, &files.locked] {
        let kit = stage.brings(&[(path, any)], Some(&files.wrong)).await?;
        ensure!(kit.locked, "{kit:?}");
        let kit = stage.brings_to(Some(&kit), &[], Some(&files.passphrase)).await?;
        ensure!(!kit.locked, "{kit:?}");
        let outcome = stage.watch.console().forget_kit(&kit.id).await;
        stage.hears(outcome)?;
    }
    for path in &files.damaged {
        for role in [any, FileRole::Key, FileRole::Certificate, FileRole::Authorities] {
            stage.brings(&[(path, role), (&files.console.certificate, any)], Some(&files.wrong)).await?;
        }
    }
    for role in [FileRole::Certificate, FileRole::Authorities, FileRole::Server] {
        stage.brings(&[(&files.console.key, role)], None).await?;
    }
    let pair: [(&Path, FileRole); 2] = [(&certificates.client.certificate, any), (&files.console.key, any)];
    let kit = stage.brings(&pair, None).await?;
    ensure!(!kit.usable, "another certificate's key is taken: {kit:?}");
    let entry = ConnectionEntry { name: "never".into(), url: "mqtts://localhost:1".into(), ..with_secrets(files) };
    let outcome = stage.watch.console().save_connection(ConnectionEntry { kit: Some(kit.id), ..entry }).await;
    stage.hears_refusal(outcome)
}

/// An entry with each secret that can be typed.
fn with_secrets(files: &PlantedSecrets) -> ConnectionEntry {
    ConnectionEntry {
        settings: ConnectionSettings {
            username: Some("ops".into()),
            trust: Trust::Authorities,
            ..ConnectionSettings::default()
        },
        password: Some(files.password.clone()),
        ..ConnectionEntry::default()
    }
}

/// Trials that pass and that fail, and connections by each way. Returns one of them.
async fn enters_and_tries(
    stage: &mut Stage,
    files: &PlantedSecrets,
    certificates: &Certificates,
    (broker, web): (&Broker, &WebSockets),
) -> Result<String> {
    let brought: [(&Path, FileRole); 3] = [
        (&certificates.ca, FileRole::Authorities),
        (&files.console.certificate, FileRole::Any),
        (&files.console.key, FileRole::Any),
    ];
    let refusing = Scripted::new().on_connect(Misbehaviour::Reason(0x86)).start()?;
    let malformed = Scripted::new().says("HTTP/1.1 400 Bad Request\r\n\r\n").start()?;
    let proxies = [Proxy::http(), Proxy::socks5()].map(|proxy| proxy.for_user("me", &files.proxy_password).start());
    let strict = Proxy::http().for_user("me", "another").start()?;
    let mut urls = vec![None, Some(strict.url())];
    for proxy in &proxies {
        urls.push(Some(proxy.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?.url()));
    }
    let mut saved = String::new();
    let ways = [
        (broker.url(), true),
        (web.connection(None).entry.url, true),
        (web.connection(None).entry.url.replace("wss:", "ws:"), false),
        (refusing.url(), false),
        (malformed.url(), false),
        (malformed.url().replace("mqtt:", "ws:"), false),
        ("mqtts://no-such-host.invalid".into(), true),
    ];
    for (number, (url, is_secured)) in ways.iter().enumerate() {
        for (place, proxy) in urls.iter().enumerate() {
            let kit = if *is_secured { Some(stage.brings(&brought, None).await?.id) } else { None };
            let mut entry = ConnectionEntry {
                name: format!("{number} {place}"),
                url: url.clone(),
                kit,
                proxy_password: proxy.is_some().then(|| files.proxy_password.clone()),
                ..with_secrets(files)
            };
            entry.settings.proxy = proxy.clone().map(|url| ProxySettings { url, username: Some("me".into()) });
            entry.settings.trust = if *is_secured { Trust::Authorities } else { Trust::Platform };
            let tried =
                stage.watch.console().preflight(entry.clone(), None, tokio::sync::mpsc::unbounded_channel().0).await;
            let view = stage.hears(tried)?;
            let id = stage.saves(entry).await?;
            if number < 2 && place != 1 {
                ensure!(view.ok, "{view:#?}");
                stage.watch.online(&id).await?;
                let sent = stage.watch.console().send(led(&id, "kitchen")).await;
                stage.hears(sent)?;
            } else {
                ensure!(!view.ok, "{url} {place}: {view:#?}");
                stage.watch.trouble(&id).await?;
                let removed = stage.watch.console().remove_connection(&id).await;
                stage.hears(removed)?;
                continue;
            }
            // Its broker outlives this, and there is no proxy on the way.
            if place == 0 {
                saved = id;
            }
        }
    }
    let open = Broker::plain()?;
    for url in [open.url(), "ws://localhost:1".into()] {
        let mut entry = ConnectionEntry { name: "open".into(), url, ..with_secrets(files) };
        entry.settings.trust = Trust::Platform;
        let tried =
            stage.watch.console().preflight(entry.clone(), None, tokio::sync::mpsc::unbounded_channel().0).await;
        stage.hears(tried)?;
    }
    let refused = ConnectionEntry { name: "in it".into(), ..plain("in it", &open).entry };
    let address = format!("mqtt://ops:{}@localhost", files.password);
    let refused = stage.watch.console().save_connection(ConnectionEntry { url: address, ..refused }).await;
    stage.hears_refusal(refused)?;
    // A WebSocket without TLS: what goes over it could be read on the way, and still not in the log.
    let plain_web = WebSockets::start(None)?;
    let entry = plain_web.connection(None).entry;
    let mut entry = ConnectionEntry { url: entry.url, name: "ws".into(), ..with_secrets(files) };
    entry.settings.trust = Trust::Platform;
    let id = stage.saves(entry).await?;
    stage.watch.online(&id).await?;
    Ok(saved)
}

async fn changes(
    stage: &mut Stage,
    files: &PlantedSecrets,
    certificates: &Certificates,
    connection: &str,
) -> Result<()> {
    let view = stage.watch.view(connection).await?;
    let entry = ConnectionEntry { password: Some(files.other_password.clone()), ..(&view).into() };
    stage.saves(entry).await?;
    let any = FileRole::Any;
    for identity in [&files.renewed, &files.console] {
        let kit = stage.brings(&[(&identity.certificate, any), (&identity.key, any)], None).await?;
        let renewed = stage.watch.console().renew_certificate(connection, &kit.id).await;
        stage.hears(renewed)?;
        stage.watch.online(connection).await?;
    }
    let kit = stage.brings(&[(&certificates.client.certificate, any), (&files.console.key, any)], None).await?;
    let renewed = stage.watch.console().renew_certificate(connection, &kit.id).await;
    stage.hears_refusal(renewed)?;
    let copy = stage.watch.console().duplicate_connection(connection).await;
    let copy = stage.hears(copy)?;
    stage.watch.online(&copy.id).await?;
    let listed = stage.watch.console().connections().await;
    stage.hears(listed)?;
    Ok(())
}

async fn takes_elsewhere(stage: &mut Stage, files: &PlantedSecrets, connection: &str) -> Result<()> {
    let (with, without) = (stage.at("with.age"), stage.at("without.json"));
    let one = [connection.to_owned()];
    let passphrase = Some(files.export_passphrase.clone());
    let exported = stage.watch.console().export_connections(&one, with.clone().into(), passphrase.clone()).await;
    stage.hears(exported)?;
    let exported = stage.watch.console().export_connections(&[], without.clone().into(), None).await;
    stage.hears(exported)?;
    let nowhere = stage
        .watch
        .console()
        .export_connections(&[], PathBuf::from("/nowhere/at.age").into(), passphrase.clone())
        .await;
    stage.hears_refusal(nowhere)?;
    let sealed = std::fs::read(&with)?;
    let cut = stage.at("cut.age");
    std::fs::write(&cut, &sealed[..sealed.len() - 100])?;
    let damaged = stage.watch.console().import_connections(cut, passphrase.clone(), false).await;
    stage.hears_refusal(damaged)?;
    let locked = stage.watch.console().import_connections(with.clone(), Some(files.wrong.clone()), false).await;
    ensure!(stage.hears(locked)?.locked);
    for (path, passphrase) in [(with, passphrase), (without, None)] {
        let imported = stage.watch.console().import_connections(path, passphrase, false).await;
        stage.hears(imported)?;
    }
    Ok(())
}

/// The same on the command line: as a visitor of the app, and as the engine itself.
fn uses_the_command_line(
    stage: &mut Stage,
    files: &PlantedSecrets,
    certificates: &Certificates,
    broker: &Broker,
) -> Result<()> {
    let text = |path: &Path| path.display().to_string();
    let (url, ca) = (broker.url(), text(&certificates.ca));
    let (cert, key, p12) = (text(&files.console.certificate), text(&files.console.key), text(&files.pkcs12));
    let typed = format!("{}\n{}\n", files.passphrase, files.password);
    let mistyped = format!("{}\n{}\n", files.wrong, files.password);
    for data in ["data", "own"] {
        let to = text(&stage.at(&format!("{data}.age")));
        let base = ["connections", "add", "by hand", "--url", &url, "--ca", &ca, "--username", "ops"];
        let packed = [&base[..], &["--password-stdin", "--pkcs12", &p12, "--passphrase-stdin"]].concat();
        ensure!(stage.runs(data, &packed, &mistyped)? == 2);
        ensure!(stage.runs(data, &packed, &typed)? == 0, "{}", String::from_utf8_lossy(&stage.said));
        ensure!(stage.runs(data, &["connections", "test", "by hand", "--output", "json"], "")? == 0);
        let renew = ["connections", "renew", "by hand", "--cert", &cert, "--key", &key];
        ensure!(stage.runs(data, &renew, "")? == 0);
        let export = ["connections", "export", "by hand", "--to", &to, "--with-secrets", "--passphrase-stdin"];
        ensure!(stage.runs(data, &export, &format!("{}\n", files.export_passphrase))? == 0);
        let import = ["connections", "import", &to, "--passphrase-stdin"];
        ensure!(stage.runs(data, &import, &format!("{}\n", files.wrong))? == 2);
        ensure!(stage.runs(data, &import, &format!("{}\n", files.export_passphrase))? == 0);
        ensure!(stage.runs(data, &["connections", "list", "--output", "json"], "")? == 0);
    }
    let unstored = ["connections", "test", "--url", &url, "--ca", &ca, "--cert", &cert, "--key", &key];
    let unstored = [&unstored[..], &["--username", "ops", "--password-stdin"]].concat();
    ensure!(stage.runs("own", &unstored, &format!("{}\n", files.password))? == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_forgotten_is_gone_from_memory() -> Result<()> {
    let certificates = Certificates::new()?;
    let mut canaries = Canaries::default();
    canaries.key("key", &certificates.client.key)?;
    let desk = Desk::closed()?;
    let app = App::start(desk.path()).await?;
    let brought = [&certificates.client.certificate, &certificates.client.key];
    let files = brought.map(|path| FileToRead { path: path.clone(), role: FileRole::Any }).into();
    let kit = app.watch.console().read_files(FilesToRead { files, ..FilesToRead::default() }).await?;
    ensure!(!found_in_memory(app.id(), &canaries)?.is_empty(), "it is not even there while it is kept");
    app.watch.console().forget_kit(&kit.id).await?;
    let found = found_in_memory(app.id(), &canaries)?;
    ensure!(found.is_empty(), "{found:?}");
    Ok(())
}

#[test]
fn types_with_secrets_print_nothing() -> Result<()> {
    let certificates = Certificates::new()?;
    let mut canaries = Canaries::default();
    let files = PlantedSecrets::new(&mut canaries, &certificates)?;
    let mut kit = Kit::new();
    for path in [&files.console.certificate, &files.console.key, &files.locked, &files.pkcs12] {
        let content = std::fs::read(path)?.into();
        kit.add(Source { name: path.display().to_string(), role: FileRole::Any, content });
    }
    let vault = Vault::in_memory();
    let secret = Secret::from(files.password.clone());
    vault.put("bench", SecretKind::Password, &secret)?;
    let mut whole = Kit::new();
    whole.read_file(&files.console.certificate, FileRole::Any);
    whole.read_file(&files.console.key, FileRole::Any);
    // In November 2026, when they are all valid.
    let credentials = whole.credentials(Timestamp(1_795_600_000_000))?;
    let secrets = credentials.to_secrets();
    let printed = format!("{kit:?} {whole:#?} {vault:?} {secret:?} {secret:#?} {credentials:#?} {secrets:#?}");
    ensure!(canaries.found_in(printed.as_bytes()).is_empty(), "{printed}");
    ensure!(secrets.iter().any(|(_, secret)| !canaries.found_in(secret.expose()).is_empty()), "there was none");
    Ok(())
}
