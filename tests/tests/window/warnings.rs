//! What the window warns of: read-only and protected connections, and commands of other consoles.

use anyhow::{Result, ensure};
use serde_json::json;
use wilco_tests::{Broker, Console, Desk, Device, Keyring, soon_async};

use crate::SHORT;
use crate::pictures::as_it_stands;

/// The frame around the window: the width of its edge in pixels of the page.
async fn frame(console: &Console) -> Result<String> {
    let edge = "return getComputedStyle(document.querySelector('.app'), '::after').borderTopWidth";
    Ok(console.run(edge, vec![]).await?.as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_protected_connection_has_a_frame_and_asks_and_a_read_only_one_sends_nothing() -> Result<()> {
    let broker = Broker::plain()?;
    let _device = Device::start(&broker, "lamp-1", None)?;
    let requests = broker.listen("+/req")?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let added = desk.wilco(&["connections", "add", "Plant", "--url", &broker.url(), "--mode", "protected"])?;
    ensure!(added.status.success(), "{added:?}");
    let console = desk.open().await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("lamp-1")).await?;
    console.choose("lamp-1").await?;
    ensure!(frame(&console).await? == "3px", "a protected connection looks like any other");

    // It asks, and what is cancelled is not sent.
    console.click("switch", "LED").await?;
    let question = console.one_like("dialog", "Send led ").await?;
    console.wait_for_text("Plant is a protected connection.", SHORT).await?;
    as_it_stands(&console, "protected-led").await?;
    console.press_in(&question, "Cancel").await?;
    ensure!(requests.log().is_empty(), "{}", requests.log());
    console.click("switch", "LED").await?;
    let question = console.one_like("dialog", "Send led ").await?;
    console.press_in(&question, "Send").await?;
    console.wait_for_led(true).await?;

    // A dangerous command wants the name of the connection.
    console.click("button", "Restart…").await?;
    let dialog = console.one("dialog", "Restart lamp-1?").await?;
    console.press_in(&dialog, "Restart lamp-1").await?;
    let question = console.one("dialog", "Send restart to lamp-1?").await?;
    console.fill("Type Plant to continue", "plant").await?;
    let send = console.one_in(&question, "button", "Send").await?;
    ensure!(!send.is_enabled().await?, "another name is taken");
    as_it_stands(&console, "protected-restart").await?;
    console.fill("Type Plant to continue", "Plant").await?;
    console.press_in(&question, "Send").await?;
    soon_async("restart", SHORT, async || Ok(requests.log().contains("\"restart\"").then_some(()))).await?;
    console.wait_for_online(Some("lamp-1")).await?;

    let edited = desk.wilco(&["connections", "edit", "Plant", "--mode", "read-only"])?;
    ensure!(edited.status.success(), "{edited:?}");
    console.wait_for_text("Read-only", SHORT).await?;
    ensure!(frame(&console).await? == "3px", "a read-only connection looks like any other");
    let sent = requests.log().lines().count();
    soon_async("LED that cannot be switched", SHORT, async || {
        let switch = console.one("switch", "LED").await?;
        Ok((console.attribute(&switch, "aria-disabled").await? == "true").then_some(()))
    })
    .await?;
    console.click("switch", "LED").await?;
    as_it_stands(&console, "read-only").await?;
    ensure!(requests.log().lines().count() == sent, "{}", requests.log());
    console.close().await
}

#[tokio::test]
async fn a_broadcast_of_another_console_is_told_warned_of_and_listed_with_its_operator() -> Result<()> {
    let broker = Broker::plain()?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let added = desk.wilco(&["connections", "add", "Plant", "--url", &broker.url()])?;
    ensure!(added.status.success(), "{added:?}");
    broker.publish("mute/status", br#"{"online":true,"boot":"b1","tags":["kitchen"]}"#, true)?;
    broker.publish("mute/state", br#"{"led":false}"#, true)?;
    let console = desk.open().await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some("mute")).await?;
    console.choose("mute").await?;
    ensure!(frame(&console).await? != "3px", "a normal connection has a frame");

    let asked = json!({"id": "theirs", "command": "restart", "args": {}, "by": "Ana"});
    broker.publish("groups/kitchen/req", asked.to_string().as_bytes(), false)?;
    console.wait_for_text("Another console (Ana) sent restart to the devices of the group kitchen.", SHORT).await?;
    console.click("switch", "LED").await?;
    let question = console.one_like("dialog", "Send led ").await?;
    console.wait_for_text("mute: Another console (Ana) sent restart", SHORT).await?;
    as_it_stands(&console, "busy-broadcast").await?;
    console.press_in(&question, "Cancel").await?;

    broker.publish("mute/resp", br#"{"id":"theirs","status":"succeeded"}"#, false)?;
    console.go("History").await?;
    console.history_with(|rows| rows.iter().any(|[device, _, state]| device == "mute" && state == "succeeded")).await?;
    console.wait_for_text(", by Ana", SHORT).await?;
    let evidence = console.unfold("theirs").await?;
    ensure!(evidence.contains("Observed") && !evidence.contains("outbox"), "{evidence}");
    as_it_stands(&console, "history-broadcast").await?;
    console.close().await
}
