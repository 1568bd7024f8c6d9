//! Settings: of dialects on a connection, and of devices.

use serde_json::{Value, json};
use wilco_dialect::{
    CommandToEncode, Context, Devices, DialectFile, DialectSet, Discovery, Findings, Inbound, KnownDevice, Meaning,
    ReaderKind, RefusedSetting, STARTED, Topics, WireIds, shipped,
};
use wilco_ledger::{CommandId, DeviceId};

fn inbound<'a>(topic: &'a str, payload: &'a [u8]) -> Inbound<'a> {
    Inbound { topic, payload, qos: 1, retained: true, correlation: None }
}

fn read(discovery: &mut Discovery, topic: &str, payload: &Value) -> Findings {
    discovery.read(&inbound(topic, payload.to_string().as_bytes()))
}

fn one(kind: ReaderKind, topic: &str, payload: &Value) -> KnownDevice {
    let findings = read(&mut Discovery::new(kind, "wilco"), topic, payload);
    assert_eq!(findings.problems, Vec::<String>::new());
    findings.devices.into_iter().next().expect("a device")
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

/// A set with one dialect, one of its settings, and its reader.
fn elsewhere(dialect: &str, setting: &str, value: &str) -> (DialectSet, Discovery) {
    let file = shipped().iter().find(|file| file.name() == dialect).expect("a dialect").clone();
    let mut set = DialectSet::new([file], &Topics::default());
    assert!(set.set(dialect, setting, value));
    let reader = set.readers("wilco").pop().expect("its reader");
    (set, reader)
}

#[test]
fn announcements_are_received_on_the_topics_of_the_connections_settings() {
    let check = |dialect: &str, setting: &str, value: &str, topic: &str, payload: &Value, device: &str| {
        let (set, mut reader) = elsewhere(dialect, setting, value);
        assert!(reader.is_about(topic), "{dialect}: {:?}", reader.filters());
        let findings = read(&mut reader, topic, payload);
        let [found] = findings.devices.as_slice() else { panic!("{dialect}: {findings:?}") };
        assert_eq!((found.id.as_str(), &*found.dialect), (device, dialect));
        let filters = set.filters(&Devices::default(), &wilco_dialect::Subscriptions::default());
        let usual = ["homeassistant/#", "zigbee2mqtt/#", "homie/#"];
        assert!(filters.iter().all(|filter| !usual.contains(&filter.filter.as_str())), "{dialect}: {filters:?}");
    };
    let entity = json!({"name": "Door", "unique_id": "door", "command_topic": "pi/door/set", "state_topic": "pi/door",
        "device": {"identifiers": ["pi"]}});
    check("homeassistant", "prefix", "house/ha", "house/ha/switch/pi/door/config", &entity, "pi");
    let list =
        json!([{"ieee_address": "0x01", "friendly_name": "lamp", "type": "Router", "definition": {"exposes": []}}]);
    check("zigbee2mqtt", "base", "house/z2m", "house/z2m/bridge/devices", &list, "0x01");
    let config =
        json!({"t": "lamp", "mac": "AABB", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1]});
    check("tasmota", "discovery", "house/found", "house/found/AABB/config", &config, "AABB");
    let description =
        json!({"homie": "5.0", "version": 1, "nodes": {"n": {"properties": {"p": {"datatype": "integer"}}}}});
    check("homie5", "domain", "ebus", "ebus/5/pump/$description", &description, "pump");
}

#[test]
fn a_setting_chooses_the_form_of_request_topics() {
    let topic = |dialect: &str, variant: Option<&str>, device: &str| {
        let file = shipped().iter().find(|file| file.name() == dialect).expect("a dialect").clone();
        let mut set = DialectSet::new([file], &Topics::default());
        assert!(variant.is_none_or(|variant| set.set(dialect, "variant", variant)));
        let device = KnownDevice::new(id(device), dialect, device);
        let asking = CommandToEncode { device: &device, command: "open", args: r#"{"value":"1"}"# };
        set.encode(&asking, &Devices::default(), &command_id(), "7").map(|message| message.topic)
    };
    let check = |dialect: &str, variant: Option<&str>, device: &str, expected: &str| {
        assert_eq!(topic(dialect, variant, device).as_deref(), Ok(expected), "{dialect} {variant:?}");
    };
    check("hono", None, "4711", "command/DEFAULT_TENANT/4711/req/7/open");
    check("hono", Some("short"), "4711", "c/DEFAULT_TENANT/4711/q/7/open");
    check("hono", Some("long-without-tenant"), "4711", "command//4711/req/7/open");
    check("hono", Some("short-empty"), "4711", "c///q/7/open");
    check("aws-commands", None, "dock", "$aws/commands/things/dock/executions/7/request/json");
    check("aws-commands", Some("plain"), "dock", "$aws/commands/things/dock/executions/7/request");
    check("thingsboard", Some("v1"), "me", "v1/devices/me/rpc/request/7");
    check("thingsboard", Some("v2"), "me", "v2/r/req/7");
    // A request with only one topic has that.
    check("thingsboard", Some("v2"), "behind", "v1/gateway/rpc");
    check("tasmota", None, "plug", "cmnd/plug/open");
    check("tasmota", Some("turned"), "plug", "plug/cmnd/open");
    let refused = topic("hono", Some("longer"), "4711").expect_err("a refusal");
    assert!(refused.contains("no variant 'longer'") && refused.contains("short-empty"), "{refused}");
}

#[test]
fn a_setting_chooses_among_the_requests_of_a_file() {
    let encoded = |settings: &[(&str, &str)], device: &[(&str, &str)]| {
        let file = shipped().iter().find(|file| file.name() == "hono").expect("a dialect").clone();
        let mut set = DialectSet::new([file], &Topics::default());
        settings.iter().for_each(|(name, value)| assert!(set.set("hono", name, value)));
        let mut known = KnownDevice::new(id("4711"), "hono", "4711");
        known.vars.extend(device.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let asking = CommandToEncode { device: &known, command: "open", args: "{}" };
        let message = set.encode(&asking, &Devices::default(), &command_id(), "7").expect("a message");
        (message.topic.clone(), message.answer_expected(), set.id_kind(&asking).expect("a kind"))
    };
    let text = wilco_dialect::IdKind::Text;
    let two_way = ("command/DEFAULT_TENANT/4711/req/7/open".to_owned(), true, text);
    let one_way = ("command/DEFAULT_TENANT/4711/req//open".to_owned(), false, wilco_dialect::IdKind::None);
    assert_eq!(encoded(&[], &[]), two_way);
    assert_eq!(encoded(&[("one_way", "on")], &[]), one_way);
    assert_eq!(encoded(&[], &[("one_way", "on")]), one_way);
    assert_eq!(encoded(&[("one_way", "on")], &[("one_way", "off")]), two_way);
    let (topic, ..) = encoded(&[("one_way", "on"), ("variant", "short-without-device")], &[]);
    assert_eq!(topic, "c/DEFAULT_TENANT//q//open");
}

#[test]
fn a_setting_that_cannot_have_a_value_is_refused_before_anything_is_sent() {
    let check = |dialect: &str, setting: &str, value: &str, expected: Option<RefusedSetting>| {
        let file = shipped().iter().find(|file| file.name() == dialect).expect("a dialect");
        assert_eq!(file.refuses(setting, value), expected, "{dialect}:{setting}={value}");
    };
    let word = |words: &str| Some(RefusedSetting::Word { words: words.into() });
    check("thingsboard", "variant", "v2", None);
    check("thingsboard", "variant", "", None);
    check("thingsboard", "variant", "v3", word("v1, v2"));
    check("thingsboard", "session_limits", "on", None);
    check("hono", "one_way", "on", None);
    check("hono", "one_way", "maybe", word("off, on"));
    check("aws-commands", "kind", "groups", word("things, clients"));
    check("thingsboard", "session_limits", "yes", word("off, on"));
    check("zigbee2mqtt", "base", "anything/at all", None);
    check("zigbee2mqtt", "bass", "x", Some(RefusedSetting::Unknown { known: "base".into() }));
    let problem = |text: &str| {
        let text = format!(
            "format = 1\nname = \"x\"\ntitle = \"X\"\n{text}\n[[receive]]\ntopic = \"a/{{device}}\"\nas = \"state\"\n"
        );
        let problems = DialectFile::parse(&text).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(problem("variants = [\"long\", \"short\"]\n[vars]\nvariant = \"short\""), "");
    let unknown = problem("variants = [\"long\", \"short\"]\n[vars]\nvariant = \"middle\"");
    assert_eq!(unknown, "line 6: There is no variant 'middle'. Available: long, short.");
    assert_eq!(problem("[vars]\nway = \"a\"\n[choices]\nway = [\"a\", \"b\"]"), "");
    let unknown = problem("[vars]\nway = \"c\"\n[choices]\nway = [\"a\", \"b\"]");
    assert_eq!(unknown, "line 7: The setting 'way' is 'c', which is none of its choices: a, b.");
    assert!(problem("[choices]\nway = [\"a\"]").contains("no such setting"));
    assert!(problem("[[request]]\ntopic = \"a/{device}/b\"\nsettings = { way = \"a\" }").contains("depends on 'way'"));
    assert!(problem("[vars]\nvariant = \"x\"").starts_with("line 5: The setting 'variant' is 'x'"));
}

#[test]
fn a_copy_of_a_dialect_under_another_name_serves_a_second_bridge() {
    let text = wilco_dialect::shipped_text("zigbee2mqtt").expect("a dialect");
    let second = text
        .replace("name = \"zigbee2mqtt\"", "name = \"garage\"")
        .replace("base = \"zigbee2mqtt\"", "base = \"garage\"");
    let second = DialectFile::parse(&second).expect("a dialect file");
    let first = shipped().iter().find(|file| file.name() == "zigbee2mqtt").expect("a dialect").clone();
    let set = DialectSet::new([first, second], &Topics::default());
    assert_eq!(set.overlaps(), Vec::<String>::new());
    let mut devices = Devices::default();
    let bridge = |ieee: &str| {
        json!([
        {"ieee_address": format!("0xc{ieee}"), "type": "Coordinator", "friendly_name": "Coordinator"},
        {"ieee_address": ieee, "friendly_name": "lamp", "type": "Router", "definition": {"exposes": []}}])
    };
    for mut reader in set.readers("wilco") {
        read(&mut reader, "zigbee2mqtt/bridge/devices", &bridge("0x01")).apply(&mut devices);
        read(&mut reader, "garage/bridge/devices", &bridge("0x02")).apply(&mut devices);
    }
    let mut ids: Vec<&str> = devices.iter().map(|device| device.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["0x01", "0x02", "bridge", "garage"]);
    let device = devices.get(&id("0x02")).expect("a device");
    let asking = CommandToEncode { device, command: "set", args: r#"{"state":"ON"}"# };
    let message = set.encode(&asking, &devices, &command_id(), "c1").expect("a message");
    assert_eq!(message.topic, "garage/lamp/set");
}

#[test]
fn settings_are_changed_by_the_request_that_the_device_has_for_them() {
    let mut discovery = Discovery::new(ReaderKind::Shelly, "wilco");
    let info = json!({"id": "plug", "mac": "A8", "model": "SNSW", "gen": 2, "ver": "1.4"});
    read(&mut discovery, "plug/announce", &info);
    let config = json!({"id": 0, "src": "plug", "dst": "wilco", "result": {"sys": {"cfg_rev": 3},
        "switch:0": {"id": 0, "initial_state": "off", "auto_off": false, "auto_off_delay": 60.0}}});
    let plug = read(&mut discovery, "wilco/rpc", &config).devices.pop().expect("a device");
    let settings: Vec<&str> = plug.commands.iter().filter(|one| one.is_setting).map(|one| &*one.name).collect();
    assert_eq!(settings, ["switch:0/initial_state", "switch:0/auto_off", "switch:0/auto_off_delay"]);
    let set = all();
    let mut devices = Devices::default();
    devices.insert(plug.clone());
    let ask = |device: &KnownDevice, changes: &Value| -> Result<(String, String), String> {
        let args = json!({"changes": changes, "apply": "now"}).to_string();
        let (command, args) = device.in_place_of("config.set", &args)?;
        let message =
            set.encode(&CommandToEncode { device, command: &command, args: &args }, &devices, &command_id(), "7")?;
        Ok((message.topic, message.payload))
    };
    let (topic, payload) = ask(&plug, &json!({"switch:0/auto_off": true})).expect("a message");
    assert_eq!(topic, "plug/rpc");
    let json = |payload: &str| serde_json::from_str::<Value>(payload).expect("JSON");
    let params = json!({"id": 0, "config": {"auto_off": true}});
    assert_eq!(json(&payload), json!({"id": 7, "src": "wilco", "method": "Switch.SetConfig", "params": params}));
    let both = json!({"switch:0/auto_off": true, "switch:0/auto_off_delay": 30});
    let (_, payload) = ask(&plug, &both).expect("a message");
    assert_eq!(json(&payload)["params"]["config"], json!({"auto_off": true, "auto_off_delay": 30}));
    assert!(ask(&plug, &json!({"switch:0/output": true})).expect_err("no setting").contains("no setting"));
    assert!(ask(&plug, &json!({})).is_err());

    let config =
        json!({"t": "lamp", "mac": "AABB", "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1]});
    let lamp = one(ReaderKind::Tasmota, "tasmota/discovery/AABB/config", &config);
    let (topic, payload) = ask(&lamp, &json!({"TELEPERIOD": 60})).expect("a message");
    assert_eq!((topic.as_str(), payload.as_str()), ("cmnd/lamp/TelePeriod", "60"));
    let two = json!({"TELEPERIOD": 60, "SLEEP": 50});
    assert!(ask(&lamp, &two).expect_err("one at a time").contains("one setting per command"));
    let (command, args) = lamp.in_place_of("config.get", "{}").expect("a command");
    let asking = CommandToEncode { device: &lamp, command: &command, args: &args };
    let message = set.encode(&asking, &devices, &command_id(), "c").expect("a message");
    assert_eq!(
        (&*message.topic, &*message.payload),
        ("cmnd/lamp/Backlog", "TelePeriod; Sleep; LedState; PowerOnState")
    );

    let list = json!([{"ieee_address": "0x01", "friendly_name": "plug", "type": "Router", "definition": {"exposes": [
        {"type": "enum", "property": "power_on_behavior", "access": 7, "category": "config", "values": ["on", "off"]},
        {"type": "numeric", "property": "countdown", "access": 3, "category": "config"},
        {"type": "switch", "features": [
            {"type": "binary", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF"}]}]}}]);
    let zigbee = one(ReaderKind::Zigbee2Mqtt, "zigbee2mqtt/bridge/devices", &list);
    let (topic, payload) = ask(&zigbee, &json!({"power_on_behavior": "on", "countdown": 5})).expect("a message");
    assert_eq!(topic, "zigbee2mqtt/plug/set");
    assert_eq!(json(&payload), json!({"countdown": 5, "power_on_behavior": "on"}));
    assert!(ask(&zigbee, &json!({"state": "ON"})).is_err());
}

#[test]
fn a_value_is_shown_in_the_words_of_its_device_and_compared_whatever_word_is_used() {
    let mut findings = read(
        &mut Discovery::new(ReaderKind::Shelly, "wilco"),
        "shellyplus1-1/announce",
        &json!({
            "id": "shellyplus1-1", "gen": 2, "ver": "1.4.4", "model": "SNSW-001X16EU"
        }),
    );
    let mut devices = Devices::default();
    devices.insert(findings.devices.remove(0));
    let status = json!({"src": "shellyplus1-1", "method": "NotifyStatus",
        "params": {"cover:0": {"state": "closing"}, "switch:0": {"output": false, "initial_state": "off"}}});
    let (set, payload, wire_ids) = (all(), status.to_string(), WireIds::default());
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    let read = set.decode(&inbound("shellyplus1-1/events/rpc", payload.as_bytes()), &context);
    let Some(report) = read.iter().find_map(|one| match &one.meaning {
        Meaning::Report(report) => Some(report),
        _ => None,
    }) else {
        panic!("no report: {read:?}")
    };
    let one = |key: &str| {
        let one = report.values.iter().find(|one| *one.key == *key).expect("reported");
        (one.shown().to_owned(), one.value.to_string())
    };
    assert_eq!(one("cover:0/state"), ("closing".into(), "close".into()));
    assert_eq!(one("switch:0/initial_state"), ("off".into(), "false".into()));
    assert_eq!(one("switch:0/output"), ("false".into(), "false".into()));
}

#[test]
fn a_start_is_reported_under_one_name_by_every_dialect() {
    let (set, devices, wire_ids) = (all(), Devices::default(), WireIds::default());
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    let read = set.decode(&inbound("tele/boiler/INFO3", br#"{"Info3":{"RestartReason":"Software"}}"#), &context);
    let reported = read.iter().find_map(|one| match &one.meaning {
        Meaning::Report(report) => report.values.first(),
        _ => None,
    });
    assert_eq!(reported.map(|one| &*one.key), Some(STARTED), "{read:?}");
}
