//! What the LED, a restart and the configuration are at a device of each dialect: the request that stands for them, or nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wilco_dialect::{
    CommandToEncode, Devices, Dialect, DialectSet, Inbound, KnownDevice, Subscriptions, Topics, shipped,
};
use wilco_ledger::{CommandId, DeviceId};

/// What stands for a built-in command: the topic and the payload of its request.
type Request<'a> = Option<(&'a str, &'a str)>;

/// One dialect, with what a typical device of it announces.
struct Row<'a> {
    dialect: &'a str,
    announced: Vec<(&'a str, Value)>,
    led: Request<'a>,
    restart: Request<'a>,
    read_settings: Request<'a>,
    change_setting: Request<'a>,
    /// A setting that the device has, and a value for it.
    setting: (&'a str, Value),
}

impl<'a> Row<'a> {
    /// A dialect whose devices say nothing of what they have.
    fn bare(dialect: &'a str) -> Row<'a> {
        Row {
            dialect,
            announced: Vec::new(),
            led: None,
            restart: None,
            read_settings: None,
            change_setting: None,
            setting: ("x", json!(1)),
        }
    }
}

fn tasmota() -> Row<'static> {
    let config =
        json!({"t": "lamp", "mac": "AABB", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1]});
    Row {
        announced: vec![("tasmota/discovery/AABB/config", config)],
        led: Some(("cmnd/lamp/Power", "ON")),
        restart: Some(("cmnd/lamp/Restart", "1")),
        read_settings: Some(("cmnd/lamp/Backlog", "TelePeriod; Sleep; LedState; PowerOnState")),
        change_setting: Some(("cmnd/lamp/TelePeriod", "60")),
        setting: ("TELEPERIOD", json!(60)),
        ..Row::bare("tasmota")
    }
}

fn shelly() -> Row<'static> {
    let info = json!({"id": "plug", "mac": "A8", "model": "SNSW", "gen": 2, "ver": "1.4"});
    let answer = |result: Value| json!({"id": 0, "src": "plug", "dst": "wilco", "result": result});
    let status = answer(json!({"sys": {"uptime": 1}, "switch:0": {"id": 0, "output": false}}));
    let config = answer(json!({"sys": {"cfg_rev": 3}, "switch:0": {"id": 0, "auto_off": false}}));
    Row {
        announced: vec![("plug/announce", info), ("wilco/rpc", status), ("wilco/rpc", config)],
        led: Some(("plug/rpc", r#"{"id":7,"src":"wilco","method":"Switch.Set","params":{"id":0,"on":true}}"#)),
        restart: Some(("plug/rpc", r#"{"id":7,"src":"wilco","method":"Shelly.Reboot","params":{}}"#)),
        read_settings: Some(("plug/rpc", r#"{"id":7,"src":"wilco","method":"Shelly.GetConfig","params":{}}"#)),
        change_setting: Some((
            "plug/rpc",
            r#"{"id":7,"src":"wilco","method":"Switch.SetConfig","params":{"config":{"auto_off":true},"id":0}}"#,
        )),
        setting: ("switch:0/auto_off", json!(true)),
        ..Row::bare("shelly")
    }
}

fn shelly_gen1() -> Row<'static> {
    Row {
        announced: vec![
            ("shellies/announce", json!({"id": "shelly1-1", "mac": "A9"})),
            ("shellies/shelly1-1/relay/0", json!("off")),
        ],
        led: Some(("shellies/shelly1-1/relay/0/command", "on")),
        ..Row::bare("shelly-gen1")
    }
}

fn zigbee2mqtt() -> Row<'static> {
    let exposes = json!([
        {"type": "enum", "property": "power_on_behavior", "access": 7, "category": "config", "values": ["on", "off"]},
        {"type": "switch", "features": [
            {"type": "binary", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF"}]}]);
    let list = json!([{"ieee_address": "0x01", "friendly_name": "plug", "type": "Router", "definition": {"exposes": exposes}}]);
    Row {
        announced: vec![("zigbee2mqtt/bridge/devices", list)],
        led: Some(("zigbee2mqtt/plug/set", r#"{"state":"ON"}"#)),
        read_settings: Some(("zigbee2mqtt/plug/get", r#"{"power_on_behavior":""}"#)),
        change_setting: Some(("zigbee2mqtt/plug/set", r#"{"power_on_behavior":"on"}"#)),
        setting: ("power_on_behavior", json!("on")),
        ..Row::bare("zigbee2mqtt")
    }
}

fn home_assistant() -> Row<'static> {
    let entity = |more: Value| {
        let mut config = json!({"device": {"identifiers": ["pi"]}});
        if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object()) {
            config.extend(more.clone());
        }
        config
    };
    let relay = entity(json!({"name": "Relay", "unique_id": "a", "command_topic": "pi/set", "state_topic": "pi"}));
    let restart =
        json!({"name": "Restart", "unique_id": "b", "command_topic": "pi/restart", "device_class": "restart"});
    let interval = json!({"name": "Interval", "unique_id": "c", "command_topic": "pi/i/set", "state_topic": "pi/i",
        "entity_category": "config", "max": 3600});
    Row {
        announced: vec![
            ("homeassistant/switch/pi/a/config", relay),
            ("homeassistant/button/pi/b/config", entity(restart)),
            ("homeassistant/number/pi/c/config", entity(interval)),
        ],
        led: Some(("pi/set", "ON")),
        restart: Some(("pi/restart", "PRESS")),
        change_setting: Some(("pi/i/set", "60")),
        setting: ("Interval", json!(60)),
        ..Row::bare("homeassistant")
    }
}

fn homie5() -> Row<'static> {
    let power = json!({"datatype": "boolean", "settable": true});
    let description =
        json!({"homie": "5.0", "version": 1, "nodes": {"light": {"type": "light", "properties": {"power": power}}}});
    Row {
        announced: vec![("homie/5/pump/$description", description)],
        led: Some(("homie/5/pump/light/power/set", "true")),
        ..Row::bare("homie5")
    }
}

fn homie4() -> Row<'static> {
    let told = [
        ("homie/pump/$homie", "4.0"),
        ("homie/pump/$nodes", "light"),
        ("homie/pump/light/$properties", "power"),
        ("homie/pump/light/power/$datatype", "boolean"),
        ("homie/pump/light/power/$settable", "true"),
        ("homie/pump/$state", "ready"),
    ];
    Row {
        announced: told.map(|(topic, text)| (topic, json!(text))).to_vec(),
        led: Some(("homie/pump/light/power/set", "true")),
        ..Row::bare("homie4")
    }
}

fn rows() -> Vec<Row<'static>> {
    let thingsboard =
        Row { announced: vec![("v1/gateway/connect", json!({"device": "Device A"}))], ..Row::bare("thingsboard") };
    let bare = [
        "atlas",
        "aws-commands",
        "aws-jobs",
        "aws-shadow",
        "azure-methods",
        "enapter",
        "hono",
        "huawei",
        "onenet",
        "openbk",
        "zwave-js",
    ];
    let found = [tasmota(), shelly(), shelly_gen1(), zigbee2mqtt(), home_assistant(), homie5(), homie4(), thingsboard];
    found.into_iter().chain(bare.map(Row::bare)).collect()
}

/// The set of one dialect, and a device of it.
fn device(row: &Row<'_>) -> (DialectSet, Devices, DeviceId) {
    let file = shipped().iter().find(|file| file.name() == row.dialect).expect("a dialect").clone();
    let set = DialectSet::new([file], &Topics::default());
    let mut devices = Devices::default();
    for mut reader in set.readers("wilco") {
        for (topic, payload) in &row.announced {
            let payload = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
            let inbound = Inbound { topic, payload: payload.as_bytes(), qos: 1, retained: true, correlation: None };
            let mut findings = reader.read(&inbound);
            assert_eq!(findings.problems, Vec::<String>::new(), "{}", row.dialect);
            findings.apply(&mut devices);
        }
    }
    let found = devices.iter().find(|device| device.id.as_str() != "bridge").map(|device| device.id.clone());
    let id = found.unwrap_or_else(|| {
        assert!(row.announced.is_empty(), "{}: nothing was found", row.dialect);
        let id = DeviceId::new("d").expect("a device ID");
        devices.insert(KnownDevice::new(id.clone(), row.dialect, "d"));
        id
    });
    (set, devices, id)
}

#[test]
fn led_restart_and_configuration_are_what_each_dialect_has_for_them_and_absent_where_it_has_nothing() {
    for row in rows() {
        let (set, devices, id) = device(&row);
        let device = devices.get(&id).expect("a device");
        let request = |built_in: &str, args: Value| {
            let args = args.to_string();
            let (command, args) = device.in_place_of(built_in, &args).ok()?;
            let asking = CommandToEncode { device, command: &command, args: &args };
            let command_id = CommandId::new("c1").expect("a command ID");
            let message = set.encode(&asking, &devices, &command_id, "7").expect("a message");
            Some((message.topic, message.payload))
        };
        let check = |built_in: &str, args: Value, expected: Request<'_>| {
            let found = request(built_in, args);
            // The order of members does not matter.
            let read = |payload: &str| serde_json::from_str(payload).unwrap_or_else(|_| json!(payload));
            let found = found.as_ref().map(|(topic, payload)| (topic.as_str(), read(payload)));
            let expected = expected.map(|(topic, payload)| (topic, read(payload)));
            assert_eq!(found, expected, "{}: {built_in}", row.dialect);
        };
        check("led", json!({"on": true}), row.led);
        check("restart", json!({}), row.restart);
        check("config.get", json!({}), row.read_settings);
        let (setting, value) = &row.setting;
        check("config.set", json!({"changes": {*setting: value}, "apply": "now"}), row.change_setting);
        // A log and an update are Wilco's own.
        check("log.get", json!({}), None);
        assert!(
            !set.filters(&devices, &Subscriptions::default()).is_empty() || row.dialect == "onenet",
            "{}",
            row.dialect
        );
    }
}

#[test]
fn every_dialect_that_comes_with_wilco_is_in_the_table() {
    let listed: BTreeSet<&str> = rows().iter().map(|row| row.dialect).chain(Dialect::NAMES.iter().copied()).collect();
    let shipped: BTreeSet<&str> = shipped().iter().map(wilco_dialect::DialectFile::name).collect();
    assert_eq!(listed, shipped);
}
