//! Connections with secrets in a real keyring: locked, absent, with small entries, and during a change.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use wilco_engine::api::{Client, CommandState};
use wilco_engine::api::{Failure, FailureCode, FileRole, FileToRead, FilesToRead, LinkState};
use wilco_tests::{Broker, Certificates, Identity, Keyring, Session, openssl};

use crate::app::App;
use crate::desk::{Desk, led, mutual, plain};

const PASSPHRASE: &str = "four words of mine";

/// What Windows holds in an entry, bytes.
const SMALLEST_ENTRY: usize = 2_560;

fn of_the_keyring<T>(outcome: Result<T, Failure>, words: &str) -> Result<()> {
    let failure = outcome.err().context("it was done")?;
    ensure!(failure.code == FailureCode::Keyring && failure.message.contains(words), "{failure:?}");
    ensure!(failure.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{failure:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_locks_between_two_uses_is_told_and_used_again_when_it_is_unlocked() -> Result<()> {
    let session = Session::start(Keyring::Unlocked)?;
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let desk = Desk::closed()?;
    let app = App::start_in(&session, desk.path()).await?;
    let new = || mutual("plant", &broker, &certificates, &certificates.client);
    let connection = app.watch.connect(new()).await?;

    session.lock_keyring()?;
    // What runs continues.
    let id = app.watch.send(led(&connection, "kitchen")).await?;
    app.watch.reaches("kitchen", &id, CommandState::AtBroker).await?;
    let other = new().with(|entry| entry.name = "other".into());
    of_the_keyring(app.watch.try_to_add(other).await.map(drop), "keyring is locked")?;
    let edit = app.watch.edit(&connection, |entry| entry.settings.keep_alive_s = 60).await;
    of_the_keyring(edit.map_err(|error| error.downcast().expect("a failure")), "keyring is locked")?;
    assert_eq!(app.watch.view(&connection).await?.settings.keep_alive_s, 30);
    let file = two_connections(desk.path()).await?;
    let import = app.watch.console().import_connections(file.clone(), Some(PASSPHRASE.into()), false).await;
    of_the_keyring(import, "keyring is locked")?;
    assert_eq!(app.watch.console().connections().await?.len(), 1, "a part of the file was added");

    app.kill();
    let app = App::start_in(&session, desk.path()).await?;
    let (message, hint) = app.watch.trouble(&connection).await?;
    ensure!(message.contains("keyring is locked") && hint.contains("Unlock it"), "{message} {hint}");
    session.unlock_keyring()?;
    app.watch.online(&connection).await?;
    let imported = app.watch.console().import_connections(file, Some(PASSPHRASE.into()), false).await?;
    assert_eq!((imported.names.len(), imported.without_secrets.len()), (2, 0));
    Ok(())
}

/// A file with a connection that has no secrets and one that has some.
async fn two_connections(directory: &Path) -> Result<std::path::PathBuf> {
    let desk = Desk::new().await?;
    let broker = Broker::plain()?;
    desk.add(plain("bare", &broker)).await?;
    let known = plain("known", &broker).with(|entry| {
        entry.settings.username = Some("me".into());
        entry.password = Some("pw".into());
    });
    desk.add(known).await?;
    let path = directory.join("two.age");
    desk.console().export_connections(&[], path.clone().into(), Some(PASSPHRASE.into())).await?;
    Ok(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keyring_secrets_are_held_for_this_run_if_that_is_wanted() -> Result<()> {
    let session = Session::start(Keyring::Absent)?;
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let desk = Desk::closed()?;
    let app = App::start_in(&session, desk.path()).await?;
    let new = mutual("plant", &broker, &certificates, &certificates.client);
    of_the_keyring(app.watch.try_to_add(new.clone()).await.map(drop), "no keyring for storing secrets")?;
    ensure!(app.watch.console().connections().await?.is_empty());
    let connection = app.watch.connect(new.with(|entry| entry.without_keyring = true)).await?;
    ensure!(app.watch.view(&connection).await?.in_memory_secrets);
    // An edit keeps them; a broker without secrets needs no keyring at all.
    app.watch.edit(&connection, |entry| entry.settings.keep_alive_s = 60).await?;
    app.watch.online(&connection).await?;
    app.watch.connect(plain("bare", &Broker::plain()?)).await?;

    app.kill();
    let app = App::start_in(&session, desk.path()).await?;
    let (message, hint) = app.watch.trouble(&connection).await?;
    ensure!(message.contains("kept in memory and are lost") && hint.contains("Edit"), "{message} {hint}");
    let link = app.watch.view(&connection).await?.link;
    ensure!(matches!(link, LinkState::Stopped { .. }), "it is tried again: {link:?}");
    let removed = app.watch.console().remove_connection(&connection).await;
    ensure!(removed.is_ok(), "{removed:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_entry_is_larger_than_the_smallest_keyring_holds() -> Result<()> {
    let session = Session::start(Keyring::Unlocked)?;
    let certificates = Certificates::new()?;
    let long = long_chain(certificates.directory())?;
    let desk = Desk::closed()?;
    let app = App::start_in(&session, desk.path()).await?;
    let new = crate::desk::to("long", "mqtts://localhost:1").bringing(Some(&certificates.ca), Some(&long));
    let connection = app.watch.add(new).await?;
    let sizes: Vec<_> = session.kept()?.iter().map(Vec::len).collect();
    ensure!(sizes.iter().all(|size| *size <= SMALLEST_ENTRY), "{sizes:?}");
    ensure!(sizes.len() > 4 && sizes.iter().sum::<usize>() > 7_000, "{sizes:?}");
    ensure!(session.kept()?.iter().all(|entry| !entry.windows(10).any(|part| part == b"-----BEGIN")), "it is PEM");

    // A smaller one leaves nothing of the larger one behind, and the end of the connection nothing at all.
    let kit = brought(app.watch.console(), &certificates.client).await?;
    app.watch.console().renew_certificate(&connection, &kit).await?;
    ensure!(session.kept()?.len() < sizes.len());
    app.watch.console().remove_connection(&connection).await?;
    assert_eq!(session.kept()?, Vec::<Vec<u8>>::new());
    Ok(())
}

/// A certificate with an RSA key of 4,096 bits, and three authorities of that size above it.
fn long_chain(directory: &Path) -> Result<Identity> {
    let at = |name: String| directory.join(name);
    // One key for all of them: it takes a second to make one, and only the sizes matter here.
    let key = at("long.key".into());
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"], &[("-out", &key)])?;
    let mut chain = String::new();
    for number in (0..4).rev() {
        let (own, issuer) = (at(format!("long-{number}.pem")), at(format!("long-{}.pem", number + 1)));
        let subject = format!("/CN=long-{number}");
        let is_ca = format!("basicConstraints=critical,CA:{}", if number > 0 { "TRUE" } else { "FALSE" });
        let new = ["req", "-new", "-x509", "-days", "365", "-subj", &subject, "-addext", &is_ca];
        let mut files = vec![("-key", key.as_path()), ("-out", own.as_path())];
        if number < 3 {
            files.extend([("-CA", issuer.as_path()), ("-CAkey", key.as_path())]);
        }
        openssl(&new, &files)?;
        chain = std::fs::read_to_string(&own)? + &chain;
    }
    let certificate = at("long.pem".into());
    std::fs::write(&certificate, chain)?;
    Ok(Identity { certificate, key })
}

async fn brought(console: &Client, identity: &Identity) -> Result<String> {
    let file = |path: &Path, role| FileToRead { path: path.to_owned(), role };
    let files = vec![file(&identity.certificate, FileRole::Certificate), file(&identity.key, FileRole::Key)];
    Ok(console.read_files(FilesToRead { files, ..FilesToRead::default() }).await?.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_killed_while_it_renews_has_the_old_pair_or_the_new_one() -> Result<()> {
    let session = Session::start(Keyring::Unlocked)?;
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let pairs = [certificates.issue("even")?, certificates.issue("odd")?];
    let desk = Desk::closed()?;
    let mut app = App::start_in(&session, desk.path()).await?;
    let connection = app.watch.connect(mutual("plant", &broker, &certificates, &pairs[0])).await?;
    for round in 0..6_u64 {
        let console = app.watch.console().clone();
        let (tell, mut renewed) = tokio::sync::watch::channel(0);
        let renewing = tokio::spawn({
            let (pairs, connection) = (pairs.clone(), connection.clone());
            async move {
                for pair in pairs.iter().cycle() {
                    let Ok(kit) = brought(&console, pair).await else { break };
                    if console.renew_certificate(&connection, &kit).await.is_err() {
                        break;
                    }
                    tell.send_modify(|renewed| *renewed += 1);
                }
            }
        });
        renewed.wait_for(|renewed| *renewed >= 2).await?;
        // At another point of a renewal each time.
        tokio::time::sleep(Duration::from_millis(round * 7)).await;
        app.kill();
        renewing.await?;
        app = App::start_in(&session, desk.path()).await?;
        // A certificate beside another one's key would not come so far.
        app.watch.online(&connection).await.with_context(|| format!("round {round}"))?;
        let subject = app.watch.view(&connection).await?.certificate_subject.context("no subject")?;
        let shown = shown_last(&broker)?;
        ensure!(subject == format!("CN={shown}"), "{subject} is said to be shown, and it is {shown}");
    }
    Ok(())
}

/// The name in the certificate that a console has shown last, by the broker's word.
fn shown_last(broker: &Broker) -> Result<String> {
    let log = broker.log();
    let line = log.lines().rfind(|line| line.contains(" as wilco-")).context("nobody has connected")?;
    let name = line.split("u'").nth(1).and_then(|rest| rest.split('\'').next());
    Ok(name.with_context(|| line.to_owned())?.to_owned())
}
