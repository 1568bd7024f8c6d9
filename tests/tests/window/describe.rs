//! Firmware that Wilco does not know, described in the window from its messages; and the settings of a dialect.

use anyhow::{Result, ensure};
use serde_json::json;
use wilco_tests::{Broker, Console, Desk, Keyring, Replay, soon_async};

use crate::SHORT;
use crate::pictures::as_it_stands;

const ASKED: &str = "plant/ask/pump-7";
const ANSWERED: &str = "plant/tell/pump-7";

/// Chooses the message on this topic as the request or as the answer.
async fn choose(console: &Console, topic: &str, what: &str) -> Result<()> {
    let messages = console.one("region", "Messages").await?;
    let message = console.one_like_in(&messages, "listitem", topic).await?;
    console.press_in(&message, what).await
}

#[tokio::test]
async fn firmware_is_described_from_its_messages_previewed_on_them_and_commanded() -> Result<()> {
    let broker = Broker::plain()?;
    let asked = json!({"tid": "a1", "cmd": "valve", "params": {"open": true}}).to_string();
    let done = json!({"tid": "a1", "status": "SUCCESS", "text": "The valve is open."}).to_string();
    let answer = json!({"topic": ANSWERED, "payload": done});
    let exchange = json!({"request": {"topic": ASKED, "payload": asked}, "answers": [answer]});
    let _pump = Replay::start(&broker, &exchange)?;
    broker.publish("plant/dev/pump-7/alive", b"online", true)?;

    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let added = desk.wilco(&["connections", "add", "Plant", "--url", &broker.url()])?;
    ensure!(added.status.success(), "{added:?}");
    console.go("Connections").await?;
    console.wait_for_card("Plant", "Connected").await?;
    console.card_menu("Plant", "Dialects…").await?;
    console.click("button", "Describe a dialect…").await?;
    // Wilco only listens; somebody else uses the device.
    console.wait_for_text("plant/dev/pump-7/alive", SHORT).await?;
    broker.publish(ASKED, asked.as_bytes(), false)?;
    console.wait_for_text("The valve is open.", SHORT).await?;
    choose(&console, ASKED, "Request").await?;
    choose(&console, ANSWERED, "Answer").await?;
    console.wait_for_text("Requests go to 'plant/ask/pump-7' and are answered on 'plant/tell/pump-7'", SHORT).await?;
    console.wait_for_text("3 read, 0 cannot be read", SHORT).await?;
    as_it_stands(&console, "described").await?;
    let mut found = console.inaccessible("a dialect that is described").await?;

    // What comes meanwhile is read with what is described so far.
    let melted = json!({"tid": "a2", "status": "MELTED"}).to_string();
    broker.publish(ANSWERED, melted.as_bytes(), false)?;
    console.wait_for_text("3 read, 1 cannot be read", SHORT).await?;
    as_it_stands(&console, "described-unreadable").await?;
    found.extend(console.inaccessible("a message that a description does not read").await?);
    console.click("radio", "File").await?;
    let file = console.written("Dialect file").await?;
    ensure!(file.contains("topic = \"plant/ask/{device}\""), "{file}");
    let outcome = "outcome = [\n  { at = \"/status\", is = \"MELTED\", means = \"failed\" },";
    console.fill("Dialect file", &file.replacen("outcome = [", outcome, 1)).await?;
    console.wait_for_text("4 read, 0 cannot be read", SHORT).await?;
    console.click("radio", "Form").await?;
    console.fill("Title", "Our pumps").await?;
    console.click("radio", "File").await?;
    soon_async("title in the file", SHORT, async || {
        let file = console.written("Dialect file").await?;
        Ok((file.contains("title = \"Our pumps\"") && file.contains("MELTED")).then_some(()))
    })
    .await?;
    console.click("button", "Save").await?;
    let saved = console.one("listitem", "Our pumps").await?;
    let saved = console.text_of(&saved).await?;
    ensure!(saved.contains("Enabled") && !saved.contains("Not enabled"), "{saved}");
    as_it_stands(&console, "described-and-saved").await?;
    found.extend(console.inaccessible("the dialect files of a connection").await?);

    console.go("Fleet").await?;
    console.wait_for_online(Some("pump-7")).await?;
    let send = ["send", "-c", "Plant", "-d", "pump-7", "--output", "json", "--timeout", "20s", "valve", "open=true"];
    let sent = desk.wilco(&send)?;
    let told = String::from_utf8_lossy(&sent.stdout);
    ensure!(sent.status.success() && told.contains("succeeded") && told.contains("The valve is open."), "{sent:?}");
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

const LAMP: &str = "0x0017880100000001";

#[tokio::test]
async fn the_settings_of_a_dialect_are_edited_on_its_connection() -> Result<()> {
    let broker = Broker::plain()?;
    let state = json!({"type": "binary", "property": "state", "name": "state", "access": 7, "value_on": "ON", "value_off": "OFF"});
    let devices = json!([{"ieee_address": LAMP, "friendly_name": "lamp", "type": "Router",
        "definition": {"model": "LWA001", "vendor": "Philips", "exposes": [{"type": "light", "features": [state]}]}}]);
    for (topic, payload) in [
        ("house/z2m/bridge/state", r#"{"state":"online"}"#.to_owned()),
        ("house/z2m/bridge/devices", devices.to_string()),
        ("house/z2m/lamp/availability", r#"{"state":"online"}"#.to_owned()),
    ] {
        broker.publish(topic, payload.as_bytes(), true)?;
    }
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let url = broker.url();
    let added = desk.wilco(&["connections", "add", "Home", "--url", &url, "--dialect", "zigbee2mqtt"])?;
    ensure!(added.status.success(), "{added:?}");
    console.go("Connections").await?;
    console.wait_for_card("Home", "Connected").await?;
    let listed = desk.wilco(&["devices", "-c", "Home"])?;
    ensure!(!String::from_utf8_lossy(&listed.stdout).contains(LAMP), "{listed:?}");

    console.card_button("Home", "Edit…").await?;
    console.go_on_to_topics().await?;
    console.click("button", "Settings of Zigbee2MQTT").await?;
    ensure!(console.written("Base topic").await?.is_empty(), "the default is a placeholder");
    console.fill("Base topic", "house/z2m").await?;
    as_it_stands(&console, "dialect-settings").await?;
    let found = console.inaccessible("the settings of a dialect").await?;
    console.preflight().await?.passed()?;
    console.press_save().await?;
    console.wait_for_card("Home", "Connected").await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some(LAMP)).await?;

    // The settings are there when they are edited again, and unfolded.
    console.go("Connections").await?;
    console.card_button("Home", "Edit…").await?;
    console.go_on_to_topics().await?;
    ensure!(console.written("Base topic").await? == "house/z2m");
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
