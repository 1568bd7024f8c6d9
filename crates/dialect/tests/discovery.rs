//! Discovery of devices, and refused announcements.

use serde_json::{Value, json};
use wilco_dialect::{
    ColourNotation, CommandRequest, CommandToEncode, Context, Control, DecodedMessage, Devices, DialectFile,
    DialectSet, Discovery, Findings, IdKind, Inbound, KnownDevice, Meaning, ReaderKind, RequestPayload, Topics,
    WireIds, shipped,
};
use wilco_ledger::{CommandId, DeviceId, Expectation, Report};

fn inbound<'a>(topic: &'a str, payload: &'a [u8]) -> Inbound<'a> {
    Inbound { topic, payload, qos: 1, retained: true, correlation: None }
}

fn read(discovery: &mut Discovery, topic: &str, payload: &Value) -> Findings {
    discovery.read(&inbound(topic, payload.to_string().as_bytes()))
}

fn one(kind: ReaderKind, topic: &str, payload: &Value) -> KnownDevice {
    let findings = read(&mut Discovery::new(kind, "wilco"), topic, payload);
    assert_eq!(findings.problems, Vec::<String>::new());
    assert_eq!(findings.devices.len(), 1, "{findings:?}");
    findings.devices.into_iter().next().expect("a device")
}

fn titles(device: &KnownDevice) -> Vec<&str> {
    device.commands.iter().map(|command| &*command.title).collect()
}

fn all() -> DialectSet {
    // The two that are read in code share their topics, so one of them is enabled.
    DialectSet::new(shipped().iter().filter(|file| file.name() != "text").cloned(), &Topics::default())
}

fn id(name: &str) -> DeviceId {
    DeviceId::new(name).expect("a device ID")
}

fn command_id() -> CommandId {
    CommandId::new("c1").expect("a command ID")
}

#[test]
fn home_assistant_entities_of_one_device_are_put_together() {
    let mut discovery = Discovery::new(ReaderKind::HomeAssistant, "wilco");
    let device = json!({"ids": ["lamp-1"], "name": "Lamp", "mdl": "L1", "mf": "Acme", "sw": "1.2"});
    let switch = json!({"~": "lamp", "name": "Relay", "uniq_id": "a", "cmd_t": "~/relay/set", "stat_t": "~/relay",
        "avty": [{"t": "~/status", "pl_avail": "there", "pl_not_avail": "away"}], "dev": device});
    let number = json!({"name": "Level", "uniq_id": "b", "command_topic": "lamp/level/set", "state_topic": "lamp/state",
        "value_template": "{{ value_json.level }}", "command_template": "{\"level\": {{ value }}}", "min": 0, "max": 50,
        "unit_of_measurement": "%", "device": device});
    let sensor = json!({"name": "Temperature", "stat_t": "lamp/state", "val_tpl": "{{ value_json.t | round(1) }}",
        "unit_of_meas": "°C", "dev": device});
    read(&mut discovery, "homeassistant/switch/lamp/relay/config", &switch);
    read(&mut discovery, "homeassistant/number/level/config", &number);
    let mut findings = read(&mut discovery, "homeassistant/sensor/lamp/t/config", &sensor);
    let lamp = &findings.devices[0];
    assert_eq!(
        (lamp.id.as_str(), lamp.name.as_deref(), lamp.firmware.as_deref()),
        ("lamp-1", Some("Lamp"), Some("1.2"))
    );
    assert_eq!(titles(lamp), ["Level", "Relay"]);
    assert_eq!(lamp.commands[1].control, Control::Switch { on: "ON".into(), off: "OFF".into() });
    let keys: Vec<&str> = lamp.variables.iter().map(|variable| &*variable.key).collect();
    assert_eq!(keys, ["Level", "Temperature", "Relay"]);

    let mut devices = Devices::default();
    findings.apply(&mut devices);
    let set = all();
    let ask = |command: &str, args: &str| {
        let device = devices.get(&id("lamp-1")).expect("a device");
        set.encode(&CommandToEncode { device, command, args }, &devices, &command_id(), "c1")
    };
    let message = ask("Level", r#"{"value":40}"#).expect("a message");
    assert_eq!((message.topic.as_str(), message.payload.as_str()), ("lamp/level/set", r#"{"level": 40}"#));
    assert_eq!(ask("Relay", r#"{"on":false}"#).expect("a message").payload, "OFF");
    assert!(ask("Relay", "{}").expect_err("no value").contains("needs a value"));

    // Two entities share a state topic, and availability has words of its own.
    let wire_ids = WireIds::default();
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    let state = br#"{"level":40,"t":20.649}"#;
    let heard: Vec<Meaning> =
        set.decode(&inbound("lamp/state", state), &context).into_iter().map(|one| one.meaning).collect();
    let [
        Meaning::Message(DecodedMessage::Telemetry { series, .. }),
        Meaning::Report(Report { values, retained: true, .. }),
    ] = heard.as_slice()
    else {
        panic!("{heard:?}");
    };
    assert_eq!(*series, [("Level".to_owned(), 40.0), ("Temperature".to_owned(), 20.6)]);
    assert_eq!(&*values[1].value, "20.6");
    let heard = set.decode(&inbound("lamp/status", b"away"), &context);
    assert!(matches!(heard[0].meaning, Meaning::Message(DecodedMessage::Presence { online: false, .. })), "{heard:?}");
    assert!(
        set.filters(&devices, &wilco_dialect::Subscriptions::default())
            .iter()
            .any(|filter| filter.filter == "lamp/relay")
    );

    // One entity goes, then the rest.
    let gone = discovery.read(&inbound("homeassistant/switch/lamp/relay/config", b""));
    assert_eq!(titles(&gone.devices[0]), ["Level"]);
    discovery.read(&inbound("homeassistant/number/level/config", b""));
    assert_eq!(discovery.read(&inbound("homeassistant/sensor/lamp/t/config", b"")).gone, [id("lamp-1")]);
}

#[test]
fn a_whole_device_in_one_home_assistant_message() {
    let message = json!({"~": "pump/1", "dev": {"ids": "pump-1", "name": "Pump"}, "o": {"name": "x"}, "avty_t": "~/on",
    "cmps": {
        "start": {"p": "button", "name": "Start", "cmd_t": "~/start"},
        "mode": {"p": "select", "name": "Mode", "cmd_t": "~/mode/set", "stat_t": "~/mode", "ops": ["a", "b"]},
        "gone": {"p": ""},
    }});
    let pump = one(ReaderKind::HomeAssistant, "homeassistant/device/pump-1/config", &message);
    assert_eq!(titles(&pump), ["Mode", "Start"]);
    assert_eq!(pump.commands[0].control, Control::Choice(vec!["a".into(), "b".into()]));
    let CommandRequest::Topic { topic, payload } = &pump.commands[1].ask else { panic!("no topic") };
    assert_eq!(
        (&**topic, payload, pump.commands[1].reports.as_deref()),
        ("pump/1/start", &RequestPayload::Fixed("PRESS".into()), None)
    );
    assert_eq!(&*pump.availability[0].topic, "pump/1/on");
}

#[test]
fn a_button_without_a_state_is_said_to_report_nothing_back() {
    let button = json!({"name": "Restart", "cmd_t": "b/restart", "dev": {"ids": "b"}});
    let device = one(ReaderKind::HomeAssistant, "homeassistant/button/b/config", &button);
    let mut devices = Devices::default();
    devices.insert(device.clone());
    let asking = CommandToEncode { device: &device, command: "Restart", args: "{}" };
    let message = all().encode(&asking, &devices, &command_id(), "c1").expect("a message");
    assert!(matches!(&message.expects, Some(Expectation::Nothing(why)) if why.contains("has no state topic")));
    assert!(!message.answer_expected());
}

#[test]
fn a_command_topic_that_is_somebody_else_s_is_not_used() {
    let mut devices = Devices::default();
    let z2m = json!([{"ieee_address": "0x00", "friendly_name": "Coordinator", "type": "Coordinator"},
            {"ieee_address": "0x01", "friendly_name": "bulb", "type": "Router", "definition": {"exposes": []}}]);
    read(&mut Discovery::new(ReaderKind::Zigbee2Mqtt, "wilco"), "zigbee2mqtt/bridge/devices", &z2m).apply(&mut devices);
    let mut discovery = Discovery::new(ReaderKind::HomeAssistant, "wilco");
    let mut announce = |name: &str, topic: &str, extra: Value| {
        let mut config = json!({"name": name, "cmd_t": topic, "stat_t": "x", "dev": {"ids": name}});
        config.as_object_mut().expect("an object").extend(extra.as_object().cloned().expect("an object"));
        read(&mut discovery, &format!("homeassistant/switch/{name}/config"), &config).apply(&mut devices);
    };
    announce("good", "good/set", json!({}));
    announce("thief", "victim/set", json!({}));
    announce("victim", "victim/set", json!({}));
    announce("zigbee", "zigbee2mqtt/bulb/set", json!({}));
    announce("saboteur", "zigbee2mqtt/bridge/request/device/remove", json!({}));
    announce("restart", "zigbee2mqtt/bridge/request/restart", json!({}));
    announce("tasmotas", "cmnd/tasmotas/POWER", json!({}));
    announce("tasmota", "cmnd/plug/POWER", json!({}));
    announce("gateway", "v1/gateway/rpc", json!({}));
    announce("me", "v1/devices/me/rpc/request/7", json!({}));
    announce("all", "all/req", json!({}));
    announce("group", "groups/attic/req", json!({}));
    announce("ours", "dock-1/resp", json!({}));
    announce("wild", "a/+/set", json!({}));
    announce("kept", "kept/set", json!({"ret": true}));
    let set = all();
    let check = |devices: &Devices, name: &str, refusal: Option<&str>| {
        let device =
            devices.iter().find(|device| device.name.is_none() && device.commands.iter().any(|one| *one.name == *name));
        let device = device.unwrap_or_else(|| panic!("{name}"));
        let said = set.encode(
            &CommandToEncode { device, command: name, args: r#"{"on":true}"# },
            devices,
            &command_id(),
            "c1",
        );
        match refusal {
            None => assert!(said.is_ok(), "{name}: {said:?}"),
            Some(part) => assert!(said.as_ref().is_err_and(|why| why.contains(part)), "{name}: {said:?}"),
        }
    };
    for (name, refusal) in [
        ("good", None),
        // Whichever of them was announced first.
        ("thief", Some("also a command topic of the device 'victim'")),
        ("victim", Some("also a command topic of the device 'thief'")),
        ("zigbee", Some("belongs to the device 'bulb'")),
        ("saboteur", Some("belongs to the device 'Zigbee2MQTT bridge'")),
        ("restart", Some("belongs to the device 'Zigbee2MQTT bridge'")),
        ("tasmotas", Some("reaches several devices (All Tasmota devices)")),
        // A plug that was not announced may be this one.
        ("tasmota", None),
        ("gateway", Some("belongs to 'ThingsBoard'")),
        ("me", Some("belongs to 'me'")),
        ("all", Some("a topic of the wilco dialect")),
        ("group", Some("a topic of the wilco dialect")),
        ("ours", Some("a topic of the wilco dialect")),
        ("wild", Some("'+'")),
        ("kept", Some("retained")),
    ] {
        check(&devices, name, refusal);
    }
    // The other one is gone: there is no doubt any more.
    devices.remove(&id("thief"));
    check(&devices, "victim", None);
    // Before its list has come, the bridge is known by its dialect alone.
    devices.remove(&id("bridge"));
    check(&devices, "saboteur", Some("belongs to 'bridge'"));
}

#[test]
fn a_device_cannot_have_the_name_of_a_group() {
    let set = all();
    let encode = |address: &str| {
        let device = KnownDevice::new(id("plug"), "tasmota", address);
        let asking = CommandToEncode { device: &device, command: "Power", args: r#"{"value":"ON"}"# };
        set.encode(&asking, &Devices::default(), &command_id(), "c1").map(|message| message.topic)
    };
    assert_eq!(encode("plug"), Ok("cmnd/plug/Power".to_owned()));
    assert!(encode("tasmotas").is_err_and(|why| why.contains("several devices (All Tasmota devices)")));
}

#[test]
fn a_device_that_two_dialects_find_is_listed_once() {
    let mut devices = Devices::default();
    let ha = json!({"name": "bulb", "cmd_t": "zigbee2mqtt/bulb/set", "dev": {"ids": ["zigbee2mqtt_0x01"], "name": "bulb"}, "o": {"name": "Zigbee2MQTT"}});
    let z2m =
        json!([{"ieee_address": "0x01", "friendly_name": "bulb", "type": "Router", "definition": {"exposes": []}}]);
    let mut announced = Discovery::new(ReaderKind::HomeAssistant, "wilco");
    let mut listed = Discovery::new(ReaderKind::Zigbee2Mqtt, "wilco");
    // Whichever comes first.
    read(&mut announced, "homeassistant/light/0x01/light/config", &ha).apply(&mut devices);
    read(&mut listed, "zigbee2mqtt/bridge/devices", &z2m).apply(&mut devices);
    read(&mut announced, "homeassistant/light/0x01/light/config", &ha).apply(&mut devices);
    let all: Vec<(&str, &str)> = devices.iter().map(|device| (device.id.as_str(), &*device.dialect)).collect();
    assert_eq!(all, [("0x01", "zigbee2mqtt")]);
    // The bridge announces itself there too.
    let z2m = json!([{"ieee_address": "0x00", "friendly_name": "Coordinator", "type": "Coordinator"}]);
    let ha = json!({"name": "Restart", "cmd_t": "zigbee2mqtt/bridge/request/restart", "dev": {"ids": ["zigbee2mqtt_bridge_0x00"]}});
    read(&mut announced, "homeassistant/button/0x00/restart/config", &ha).apply(&mut devices);
    read(&mut listed, "zigbee2mqtt/bridge/devices", &z2m).apply(&mut devices);
    let all: Vec<&str> = devices.iter().map(|device| device.id.as_str()).collect();
    assert_eq!(all, ["bridge"]);
}

#[test]
fn zigbee2mqtt_lists_what_devices_can_do() {
    let list = json!([
        {"ieee_address": "0x00", "type": "Coordinator", "friendly_name": "Coordinator"},
        {"ieee_address": "0x01", "friendly_name": "kitchen/lamp 💡", "type": "Router", "software_build_id": "7",
         "definition": {"model": "LED1", "vendor": "IKEA", "exposes": [
            {"type": "light", "features": [
                {"type": "binary", "property": "state", "label": "State", "access": 7, "value_on": "ON", "value_off": "OFF"},
                {"type": "numeric", "property": "brightness", "name": "brightness", "access": 7, "value_min": 0, "value_max": 254},
                {"type": "composite", "property": "color", "name": "color_xy", "access": 7, "features": []}]},
            {"type": "enum", "property": "effect", "label": "Effect", "access": 2, "values": ["blink", "okay"]},
            {"type": "numeric", "property": "linkquality", "label": "Link quality", "access": 1, "unit": "lqi"}]}}]);
    // Under another base topic than the usual one.
    let mut set = all();
    assert!(set.set("zigbee2mqtt", "base", "z2m"));
    let mut readers = set.readers("wilco").into_iter();
    let mut discovery = readers.find(|reader| reader.is_about("z2m/bridge/devices")).expect("its reader");
    assert!(!discovery.is_about("zigbee2mqtt/bridge/devices"));
    let mut findings = read(&mut discovery, "z2m/bridge/devices", &list);
    let [bridge, lamp] = findings.devices.as_slice() else { panic!("{findings:?}") };
    assert_eq!((bridge.id.as_str(), titles(bridge)[0]), ("bridge", "Restart"));
    assert_eq!((lamp.id.as_str(), &*lamp.address, lamp.model.as_deref()), ("0x01", "kitchen/lamp 💡", Some("LED1")));
    assert_eq!(titles(lamp), ["State", "brightness", "color_xy", "Effect"]);
    assert_eq!(
        lamp.commands[1].control,
        Control::Number { min: Some("0".into()), max: Some("254".into()), step: None, unit: None }
    );
    assert_eq!(
        (lamp.commands[2].control.clone(), lamp.commands[3].reports.as_deref()),
        (Control::Colour(ColourNotation::XyObject), None)
    );
    assert_eq!(
        lamp.variables.last().map(|variable| (&*variable.key, variable.unit.as_deref())),
        Some(("linkquality", Some("lqi")))
    );

    let mut devices = Devices::default();
    findings.apply(&mut devices);
    let device = devices.get(&id("0x01")).expect("a device");
    let asking = CommandToEncode { device, command: "set state", args: r#"{"on":true}"# };
    assert_eq!(set.id_kind(&asking), Ok(IdKind::None));
    let message = set.encode(&asking, &devices, &command_id(), "c1").expect("a message");
    assert_eq!((message.topic.as_str(), message.payload.as_str()), ("z2m/kitchen/lamp 💡/set", r#"{"state":"ON"}"#));

    // Renamed while a rollout runs: the same device, under its new name. And one that is not listed any more is gone.
    let renamed =
        json!([{"ieee_address": "0x01", "friendly_name": "attic", "type": "Router", "definition": {"exposes": []}}]);
    let mut findings = read(&mut discovery, "z2m/bridge/devices", &renamed);
    assert_eq!(findings.gone, [id("bridge")]);
    findings.apply(&mut devices);
    assert_eq!(devices.named("zigbee2mqtt", "attic").map(|device| device.id.as_str()), Some("0x01"));
    assert!(devices.named("zigbee2mqtt", "kitchen/lamp 💡").is_none());
}

#[test]
fn tasmota_says_what_it_has() {
    let config = json!({"ip": "1.2.3.4", "dn": "Boiler", "fn": ["Pump", "Light", null], "hn": "h", "mac": "49A3BC", "md": "Sonoff",
        "ofln": "Offline", "onln": "Online", "state": ["AUS", "AN", "TOGGLE", "HOLD"], "sw": "14.2", "t": "boiler",
        "ft": "%topic%/%prefix%/", "tp": ["cmnd", "stat", "tele"], "rl": [1, 2, 0], "lt_st": 5, "ver": 1});
    let device = one(ReaderKind::Tasmota, "tasmota/discovery/49A3BC/config", &config);
    assert_eq!(
        (device.id.as_str(), device.name.as_deref(), device.firmware.as_deref()),
        ("49A3BC", Some("Boiler"), Some("14.2"))
    );
    assert_eq!(titles(&device)[..6], ["Pump", "Light", "Brightness", "Colour temperature", "Colour", "Colour (HSB)"]);
    assert_eq!(device.commands[0].control, Control::Switch { on: "AN".into(), off: "AUS".into() });
    let mut devices = Devices::default();
    devices.insert(device.clone());
    let set = all();
    let ask = |command: &str, args: &str| {
        set.encode(&CommandToEncode { device: &device, command, args }, &devices, &command_id(), "c1")
    };
    let message = ask("Power1", r#"{"on":true}"#).expect("a message");
    assert_eq!((message.topic.as_str(), message.payload.as_str()), ("boiler/cmnd/Power1", "AN"));
    let message = ask("Restart", "{}").expect("a message");
    assert_eq!((message.topic.as_str(), message.payload.as_str()), ("boiler/cmnd/Restart", "1"));
    let mut discovery = Discovery::new(ReaderKind::Tasmota, "wilco");
    read(&mut discovery, "tasmota/discovery/49A3BC/config", &config);
    assert_eq!(discovery.read(&inbound("tasmota/discovery/49A3BC/config", b"")).gone, [id("49A3BC")]);
}

#[test]
fn shelly_is_asked_what_it_is() {
    let mut discovery = Discovery::new(ReaderKind::Shelly, "wilco");
    let findings = discovery.read(&inbound("attic/plug/online", b"true"));
    assert_eq!(findings.questions.len(), 3);
    assert!(findings.questions[0].0 == "attic/plug/rpc" && findings.questions[0].1.contains("Shelly.GetDeviceInfo"));
    let info =
        json!({"id": "shellyplus1pm-a8", "mac": "A8032", "model": "SNSW", "gen": 2, "ver": "1.4", "name": "Plug"});
    read(&mut discovery, "attic/plug/announce", &info);
    let status = json!({"id": 0, "src": "shellyplus1pm-a8", "dst": "wilco",
        "result": {"switch:0": {"id": 0, "output": true, "apower": 8.9, "aenergy": {"total": 6.5}}}});
    let findings = read(&mut discovery, "wilco/rpc", &status);
    let plug = &findings.devices[0];
    assert_eq!(
        (plug.id.as_str(), &*plug.address, plug.firmware.as_deref()),
        ("shellyplus1pm-a8", "attic/plug", Some("1.4"))
    );
    assert!(titles(plug).contains(&"Switch 0"), "{plug:?}");
    let power = plug.variables.iter().find(|variable| *variable.key == *"switch:0/apower").expect("its power");
    assert_eq!((power.unit.as_deref(), power.is_number), (Some("W"), true));
    let old = json!({"id": "shelly1-x", "gen": 1});
    assert!(read(&mut discovery, "old/announce", &old).problems[0].contains("shelly-gen1"));
    let mut devices = Devices::default();
    devices.insert(plug.clone());
    let set = all();
    let asking = CommandToEncode { device: plug, command: "switch:0/on", args: r#"{"on":true}"# };
    assert_eq!(set.id_kind(&asking), Ok(IdKind::Int31));
    let message = set.encode(&asking, &devices, &command_id(), "7").expect("a message");
    assert_eq!(message.payload, r#"{"id":7,"src":"wilco","method":"Switch.Set","params":{"id":0,"on":true}}"#);
    assert_eq!(message.expects, None);
}

#[test]
fn a_shelly_that_is_asked_at_its_topic_prefix_is_known_by_it() {
    let set = all();
    let mut discovery = Discovery::new(ReaderKind::Shelly, "wilco");
    for prefix in ["Shelly/SPR3EM_FVE", "house/attic/plug", "shellyplus1-c"] {
        let topic = format!("{prefix}/online");
        assert!(discovery.is_about(&topic), "{topic} is not subscribed to");
        let question = discovery.read(&inbound(&topic, b"true")).questions.swap_remove(0);
        assert_eq!(question.0, format!("{prefix}/rpc"));
        let question: Value = serde_json::from_str(&question.1).expect("JSON");
        // The answer names the device and repeats the ID.
        let source = format!("shelly-{}", prefix.len());
        let answer = json!({"id": question["id"], "src": source, "dst": "wilco", "result": {"id": source, "gen": 2}});
        let found = read(&mut discovery, "wilco/rpc", &answer).devices.swap_remove(0);
        assert_eq!((found.id.as_str(), &*found.address), (&*source, prefix));
        // It is no command's answer.
        let (devices, wire_ids) = (Devices::default(), WireIds::default());
        let answer = answer.to_string();
        let meant =
            set.decode(&inbound("wilco/rpc", answer.as_bytes()), &Context { devices: &devices, wire_ids: &wire_ids });
        assert!(meant.is_empty(), "{meant:?}");
    }
    // A prefix to which no question was sent is none.
    let answer = json!({"id": "0:a/#", "src": "shelly-1", "dst": "wilco", "result": {"id": "shelly-1", "gen": 2}});
    assert_eq!(&*read(&mut discovery, "wilco/rpc", &answer).devices[0].address, "shelly-1");
}

#[test]
fn homie_describes_itself_in_both_ways() {
    let description = json!({"homie": "5.0", "version": 1, "name": "Pump", "parent": "hub", "nodes": {"main": {"properties": {
        "level": {"datatype": "integer", "format": "0:100:5", "settable": true, "unit": "%"},
        "mode": {"datatype": "enum", "format": "a,b", "settable": true, "retained": false},
        "on": {"datatype": "boolean"}}}}});
    let five = one(ReaderKind::Homie5, "ebus/5/pump/$description", &description);
    assert_eq!((five.id.as_str(), five.hub.as_ref().map(DeviceId::as_str)), ("pump", Some("hub")));
    assert_eq!(five.vars.get("domain").map(|domain| &**domain), Some("ebus"));
    assert_eq!(
        five.commands[0].control,
        Control::Number {
            min: Some("0".into()),
            max: Some("100".into()),
            step: Some("5".into()),
            unit: Some("%".into()),
        }
    );
    assert_eq!((five.commands.len(), five.commands[1].reports.as_deref(), five.variables.len()), (2, None, 3));

    let mut discovery = Discovery::new(ReaderKind::Homie4, "wilco");
    let mut tell =
        |attribute: &str, value: &str| discovery.read(&inbound(&format!("homie/dim/{attribute}"), value.as_bytes()));
    for (attribute, value) in [
        ("$homie", "4.0"),
        ("$name", "Dimmer"),
        ("$nodes", "d"),
        ("d/$properties", "p"),
        ("d/p/$datatype", "float"),
        ("d/p/$format", "0:1"),
        ("d/p/$settable", "true"),
        ("d/p", "0.4"),
    ] {
        assert_eq!(tell(attribute, value).devices, []);
    }
    let four = tell("$state", "ready").devices.remove(0);
    assert_eq!((four.name.as_deref(), &*four.commands[0].name), (Some("Dimmer"), "d/p"));
    assert_eq!(tell("$homie", "").gone, [id("dim")]);
}

#[test]
fn a_colour_is_written_as_its_device_wants_it() {
    /// The notation of each command that takes a colour.
    fn colours(device: &KnownDevice) -> Vec<(&str, ColourNotation)> {
        let colour = |control: &Control| match control {
            Control::Colour(notation) => Some(*notation),
            _ => None,
        };
        device.commands.iter().filter_map(|command| Some((&*command.title, colour(&command.control)?))).collect()
    }
    let tasmota = json!({"mac": "AA", "t": "strip", "fn": ["Strip"], "rl": [2], "lt_st": 4, "ver": 1,
        "tp": ["cmnd", "stat", "tele"], "state": ["OFF", "ON"], "ft": "%prefix%/%topic%/"});
    let tasmota = one(ReaderKind::Tasmota, "tasmota/discovery/AA/config", &tasmota);
    assert_eq!(colours(&tasmota), [("Colour", ColourNotation::Hex), ("Colour (HSB)", ColourNotation::Hsb)]);

    let light = json!({"name": "Lamp", "cmd_t": "l/set", "rgb_command_topic": "l/rgb",
        "hs_command_topic": "l/hs", "xy_command_topic": "l/xy", "dev": {"ids": "l"}});
    let light = one(ReaderKind::HomeAssistant, "homeassistant/light/l/config", &light);
    let expected = [
        ("Lamp: Colour", ColourNotation::Rgb),
        ("Lamp: Colour (hs)", ColourNotation::Hs),
        ("Lamp: Colour (xy)", ColourNotation::Xy),
    ];
    assert_eq!(colours(&light), expected);

    let exposes = json!([
        {"type": "composite", "property": "color", "name": "color_hs", "label": "Colour", "access": 7, "features": []},
        {"type": "composite", "property": "color_options", "name": "color_options", "access": 7, "features": []}]);
    let list = json!([{"ieee_address": "0x02", "friendly_name": "bulb", "definition": {"exposes": exposes}}]);
    let bulb = one(ReaderKind::Zigbee2Mqtt, "zigbee2mqtt/bridge/devices", &list);
    assert_eq!((colours(&bulb), titles(&bulb)), (vec![("Colour", ColourNotation::HsObject)], vec!["Colour"]));

    let colour = |format: &str| json!({"datatype": "color", "format": format, "settable": true});
    let properties = json!({"a": colour("rgb,hsv"), "b": colour("hsv"), "c": colour("xyz"), "d": colour("cmyk")});
    let description = json!({"homie": "5.0", "nodes": {"light": {"properties": properties}}});
    let five = one(ReaderKind::Homie5, "homie/5/light/$description", &description);
    let expected = [("a", ColourNotation::NamedRgb), ("b", ColourNotation::NamedHsv), ("c", ColourNotation::NamedXyz)];
    assert_eq!(colours(&five), expected);
    assert_eq!(five.commands[3].control, Control::Text);

    let mut discovery = Discovery::new(ReaderKind::Homie4, "wilco");
    for (attribute, value) in [
        ("$homie", "4.0"),
        ("$nodes", "d"),
        ("d/$properties", "p"),
        ("d/p/$datatype", "color"),
        ("d/p/$format", "hsv"),
        ("d/p/$settable", "true"),
    ] {
        discovery.read(&inbound(&format!("homie/dim/{attribute}"), value.as_bytes()));
    }
    let four = discovery.read(&inbound("homie/dim/$state", b"ready")).devices.remove(0);
    assert_eq!(colours(&four), [("p", ColourNotation::Hsb)]);
}

#[test]
fn a_light_in_json_has_a_form_for_each_thing_it_can_do() {
    let light = |more: Value| {
        let device = json!({"ids": "l"});
        let mut config = json!({"schema": "json", "name": "Lamp", "cmd_t": "l/set", "stat_t": "l", "dev": device});
        config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        one(ReaderKind::HomeAssistant, "homeassistant/light/l/config", &config)
    };
    let check = |more: Value, expected: &[(&str, Control)]| {
        let light = light(more.clone());
        let found = light.commands.iter().map(|one| (one.title.strip_prefix("Lamp: "), one.control.clone()));
        let found: Vec<(&str, Control)> = found.filter_map(|(title, control)| Some((title?, control))).collect();
        assert_eq!(found, expected, "{more}");
    };
    let number = |min: &str, max: &str, unit: Option<&str>| Control::Number {
        min: Some(min.into()),
        max: Some(max.into()),
        step: Some("1".into()),
        unit: unit.map(Into::into),
    };
    let [rgb, hs, xy] = [ColourNotation::RgbObject, ColourNotation::ShortHsObject, ColourNotation::XyObject];
    let brightness = ("Brightness", number("1", "255", None));
    check(json!({}), &[]);
    check(json!({"sup_clrm": ["onoff"]}), &[]);
    check(json!({"brightness": true, "bri_scl": 254}), &[("Brightness", number("1", "254", None))]);
    check(json!({"sup_clrm": ["brightness"]}), std::slice::from_ref(&brightness));
    let effects = Control::Choice(vec!["rainbow".into(), "none".into()]);
    check(
        json!({"sup_clrm": ["rgb", "hs", "xy", "color_temp", "white"], "min_mirs": 153, "max_mirs": 370, "effect": true,
            "fx_list": ["rainbow", "none"]}),
        &[
            brightness.clone(),
            ("Colour temperature", number("153", "370", Some("mired"))),
            ("Colour", Control::Colour(rgb)),
            ("Colour (hs)", Control::Colour(hs)),
            ("Colour (xy)", Control::Colour(xy)),
            ("White", number("1", "255", None)),
            ("Effect", effects),
        ],
    );
    let kelvin = ("Colour temperature", number("2000", "6500", Some("K")));
    check(
        json!({"supported_color_modes": ["rgbw", "color_temp"], "color_temp_kelvin": true, "max_kelvin": 6500}),
        &[brightness.clone(), kelvin, ("Colour", Control::Colour(rgb)), ("White channel", number("0", "255", None))],
    );
    check(
        json!({"sup_clrm": ["rgbww"]}),
        &[
            brightness.clone(),
            ("Colour", Control::Colour(rgb)),
            ("Cold white", number("0", "255", None)),
            ("Warm white", number("0", "255", None)),
        ],
    );
    // As it was announced before there were modes.
    check(json!({"brightness": true, "xy": true}), &[brightness, ("Colour (xy)", Control::Colour(xy))]);
    // Only the light itself stands for the LED.
    let light = light(json!({"brightness": true}));
    let roles: Vec<bool> = light.commands.iter().map(|one| one.role.is_some()).collect();
    assert_eq!(roles, [true, false]);
}

#[test]
fn an_entity_is_removed_moved_and_described_as_home_assistant_does_it() {
    let entity = |name: &str| json!({"name": name, "cmd_t": format!("{name}/set"), "dev": {"ids": "d"}});
    let topic = "homeassistant/switch/a/config";
    let mut discovery = Discovery::new(ReaderKind::HomeAssistant, "wilco");
    let names = |findings: &Findings| findings.devices.iter().flat_map(titles).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&read(&mut discovery, topic, &entity("A"))), ["A"]);
    // It moves to its device's message, which comes before the empty one.
    assert_eq!(read(&mut discovery, topic, &json!({"migr_discvry": true})), Findings::default());
    let whole = json!({"dev": {"ids": "d"}, "o": {"name": "fw"}, "~": "d", "avty": {"t": "~/up"}, "stat_t": "~/state",
        "cmps": {"b": {"p": "switch", "name": "B", "cmd_t": "~/b"}, "c": {"p": "sensor"}}});
    let device = read(&mut discovery, "homeassistant/device/d/config", &whole);
    assert_eq!(names(&device), ["B", "A"]);
    let up = &device.devices[0].availability[0];
    assert_eq!((&*up.topic, device.devices[0].variables.len()), ("d/up", 1));
    assert_eq!(names(&discovery.read(&inbound(topic, b""))), ["B"]);
    // Of a device that is described once more, what is gone is gone.
    let less = json!({"dev": {"ids": "d"}, "o": {"name": "fw"}, "cmps": {"b": {"p": "switch"}, "e": {"p": "button", "name": "E", "cmd_t": "e"}}});
    assert_eq!(names(&read(&mut discovery, "homeassistant/device/d/config", &less)), ["E"]);
    // Z-Wave JS UI's empty text, too.
    assert_eq!(names(&read(&mut discovery, topic, &entity("A"))), ["E", "A"]);
    assert_eq!(names(&discovery.read(&inbound(topic, br#""""#))), ["E"]);
    assert_eq!(discovery.read(&inbound("homeassistant/device/d/config", b"")).gone, [id("d")]);
    // What Home Assistant itself says on its topics is no device.
    assert_eq!(discovery.read(&inbound("homeassistant/status", b"online")), Findings::default());
}

#[test]
fn the_commands_of_an_entity_follow_from_its_kind_and_features() {
    let check = |component: &str, config: Value, expected: &[&str]| {
        let mut config = config;
        config["name"] = "X".into();
        config["dev"] = json!({"ids": "x"});
        let device = one(ReaderKind::HomeAssistant, &format!("homeassistant/{component}/x/config"), &config);
        let found = device.commands.iter().map(|one| one.title.strip_prefix("X: ").unwrap_or(&one.title));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{component} {config}");
    };
    let [c, s] = ["x/set", "x"];
    check("vacuum", json!({"cmd_t": c, "stat_t": s}), &["Start", "Stop", "Return to base", "Clean spot"]);
    check("vacuum", json!({"cmd_t": c, "sup_feat": ["pause", "locate"]}), &["Pause", "Locate"]);
    check("vacuum", json!({"set_fan_spd_t": c, "fanspd_lst": ["a"]}), &["Fan speed"]);
    check("alarm_control_panel", json!({"cmd_t": c, "sup_feat": ["arm_away"]}), &["Disarm", "Arm away"]);
    check("lawn_mower", json!({"dock_cmd_t": c}), &["Dock"]);
    check("update", json!({"stat_t": s, "l_ver_t": s}), &[]);
    check("update", json!({"cmd_t": c, "pl_inst": "go"}), &["Install"]);
    check("valve", json!({"cmd_t": c}), &["Open", "Close"]);
    check("valve", json!({"cmd_t": c, "pl_stop": "STOP"}), &["Open", "Close", "Stop"]);
    check("valve", json!({"cmd_t": c, "pos": true}), &["X"]);
    check("cover", json!({"cmd_t": c, "pl_stop": null}), &["Open", "Close"]);
    check("event", json!({"stat_t": s, "evt_typ": ["press"]}), &[]);
    check("notify", json!({"cmd_t": c}), &["X"]);
    // A secret has no place in a command.
    let alarm = json!({"name": "X", "cmd_t": c, "cmd_tpl": "{{ action }} {{ code }}", "dev": {"ids": "x"}});
    let alarm = one(ReaderKind::HomeAssistant, "homeassistant/alarm_control_panel/x/config", &alarm);
    assert!(alarm.commands.iter().all(|one| one.refused.as_ref().is_some_and(|why| why.contains("code"))));
    // A payload is sent as it was announced, or not at all.
    let long = |bytes: usize| {
        let button = json!({"name": "X", "cmd_t": c, "pl_prs": "x".repeat(bytes), "dev": {"ids": "x"}});
        one(ReaderKind::HomeAssistant, "homeassistant/button/x/config", &button).commands.remove(0)
    };
    assert!(
        matches!(&long(4_096).ask, CommandRequest::Topic { payload: RequestPayload::Fixed(sent), .. } if sent.len() == 4_096)
    );
    assert!(long(4_097).refused.is_some_and(|why| why.contains("4,097 bytes; the limit is 4,096")));
}

#[test]
fn a_climate_device_has_the_modes_and_limits_that_are_usual_for_its_kind() {
    let control = |component: &str, config: Value, title: &str| {
        let mut config = config;
        config["name"] = "X".into();
        config["dev"] = json!({"ids": "x"});
        let device = one(ReaderKind::HomeAssistant, &format!("homeassistant/{component}/x/config"), &config);
        device.command(title).expect("a command").control.clone()
    };
    let choice = |words: &[&str]| Control::Choice(words.iter().map(|word| (*word).into()).collect());
    let mode = |component: &str, config: Value| control(component, config, "X: Mode");
    let usual = ["auto", "off", "cool", "heat", "dry", "fan_only"];
    assert_eq!(mode("climate", json!({"mode_cmd_t": "m"})), choice(&usual));
    assert_eq!(mode("climate", json!({"mode_cmd_t": "m", "modes": ["off"]})), choice(&["off"]));
    assert_eq!(mode("humidifier", json!({"mode_cmd_t": "m"})), Control::Text);
    let temperature = |component: &str, config: Value| match control(component, config, "X: Temperature") {
        Control::Number { min, max, step, unit } => {
            [min, max, step, unit].map(|one| one.unwrap_or_default().to_string())
        }
        other => panic!("{other:?}"),
    };
    let check = |component: &str, config: Value, expected: [&str; 4]| {
        assert_eq!(temperature(component, config.clone()), expected, "{component} {config}");
    };
    check("climate", json!({"temp_cmd_t": "t"}), ["7", "35", "", "°C"]);
    check("climate", json!({"temp_cmd_t": "t", "temp_unit": "F", "temp_step": 0.5}), ["45", "95", "0.5", "°F"]);
    check("water_heater", json!({"temp_cmd_t": "t", "max_temp": 65}), ["43.3", "65", "", "°C"]);
}

#[test]
fn a_template_may_name_the_position_of_a_cover_in_per_cent() {
    let sent = |more: Value, command: &str, value: i64| {
        let mut config = json!({"name": "Shade", "cmd_t": "s/set", "pos_t": "s", "set_pos_t": "s/pos", "tilt_cmd_t": "s/tilt",
            "dev": {"ids": "s"}});
        config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let shade = one(ReaderKind::HomeAssistant, "homeassistant/cover/s/config", &config);
        let mut devices = Devices::default();
        devices.insert(shade.clone());
        let args = json!({ "value": value }).to_string();
        let asking = CommandToEncode { device: &shade, command, args: &args };
        all().encode(&asking, &devices, &command_id(), "c1").expect("a message").payload
    };
    let check = |template: &str, range: Value, expected: &str| {
        let mut more = range;
        more["set_position_template"] = template.into();
        assert_eq!(sent(more, "Shade: Position", 50), expected, "{template}");
    };
    check("{{ position }}", json!({}), "50");
    check(r#"{"position": {{ position }}, "at": "{{ value }}"}"#, json!({}), r#"{"position": 50, "at": "50"}"#);
    check("{{ position | int }}", json!({"position_open": 200, "position_closed": 0}), "25");
    check("{{ position | int }}", json!({"position_open": 0, "position_closed": 100}), "50");
    let tilt = json!({"tilt_command_template": "{{ tilt_position }}"});
    assert_eq!(sent(tilt, "Shade: Tilt", 30), "30");
}

#[test]
fn a_shelly_has_a_form_for_its_colour() {
    let mut discovery = Discovery::new(ReaderKind::Shelly, "wilco");
    let info = json!({"id": "shellyplusrgbwpm-a8", "mac": "A8032", "gen": 2});
    read(&mut discovery, "strip/announce", &info);
    let state = json!({"output": false, "brightness": 50, "rgb": [255, 128, 0]});
    let status = json!({"id": 0, "src": "shellyplusrgbwpm-a8", "dst": "wilco",
        "result": {"rgb:0": state, "rgbw:1": state, "cct:0": {"output": false, "ct": 3000}}});
    let strip = read(&mut discovery, "wilco/rpc", &status).devices.swap_remove(0);
    let mut devices = Devices::default();
    devices.insert(strip.clone());
    let check = |command: &str, value: Value, method: &str, params: &str| {
        let args = json!({ "value": value }).to_string();
        let asking = CommandToEncode { device: &strip, command, args: &args };
        let message = all().encode(&asking, &devices, &command_id(), "7").expect("a message");
        let expected = format!(r#"{{"id":7,"src":"wilco","method":"{method}","params":{params}}}"#);
        assert_eq!(message.payload, expected);
    };
    check("rgb:0/colour", json!([1, 2, 3]), "RGB.Set", r#"{"id":0,"rgb":[1,2,3]}"#);
    check("rgbw:1/white", json!(7), "RGBW.Set", r#"{"id":1,"white":7}"#);
    check("rgbw:1/brightness", json!(40), "RGBW.Set", r#"{"id":1,"brightness":40}"#);
    check("cct:0/ct", json!(2700), "CCT.Set", r#"{"id":0,"ct":2700}"#);
    let colour = strip.command("rgb:0/colour").expect("a command");
    assert_eq!(colour.control, Control::Colour(ColourNotation::RgbList));

    // The first generation has a member for each part.
    let mut discovery = Discovery::new(ReaderKind::ShellyGen1, "wilco");
    let strip = discovery.read(&inbound("shellies/strip/color/0", b"on")).devices.swap_remove(0);
    let mut devices = Devices::default();
    devices.insert(strip.clone());
    let args = r#"{"value":{"red":1,"green":2,"blue":3}}"#;
    let asking = CommandToEncode { device: &strip, command: "color/0 Colour", args };
    let message = all().encode(&asking, &devices, &command_id(), "7").expect("a message");
    let expected = ("shellies/strip/color/0/set", r#"{"red":1,"green":2,"blue":3}"#);
    assert_eq!((message.topic.as_str(), message.payload.as_str()), expected);
}

#[test]
fn a_thingsboard_gateway_names_its_devices() {
    let device =
        one(ReaderKind::ThingsBoardGateway, "v1/gateway/connect", &json!({"device": "Device A", "type": "pump"}));
    assert_eq!((device.id.as_str(), device.model.as_deref()), ("Device A", Some("pump")));
    let findings = read(&mut Discovery::new(ReaderKind::ThingsBoardGateway, "wilco"), "v1/gateway/connect", &json!({}));
    assert!(findings.problems[0].contains("has no device"));
}

#[test]
fn broken_input_is_reported_and_huge_input_costs_little() {
    let huge = "x".repeat(9 * 1024 * 1024);
    for (kind, topic) in [
        (ReaderKind::HomeAssistant, "homeassistant/switch/x/config"),
        (ReaderKind::Zigbee2Mqtt, "zigbee2mqtt/bridge/devices"),
        (ReaderKind::Tasmota, "tasmota/discovery/AA/config"),
        (ReaderKind::Homie5, "homie/5/x/$description"),
        (ReaderKind::ThingsBoardGateway, "v1/gateway/connect"),
    ] {
        let mut discovery = Discovery::new(kind, "wilco");
        let problems = discovery.read(&inbound(topic, huge.as_bytes())).problems;
        assert!(problems.len() == 1 && problems[0].contains("the limit is"), "{topic}: {problems:?}");
        let problems = discovery.read(&inbound(topic, &huge.as_bytes()[..5 * 1024 * 1024])).problems;
        assert_eq!(problems.len(), 1, "{topic}: {problems:?}");
        assert_eq!(discovery.read(&inbound(topic, b"\xff{")).problems.len(), 1, "{topic}");
        assert_eq!(discovery.read(&inbound("somebody/else", huge.as_bytes())), Findings::default());
    }
    // Five megabytes that are well-formed.
    let entities: serde_json::Map<String, Value> = (0..40_000)
        .map(|number| (format!("e{number}"), json!({"p": "switch", "name": format!("entity {number}"), "cmd_t": format!("x/{number}/set"), "val_tpl": "{{ value_json.x }}"})))
        .collect();
    let device = json!({"dev": {"ids": "big"}, "cmps": entities});
    let findings =
        read(&mut Discovery::new(ReaderKind::HomeAssistant, "wilco"), "homeassistant/device/big/config", &device);
    assert_eq!((findings.devices.len(), findings.devices[0].commands.len(), findings.problems.len()), (1, 500, 1));
}

#[test]
fn ten_thousand_entities_are_read() {
    let mut discovery = Discovery::new(ReaderKind::HomeAssistant, "wilco");
    let mut devices = Devices::default();
    for number in 0..10_000 {
        let config = json!({"name": "Relay", "cmd_t": format!("d{number}/set"), "stat_t": format!("d{number}/state"), "dev": {"ids": format!("d{number}")}});
        read(&mut discovery, &format!("homeassistant/switch/d{number}/config"), &config).apply(&mut devices);
    }
    assert_eq!(devices.iter().count(), 10_000);
    let set = all();
    let wire_ids = WireIds::default();
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    assert_eq!(set.decode(&inbound("d9999/state", b"ON"), &context).len(), 1);
}

#[test]
fn a_template_that_cannot_be_used_leaves_the_value_raw_and_uncompared() {
    let config = json!({"name": "X", "cmd_t": "x/set", "stat_t": "x", "val_tpl": "{% for i in range(9) %}{% endfor %}", "dev": {"ids": "x"}});
    let findings =
        read(&mut Discovery::new(ReaderKind::HomeAssistant, "wilco"), "homeassistant/switch/x/config", &config);
    assert!(findings.problems[0].contains("'for' is not supported"), "{:?}", findings.problems);
    assert_eq!((findings.devices[0].commands[0].reports.as_deref(), findings.devices[0].variables.len()), (None, 1));
}

#[test]
fn a_file_that_claims_too_much_is_refused_or_named() {
    let file = |hear: &str| format!("format = 1\nname = \"x\"\ntitle = \"X\"\n\n[[receive]]\n{hear}\n");
    let refused = |hear: &str, line: usize, part: &str| {
        let problems = DialectFile::parse(&file(hear)).expect_err("refused");
        assert!(
            problems.iter().any(|problem| problem.line == line && problem.what.contains(part)),
            "{hear}: {problems:?}"
        );
    };
    refused("topic = \"#\"\nas = \"ignore\"", 5, "wildcard");
    refused("topic = \"{device}/{x}\"\nas = \"state\"", 5, "matches every message");
    refused("topic = \"{x...}/s\"\nas = \"ignore\"", 5, "matches every message");
    refused("topic = \"{device}/x-{rest...}\"\nas = \"state\"", 5, "matches every message");
    refused("topic = \"a/{x}\"\nas = \"state\"", 5, "identifies the device");
    refused("topic = \"a/{device}\"\nas = \"answer\"", 5, "The answer has no outcome");
    refused("topic = \"a/{device}\"\nas = \"nonsense\"", 7, "unknown variant");
    refused("topic = \"a/{device}\"\nas = \"state\"\nnonsense = 1", 8, "unknown field");
    refused("topic = \"a/{device}{x}\"\nas = \"state\"", 5, "adjacent");
    let huge = format!("# {}\n{}", "x".repeat(200_000), file("topic = \"a/{device}\"\nas = \"state\""));
    assert!(DialectFile::parse(&huge).expect_err("refused")[0].what.contains("the limit is"));

    let mine = DialectFile::parse(&file("topic = \"stat/{device}/RESULT\"\nas = \"state\"")).expect("a file");
    let tasmota = shipped().iter().find(|file| file.name() == "tasmota").expect("Tasmota").clone();
    let overlaps = DialectSet::new([mine, tasmota], &Topics::default()).overlaps();
    assert!(overlaps.len() == 1 && overlaps[0].contains("both use"), "{overlaps:?}");
}

#[test]
fn filters_that_no_broker_takes_or_that_match_everything_are_refused_by_line() {
    let parse = |filters: &str, base: &str| {
        DialectFile::parse(&format!(
            "format = 1\nname = \"x\"\ntitle = \"X\"\nfilters = [\n\"ok/#\",\n{filters}]\n[vars]\nbase = {base}\n\
             [[receive]]\ntopic = \"{{base}}/{{device}}\"\nas = \"state\"\n"
        ))
    };
    let refused = |filters: &str, base: &str, line: usize, part: &str| {
        let problems = parse(filters, base).expect_err("refused");
        let is_it = problems.len() == 1 && problems[0].line == line && problems[0].what.contains(part);
        assert!(is_it, "{filters} {base}: {problems:?}");
    };
    let usual = "\"house\"";
    refused("\"#\"", usual, 6, "matches every message");
    refused("\"+/+/#\"", usual, 6, "matches every message");
    refused("\"+/+\"", usual, 6, "matches every message");
    refused("\"\"", usual, 6, "is empty");
    refused("\"a/#/b\"", usual, 6, "'#' that is not the entire last level");
    refused("\"a/b#\"", usual, 6, "'#' that is not the entire last level");
    refused("\"a/b+/c\"", usual, 6, "'+' that is not an entire level");
    refused("\"a/\\u0000\"", usual, 6, "control character");
    refused("\"$share/all/#\"", usual, 6, "shared subscription");
    refused("\"{device}/#\"", usual, 6, "no such setting");
    refused("\"{base}+/#\"", usual, 6, "'+' that is not an entire level");
    for wildcard in ["\"#\"", "\"+\"", "\"a/#\"", "\"a\\tb\""] {
        refused("", wildcard, 8, "The setting 'base' cannot be");
    }
    assert!(parse("\"{base}/#\", \"+/+/{base}\", \"a/+/b\", \"$aws/#\"", usual).is_ok());
    assert!(parse("\"{base}/#\"", "\"\"").is_ok());
}

#[test]
fn a_request_with_something_unknown_in_it_is_refused_by_line() {
    let refused = |request: &str, part: &str| {
        let text = format!(
            "format = 1\nname = \"x\"\ntitle = \"X\"\n[[receive]]\ntopic = \"a/{{device}}\"\nas = \"state\"\n[[request]]\n{request}\n"
        );
        let problems = DialectFile::parse(&text).expect_err("refused");
        assert!(
            problems.iter().any(|problem| problem.line >= 7 && problem.what.contains(part)),
            "{request}: {problems:?}"
        );
    };
    refused("topic = \"a/{device}/{nonsense}\"", "{nonsense}");
    refused("topic = \"a/{device}\"\njson = '{\"a\":}'", "does not produce JSON");
    refused("topic = \"a/{device}\"\njson = '{\"a\":{id}}'", "Add its type");
    refused("topic = \"a/{device}\"\nid = \"text\"", "neither its topic");
    // Each request is published at QoS 1.
    refused("topic = \"a/{device}\"\nqos = 0", "qos");
    refused("topic = \"a/{device}\"\njson = '{}'\ntext = ''", "not both");
    refused("topic = \"a/{device}\"\nsilent = \"x\"\nexpect = { key = \"a\" }", "not both");
    refused("topic = \"a/+/{device}\"", "wildcard");
}

#[test]
fn invalid_topic_characters_are_refused() {
    let text = "format = 1\nname = \"x\"\ntitle = \"X\"\n[[receive]]\ntopic = \"a/{device}\"\nas = \"state\"\n[[request]]\ntopic = \"a/{device}/{args.to}\"\n";
    let set = DialectSet::new([DialectFile::parse(text).expect("a file")], &Topics::default());
    let devices = Devices::default();
    let check = |address: &str, args: &str, expected: Result<&str, &str>| {
        let device = KnownDevice::new(id("d"), "x", address);
        let said = set.encode(&CommandToEncode { device: &device, command: "go", args }, &devices, &command_id(), "c1");
        match (said, expected) {
            (Ok(message), Ok(topic)) => assert_eq!(message.topic, topic),
            (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
            (said, _) => panic!("{address} {args}: {said:?}"),
        }
    };
    check("kitchen/lamp", r#"{"to":"x"}"#, Ok("a/kitchen/lamp/x"));
    check("d", r#"{"to":7}"#, Ok("a/d/7"));
    check("d", "{}", Err("The topic contains {args.to}"));
    check("d", r#"{"to":"a/b"}"#, Err("The topic contains {args.to}"));
    check("+", r#"{"to":"a"}"#, Err("'+'"));
    check("d", "[1]", Err("not a JSON object"));
    check(&"x".repeat(2_000), r#"{"to":"a"}"#, Err("bytes"));
}

#[test]
fn an_answer_that_cannot_be_read_is_said_to_be_one() {
    let set = all();
    let (devices, wire_ids) = (Devices::default(), WireIds::default());
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    let check = |topic: &str, payload: &[u8], part: &str| {
        let heard = set.decode(&inbound(topic, payload), &context);
        let unreadable = heard.iter().find_map(|one| match &one.meaning {
            Meaning::Unreadable(unreadable) => Some(unreadable),
            _ => None,
        });
        assert!(unreadable.is_some_and(|one| one.why.contains(part) && one.device.is_some()), "{topic}: {heard:?}");
    };
    check("commands/d/ack", br#"{"tid":"x","status":"PERHAPS"}"#, "no outcome in");
    check("commands/d/ack", b"\xff", "not UTF-8");
    check("commands/d/ack", &vec![b'x'; 600 * 1024], "the limit is");
    check("zigbee2mqtt/bridge/response/health_check", br#"{"status":"odd"}"#, "no outcome in");
}
