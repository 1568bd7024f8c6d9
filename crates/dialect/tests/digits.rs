//! Values keep their digits with other firmware: in requests, in reports and in results.

use serde_json::{Value, json};
use wilco_dialect::{
    CommandToEncode, Context, Control, DecodedMessage, Devices, DialectSet, Discovery, Inbound, KnownDevice, Meaning,
    Message, ReaderKind, Topics, WireIds, shipped,
};
use wilco_ledger::{CommandId, DeviceId, Expectation};

/// Where Zigbee2MQTT lists its devices.
const BRIDGE: &str = "zigbee2mqtt/bridge/devices";
/// Numbers that a double would alter, or write otherwise.
const NUMBERS: [&str; 7] = [
    "1e10",
    "1.50",
    "-0.0",
    "9007199254740993",
    "123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    "1e400",
];

fn set() -> DialectSet {
    DialectSet::new(shipped().iter().filter(|file| file.name() != "text").cloned(), &Topics::default())
}

fn inbound<'a>(topic: &'a str, payload: &'a str) -> Inbound<'a> {
    Inbound { topic, payload: payload.as_bytes(), qos: 1, retained: false, correlation: None }
}

/// The devices that these messages announce.
fn devices(kind: ReaderKind, announced: &[(&str, Value)]) -> Devices {
    let mut discovery = Discovery::new(kind, "wilco");
    let mut devices = Devices::default();
    for (topic, payload) in announced {
        let mut findings = discovery.read(&inbound(topic, &payload.to_string()));
        assert_eq!(findings.problems, Vec::<String>::new());
        findings.apply(&mut devices);
    }
    devices
}

fn device<'d>(devices: &'d Devices, id: &str) -> &'d KnownDevice {
    devices.get(&DeviceId::new(id).expect("a device ID")).expect("a device")
}

fn ask(devices: &Devices, device: &KnownDevice, command: &str, args: &str) -> Message {
    let (command, args) = device.in_place_of(command, args).expect("a command");
    let asking = CommandToEncode { device, command: &command, args: &args };
    set().encode(&asking, devices, &CommandId::new("c1").expect("a command ID"), "7").expect("a message")
}

/// The values that a message must report, each under its name.
fn wanted(message: &Message) -> Vec<(String, String)> {
    let Some(Expectation::State { terms, .. }) = &message.expects else { panic!("{message:?}") };
    terms.iter().map(|term| (term.key.to_string(), term.value.as_deref().unwrap_or("(any)").to_owned())).collect()
}

fn decode(devices: &Devices, topic: &str, payload: &str) -> Vec<Meaning> {
    let (set, wire_ids) = (set(), WireIds::default());
    let context = Context { devices, wire_ids: &wire_ids };
    set.decode(&inbound(topic, payload), &context).into_iter().map(|one| one.meaning).collect()
}

/// The values that a message reports, each under its name.
fn reported(devices: &Devices, topic: &str, payload: &str) -> Vec<(String, String)> {
    let heard = decode(devices, topic, payload);
    let values = heard.iter().filter_map(|meaning| match meaning {
        Meaning::Report(report) => Some(report.values.iter().map(|one| (one.key.to_string(), one.value.to_string()))),
        _ => None,
    });
    values.flatten().collect()
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn limits_and_words_have_the_digits_of_the_announcement() {
    let first = |kind: ReaderKind, topic: &str, payload: &str| {
        let found = Discovery::new(kind, "wilco").read(&inbound(topic, payload));
        found.devices.into_iter().next().expect("a device").commands.swap_remove(0).control
    };
    for number in NUMBERS {
        let limits = Control::Number {
            min: Some(number.into()),
            max: Some(number.into()),
            step: Some(number.into()),
            unit: Some("V".into()),
        };
        let words = Control::Choice(vec![number.into(), "low".into()]);
        let switch = Control::Switch { on: number.into(), off: "0".into() };
        let home_assistant = |component: &str, more: &str| {
            let payload = format!(r#"{{"name":"n","cmd_t":"n/set",{more},"dev":{{"ids":"n"}}}}"#);
            first(ReaderKind::HomeAssistant, &format!("homeassistant/{component}/n/config"), &payload)
        };
        let more = format!(r#""min":{number},"max":{number},"step":{number},"unit_of_meas":"V""#);
        assert_eq!(home_assistant("number", &more), limits);
        assert_eq!(home_assistant("select", &format!(r#""ops":[{number},"low"]"#)), words);
        assert_eq!(home_assistant("switch", &format!(r#""pl_on":{number},"pl_off":0"#)), switch);
        let zigbee = |expose: &str| {
            let expose = format!(r#"{{"property":"p","access":7,{expose}}}"#);
            let list =
                format!(r#"[{{"ieee_address":"0x1","friendly_name":"p","definition":{{"exposes":[{expose}]}}}}]"#);
            first(ReaderKind::Zigbee2Mqtt, BRIDGE, &list)
        };
        let more = format!(r#""value_min":{number},"value_max":{number},"value_step":{number},"unit":"V""#);
        assert_eq!(zigbee(&format!(r#""type":"numeric",{more}"#)), limits);
        assert_eq!(zigbee(&format!(r#""type":"enum","values":[{number},"low"]"#)), words);
        assert_eq!(zigbee(&format!(r#""type":"binary","value_on":{number},"value_off":0"#)), switch);
        // What is announced as a number is sent as one.
        let sent = |expose: &str, args: &str| {
            let expose = format!(r#"{{"property":"p","access":7,{expose}}}"#);
            let list =
                format!(r#"[{{"ieee_address":"0x1","friendly_name":"p","definition":{{"exposes":[{expose}]}}}}]"#);
            let mut found = Discovery::new(ReaderKind::Zigbee2Mqtt, "wilco").read(&inbound(BRIDGE, &list));
            let mut devices = Devices::default();
            found.apply(&mut devices);
            ask(&devices, device(&devices, "0x1"), "set p", args).payload
        };
        let as_number = format!(r#"{{"p":{number}}}"#);
        let choice = format!(r#""type":"enum","values":[{number},"low"]"#);
        assert_eq!(sent(&choice, &format!(r#"{{"value":"{number}"}}"#)), as_number);
        assert_eq!(sent(&choice, r#"{"value":"low"}"#), r#"{"p":"low"}"#);
        let switch = format!(r#""type":"binary","value_on":{number},"value_off":"0""#);
        assert_eq!(sent(&switch, r#"{"on":true}"#), as_number);
        assert_eq!(sent(&switch, r#"{"on":false}"#), r#"{"p":"0"}"#);
        let format = format!("{number}:{number}:{number}");
        let property = json!({"datatype": "float", "format": format, "settable": true, "unit": "V"});
        let description = json!({"homie": "5.0", "nodes": {"n": {"properties": {"p": property}}}}).to_string();
        assert_eq!(first(ReaderKind::Homie5, "homie/5/n/$description", &description), limits);
    }
}

#[test]
fn a_number_of_home_assistant_is_sent_and_reported_as_it_was_entered() {
    let number = |name: &str, more: Value| {
        let mut config = json!({"name": name, "uniq_id": name, "cmd_t": format!("tank/{name}/set"), "stat_t": format!("tank/{name}"),
            "dev": {"ids": ["tank"]}});
        let members = config.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        config
    };
    let devices = devices(
        ReaderKind::HomeAssistant,
        &[
            ("homeassistant/number/plain/config", number("plain", json!({}))),
            (
                "homeassistant/number/nested/config",
                number("nested", json!({"cmd_tpl": "{\"level\": {{ value }}}", "val_tpl": "{{ value_json.level }}"})),
            ),
            ("homeassistant/number/whole/config", number("whole", json!({"cmd_tpl": "{{ value | int }}"}))),
        ],
    );
    let tank = device(&devices, "tank");
    let command = |title: &str| {
        let found = tank.commands.iter().find(|command| command.title.eq_ignore_ascii_case(title));
        &*found.expect("a command").name
    };
    for number in NUMBERS {
        let args = format!("{{\"value\":{number}}}");
        let message = ask(&devices, tank, command("plain"), &args);
        assert_eq!((message.topic.as_str(), message.payload.as_str()), ("tank/plain/set", number));
        let wanted = wanted(&message);
        assert_eq!(wanted[0].1, number);
        assert_eq!(reported(&devices, "tank/plain", number), wanted);

        let message = ask(&devices, tank, command("nested"), &args);
        assert_eq!(message.payload, format!("{{\"level\": {number}}}"));
        let nested = reported(&devices, "tank/nested", &format!("{{\"level\":{number}}}"));
        assert_eq!(nested, self::wanted(&message));
    }
    let message = ask(&devices, tank, command("whole"), r#"{"value":123456789012345678901234567890}"#);
    assert_eq!(message.payload, "123456789012345678901234567890");
}

#[test]
fn a_json_light_gets_every_argument_as_it_was_entered() {
    let config = json!({"name": "Lamp", "uniq_id": "lamp", "schema": "json", "cmd_t": "lamp/set", "stat_t": "lamp",
        "brightness": true, "dev": {"ids": ["lamp"]}});
    let devices = devices(ReaderKind::HomeAssistant, &[("homeassistant/light/lamp/config", config)]);
    let lamp = device(&devices, "lamp");
    for number in NUMBERS {
        let args = format!("{{\"on\":true,\"brightness\":{number},\"color\":{{\"x\":{number}}}}}");
        let message = ask(&devices, lamp, &lamp.commands[0].name, &args);
        let expected = format!("{{\"state\":\"ON\",\"brightness\":{number},\"color\":{{\"x\":{number}}}}}");
        assert_eq!(message.payload, expected);
        assert!(wanted(&message).iter().any(|(key, value)| key.ends_with("/brightness") && value == number));
    }
}

#[test]
fn zigbee2mqtt_gets_and_reports_numbers_as_they_are_written() {
    let exposes = json!([{"type": "numeric", "property": "level", "access": 7},
        {"type": "numeric", "property": "delay", "access": 7, "category": "config"},
        {"type": "numeric", "property": "offset", "access": 7, "category": "config"}]);
    let list = json!([{"ieee_address": "0x01", "friendly_name": "lamp", "type": "Router", "definition": {"exposes": exposes}}]);
    let devices = devices(ReaderKind::Zigbee2Mqtt, &[("zigbee2mqtt/bridge/devices", list)]);
    let lamp = device(&devices, "0x01");
    for number in NUMBERS {
        // The command of the dialect, the one that the device was found to have, and its settings.
        let message = ask(&devices, lamp, "set", &format!("{{\"level\":{number},\"list\":[{number}]}}"));
        assert_eq!(message.payload, format!("{{\"level\":{number},\"list\":[{number}]}}"));
        assert_eq!(wanted(&message), [pair("level", number), pair("list", &format!("[{number}]"))]);
        let message = ask(&devices, lamp, "set level", &format!("{{\"value\":{number}}}"));
        assert_eq!(message.payload, format!("{{\"level\":{number}}}"));
        let one = format!("{{\"changes\":{{\"delay\":{number}}}}}");
        assert_eq!(ask(&devices, lamp, "config.set", &one).payload, format!("{{\"delay\":{number}}}"));
        let two = format!("{{\"changes\":{{\"delay\":{number},\"offset\":-{number}}}}}").replace("--", "");
        let expected = format!("{{\"delay\":{number},\"offset\":-{number}}}").replace("--", "");
        assert_eq!(ask(&devices, lamp, "config.set", &two).payload, expected);

        let state = format!("{{\"level\":{number},\"list\":[{number}]}}");
        let read = reported(&devices, "zigbee2mqtt/lamp", &state);
        assert_eq!(read, [pair("level", number), pair("list", &format!("[{number}]"))]);
        let heard = decode(&devices, "zigbee2mqtt/lamp", &state);
        let is_state = |meaning: &Meaning| matches!(meaning, Meaning::Message(DecodedMessage::State { state: read, .. }) if *read == state);
        assert!(heard.iter().any(is_state), "{heard:?}");
    }
}

#[test]
fn the_result_of_an_answer_keeps_its_digits() {
    let list = json!([{"ieee_address": "0x00", "friendly_name": "Coordinator", "type": "Coordinator"}]);
    let devices = devices(ReaderKind::Zigbee2Mqtt, &[("zigbee2mqtt/bridge/devices", list)]);
    for number in NUMBERS {
        let answer =
            format!("{{\"data\":{{\"was\":[{number}],\"is\":{number}}},\"status\":\"ok\",\"transaction\":\"c1\"}}");
        let heard = decode(&devices, "zigbee2mqtt/bridge/response/options", &answer);
        let [Meaning::Message(DecodedMessage::Answer(answer))] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!(answer.result.as_deref(), Some(&*format!("{{\"is\":{number},\"was\":[{number}]}}")));
    }
}

#[test]
fn a_setting_of_a_shelly_is_sent_as_it_was_entered() {
    let info = json!({"id": "plug", "mac": "A8", "model": "SNSW", "gen": 2, "ver": "1.4"});
    let config = json!({"id": 0, "src": "plug", "dst": "wilco", "result": {"sys": {"cfg_rev": 3},
        "switch:0": {"id": 0, "auto_on_delay": 60.0, "auto_off_delay": 60.0}}});
    let devices = devices(ReaderKind::Shelly, &[("plug/announce", info), ("wilco/rpc", config)]);
    let plug = device(&devices, "plug");
    for number in NUMBERS {
        let changes =
            format!("{{\"changes\":{{\"switch:0/auto_on_delay\":{number},\"switch:0/auto_off_delay\":{number}}}}}");
        let message = ask(&devices, plug, "config.set", &changes);
        for setting in ["auto_on_delay", "auto_off_delay"] {
            assert!(message.payload.contains(&format!("\"{setting}\":{number}")), "{}", message.payload);
        }
        let answer = format!("{{\"id\":7,\"src\":\"plug\",\"dst\":\"wilco\",\"result\":{{\"was\":{number}}}}}");
        let heard = decode(&devices, "wilco/rpc", &answer);
        let [Meaning::Message(DecodedMessage::Answer(answer))] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!(answer.result.as_deref(), Some(&*format!("{{\"was\":{number}}}")));
    }
}
