//! Devices with other firmware: found, listed, commanded and received, on a real broker. The devices replay recorded
//! answers.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, Device, Replay, soon};

use crate::bench::{Bench, ProgramOutput};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/dialect/tests/exchanges/recorded.jsonl");

fn recorded(dialect: &str, name: &str) -> Result<Value> {
    let text = fs::read_to_string(RECORDED)?;
    let lines = text.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    let found = lines.into_iter().find(|one| one["dialect"] == dialect && one["name"] == name);
    found.with_context(|| format!("no exchange {dialect}: {name}"))
}

/// A bench with a connection that speaks these dialects.
fn bench(broker: &Broker, dialects: &[&str]) -> Result<Bench> {
    let bench = Bench::new()?;
    let url = broker.url();
    let mut arguments = vec!["connections", "add", "bench", "--url", &url];
    for dialect in dialects {
        arguments.extend(["--dialect", dialect]);
    }
    bench.run(&arguments)?.ended(0)?;
    Ok(bench)
}

fn send(bench: &Bench, device: &str, command: &str, args: &Value, timeout: &str) -> Result<ProgramOutput> {
    let args = args.to_string();
    bench.run(&[
        "send",
        "-c",
        "bench",
        "-d",
        device,
        command,
        "--args",
        &args,
        "--timeout",
        timeout,
        "--output",
        "json",
    ])
}

/// Plays a recorded exchange and compares what the program says of it in the end.
fn plays(bench: &Bench, broker: &Broker, dialect: &str, name: &str) -> Result<()> {
    let exchange = recorded(dialect, name)?;
    let _counterpart = Replay::start(broker, &exchange)?;
    let text = |member: &str| exchange[member].as_str().unwrap_or_default();
    let expected = &exchange["expect"];
    let waits = matches!(expected["state"].as_str(), Some("waiting" | "accepted"));
    let timeout = if waits { "1s" } else { "10s" };
    let said = send(bench, text("device"), text("command"), &exchange["args"], timeout)?;
    let lines = said.lines()?;
    let last = lines.last().with_context(|| format!("{dialect}: {name}: {said:?}"))?;
    let states = said.states()?;
    let is_right = match expected["state"].as_str().unwrap_or_default() {
        "waiting" => matches!(last["state"].as_str(), Some("timed_out" | "unconfirmed")),
        "accepted" => states.iter().any(|state| state == "accepted") && last["state"] == "timed_out",
        state => {
            last["state"] == state
                && last["match"] == expected["id"]
                && (expected["message"].is_null() || last["message"] == expected["message"])
        }
    };
    ensure!(is_right, "{dialect}: {name}: {expected} was told as {said:?}");
    Ok(())
}

#[test]
fn a_tasmota_switch_is_commanded_and_settles_by_what_it_reports() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = bench(&broker, &["tasmota"])?;
    for name in ["query", "on", "unknown command", "error", "restart is only begun", "somebody's button"] {
        plays(&bench, &broker, "tasmota", name)?;
    }
    Ok(())
}

#[test]
fn a_shelly_answers_by_a_number_that_no_other_command_has() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = bench(&broker, &["shelly"])?;
    for name in ["switch off", "password wanted", "argument missing", "no such method"] {
        plays(&bench, &broker, "shelly", name)?;
    }
    let history = bench.run(&["history", "-c", "bench", "--format", "json"])?.ended(0)?.lines()?;
    ensure!(history.len() == 4, "{history:?}");
    Ok(())
}

/// A Shelly whose topic prefix has several levels: it answers the question who it is, and `Switch.Set`.
fn shelly(broker: &Broker, prefix: &str, id: &str, asked: &str, method: &str) -> Result<Replay> {
    let (told, topic) = match asked {
        "shellies/command" => (json!({"id": id, "gen": 2, "ver": "1.4"}), format!("{prefix}/announce")),
        _ => (
            json!({"id": "ID", "src": id, "dst": "CONSOLE", "result": {"id": id, "gen": 2, "was_on": false}}),
            "CONSOLE/rpc".to_owned(),
        ),
    };
    let request = json!({"id": "ID", "src": "CONSOLE", "method": method}).to_string();
    let exchange = json!({"request": {"topic": asked, "payload": request},
        "answers": [{"topic": topic, "payload": told.to_string()}]});
    Replay::start(broker, &exchange)
}

#[test]
fn a_shelly_with_a_topic_prefix_of_several_levels_is_found_and_commanded() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = bench(&broker, &["shelly"])?;
    let _announces = shelly(&broker, "Shelly/SPR3EM_FVE", "shellypro3em-1", "shellies/command", "")?;
    let _answers = shelly(&broker, "Shelly/SPR3EM_FVE", "shellypro3em-1", "Shelly/SPR3EM_FVE/rpc", "Switch.Set")?;
    let _asked = shelly(&broker, "house/attic/plug", "shellyplus1-2", "house/attic/plug/rpc", "Shelly.GetDeviceInfo")?;
    let mut watching = bench.start(&["watch", "-c", "bench", "--output", "json"])?;
    soon("the subscriptions", Duration::from_secs(20), || broker.log().contains(" 1 +/+/+/online").then_some(()))?;
    broker.publish("house/attic/plug/online", b"true", false)?;
    let row = |name: &str| -> Option<Value> {
        let rows = bench.run(&["devices", "-c", "bench", "--output", "json"]).ok()?.ended(0).ok()?.lines().ok()?;
        rows.into_iter().find(|row| row["device"] == name)
    };
    soon("the device that announced itself", Duration::from_secs(20), || row("shellypro3em-1"))?;
    soon("the device that was asked", Duration::from_secs(20), || row("shellyplus1-2"))?;
    // It is heard under its prefix: presence by a filter for all, its status by one of its own.
    let own = " 1 Shelly/SPR3EM_FVE/status/+";
    soon("its own subscription", Duration::from_secs(20), || broker.log().contains(own).then_some(()))?;
    broker.publish("Shelly/SPR3EM_FVE/status/switch:0", br#"{"id":0,"output":true}"#, false)?;
    broker.publish("Shelly/SPR3EM_FVE/online", b"false", false)?;
    soon("its presence", Duration::from_secs(20), || row("shellypro3em-1").filter(|row| row["presence"] == "offline"))?;
    broker.publish("Shelly/SPR3EM_FVE/online", b"true", false)?;
    soon("its return", Duration::from_secs(20), || row("shellypro3em-1").filter(|row| row["presence"] == "online"))?;
    let args = json!({"id": 0, "on": true});
    for device in ["shellypro3em-1", "shellyplus1-2"] {
        let said = send(&bench, device, "Switch.Set", &args, "20s")?.ended(0)?;
        let last = said.lines()?.pop().unwrap_or_default();
        ensure!(last["state"] == "succeeded" && last["match"] == "exact", "{device}: {said:?}");
    }
    watching.kill();
    Ok(())
}

#[test]
fn zigbee_devices_are_found_by_their_bridge_and_named_as_people_know_them() -> Result<()> {
    let broker = Broker::plain()?;
    // What the bridge has retained may come in any order, the devices' own messages first.
    broker.publish("zigbee2mqtt/kitchen/lamp/availability", br#"{"state":"online"}"#, true)?;
    broker.publish("zigbee2mqtt/bridge/state", br#"{"state":"online"}"#, true)?;
    broker.publish("zigbee2mqtt/kitchen/lamp", br#"{"state":"OFF","brightness":20,"linkquality":90}"#, true)?;
    broker.publish("zigbee2mqtt/bridge/devices", bridge_devices().to_string().as_bytes(), true)?;
    // The same lamp for Home Assistant: listed once.
    let twice = json!({"name": null, "command_topic": "zigbee2mqtt/kitchen/lamp/set", "state_topic": "zigbee2mqtt/kitchen/lamp",
        "schema": "json", "device": {"identifiers": ["zigbee2mqtt_0x0017880100000001"], "name": "kitchen/lamp"}});
    broker.publish("homeassistant/light/0x0017880100000001/light/config", twice.to_string().as_bytes(), true)?;
    let bench = bench(&broker, &["wilco", "homeassistant", "zigbee2mqtt"])?;
    let _ours = Device::start(&broker, "lamp-1", None)?;

    let listed = bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
    let ids: Vec<_> = listed.iter().filter_map(|row| row["device"].as_str()).collect();
    ensure!(ids == ["0x0017880100000001", "bridge", "lamp-1"], "{listed:?}");
    let lamp = &listed[0];
    ensure!(
        lamp["name"] == "kitchen/lamp"
            && lamp["dialect"] == "Zigbee2MQTT"
            && lamp["model"] == "LWA001"
            && lamp["presence"] == "online"
            && lamp["led"] == false,
        "{lamp}"
    );
    ensure!(listed[2]["dialect"].is_null() && listed[2]["name"].is_null(), "{listed:?}");
    let table = bench.run(&["devices", "-c", "bench"])?.ended(0)?.out;
    ensure!(table.contains("Zigbee2MQTT") && table.contains("kitchen/lamp") && table.contains("LWA001"), "{table}");

    // The LED of this device is its lamp, and it is called by its name.
    let on =
        json!({"topic": "zigbee2mqtt/kitchen/lamp", "payload": r#"{"state":"ON","brightness":20,"linkquality":90}"#});
    let exchange =
        json!({"request": {"topic": "zigbee2mqtt/kitchen/lamp/set", "payload": r#"{"state":"ON"}"#}, "answers": [on]});
    let lamp = Replay::start(&broker, &exchange)?;
    let said = bench.run(&["send", "-c", "bench", "-d", "kitchen/lamp", "led", "on=true"])?.ended(0)?;
    ensure!(said.out.contains("The device reported ON."), "{said:?}");
    drop(lamp);

    // Off is reported; somebody's hand then turns it on again while nobody answers.
    broker.publish("zigbee2mqtt/kitchen/lamp", br#"{"state":"OFF","brightness":20}"#, true)?;
    let press = json!({"topic": "zigbee2mqtt/kitchen/lamp", "payload": r#"{"state":"ON"}"#});
    let exchange = json!({"request": {"topic": "zigbee2mqtt/kitchen/lamp/set", "payload": ""}, "answers": [press]});
    let _somebody = Replay::start(&broker, &exchange)?;
    let said =
        bench.run(&["send", "-c", "bench", "-d", "kitchen/lamp", "led", "on=false", "--timeout", "1s"])?.ended(1)?;
    ensure!(said.err.contains("kitchen/lamp already reports OFF."), "{said:?}");
    ensure!(said.out.contains("did not report state = OFF within"), "{said:?}");

    bench
        .run(&["send", "-c", "bench", "-d", "kitchen/lamp", "config.get"])?
        .complained("a command for devices with Wilco's dialect")?;
    bench.run(&["send", "-c", "bench", "-d", "lamp-1", "led", "on=true"])?.ended(0)?;
    for name in ["health check", "invalid payload", "no such device", "unknown request is met with silence"] {
        plays(&bench, &broker, "zigbee2mqtt", name)?;
    }
    Ok(())
}

fn bridge_devices() -> Value {
    let exposes = json!([
        {"type": "light", "features": [
            {"type": "binary", "property": "state", "name": "state", "access": 7, "value_on": "ON", "value_off": "OFF"},
            {"type": "numeric", "property": "brightness", "name": "brightness", "access": 7, "value_min": 0, "value_max": 254}]},
        {"type": "numeric", "property": "linkquality", "name": "linkquality", "access": 1, "unit": "lqi"}]);
    json!([
        {"ieee_address": "0x00124b0000000000", "friendly_name": "Coordinator", "type": "Coordinator"},
        {"ieee_address": "0x0017880100000001", "friendly_name": "kitchen/lamp", "type": "Router",
         "definition": {"model": "LWA001", "vendor": "Philips", "exposes": exposes}}])
}

#[test]
fn devices_announced_for_home_assistant_are_found_with_their_topics() -> Result<()> {
    let broker = Broker::plain()?;
    let device = json!({"identifiers": ["pump-house"], "name": "Pump house", "model": "RPi", "sw_version": "2.7"});
    let switch = json!({"name": "Door", "unique_id": "door", "command_topic": "pi/door/set", "state_topic": "pi/door",
        "payload_on": "OPEN", "payload_off": "SHUT", "availability_topic": "pi/status", "payload_available": "running",
        "payload_not_available": "dead", "device": device});
    let button = json!({"name": "Reboot", "unique_id": "reboot", "command_topic": "pi/reboot", "device_class": "restart",
        "device": device});
    let elsewhere = json!({"name": "Other lamp", "unique_id": "x", "command_topic": "all/req", "device": device});
    broker.publish("homeassistant/switch/pi/door/config", switch.to_string().as_bytes(), true)?;
    broker.publish("homeassistant/button/pi/reboot/config", button.to_string().as_bytes(), true)?;
    broker.publish("homeassistant/switch/pi/other/config", elsewhere.to_string().as_bytes(), true)?;
    // Its status looks like one of a device of Wilco's own that is called pi.
    broker.publish("pi/status", b"running", true)?;
    broker.publish("pi/door", b"SHUT", true)?;
    broker.publish("homeassistant/status", b"online", true)?;
    let bench = bench(&broker, &["wilco", "homeassistant"])?;
    let listed = bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(
        listed.len() == 1
            && listed[0]["name"] == "Pump house"
            && listed[0]["presence"] == "online"
            && listed[0]["firmware"] == "2.7"
            && listed[0]["led"] == false,
        "{listed:?}"
    );
    let exchange = json!({"request": {"topic": "pi/door/set", "payload": "OPEN"}, "answers": [{"topic": "pi/door", "payload": "OPEN"}]});
    let _door = Replay::start(&broker, &exchange)?;
    let said =
        bench.run(&["send", "-c", "bench", "-d", "Pump house", "led", "on=true", "--output", "json"])?.ended(0)?;
    let last = said.lines()?.pop().unwrap_or_default();
    ensure!(last["state"] == "succeeded" && last["match"] == "inferred", "{said:?}");

    // A button reports nothing, which is said before and after.
    let said = bench.run(&["send", "-c", "bench", "-d", "Pump house", "restart"])?;
    ensure!(said.err.contains("Pump house will not confirm it. Its discovery has no state topic"), "{said:?}");
    ensure!(said.out.contains("nconfirmed") && said.out.contains("has no state topic"), "{said:?}");
    // Nothing is sent where another device, or all of them, would be asked.
    bench
        .run(&["send", "-c", "bench", "-d", "Pump house", "Other lamp", "on=true"])?
        .complained("a topic of the wilco dialect")?;
    Ok(())
}

#[test]
fn a_device_that_is_long_gone_is_not_taken_for_one_that_is_there() -> Result<()> {
    let broker = Broker::plain()?;
    let config = json!({"ip": "192.0.2.1", "dn": "Attic", "fn": ["Attic"], "mac": "A1B2C3D4E5F6", "md": "Sonoff", "ofln": "Offline",
        "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "9.1.0", "t": "attic", "ft": "%prefix%/%topic%/",
        "tp": ["cmnd", "stat", "tele"], "rl": [1, 0], "ver": 1});
    let topic = "tasmota/discovery/A1B2C3D4E5F6/config";
    broker.publish(topic, config.to_string().as_bytes(), true)?;
    let bench = bench(&broker, &["tasmota"])?;
    let listed = bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(listed.len() == 1 && listed[0]["name"] == "Attic", "{listed:?}");
    ensure!(listed[0]["presence"] == "unknown" && listed[0]["seen_at"].is_null(), "{listed:?}");
    let said = bench.run(&["send", "-c", "bench", "-d", "Attic", "led", "on=true", "--timeout", "1s"])?.ended(1)?;
    ensure!(said.err.contains("not known to be online"), "{said:?}");
    ensure!(said.out.contains("did not report POWER = ON within"), "{said:?}");
    Ok(())
}

#[test]
fn a_device_whose_announcement_is_withdrawn_is_not_listed_any_more() -> Result<()> {
    let broker = Broker::plain()?;
    let config = json!({"name": "Door", "unique_id": "door", "command_topic": "pi/door/set", "state_topic": "pi/door"});
    broker.publish("homeassistant/switch/pi/door/config", config.to_string().as_bytes(), true)?;
    let bench = bench(&broker, &["homeassistant"])?;
    let count =
        || Ok::<_, anyhow::Error>(bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?.len());
    ensure!(count()? == 1);
    let subscribed = || broker.log().matches("1 homeassistant/#").count();
    let before = subscribed();
    let watching = bench.start(&["watch", "-c", "bench", "--output", "json"])?;
    soon("the watch's connection", Duration::from_secs(10), || (subscribed() > before).then_some(()))?;
    broker.clear("homeassistant/switch/pi/door/config")?;
    soon("end of a device", Duration::from_secs(10), || (count().ok()? == 0).then_some(()))?;
    drop(watching);
    Ok(())
}

#[test]
fn dialects_that_do_not_go_together_are_refused() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = Bench::new()?;
    let url = broker.url();
    let add = |dialects: &[&str]| {
        let mut arguments = vec!["connections", "add", "bench", "--url", &url];
        dialects.iter().for_each(|dialect| arguments.extend(["--dialect", dialect]));
        bench.run(&arguments)
    };
    add(&["klingon"])?.complained("no dialect named 'klingon'")?;
    add(&["wilco", "text"])?.complained("only one of them can be enabled")?;
    add(&["/nowhere/mine.toml"])?.complained("Could not read /nowhere/mine.toml")?;
    // A file of one's own goes with its connection.
    let mine = bench.run(&["dialects", "show", "atlas"])?.ended(0)?.out;
    let mine = mine.replace("name = \"atlas\"", "name = \"mine\"").replace("commands/", "mine/");
    let mine = mine.replace("title = \"IoT Atlas\"", "title = \"Pump house\"");
    let path = bench.data.path().join("mine.toml");
    fs::write(&path, mine)?;
    add(&["wilco", &path.display().to_string()])?.ended(0)?;
    fs::remove_file(&path)?;
    let exchange = json!({"request": {"topic": "mine/d", "payload": r#"{"tid":"c1"}"#},
        "answers": [{"topic": "mine/d/ack", "payload": r#"{"tid":"c1","status":"SUCCESS"}"#}]});
    broker.publish("mine/d/ack", br#"{"tid":"c0","status":"RUNNING"}"#, true)?;
    let _device = Replay::start(&broker, &exchange)?;
    let said = bench.run(&["send", "-c", "bench", "-d", "d", "go", "--output", "json"])?.ended(0)?;
    let last = said.lines()?.pop().unwrap_or_default();
    ensure!(last["state"] == "succeeded" && last["match"] == "exact", "{said:?}");
    let listed = bench.run(&["devices", "-c", "bench", "--output", "json"])?.ended(0)?.lines()?;
    ensure!(listed.len() == 1 && listed[0]["dialect"] == "Pump house", "{listed:?}");
    Ok(())
}

#[test]
fn devices_of_dialects_that_are_not_enabled_are_offered() -> Result<()> {
    let broker = Broker::plain()?;
    broker.publish("zigbee2mqtt/bridge/devices", bridge_devices().to_string().as_bytes(), true)?;
    let twice = json!({"name": "Lamp", "command_topic": "zigbee2mqtt/kitchen/lamp/set",
        "device": {"identifiers": ["zigbee2mqtt_0x0017880100000001"]}});
    broker.publish("homeassistant/light/lamp/config", twice.to_string().as_bytes(), true)?;
    let bench = bench(&broker, &["wilco"])?;
    let said = bench.run(&["dialects", "find", "-c", "bench"])?.ended(0)?;
    ensure!(said.out.contains("2 Zigbee2MQTT devices answer here: Zigbee2MQTT bridge, kitchen/lamp"), "{said:?}");
    ensure!(!said.out.contains("Home Assistant"), "{said:?}");
    ensure!(said.out.contains("--dialect wilco --dialect zigbee2mqtt"), "{said:?}");
    bench.run(&["connections", "edit", "bench", "--dialect", "wilco", "--dialect", "zigbee2mqtt"])?.ended(0)?;
    let said = bench.run(&["dialects", "find", "-c", "bench"])?.ended(0)?;
    ensure!(said.out.contains("No device of another dialect"), "{said:?}");
    Ok(())
}

#[test]
fn a_dialect_is_learned_from_received_messages_and_then_used() -> Result<()> {
    let broker = Broker::plain()?;
    let bench = bench(&broker, &["wilco"])?;
    let mut learning = bench.start(&["dialects", "learn", "-c", "bench", "--filter", "plant/#", "--for", "4s"])?;
    let output = learning.take_output().context("no output")?;
    soon("subscription", Duration::from_secs(10), || broker.log().contains(" 0 plant/#").then_some(()))?;
    broker.publish("plant/ask/pump-7", br#"{"tid":"a1","cmd":"valve","params":{"open":true}}"#, false)?;
    broker.publish("plant/tell/pump-7", br#"{"tid":"a1","status":"SUCCESS","text":"open"}"#, false)?;
    broker.publish("plant/ask/pump-7", br#"{"tid":"a2","cmd":"flush","params":{}}"#, false)?;
    broker.publish("plant/tell/pump-7", br#"{"tid":"a2","status":"FAILURE","text":"no water"}"#, false)?;
    broker.publish("plant/tell/pump-7", br#"{"tid":"a2","status":"PAUSED"}"#, false)?;
    broker.publish("plant/elsewhere", b"x", false)?;
    broker.publish("plant/picture", &[0xff, 0x00, 0xfe], false)?;
    let file = std::io::read_to_string(output)?;
    let said = learning.log();
    for expected in [
        "Could not read 1 message on plant/tell/pump-7: This answer is unreadable: no outcome",
        "Not described: 1 message on plant/elsewhere.",
        "Could not read 1 message on plant/picture: binary",
    ] {
        ensure!(said.contains(expected), "{said}");
    }
    let path = bench.data.path().join("mine.toml");
    fs::write(&path, &file)?;
    let path = path.display().to_string();
    bench.run(&["dialects", "check", &path])?.ended(0)?;
    bench.run(&["connections", "edit", "bench", "--dialect", &path])?.ended(0)?;
    let exchange = json!({"request": {"topic": "plant/ask/pump-9", "payload": r#"{"tid":"c1"}"#},
        "answers": [{"topic": "plant/tell/pump-9", "payload": r#"{"tid":"c1","status":"FAILURE","text":"no water"}"#}]});
    let _device = Replay::start(&broker, &exchange)?;
    let said = send(&bench, "pump-9", "flush", &json!({}), "5s")?;
    let last = said.lines()?.pop().unwrap_or_default();
    ensure!(last["state"] == "failed" && last["message"] == "no water" && last["match"] == "exact", "{said:?} {file}");
    // Nothing that could be a dialect is said as that.
    bench.run(&["dialects", "learn", "-c", "bench", "--filter", "nothing/#", "--for", "1s"])?.ended(1)?;
    Ok(())
}
