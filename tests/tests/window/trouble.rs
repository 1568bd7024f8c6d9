//! Invalid input and failures: each has a clear message, and no stored data is damaged.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{
    Broker, Certificates, Child, Connection, Console, Desk, Device, Identity, Keyring, program, soon, soon_async,
};

use crate::kit::{Kit, body, holds};
use crate::{SHORT, check};

#[tokio::test]
async fn files_and_brokers_that_will_not_do_are_explained() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let elsewhere = Certificates::new()?;
    let note = certificates.directory().join("note.pem");
    std::fs::write(&note, "Not a certificate at all.")?;
    let (url, client) = (&broker.url(), &certificates.client);
    let refused = format!("mqtts://localhost:{}", std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    let plain = format!("mqtt://localhost:{}", broker.port());

    let mixed = Identity { certificate: client.certificate.clone(), key: certificates.issue("another")?.key };
    let text = Identity { certificate: note.clone(), key: client.key.clone() };
    let absent = Identity { certificate: certificates.directory().join("absent.pem"), key: client.key.clone() };
    let (expired, version_1, unexpected_device) =
        (certificates.expired()?, certificates.version_1()?, &elsewhere.client);

    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let files: [(&Identity, &str); 5] = [
        (&mixed, "does not match the certificate"),
        (&expired, "expired on 2021-01-01"),
        (&version_1, "X.509 version 1"),
        (&text, "is missing. Add its client certificate"),
        (&absent, "it does not exist"),
    ];
    for (at, (identity, sentence)) in files.into_iter().enumerate() {
        console.begin_connection().await?;
        console
            .bring_all(Connection { name: "Bad luck", url, ca: Some(&certificates.ca), identity: Some(identity) })
            .await?;
        let said = console.problems().await?;
        ensure!(said.contains(sentence), "case {at}: it says “{said}”, not “{sentence}”");
        console.screenshot(&format!("trouble-files-{at}")).await?;
        leave(&console).await?;
    }
    let brokers: [(&str, &Path, Option<&Identity>, &str, &str); 5] = [
        (url, &certificates.other_ca, Some(client), "tls", "does not trust"),
        // Of the same name as the right one.
        (url, &elsewhere.ca, Some(client), "tls", "has an invalid signature"),
        (url, &certificates.ca, Some(unexpected_device), "connect", "client certificate"),
        (&refused, &certificates.ca, Some(client), "tcp", "nothing listens at"),
        (&plain, &certificates.ca, None, "connect", "closed the connection after CONNECT"),
    ];
    for (at, (url, ca, identity, step, sentence)) in brokers.into_iter().enumerate() {
        console.begin_connection().await?;
        let connection = Connection { name: "Bad luck", url, ca: Some(ca).filter(|_| identity.is_some()), identity };
        console.enter_connection(connection).await?;
        let tried = console.preflight().await?;
        ensure!(tried.stopped_at() == Some(step) && tried.text.contains(sentence), "case {at}: {tried:#?}");
        console.screenshot(&format!("trouble-broker-{at}")).await?;
        leave(&console).await?;
    }
    console.close().await
}

/// Leaves the wizard with what was entered.
/// Leaves the wizard, in which something was brought, for the list of connections.
async fn leave(console: &Console) -> Result<()> {
    console.click("button", "Cancel").await?;
    console.click("button", "Discard changes").await?;
    console.one("heading", "No connections yet").await.map(drop)
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
        console.begin_connection().await?;
        console.enter_connection(kit.connection("Test bench", &broker.url())).await?;
        console.preflight().await?.passed()?;
        console.click("button", "Next").await?;
        console.press_save().await?;
        console.wait_for_text("Keep in memory until Wilco closes", SHORT).await?;
        console.screenshot(&format!("keyring-{}", format!("{keyring:?}").to_lowercase())).await?;
        console.click("checkbox", "Keep in memory until Wilco closes").await?;
        console.press_save().await?;
        console.wait_for_text("Open fleet", SHORT).await?;
        console.go("Fleet").await?;
        console.wait_for_online(Some("bench-1")).await?;
        console.choose("bench-1").await?;
        check(console.flip_led().await?, "led on");
        console.close().await?;
        ensure!(!holds(desk.data(), &private_key)?, "the private key lies in the data directory");
        ensure!(!holds(desk.session().home(), &private_key)?, "the private key lies in the home directory");

        let console = desk.open().await?;
        console.go("Connections").await?;
        console.wait_for_text("were kept in memory and are lost", SHORT).await?;
        console.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn text_from_a_device_is_data_and_never_markup() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.add_connection(Connection { name: "Open bench", url: &broker.url(), ca: None, identity: None }).await?;
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
async fn an_app_on_data_that_a_command_line_holds_says_so() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.add_connection(Connection { name: "Bench", url: &broker.url(), ca: None, identity: None }).await?;
    console.close().await?;
    let log = tempfile::NamedTempFile::new()?;
    // The app may still be saying good-bye, and then it is what the command line finds.
    let mut holder = soon_async("a command line that holds the data", SHORT, async || {
        let mut command = Child::command(program("wilco")?);
        command.args(["watch", "-c", "Bench"]).env("WILCO_DATA_DIR", desk.data()).envs(desk.session().variables());
        let mut holder = Child::start(&mut command, log.path())?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(holder.is_running().then_some(holder))
    })
    .await?;
    let console = desk.open().await?;
    console.wait_for_text("already", SHORT).await?;
    console.screenshot("data-in-use").await?;
    console.close().await?;
    holder.kill();
    desk.open().await?.open_fleet("Bench").await
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

#[tokio::test]
async fn on_a_full_disk_the_window_shows_the_history_and_continues_automatically() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "lamp-1", None)?;
    let desk = Desk::new(Keyring::Unlocked)?;
    // Where nothing can be mounted, the engine's test of the same stands for this one.
    let Some(disk) = SmallDisk::mount(desk.data()) else { return Ok(()) };
    let console = desk.open().await?;
    console.add_connection(Connection { name: "Bench", url: &broker.url(), ca: None, identity: None }).await?;
    console.open_fleet("Bench").await?;
    console.wait_for_online(Some("lamp-1")).await?;
    console.choose("lamp-1").await?;
    console.flip_led().await?;
    console.close().await?;

    disk.fill()?;
    let console = desk.open().await?;
    console.wait_for_text("The disk is full", SHORT).await?;
    console.wait_for_text("Wilco then continues automatically", SHORT).await?;
    console.go("History").await?;
    console.history_with(|rows| rows.len() == 1 && rows[0][2] == "succeeded").await?;
    console.screenshot("disk-full-at-the-start").await?;

    disk.empty()?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("lamp-1")).await?;
    console.choose("lamp-1").await?;
    console.flip_led().await?;
    console.screenshot("disk-has-room-again").await?;
    console.close().await
}

/// A file system of its own in the place of a directory, until it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where that is not allowed.
    fn mount(directory: &Path) -> Option<SmallDisk> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=32m,mode=700", "none"]).arg(directory);
        let output = command.output().ok()?;
        output.status.success().then(|| SmallDisk(directory.to_owned()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Takes all the room.
    fn fill(&self) -> Result<()> {
        let mut file = std::fs::File::create(self.filler())?;
        for size in [4_096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        Ok(())
    }

    fn empty(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A program that is still ending may have files open there.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
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
