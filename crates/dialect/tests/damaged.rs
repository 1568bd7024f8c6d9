//! Messages of other firmware that cannot be read: each is told to the device, and where possible to the command, that it
//! is about.

use serde_json::{Value, json};
use wilco_dialect::{
    Context, DecodedMessage, Devices, DialectSet, Discovery, Inbound, KnownDevice, Meaning, ReaderKind, Topics,
    WireIds, shipped,
};
use wilco_ledger::{CommandId, DeviceId};

/// What is read of a message: its kind, its device, its command, and a part of the reason.
type Read<'a> = Option<(&'a str, Option<&'a str>, Option<&'a str>, &'a str)>;

struct World {
    set: DialectSet,
    devices: Devices,
    wire_ids: WireIds,
}

impl World {
    /// A set of all dialects, with a device of each of these by its name in topics.
    fn with(known: &[(&str, &str)]) -> World {
        let set = DialectSet::new(shipped().iter().filter(|file| file.name() != "text").cloned(), &Topics::default());
        let mut devices = Devices::default();
        for (dialect, name) in known {
            devices.insert(KnownDevice::new(DeviceId::new(*name).expect("a device ID"), dialect, name));
        }
        World { set, devices, wire_ids: WireIds::default() }
    }

    fn announce(mut self, kind: ReaderKind, announced: &[(&str, Value)]) -> World {
        let mut discovery = Discovery::new(kind, "wilco");
        for (topic, payload) in announced {
            let payload = payload.to_string();
            let inbound = Inbound { topic, payload: payload.as_bytes(), qos: 1, retained: true, correlation: None };
            discovery.read(&inbound).apply(&mut self.devices);
        }
        self
    }

    #[track_caller]
    fn check(&self, topic: &str, payload: &[u8], expected: Read<'_>) {
        let inbound = Inbound { topic, payload, qos: 1, retained: false, correlation: None };
        let context = Context { devices: &self.devices, wire_ids: &self.wire_ids };
        let heard = self.set.decode(&inbound, &context);
        let told: Vec<_> = heard
            .iter()
            .filter_map(|one| match &one.meaning {
                Meaning::Unreadable(unreadable) => Some(("answer", unreadable)),
                Meaning::UnreadableReport(unreadable) => Some(("report", unreadable)),
                _ => None,
            })
            .collect();
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(80)]).into_owned();
        let Some((kind, device, command, part)) = expected else {
            assert!(told.is_empty(), "{topic} {shown}: {heard:?}");
            return;
        };
        let [(read, unreadable)] = told.as_slice() else { panic!("{topic} {shown}: {heard:?}") };
        let of = unreadable.device.as_ref().map(DeviceId::as_str);
        let about = unreadable.id.as_ref().map(CommandId::as_str);
        assert_eq!((*read, of, about), (kind, device, command), "{topic} {shown}");
        assert!(unreadable.why.contains(part), "{topic} {shown}: {}", unreadable.why);
    }
}

fn too_long() -> Vec<u8> {
    vec![b'x'; 600 * 1024]
}

#[test]
fn a_report_of_a_known_device_that_cannot_be_read_is_told() {
    let world = World::with(&[("tasmota", "lamp"), ("shelly", "plug"), ("homie5", "tank"), ("aws-shadow", "thing")]);
    let report = |device| move |part| Some(("report", Some(device), None, part));
    let lamp = report("lamp");
    world.check("stat/lamp/RESULT", b"{\"POWER\":\"\xff\"}", lamp("not UTF-8"));
    world.check("stat/lamp/RESULT", &too_long(), lamp("the limit is"));
    world.check("stat/lamp/RESULT", br#"{"POWER":"O"#, lamp("not valid JSON"));
    world.check("stat/lamp/STATUS11", br#"{"StatusSTS":{"POWER":"O"#, lamp("not valid JSON"));
    world.check("tele/lamp/STATE", br#"{"POWER":"ON","Dimmer":"#, lamp("not valid JSON"));
    world.check("stat/lamp/POWER", b"\xfe", lamp("not UTF-8"));
    let plug = report("plug");
    world.check("plug/status/switch:0", br#"{"id":0,"output":tr"#, plug("not valid JSON"));
    world.check(
        "plug/events/rpc",
        br#"{"src":"plug","method":"NotifyStatus","params":{"switch:0":{"#,
        plug("not valid"),
    );
    world.check("homie/5/tank/valve/open", b"\xff", report("tank")("not UTF-8"));
    world.check("$aws/things/thing/shadow/update/documents", br#"{"current":{"state":{"#, report("thing")("not valid"));
    // Messages that can be read, or are no report, are not told.
    world.check("stat/lamp/RESULT", br#"{"POWER":"ON"}"#, None);
    world.check("stat/lamp/RESULT", br#"{"Dimmer":NaN}"#, None);
    world.check("stat/lamp/POWER", b"ON", None);
    world.check("stat/lamp/LOGGING", b"\xff", None);
    world.check("tele/lamp/LWT", b"\xff", None);
    world.check("tele/lamp/SENSOR", br#"{"t":"#, None);
    world.check("homie/5/tank/valve/open", b"", None);
    // An unknown device does not become known by it.
    world.check("stat/other/RESULT", br#"{"POWER":"O"#, None);
    world.check("other/status/switch:0", br#"{"output":tr"#, None);
}

#[test]
fn a_report_on_a_topic_that_a_device_has_named_is_told() {
    let entity = |name: &str, more: Value| {
        let mut config = json!({"name": name, "uniq_id": name, "cmd_t": format!("tank/{name}/set"),
            "stat_t": format!("tank/{name}"), "avty_t": "tank/online", "dev": {"ids": ["tank"]}});
        config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        config
    };
    let nested = entity("nested", json!({"val_tpl": "{{ value_json.level }}"}));
    let plain = ("homeassistant/number/plain/config", entity("plain", json!({})));
    let announced = [plain, ("homeassistant/number/nested/config", nested)];
    let world = World::with(&[]).announce(ReaderKind::HomeAssistant, &announced);
    let report = |part| Some(("report", Some("tank"), None, part));
    world.check("tank/nested", b"\xff", report("not UTF-8"));
    world.check("tank/nested", br#"{"level":4"#, report("not valid JSON"));
    world.check("tank/nested", &too_long(), report("the limit is"));
    let long = format!("{{\"level\":\"{}\"}}", "x".repeat(200 * 1024));
    world.check("tank/nested", long.as_bytes(), report("the limit is"));
    world.check("tank/plain", b"\xff", report("not UTF-8"));
    world.check("tank/plain", b"[any text", None);
    world.check("tank/nested", br#"{"level":40}"#, None);
    world.check("tank/nested", br#"{"other":40}"#, None);
    world.check("tank/nested", b"40", None);
    world.check("tank/online", b"\xff", None);
}

#[test]
fn an_answer_whose_id_can_still_be_read_is_told_to_its_command() {
    let mut world = World::with(&[("shelly", "plug"), ("thingsboard", "me"), ("atlas", "pump")]);
    let (plug, command) = (DeviceId::new("plug").expect("a device ID"), CommandId::new("c1").expect("a command ID"));
    let number = world.wire_ids.number(&plug, &command).to_string();
    let answer = |device, command, part| Some(("answer", device, command, part));
    let of = |text: &str| text.replace('7', &number).into_bytes();
    let (plug, ours) = (Some("plug"), Some("c1"));
    world.check("wilco/rpc", &of(r#"{"id":7,"src":"plug","result":{"was_on":t"#), answer(plug, ours, "not valid JSON"));
    let mut damaged = of(r#"{"id":7,"src":"plug","error":{"code":-1,"message":"?"}}"#);
    let place = damaged.iter().position(|byte| *byte == b'?').expect("a place");
    damaged[place] = 0xff;
    world.check("wilco/rpc", &damaged, answer(plug, ours, "not UTF-8"));
    // The topic names no device, and neither does the rest; the ID is one of ours.
    world.check("wilco/rpc", &of(r#"{"id":7,"result":{"#), answer(plug, ours, "not valid JSON"));
    let long = of(&format!("{{\"id\":7,\"src\":\"plug\",\"result\":\"{}\"}}", "x".repeat(600 * 1024)));
    world.check("wilco/rpc", &long, answer(plug, ours, "the limit is"));
    // An ID that was cut off, and may have been longer.
    world.check("wilco/rpc", &of(r#"{"src":"plug","id":7"#), answer(plug, None, "not valid JSON"));
    world.check(
        "commands/pump/ack",
        br#"{"tid":"x1","status":"SUC"#,
        answer(Some("pump"), Some("x1"), "not valid JSON"),
    );
    world.check("commands/pump/ack", b"\xff", answer(Some("pump"), None, "not UTF-8"));
    // Any answer would be success, but what is missing may say that it failed.
    let cut = br#"{"value":1,"#;
    world.check("v1/devices/me/rpc/response/99", cut, answer(Some("me"), Some("99"), "not valid JSON"));
    // {"status": "SUCCEEDED"} in CBOR, as AWS passes it on.
    let cbor = b"\xa1\x66status\x69SUCCEEDED";
    let dock = "$aws/commands/things/dock-1/executions/e1/response/cbor";
    world.check(dock, cbor, answer(Some("dock-1"), Some("e1"), "begins as CBOR, which Wilco does not read"));
    // One of Wilco's own questions.
    world.check("wilco/rpc", br#"{"id":0,"src":"plug","result":{"sys":"#, None);
}

#[test]
fn an_unreadable_message_settles_nothing() {
    let world = World::with(&[("tasmota", "lamp")]);
    let context = Context { devices: &world.devices, wire_ids: &world.wire_ids };
    let inbound = |payload| Inbound { topic: "stat/lamp/RESULT", payload, qos: 1, retained: false, correlation: None };
    for payload in [&br#"{"POWER":"ON""#[..], b"{\"POWER\":\"ON\",\"x\":\"\xff\"}"] {
        let heard = world.set.decode(&inbound(payload), &context);
        let settles =
            |meaning: &Meaning| matches!(meaning, Meaning::Report(_) | Meaning::Message(DecodedMessage::Answer(_)));
        assert!(!heard.iter().any(|one| settles(&one.meaning)), "{heard:?}");
    }
}
