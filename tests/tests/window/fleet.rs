//! A fleet of 2,000 devices in the window: selecting, a rollout in stages that halts by itself, common traits of its
//! failed devices, the retry; and the wall.

use std::time::Duration;

use anyhow::{Result, ensure};
use wilco_tests::{Broker, Connection, Console, Desk, Fleet, Keyring, keys, soon_async};

use crate::SHORT;
use crate::pictures::as_it_stands;

/// How long a rollout to thousands may take on a busy machine.
const ROLLOUT: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_rollout_to_thousands_halts_automatically_shows_the_cause_and_is_retried() -> Result<()> {
    let broker = Broker::plain()?;
    let _pumps = Fleet::start(&broker, "pump", 1_940, &["--firmware", "2.2.0"])?;
    let _lab = Fleet::start(&broker, "spare", 20, &["--firmware", "2.2.0", "--tag", "lab"])?;
    let broken = Fleet::start(&broker, "hall", 40, &["--firmware", "2.3.0", "--fail", "1"])?;
    let requests = broker.listen("+/req")?;
    let requested = |stem: &str| requests.log().lines().filter(|line| line.starts_with(stem)).count();
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    connect(&console, &broker).await?;
    wait_for_devices(&console, 2_000).await?;

    // Everything but the laboratory.
    console.type_into("Search devices", "-tag:lab\n").await?;
    wait_for_devices(&console, 1_980).await?;
    let first = console.listed("").await?.remove(0);
    console.choose(&first).await?;
    let grid = console.one("grid", "Devices").await?;
    console.run("arguments[0].focus()", vec![serde_json::to_value(&grid)?]).await?;
    console.press(keys::ALL).await?;
    console.wait_for_text("1,980 devices selected", SHORT).await?;
    as_it_stands(&console, "fleet-selected").await?;

    console.click("button", "LED on…").await?;
    let dialog = console.one("dialog", "New rollout").await?;
    console.click("radio", "Custom stages").await?;
    console.fill("Sizes", "100, 100%").await?;
    as_it_stands(&console, "rollout-dialog").await?;
    console.press_in(&dialog, "Send to 1,980 devices").await?;
    console.wait_for_text("Halted automatically.", ROLLOUT).await?;
    // Of its first hundred, two fifths are broken. The others may have been released before it halted, and nobody else.
    soon_async("cause of the failures", ROLLOUT, async || {
        let shared = console.one("region", "Common traits of the failed devices").await?;
        let said = console.text_of(&shared).await?;
        Ok(said.contains("40 of 40 failed devices run firmware 2.3.0; 0 of").then_some(()))
    })
    .await?;
    let released = requested("pump");
    ensure!((requested("hall"), requested("spare")) == (40, 0) && released <= 60, "{}", requests.log());
    as_it_stands(&console, "rollout-halted").await?;

    // The cause is fixed; the failed ones alone are sent it again.
    drop(broken);
    let _fixed = Fleet::start(&broker, "hall", 40, &["--firmware", "2.3.1"])?;
    console.click("button", "Retry the failed…").await?;
    let dialog = console.one("dialog", "Follow-up rollout").await?;
    console.press_in(&dialog, "Send to 40 devices").await?;
    soon_async("end of the retry", ROLLOUT, async || {
        let heading = console.one("heading", "led on Rollout 2").await.is_ok();
        Ok((heading && console.text().await?.contains("Finished")).then_some(()))
    })
    .await?;
    ensure!((requested("hall"), requested("pump")) == (80, released), "{}", requests.log());
    as_it_stands(&console, "rollout-finished").await?;
    console.go("Rollouts").await?;
    as_it_stands(&console, "rollouts").await?;

    console.go("Fleet").await?;
    console.press("v").await?;
    console.one("listbox", "Wall of devices").await?;
    as_it_stands(&console, "wall").await?;
    console.close().await
}

#[tokio::test]
async fn the_changes_of_a_rollout_are_restored() -> Result<()> {
    let broker = Broker::plain()?;
    let _pumps = Fleet::start(&broker, "pump", 60, &[])?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    connect(&console, &broker).await?;
    wait_for_devices(&console, 60).await?;
    let changes = r#"{"changes":{"temp_high_c":9.5},"apply":"now"}"#;
    let start = ["rollout", "start", "-c", "Plant", "--search", "pump", "config.set", "--args", changes];
    let before = broker.first("pump-0060/state", 5)?;
    ensure!(before.contains("\"temp_high_c\":8.0"), "{before}");
    let changed = desk.wilco(&start)?;
    ensure!(changed.status.success(), "{changed:?}");
    ensure!(broker.first("pump-0060/state", 5)?.contains("\"temp_high_c\":9.5"));

    console.go("Rollouts").await?;
    let row = console.one_like("link", "Rollout 1").await?;
    console.click_on(&row, "rollout 1").await?;
    console.wait_for_text("60 of 60", SHORT).await?;
    console.click("button", "More").await?;
    console.click("button", "Restore the earlier configuration…").await?;
    let dialog = console.one("dialog", "Follow-up rollout").await?;
    console.wait_for_text("the values that it had before rollout 1", SHORT).await?;
    as_it_stands(&console, "rollout-put-back").await?;
    let mut found = console.inaccessible("putting back").await?;
    console.press_in(&dialog, "Send to 60 devices").await?;
    soon_async("end of putting back", ROLLOUT, async || {
        let text = console.text().await?;
        Ok((text.contains("Rollout 2") && text.contains("Finished")).then_some(()))
    })
    .await?;
    ensure!(broker.first("pump-0060/state", 5)?.contains("\"temp_high_c\":8.0"));
    found.extend(console.inaccessible("a rollout that put back").await?);
    as_it_stands(&console, "rollout-was-put-back").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

#[tokio::test]
async fn devices_come_from_a_file_and_what_is_shown_of_them_is_kept_as_a_view() -> Result<()> {
    let broker = Broker::plain()?;
    let _pumps = Fleet::start(&broker, "pump", 12, &[])?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let file = desk.data().join("devices.csv");
    std::fs::write(
        &file,
        "\u{feff}device;name;tags;note\npump-0001;Boiler room;north,spare;By the door\n\
        cellar-1;Cellar;north;\na/b;Wrong;;\npump-0001;Again;;\n",
    )?;
    let console = desk.open().await?;
    connect(&console, &broker).await?;
    wait_for_devices(&console, 12).await?;

    console.press(keys::PALETTE).await?;
    console.press("import devices").await?;
    console.press(keys::ENTER).await?;
    let dialog = console.one("dialog", "Import devices").await?;
    console.fill("Path of the file to read", &file.display().to_string()).await?;
    console.press_in(&dialog, "Preview").await?;
    console.wait_for_text("Boiler room", SHORT).await?;
    console.wait_for_text("2 with errors", SHORT).await?;
    as_it_stands(&console, "devices-import").await?;
    let mut found = console.inaccessible("devices to be imported").await?;
    console.press_in(&dialog, "Import 2 devices").await?;
    console.wait_for_text("1 device added, 1 changed", SHORT).await?;
    console.press_in(&dialog, "Close").await?;
    wait_for_devices(&console, 13).await?;

    // What is typed is completed, and what cannot be understood is underlined with the reason.
    console.type_into("Search devices", "ta").await?;
    console.one_like("option", "tag:").await?;
    as_it_stands(&console, "search-completions").await?;
    console.fill("Search devices", "is:sideways\n").await?;
    console.one_like("alert", "sideways").await?;
    as_it_stands(&console, "search-error").await?;
    found.extend(console.inaccessible("a search with an error").await?);
    console.fill("Search devices", "tag:north\n").await?;
    wait_for_devices(&console, 2).await?;
    let grid = console.one("grid", "Devices").await?;
    let cell = console.one_in(&grid, "cell", "pump-0001, Boiler room").await?;
    console.click_on(&cell, "pump-0001").await?;
    console.one("complementary", "Inspector: pump-0001").await?;
    console.one("region", "About").await?;
    as_it_stands(&console, "device-about").await?;
    found.extend(console.inaccessible("a device with a name, tags and a note").await?);

    console.click("button", "Columns").await?;
    console.one("dialog", "Columns").await?;
    as_it_stands(&console, "columns").await?;
    found.extend(console.inaccessible("the columns").await?);
    console.press(keys::ESCAPE).await?;
    console.click("button", "Views").await?;
    console.type_into("Name of the new view", "North hall\n").await?;
    console.one_like("button", "North hall").await?;
    as_it_stands(&console, "views").await?;
    found.extend(console.inaccessible("a saved view").await?);
    console.close().await?;

    let console = desk.open().await?;
    console.go("Fleet").await?;
    // The view is in force again: the button has its name and its count.
    console.one("button", "North hall 2").await?;
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

#[tokio::test]
async fn a_device_is_switched_in_its_row() -> Result<()> {
    let broker = Broker::plain()?;
    let _pumps = Fleet::start(&broker, "pump", 60, &[])?;
    let requests = broker.listen("+/req")?;
    let requested = |device: &str| requests.log().lines().filter(|line| line.starts_with(device)).count();
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    connect(&console, &broker).await?;
    wait_for_devices(&console, 60).await?;

    // The switch is in the row at which the keyboard is, and in that under the pointer.
    console.choose("pump-0003").await?;
    let led = console.one("switch", "LED of pump-0003").await?;
    as_it_stands(&console, "fleet-row-led").await?;
    let found = console.inaccessible("a row with its LED switch").await?;
    console.click_on(&led, "LED of pump-0003").await?;
    soon_async("reported LED", SHORT, async || {
        let led = console.one("switch", "LED of pump-0003").await?;
        Ok((console.attribute(&led, "aria-checked").await? == "true").then_some(()))
    })
    .await?;
    ensure!((requested("pump-0003"), requested("pump-0004")) == (1, 0), "{}", requests.log());
    as_it_stands(&console, "fleet-row-led-on").await?;

    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

async fn connect(console: &Console, broker: &Broker) -> Result<()> {
    console.begin_connection().await?;
    let url = broker.url();
    console.enter_connection(Connection { name: "Plant", url: &url, ca: None, identity: None }).await?;
    console.preflight().await?;
    console.save_connection().await?;
    console.go("Fleet").await
}

/// Waits until the list has so many devices, its line of headings not counted.
async fn wait_for_devices(console: &Console, count: u32) -> Result<()> {
    let wanted = (count + 1).to_string();
    soon_async(&format!("list of {count} devices"), ROLLOUT, async || {
        let rows = console.run("return document.querySelector('[role=grid]')?.ariaRowCount ?? null", vec![]).await?;
        Ok((rows == wanted.as_str()).then_some(()))
    })
    .await
}
