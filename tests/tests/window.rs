//! The main job, in the app's real window: against mosquitto with mutual TLS, the reference device, and a keyring.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use wilco_tests::{Broker, Certificates, Connection, Console, Desk, Device, Ended, Identity, Keyring};

const SHORT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_connection_outlives_its_files_and_commands_are_reconciled() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let mut device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;
    let private_key = body(&kit.identity.key)?;

    let console = desk.open().await?;
    console.screenshot("welcome").await?;
    console.click("button", "Connect to my broker").await?;
    console.fill_connection(kit.connection("Test bench", &broker.url())).await?;
    console.click("button", "Test").await?;
    console.wait_for_text("Connected, and the broker lets Wilco hear the answers.", SHORT).await?;
    console.screenshot("connection-tested").await?;
    console.click("button", "Save").await?;
    console.wait_for_text("Open its fleet", SHORT).await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.close().await?;

    kit.delete()?;
    let console = desk.open().await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.choose("bench-1").await?;

    let mut ends = Vec::new();
    ends.push(check(console.flip_led().await?, "led on"));
    console.wait_for_led(true).await?;
    console.screenshot("led-on").await?;

    ends.push(check(console.configure("report_interval_s", "45", "Apply now").await?, "config.set"));
    console.wait_for_configuration("report_interval_s", "45", "45").await?;

    ends.push(check(console.configure("buzzer", "false", "On next restart").await?, "config.set"));
    console.wait_for_configuration("buzzer", "true", "false").await?;
    console.screenshot("on-next-restart").await?;

    let boot = broker.first("bench-1/status", 5)?;
    ends.push(check(console.restart("bench-1").await?, "restart"));
    console.wait_for_configuration("buzzer", "false", "false").await?;
    ensure!(broker.first("bench-1/status", 5)? != boot, "the device says it restarted, and has the same boot id");
    console.screenshot("restarted").await?;

    // The device is the one to ask whether it is so.
    let state = broker.first("bench-1/state", 5)?;
    ensure!(state.contains("\"buzzer\":false") && state.contains("\"report_interval_s\":45"), "{state}");

    console.go("History").await?;
    console.wait_for_text("restart", SHORT).await?;
    let rows = console.history().await?;
    let read: Vec<[&str; 3]> = rows.iter().map(|row| [row[0].as_str(), row[1].as_str(), row[2].as_str()]).collect();
    assert_eq!(
        read,
        [
            ["bench-1", "restart", "succeeded"],
            ["bench-1", "config.set buzzer false, on next restart", "succeeded"],
            ["bench-1", "config.set report_interval_s 45", "succeeded"],
            ["bench-1", "led on", "succeeded"],
        ]
    );
    for end in ends.iter().rev() {
        let evidence = console.unfold(&end.id).await?;
        ensure!(evidence.contains("bench-1/req") && evidence.contains("bench-1/resp"), "{evidence}");
    }
    console.screenshot("history").await?;
    console.close().await?;

    device.kill();
    ensure!(!holds(desk.data(), &private_key)?, "the private key lies in the data directory");
    ensure!(!holds(desk.session().home(), &private_key)?, "the private key lies in the home directory");
    Ok(())
}

#[tokio::test]
async fn the_demo_fleet_is_one_click_away_and_comes_back() -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.try_demo().await?;
    let off = console.listed("[data-presence=online]:has([data-on=false])").await?;
    let device = off.first().context("no device is online with its LED off")?;
    console.choose(device).await?;
    let end = check(console.flip_led().await?, "led on");
    console.wait_for_led(true).await?;
    screenshots(&console, "fleet").await?;
    console.go("History").await?;
    console.unfold(&end.id).await?;
    screenshots(&console, "history").await?;
    console.go("Connections").await?;
    screenshots(&console, "connections").await?;
    console.close().await?;

    let console = desk.open().await?;
    console.wait_for_fleet().await?;
    console.go("History").await?;
    console.wait_for_text(device, SHORT).await?;
    console.close().await
}

/// That a command ended as the person wished, and was the one that they meant.
fn check(end: Ended, title: &str) -> Ended {
    assert_eq!((end.title.as_str(), end.state.as_str()), (title, "succeeded"), "{}", end.ladder);
    end
}

/// Pictures in both themes and at both sizes, to be looked at.
async fn screenshots(console: &Console, name: &str) -> Result<()> {
    let screen = console.run("return location.hash", vec![]).await?;
    for theme in ["Light", "Dark"] {
        console.go("Settings").await?;
        console.click("radio", theme).await?;
        console.run("location.hash = arguments[0]", vec![screen.clone()]).await?;
        for (width, height) in [(1280, 800), (1920, 1080)] {
            console.resize(width, height).await?;
            console.screenshot(&format!("{name}-{}-{width}", theme.to_lowercase())).await?;
        }
    }
    Ok(())
}

/// A certificate kit as it is downloaded: files in a directory, to be deleted afterwards.
struct Kit {
    directory: tempfile::TempDir,
    ca: PathBuf,
    identity: Identity,
}

impl Kit {
    fn copy(certificates: &Certificates) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("wilco-kit-").tempdir()?;
        let copy = |from: &Path| -> Result<PathBuf> {
            let to = directory.path().join(from.file_name().context("a name")?);
            std::fs::copy(from, &to)?;
            Ok(to)
        };
        let ca = copy(&certificates.ca)?;
        let identity =
            Identity { certificate: copy(&certificates.client.certificate)?, key: copy(&certificates.client.key)? };
        Ok(Self { directory, ca, identity })
    }

    fn connection<'a>(&'a self, name: &'a str, url: &'a str) -> Connection<'a> {
        Connection { name, url, ca: Some(&self.ca), identity: Some(&self.identity) }
    }

    fn delete(self) -> Result<()> {
        Ok(self.directory.close()?)
    }
}

/// A line of the key itself.
fn body(key: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(key)?.lines().nth(1).context("no line in the key")?.to_owned())
}

/// Whether `needle` stands in any file below `directory`.
fn holds(directory: &Path, needle: &str) -> Result<bool> {
    for entry in std::fs::read_dir(directory)? {
        let (path, kind) = {
            let entry = entry?;
            (entry.path(), entry.file_type()?)
        };
        if kind.is_dir() && holds(&path, needle)? {
            return Ok(true);
        }
        if kind.is_file() && String::from_utf8_lossy(&std::fs::read(&path)?).contains(needle) {
            return Ok(true);
        }
    }
    Ok(false)
}
