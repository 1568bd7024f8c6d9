//! Actions in the history: an export for a spreadsheet or a program, the same command again, and a line for a shell.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wilco_tests::{Broker, Certificates, Desk, Device, Keyring, program};

use crate::kit::Kit;
use crate::{SHORT, check};

#[tokio::test]
async fn the_history_is_exported_repeated_and_copied() -> Result<()> {
    let certificates = Certificates::new()?;
    let broker = Broker::mutual_tls(&certificates)?;
    let _device = Device::start(&broker, "bench-1", Some((&certificates, &certificates.issue("bench-1")?)))?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let kit = Kit::copy(&certificates)?;
    let console = desk.open().await?;
    console.add_connection(kit.connection("Bench", &broker.url())).await?;
    console.open_fleet("Bench").await?;
    console.wait_for_online(Some("bench-1")).await?;
    console.choose("bench-1").await?;
    let led = check(console.flip_led().await?, "led on");

    console.go("History").await?;
    console.unfold(&led.id).await?;
    console.screenshot("evidence-actions").await?;
    console.click("button", "Send again").await?;
    console.wait_for_text("led on", SHORT).await?;
    // What is read stays where it is, until the newest is asked for.
    console.click("button", "1 new command").await?;
    let rows = console.history_with(|rows| rows.len() == 2 && rows[0][2] == "succeeded").await?;
    ensure!(rows[0][1] == rows[1][1], "{rows:?}");

    let directory = tempfile::tempdir()?;
    let nowhere = directory.path().join("nowhere/history.csv");
    for (format, path, words) in [
        ("CSV", nowhere.clone(), "nowhere"),
        ("CSV", directory.path().join("history.csv"), "history.csv."),
        ("JSON", directory.path().join("history.jsonl"), "history.jsonl."),
    ] {
        if console.all_like("dialog", "Export").await?.is_empty() {
            console.click("button", "Export…").await?;
        }
        let form = console.one_like("dialog", "Export").await?;
        console.click("radio", format).await?;
        console.fill("Path of the file to write", &path.display().to_string()).await?;
        console.press_in(&form, "Export").await?;
        console.wait_for_text(words, SHORT).await?;
        console.screenshot(&format!("evidence-export-{}", path.extension().unwrap_or_default().display())).await?;
    }
    ensure!(!nowhere.exists());
    let csv = std::fs::read_to_string(directory.path().join("history.csv"))?;
    ensure!(csv.lines().count() == 3 && csv.contains("succeeded"), "{csv}");
    let json = std::fs::read_to_string(directory.path().join("history.jsonl"))?;
    let lines = json.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    ensure!(lines[0]["again_of"] == led.id.as_str() && lines[1]["id"] == led.id.as_str(), "{json}");

    // The line for a shell is what somebody would type: it is run as it stands.
    console.unfold(&led.id).await?;
    console.click("button", "Copy as CLI command").await?;
    console.wait_for_text("Copied", SHORT).await?;
    console.press("/").await?;
    let field = "const field = document.activeElement; field.value = ''; return field.tagName";
    ensure!(console.run(field, vec![]).await? == "INPUT");
    console.press("\u{e009}v\u{e009}").await?;
    let line = console.run("return document.activeElement.value", vec![]).await?;
    let line = line.as_str().context("nothing was copied")?;
    ensure!(line.starts_with("wilco send -c "), "{line}");
    let cli = program("wilco")?;
    let path = format!("{}:/usr/bin:/bin", cli.parent().context("a directory")?.display());
    let sent = Command::new("sh")
        .args(["-c", line])
        .env("PATH", path)
        .env("WILCO_DATA_DIR", desk.data())
        .envs(desk.session().variables())
        .output()?;
    ensure!(sent.status.success(), "{line}: {}", String::from_utf8_lossy(&sent.stderr));
    console.close().await
}
