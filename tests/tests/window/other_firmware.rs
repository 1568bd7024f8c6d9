//! Devices with other firmware, beside one of Wilco's own on the same broker.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use wilco_tests::{Broker, Desk, Device, Keyring, Replay, Shelly, keys};

use crate::pictures::as_it_stands;
use crate::{SHORT, check};

const LAMP: &str = "0x0017880100000001";
/// How long a rollout to a few devices may take on a busy machine.
const ROLLOUT: Duration = Duration::from_secs(60);

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
    console.wait_for_text("Dialects", SHORT).await?;
    as_it_stands(&console, "dialects").await?;
    found.extend(console.inaccessible("the dialects of a connection").await?);
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

const PLUG: &str = "shellyplus1-a8032abe54dc";

/// A Zigbee lamp, a door made for Home Assistant and a Tasmota plug, as they announce themselves and answer.
fn others(broker: &Broker) -> Result<Vec<Replay>> {
    let state = json!({"type": "binary", "property": "state", "name": "state", "access": 7, "value_on": "ON", "value_off": "OFF"});
    let after = json!({"type": "enum", "property": "power_on_behavior", "label": "Power-on behaviour", "access": 7,
        "category": "config", "values": ["off", "on", "previous"]});
    let lamp = json!([{"ieee_address": LAMP, "friendly_name": "kitchen/lamp", "type": "Router",
        "definition": {"model": "LWA001", "vendor": "Philips", "exposes": [{"type": "light", "features": [state]}, after]}}]);
    let door = json!({"name": "Door", "unique_id": "door", "command_topic": "pi/door/set", "state_topic": "pi/door",
        "payload_on": "OPEN", "payload_off": "SHUT", "availability_topic": "pi/status", "payload_available": "running",
        "payload_not_available": "dead", "device": {"identifiers": ["pi"], "name": "Garage", "model": "mqtt-io"}});
    let plug = json!({"dn": "Boiler", "fn": ["Boiler"], "mac": "A1B2C3D4E5F6", "md": "Sonoff Basic", "ofln": "Offline",
        "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "14.2.0", "t": "boiler", "ft": "%prefix%/%topic%/",
        "tp": ["cmnd", "stat", "tele"], "rl": [1, 0], "ver": 1});
    for (topic, payload) in [
        ("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#.to_owned()),
        ("zigbee2mqtt/bridge/devices", lamp.to_string()),
        ("zigbee2mqtt/kitchen/lamp/availability", r#"{"state":"online"}"#.to_owned()),
        ("zigbee2mqtt/kitchen/lamp", r#"{"state":"OFF","power_on_behavior":"previous"}"#.to_owned()),
        ("homeassistant/switch/pi/door/config", door.to_string()),
        ("pi/status", "running".to_owned()),
        ("pi/door", "SHUT".to_owned()),
        ("tasmota/discovery/A1B2C3D4E5F6/config", plug.to_string()),
        ("tele/boiler/LWT", "Online".to_owned()),
    ] {
        broker.publish(topic, payload.as_bytes(), true)?;
    }
    let answers = [
        (
            "zigbee2mqtt/kitchen/lamp/set",
            "zigbee2mqtt/kitchen/lamp",
            r#"{"state":"ON","power_on_behavior":"previous"}"#,
        ),
        ("pi/door/set", "pi/door", "OPEN"),
        ("cmnd/boiler/Power", "stat/boiler/RESULT", r#"{"POWER":"ON"}"#),
    ];
    let replay = |(asked, topic, payload): (&str, &str, &str)| {
        let answer = json!({"topic": topic, "payload": payload});
        Replay::start(broker, &json!({"request": {"topic": asked, "payload": ""}, "answers": [answer]}))
    };
    answers.into_iter().map(replay).collect()
}

#[tokio::test]
async fn firmware_of_five_kinds_on_one_broker_takes_part_in_one_rollout() -> Result<()> {
    let broker = Broker::plain()?;
    let _others = others(&broker)?;
    let plug = Shelly::start(&broker, PLUG, "correct-horse-7")?;
    let _ours = Device::start(&broker, "lamp-1", None)?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let url = broker.url();
    let dialects = ["wilco", "zigbee2mqtt", "homeassistant", "tasmota", "shelly"];
    let words: Vec<&str> = dialects.iter().flat_map(|dialect| ["--dialect", dialect]).collect();
    let added = desk.wilco(&[&["connections", "add", "Home", "--url", &url], &words[..]].concat())?;
    ensure!(added.status.success(), "{added:?}");
    let console = desk.open().await?;
    console.go("Fleet").await?;
    for device in ["lamp-1", LAMP, "pi", "A1B2C3D4E5F6", PLUG] {
        console.wait_for_online(Some(device)).await?;
    }
    as_it_stands(&console, "five-kinds").await?;

    // A device that wants a password is given it, and can then be asked what it has.
    console.inspect(PLUG).await?;
    console.wait_for_text("Not set", SHORT).await?;
    console.click("button", "Set the device password").await?;
    let dialog = console.one("dialog", "Device password").await?;
    console.fill("Password", "correct-horse-7").await?;
    as_it_stands(&console, "device-password").await?;
    let mut found = console.inaccessible("the password of a device").await?;
    console.press_in(&dialog, "Save").await?;
    console.wait_for_text("Set for this device", SHORT).await?;
    console.wait_for_text("Auto off 0", SHORT).await?;
    as_it_stands(&console, "shelly-with-password").await?;

    let grid = console.one("grid", "Devices").await?;
    console.run("arguments[0].focus()", vec![serde_json::to_value(&grid)?]).await?;
    console.press(keys::ALL).await?;
    console.wait_for_text("5 devices selected", SHORT).await?;
    console.click("button", "LED on…").await?;
    let dialog = console.one("dialog", "New rollout").await?;
    as_it_stands(&console, "five-kinds-dialog").await?;
    console.press_in(&dialog, "Send to 5 devices").await?;
    console.one("button", "Succeeded 5").await?;
    as_it_stands(&console, "five-kinds-succeeded").await?;
    console.go("Rollouts").await?;
    console.wait_for_text("Finished", ROLLOUT).await?;
    as_it_stands(&console, "five-kinds-rollout").await?;
    found.extend(console.inaccessible("a rollout to five kinds of firmware").await?);
    ensure!(plug.executed() == ["Switch.Set"], "{:?}", plug.executed());
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}

/// A dialect of the user's own that reads the messages of another one.
const GRASPING: &str = r#"
format = 1
name = "mine"
title = "Mine"
about = "Reads the lamps of a bridge."

[[request]]
topic = "mine/{device}/set"
text = '{args.value}'
silent = "It reports nothing."

[[receive]]
as = "state"
topic = "zigbee2mqtt/{device}"
"#;

#[tokio::test]
async fn a_colour_is_typed_and_sent_and_dialects_that_read_the_same_messages_are_named() -> Result<()> {
    let broker = Broker::plain()?;
    let part = |name: &str| json!({"type": "numeric", "name": name, "property": name, "access": 7});
    let colour = json!({"type": "composite", "name": "color_xy", "property": "color", "label": "Colour", "access": 7,
        "features": [part("x"), part("y")]});
    let devices = json!([{"ieee_address": LAMP, "friendly_name": "kitchen/lamp", "type": "Router",
        "definition": {"model": "LCT001", "vendor": "Philips", "exposes": [{"type": "light", "features": [colour]}]}}]);
    for (topic, payload) in [
        ("zigbee2mqtt/bridge/devices", devices.to_string()),
        ("zigbee2mqtt/kitchen/lamp/availability", r#"{"state":"online"}"#.to_owned()),
        ("zigbee2mqtt/kitchen/lamp", r#"{"color":{"x":0.31,"y":0.33}}"#.to_owned()),
    ] {
        broker.publish(topic, payload.as_bytes(), true)?;
    }
    let sent = r#"{"color":{"x":0.543,"y":0.407}}"#;
    let answer = json!({"topic": "zigbee2mqtt/kitchen/lamp", "payload": sent});
    let exchange = json!({"request": {"topic": "zigbee2mqtt/kitchen/lamp/set", "payload": sent}, "answers": [answer]});
    let _lamp = Replay::start(&broker, &exchange)?;
    let requests = broker.listen("zigbee2mqtt/kitchen/lamp/set")?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let mine = desk.data().join("mine.toml");
    std::fs::write(&mine, GRASPING)?;
    let (url, mine) = (broker.url(), mine.display().to_string());
    let added =
        desk.wilco(&["connections", "add", "Home", "--url", &url, "--dialect", "zigbee2mqtt", "--dialect", &mine])?;
    let told = String::from_utf8_lossy(&added.stderr);
    ensure!(added.status.success() && told.contains("both use 'zigbee2mqtt/+'"), "{added:?}");

    let console = desk.open().await?;
    console.go("Fleet").await?;
    console.wait_for_online(Some(LAMP)).await?;
    let grid = console.one("grid", "Devices").await?;
    let cell = console.one_like_in(&grid, "cell", LAMP).await?;
    console.click_on(&cell, LAMP).await?;
    console.click("button", "Set Colour").await?;
    console.wait_for_text("CIE 1931", SHORT).await?;
    as_it_stands(&console, "colour-form").await?;
    let mut found = console.inaccessible("the form of a colour").await?;
    console.fill("Colour *", "0.543,0.407").await?;
    as_it_stands(&console, "colour-typed").await?;
    console.click("button", "Send").await?;
    console.wait_for_text("The device has reported color", SHORT).await?;
    ensure!(requests.log().contains(sent), "{}", requests.log());
    as_it_stands(&console, "colour-sent").await?;

    console.go("Connections").await?;
    console.wait_for_text("both use 'zigbee2mqtt/+'", SHORT).await?;
    as_it_stands(&console, "overlapping-dialects").await?;
    found.extend(console.inaccessible("dialects that read the same messages").await?);
    console.close().await?;
    ensure!(found.is_empty(), "axe finds:\n{}", found.join("\n"));
    Ok(())
}
