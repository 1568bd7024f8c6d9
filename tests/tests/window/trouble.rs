//! Bad input and bad luck: each gets a clear sentence, and nothing stored is damaged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, Certificates, Child, Connection, Console, Desk, Device, Identity, Keyring, soon};

use crate::kit::{Kit, body, holds};
use crate::{SHORT, check};

#[tokio::test]
async fn files_and_brokers_that_will_not_do_are_explained() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let elsewhere = Certificates::new()?;
    let note = certificates.directory().join("note.pem");
    std::fs::write(&note, "Not a certificate at all.")?;
    let (url, client) = (broker.url(), &certificates.client);
    let refused = format!("mqtts://localhost:{}", std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    let plain = format!("mqtt://localhost:{}", broker.port());

    let mixed = Identity { certificate: client.certificate.clone(), key: certificates.issue("another")?.key };
    let text = Identity { certificate: note.clone(), key: client.key.clone() };
    let absent = Identity { certificate: certificates.directory().join("absent.pem"), key: client.key.clone() };
    let (expired, version_1, stranger) = (certificates.expired()?, certificates.version_1()?, &elsewhere.client);

    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.click("button", "Connect to my broker").await?;
    let cases: [(&str, &Path, Option<&Identity>, &str); 9] = [
        (&url, &certificates.ca, Some(&mixed), "belongs to another certificate"),
        (&url, &certificates.ca, Some(&expired), "expired on 2021-01-01"),
        (&url, &certificates.ca, Some(&version_1), "X.509 version 1"),
        (&url, &certificates.ca, Some(&text), "is neither a certificate nor a private key"),
        (&url, &certificates.ca, Some(&absent), "cannot be read"),
        (&url, &elsewhere.ca, Some(client), "certificate"),
        (&url, &certificates.ca, Some(stranger), "certificate"),
        (&refused, &certificates.ca, Some(client), "Nothing listens at"),
        (&plain, &certificates.ca, None, "closed the connection"),
    ];
    for (at, (url, ca, identity, sentence)) in cases.into_iter().enumerate() {
        let connection = Connection { name: "Bad luck", url, ca: Some(ca).filter(|_| identity.is_some()), identity };
        console.fill_connection(connection).await?;
        console.click("button", "Test").await?;
        let said = outcome(&console).await.with_context(|| format!("case {at}, {sentence}"))?;
        ensure!(said.contains(sentence), "case {at}: it says “{said}”, not “{sentence}”");
    }
    console.screenshot("trouble-test").await?;
    console.close().await
}

#[tokio::test]
async fn without_a_keyring_secrets_are_kept_for_this_run_only() -> Result<()> {
    for keyring in [Keyring::Absent, Keyring::Locked] {
        let certificates = Certificates::new()?;
        let broker = Broker::mutual_tls(&certificates)?;
        let _device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
        let desk = Desk::new(keyring)?;
        let kit = Kit::copy(&certificates)?;
        let private_key = body(&kit.identity.key)?;

        let console = desk.open().await?;
        console.click("button", "Connect to my broker").await?;
        console.fill_connection(kit.connection("Test bench", &broker.url())).await?;
        console.click("button", "Save").await?;
        console.wait_for_text("Keep in memory for this run", SHORT).await?;
        console.screenshot(&format!("keyring-{}", format!("{keyring:?}").to_lowercase())).await?;
        console.click("checkbox", "Keep in memory for this run").await?;
        console.click("button", "Save").await?;
        console.wait_for_text("Open its fleet", SHORT).await?;
        console.go("Fleet").await?;
        console.wait_for_online(Some("bench-1")).await?;
        console.choose("bench-1").await?;
        check(console.flip_led().await?, "led on");
        console.close().await?;
        ensure!(!holds(desk.data(), &private_key)?, "the private key lies in the data directory");
        ensure!(!holds(desk.session().home(), &private_key)?, "the private key lies in the home directory");

        let console = desk.open().await?;
        console.go("Connections").await?;
        console.wait_for_text("in memory for", SHORT).await?;
        console.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_a_device_says_is_data_and_never_markup() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.click("button", "Connect to my broker").await?;
    let connection = Connection { name: "Open bench", url: &broker.url(), ca: None, identity: None };
    console.fill_connection(connection).await?;
    console.click("button", "Save").await?;
    console.wait_for_text("Open its fleet", SHORT).await?;
    console.go("Fleet").await?;
    broker.publish("rogue-1/status", br#"{"online":true,"boot":"b1","firmware":"<b>9</b>"}"#, true)?;
    console.wait_for_online(Some("rogue-1")).await?;
    console.choose("rogue-1").await?;

    let requests = broker.listen("rogue-1/req")?;
    console.click("switch", "LED").await?;
    let id = soon("command on rogue-1/req", SHORT, || id_in(&requests))?;
    broker.publish("rogue-1/resp", b"\xff\xfe\x00 not text", false)?;
    broker.publish("rogue-1/resp", format!("{{\"id\":\"{id}\",\"status\":").as_bytes(), false)?;
    broker.publish("rogue-1/resp", &[b'x'; 200_000], false)?;
    let running = json!({ "id": id, "status": "running", "progress": 40, "message": "x".repeat(200_000) });
    broker.publish("rogue-1/resp", running.to_string().as_bytes(), false)?;
    let markup = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>";
    let failed = json!({ "id": id, "status": "failed", "message": markup });
    broker.publish("rogue-1/resp", failed.to_string().as_bytes(), false)?;

    console.wait_for_text(markup, SHORT).await?;
    console.screenshot("rogue-inspector").await?;
    ensure!(injected(&console).await? == json!(0), "markup of a device is in the page");
    console.go("History").await?;
    let evidence = console.unfold(&id).await?;
    ensure!(evidence.contains("Failed") && evidence.contains("Running"), "{evidence}");
    console.screenshot("rogue-history").await?;
    ensure!(injected(&console).await? == json!(0), "markup of a device is in the page");
    console.close().await
}

#[tokio::test]
async fn a_second_app_on_the_same_data_says_so() -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let first = desk.open().await?;
    first.wait_for_text("Try the demo fleet", SHORT).await?;
    let second = desk.open().await?;
    second.wait_for_text("already", SHORT).await?;
    second.screenshot("second-app").await?;
    second.close().await?;
    first.try_demo().await?;
    first.close().await
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_as_it_is() -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    desk.open().await?.close().await?;
    let database = soon("database", SHORT, || database_in(desk.data()))?;
    let mut bytes = std::fs::read(&database)?;
    // SQLite's header has the version of the program's own format, big-endian, at byte 60.
    bytes[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    std::fs::write(&database, &bytes)?;

    let console = desk.open().await?;
    console.wait_for_text("newer", SHORT).await?;
    console.screenshot("newer-database").await?;
    console.close().await?;
    ensure!(std::fs::read(&database)? == bytes, "the database was changed");
    Ok(())
}

/// What the form says once it has tried.
async fn outcome(console: &Console) -> Result<String> {
    let script = "return document.querySelector('form .outcome')?.innerText ?? ''";
    wilco_tests::soon_async("outcome of the test", Duration::from_secs(30), async || {
        let text = console.run(script, vec![]).await?.as_str().unwrap_or_default().trim().to_owned();
        Ok((!text.is_empty() && !text.starts_with("Trying")).then_some(text))
    })
    .await
}

async fn injected(console: &Console) -> Result<Value> {
    let script =
        "return document.querySelectorAll('img, b b, .ladder b, .evidence b').length + (document.title === 'owned')";
    console.run(script, vec![]).await
}

fn id_in(requests: &Child) -> Option<String> {
    let log = requests.log();
    let request: Value = serde_json::from_str(log.lines().next()?.strip_prefix("rogue-1/req ")?).ok()?;
    Some(request["id"].as_str()?.to_owned())
}

fn database_in(directory: &Path) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.find(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0")))
}
