//! Devices with other people's firmware, beside one of Wilco's own on the same broker.

use anyhow::{Result, ensure};
use serde_json::json;
use wilco_tests::{Broker, Desk, Device, Keyring, Replay};

use crate::pictures::as_it_stands;
use crate::{SHORT, check};

const LAMP: &str = "0x0017880100000001";

#[tokio::test]
async fn a_zigbee_lamp_is_found_shown_and_switched_beside_a_device_of_wilcos_own() -> Result<()> {
    let broker = Broker::plain()?;
    let features = json!([
        {"type": "binary", "property": "state", "name": "state", "access": 7, "value_on": "ON", "value_off": "OFF"},
        {"type": "numeric", "property": "brightness", "name": "brightness", "access": 7, "value_min": 0, "value_max": 254}]);
    let devices = json!([
        {"ieee_address": "0x00124b0000000000", "friendly_name": "Coordinator", "type": "Coordinator"},
        {"ieee_address": LAMP, "friendly_name": "kitchen/lamp", "type": "Router",
         "definition": {"model": "LWA001", "vendor": "Philips", "exposes": [{"type": "light", "features": features}]}}]);
    let state = |on: &str| json!({"state": on, "brightness": 20}).to_string();
    for (topic, payload) in [
        // Home Assistant says so of itself; it is no device.
        ("homeassistant/status", "online".to_owned()),
        ("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#.to_owned()),
        ("zigbee2mqtt/bridge/devices", devices.to_string()),
        ("zigbee2mqtt/kitchen/lamp/availability", r#"{"state":"online"}"#.to_owned()),
        ("zigbee2mqtt/kitchen/lamp", state("OFF")),
    ] {
        broker.publish(topic, payload.as_bytes(), true)?;
    }
    let answer = json!({"topic": "zigbee2mqtt/kitchen/lamp", "payload": state("ON")});
    let exchange = json!({"request": {"topic": "zigbee2mqtt/kitchen/lamp/set", "payload": r#"{"state":"ON"}"#}, "answers": [answer]});
    let _lamp = Replay::start(&broker, &exchange)?;
    let _ours = Device::start(&broker, "lamp-1", None)?;

    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    let url = broker.url();
    let added = desk.wilco(&["connections", "add", "Home", "--url", &url])?;
    ensure!(added.status.success(), "{added:?}");
    console.go("Fleet").await?;
    console.wait_for_online(Some("lamp-1")).await?;
    let offer = console.one("status", "Found: Zigbee2MQTT").await?;
    console.wait_for_text("2 Zigbee2MQTT devices answer here", SHORT).await?;
    as_it_stands(&console, "offer").await?;
    let listed = desk.wilco(&["devices", "-c", "Home"])?;
    let (devices, told) = (String::from_utf8_lossy(&listed.stdout), String::from_utf8_lossy(&listed.stderr));
    ensure!(told.contains("2 Zigbee2MQTT devices answer here. Show them: wilco connections edit Home"), "{told}");
    // What was only looked at is not taken for a device.
    ensure!(devices.contains("lamp-1") && !devices.contains("kitchen"), "{devices}");
    ensure!(!devices.contains("homeassistant"), "{devices}");
    let show = console.one_like_in(&offer, "button", "Show").await?;
    console.click_on(&show, "Show").await?;
    console.wait_for_online(Some(LAMP)).await?;
    let grid = console.one("grid", "Devices").await?;
    let cell = console.one_like_in(&grid, "cell", LAMP).await?;
    console.click_on(&cell, LAMP).await?;
    console.one("complementary", &format!("Inspector: {LAMP}")).await?;
    console.wait_for_text("Philips LWA001", SHORT).await?;
    // What it does not have is not offered.
    ensure!(console.all_like("button", "Restart").await?.is_empty());
    as_it_stands(&console, "zigbee-lamp").await?;
    let mut found = console.inaccessible("a Zigbee lamp").await?;

    let end = check(console.flip_led().await?, "led on");
    ensure!(end.ladder.contains("The device reported ON"), "{}", end.ladder);
    console.wait_for_led(true).await?;
    as_it_stands(&console, "zigbee-lamp-on").await?;

    console.go("Connections").await?;
    console.card_button("Home", "Edit…").await?;
    console.go_on_to_topics().await?;
    console.wait_for_text("Devices speak", SHORT).await?;
    as_it_stands(&console, "dialects").await?;
    found.extend(console.inaccessible("the dialects of a connection").await?);
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
