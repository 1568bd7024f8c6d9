//! The audit, evidence files, rehearsals, and faults of the demo fleet.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::to_value;
use wilco_tests::{Broker, Desk, Fleet, Keyring, keys};

use crate::pictures::as_it_stands;
use crate::{SHORT, check};

/// How long a rehearsal may take on a busy machine.
const REHEARSAL: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_command_is_in_the_audit_and_its_evidence_is_saved_and_read_again() -> Result<()> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 12, &[])?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let added = desk.wilco(&["connections", "add", "Plant", "--url", &broker.url()])?;
    ensure!(added.status.success(), "{added:?}");
    let console = desk.open().await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("pump-0003")).await?;
    console.choose("pump-0003").await?;
    check(console.flip_led().await?, "led on");
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("pump-0003.wilco-evidence");
    console.click("button", "Save evidence…").await?;
    let form = console.one("dialog", "Save evidence").await?;
    console.fill("Path of the file to write", &file.display().to_string()).await?;
    as_it_stands(&console, "evidence-save").await?;
    let mut found = console.inaccessible("saving evidence").await?;
    console.press_in(&form, "Save").await?;
    console.wait_for_text("written to", SHORT).await?;

    console.press("ga").await?;
    console.one("heading", "Audit").await?;
    console.wait_for_text("Sent led to pump-0003", SHORT).await?;
    console.wait_for_text("Added connection Plant", SHORT).await?;
    console.click("button", "Verify").await?;
    console.wait_for_text("Key:", SHORT).await?;
    as_it_stands(&console, "audit").await?;
    found.extend(console.inaccessible("the audit").await?);

    let open = async |path: &std::path::Path| {
        console.press(keys::PALETTE).await?;
        console.type_into("Search or run a command", "open evidence\n").await?;
        console.one("heading", "Evidence file").await?;
        console.fill("Path of the file to read", &path.display().to_string()).await?;
        console.click("button", "Open").await
    };
    open(&file).await?;
    console.wait_for_text("as written.", SHORT).await?;
    as_it_stands(&console, "evidence-file").await?;
    found.extend(console.inaccessible("an evidence file").await?);

    // Somebody makes a success of it that was none, or the other way round.
    let altered = directory.path().join("altered.wilco-evidence");
    let text = std::fs::read_to_string(&file)?;
    let forged = text.replacen("pump-0003", "pump-0004", 3);
    ensure!(forged != text);
    std::fs::write(&altered, forged)?;
    open(&altered).await?;
    console.wait_for_text("altered", SHORT).await?;
    as_it_stands(&console, "evidence-file-altered").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

#[tokio::test]
async fn a_rollout_is_rehearsed_before_it_starts_and_nothing_of_it_reaches_the_devices() -> Result<()> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 20, &[])?;
    let requests = broker.listen("+/req")?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let added = desk.wilco(&["connections", "add", "Plant", "--url", &broker.url()])?;
    ensure!(added.status.success(), "{added:?}");
    let console = desk.open().await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("pump-0020")).await?;
    console.choose("pump-0001").await?;
    let grid = console.one("grid", "Devices").await?;
    console.run("arguments[0].focus()", vec![to_value(&grid)?]).await?;
    console.press(keys::ALL).await?;
    console.wait_for_text("20 devices selected", SHORT).await?;
    console.click("button", "LED on…").await?;
    console.one("dialog", "New rollout").await?;
    console.click("button", "Faults: none").await?;
    console.fill("Command fails, %", "40").await?;
    console.click("button", "Rehearse this rollout").await?;
    console.wait_for_text("The rehearsal finished after", REHEARSAL).await?;
    let result = console.one("status", "Rehearsal result").await?;
    console.run("arguments[0].scrollIntoView({block: 'end'})", vec![to_value(&result)?]).await?;
    as_it_stands(&console, "rehearsal").await?;
    let found = console.inaccessible("a rehearsal").await?;
    let said = console.text_of(&result).await?;
    ensure!(said.contains("failed") && said.contains("Nothing was sent to real devices."), "{said}");
    ensure!(requests.log().is_empty(), "{}", requests.log());
    console.press(keys::ESCAPE).await?;
    console.go("Rollouts").await?;
    ensure!(console.all_like("link", "Rollout 1").await?.is_empty(), "a rehearsal is listed as a rollout");
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

#[tokio::test]
async fn the_demo_fleet_fails_as_it_is_told_to() -> Result<()> {
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.try_demo().await?;
    console.go("Connections").await?;
    console.card_menu("Demo fleet", "Faults…").await?;
    console.fill("Command fails, %", "100").await?;
    as_it_stands(&console, "demo-faults").await?;
    let found = console.inaccessible("the faults of the demo fleet").await?;
    console.click("button", "Apply").await?;
    console.open_fleet("Demo fleet").await?;
    let device = console.online_device(":has([data-on=false])").await?;
    console.choose(&device).await?;
    let ended = console.flip_led().await?;
    ensure!(ended.state == "failed", "{}", ended.ladder);
    as_it_stands(&console, "demo-failed").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
