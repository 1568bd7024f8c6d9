//! The audit, evidence files, rehearsals, and faults of the demo fleet.

use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::to_value;
use wilco_tests::{Broker, Console, Desk, Fleet, Keyring, Session, keys, program, soon_async};

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
    console.wait_for_text("unaltered.", SHORT).await?;
    as_it_stands(&console, "evidence-file").await?;
    found.extend(console.inaccessible("an evidence file").await?);

    // Somebody makes a success of it that was none, or the other way round.
    let altered = directory.path().join("altered.wilco-evidence");
    let text = std::fs::read_to_string(&file)?;
    let forged = text.replacen("pump-0003", "pump-0004", 3);
    ensure!(forged != text);
    std::fs::write(&altered, forged)?;
    open(&altered).await?;
    console.wait_for_text("was altered", SHORT).await?;
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

/// Opens the page of the only rollout.
async fn open_rollout(window: &Console) -> Result<()> {
    window.go("Rollouts").await?;
    let rollout =
        soon_async("the rollout", SHORT, async || Ok(window.all_like("link", "Rollout 1").await?.pop())).await?;
    window.click_on(&rollout, "the rollout").await
}

#[tokio::test]
async fn a_restart_of_many_waits_until_a_colleague_has_approved_it() -> Result<()> {
    let broker = Broker::plain()?;
    let _fleet = Fleet::start(&broker, "pump", 4, &[])?;
    let ana = Desk::new(Keyring::Unlocked)?;
    let colleague = Session::start(Keyring::Unlocked)?;
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (identity, request, approval) = (path("bo.wilco-identity"), path("1.wilco-request"), path("1.wilco-approval"));
    let done = |output: Output| if output.status.success() { Ok(()) } else { bail!("{output:?}") };
    let bo = |words: &[&str]| -> Result<()> {
        let mut wilco = Command::new(program("wilco")?);
        let data = directory.path().join("bo");
        done(wilco.args(words).envs(colleague.variables()).env("WILCO_DATA_DIR", data).output()?)
    };
    bo(&["operator", "Bo"])?;
    bo(&["approval", "identity", "--export", &identity])?;
    done(ana.wilco(&["operator", "Ana"])?)?;
    done(ana.wilco(&["approval", "trust", &identity, "--name", "Bo"])?)?;
    done(ana.wilco(&["connections", "add", "Plant", "--url", &broker.url(), "--approval", "on"])?)?;

    let window = ana.open().await?;
    window.go("Fleet").await?;
    window.wait_for_online(Some("pump-0004")).await?;
    window.choose("pump-0001").await?;
    let grid = window.one("grid", "Devices").await?;
    window.run("arguments[0].focus()", vec![to_value(&grid)?]).await?;
    window.press(keys::ALL).await?;
    window.wait_for_text("4 devices selected", SHORT).await?;
    window.click("button", "Restart…").await?;
    let dialog = window.one("dialog", "New rollout").await?;
    as_it_stands(&window, "approval-dialog").await?;
    window.press_in(&dialog, "Request approval for 4 devices").await?;
    open_rollout(&window).await?;
    window.wait_for_text("Nothing is sent until a second installation has approved it.", SHORT).await?;
    as_it_stands(&window, "approval-waits").await?;
    let mut found = window.inaccessible("a rollout that waits for approval").await?;
    window.click("button", "Save approval request…").await?;
    window.fill("Path of the file to write", &request).await?;
    let form = window.one("dialog", "Save approval request").await?;
    window.press_in(&form, "Save").await?;
    window.wait_for_text("Approval request written to", SHORT).await?;
    window.go("Settings").await?;
    as_it_stands(&window, "approval-settings").await?;
    found.extend(window.inaccessible("installations that may approve").await?);

    // What a colleague sees; an installation cannot answer its own request.
    window.press(keys::PALETTE).await?;
    window.type_into("Search or run a command", "review approval\n").await?;
    window.fill("Path of the file to read", &request).await?;
    window.click("button", "Open").await?;
    window.wait_for_text("Requested by", SHORT).await?;
    as_it_stands(&window, "approval-review").await?;
    found.extend(window.inaccessible("the review of a request").await?);
    ensure!(window.all_like("button", "Approve").await?.is_empty(), "an installation may answer its own request");
    bo(&["approval", "sign", &request, &approval, "--note", "Checked on the plan", "--yes"])?;

    open_rollout(&window).await?;
    window.click("button", "Import approval…").await?;
    window.fill("Path of the file to read", &approval).await?;
    let form = window.one("dialog", "Import approval").await?;
    window.press_in(&form, "Import").await?;
    window.wait_for_text("Approved by Bo", SHORT).await?;
    window.wait_for_text("Finished", REHEARSAL).await?;
    as_it_stands(&window, "approval-done").await?;
    window.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
