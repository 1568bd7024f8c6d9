//! Measurements, states and presence of devices that nothing announces: what of a message is whose, and under which name.

use wilco_dialect::{Context, DecodedMessage, Devices, DialectSet, Inbound, Meaning, Topics, WireIds, shipped};

/// What a message means, a line each: the device, and what it reports. `announced`: the messages that described it before.
fn read_after(announced: &[(&str, &str)], dialect: &str, topic: &str, payload: &str) -> Vec<String> {
    let file = shipped().iter().find(|file| file.name() == dialect).expect("a dialect").clone();
    let set = DialectSet::new([file], &Topics::default());
    let (mut devices, wire_ids) = (Devices::default(), WireIds::default());
    for mut reader in set.readers("wilco") {
        for (topic, payload) in announced {
            let inbound = Inbound { topic, payload: payload.as_bytes(), qos: 1, retained: true, correlation: None };
            reader.read(&inbound).apply(&mut devices);
        }
    }
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    let inbound = Inbound { topic, payload: payload.as_bytes(), qos: 1, retained: false, correlation: None };
    let meant = |meaning: &Meaning| match meaning {
        Meaning::Message(DecodedMessage::Telemetry { device, at, series, .. }) => {
            let series: Vec<String> = series.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let at = at.map_or(String::new(), |at| format!(" at {}", at.0));
            Some(format!("{device} measures {}{at}", series.join(" ")))
        }
        Meaning::Message(DecodedMessage::State { device, state }) => Some(format!("{device} is {state}")),
        Meaning::Message(DecodedMessage::Presence { device, online, .. }) => {
            Some(format!("{device} {}", if *online { "online" } else { "offline" }))
        }
        _ => None,
    };
    set.decode(&inbound, &context).iter().filter_map(|decoded| meant(&decoded.meaning)).collect()
}

#[track_caller]
fn check(dialect: &str, topic: &str, payload: &str, expected: &[&str]) {
    assert_eq!(read_after(&[], dialect, topic, payload), expected, "{dialect}: {topic} {payload}");
}

#[test]
fn a_number_that_a_homie_device_has_announced_is_measured() {
    let five = [(
        "homie/5/car/$description",
        r#"{"homie":"5.0","version":1,"nodes":{"engine":{"properties":{"temperature":{"datatype":"float","unit":"°C"},
            "gear":{"datatype":"enum","format":"1,2,3"},"speed":{"datatype":"integer","settable":true}}}}}"#,
    )];
    let five = |topic: &str, payload: &str| read_after(&five, "homie5", topic, payload);
    assert_eq!(five("homie/5/car/engine/temperature", "21.5"), ["car measures engine/temperature=21.5"]);
    assert_eq!(five("homie/5/car/engine/speed", "90"), ["car measures engine/speed=90"]);
    assert!(five("homie/5/car/engine/gear", "2").is_empty());
    assert!(five("homie/5/car/engine/speed/$target", "120").is_empty());
    assert!(five("homie/5/car/engine/temperature", "NaN").is_empty());
    // An array of nodes, as version 3 has it.
    let three = [
        ("homie/rig/$homie", "3.0.1"),
        ("homie/rig/lights/$array", "0-1"),
        ("homie/rig/lights/$properties", "level"),
        ("homie/rig/lights/level/$datatype", "integer"),
        ("homie/rig/$nodes", "lights[]"),
        ("homie/rig/$state", "ready"),
    ];
    let three = |topic: &str| read_after(&three, "homie4", topic, "40");
    assert_eq!(three("homie/rig/lights_1/level"), ["rig measures lights_1/level=40"]);
    assert!(three("homie/rig/lights_2/level").is_empty());
}

#[test]
fn a_thingsboard_device_reports_plain_values_and_values_with_a_time() {
    let device = "v1/devices/me/telemetry";
    check("thingsboard", device, r#"{"t":20.5,"on":true}"#, &["me measures t=20.5"]);
    check(
        "thingsboard",
        device,
        r#"{"ts":1451649600512,"values":{"t":20.5}}"#,
        &["me measures t=20.5 at 1451649600512"],
    );
    check("thingsboard", device, r#"[{"t":20.5},{"h":3}]"#, &["me measures t=20.5", "me measures h=3"]);
    check(
        "thingsboard",
        device,
        r#"[{"ts":1,"values":{"t":20.5}},{"ts":2,"values":{"t":21}}]"#,
        &["me measures t=20.5 at 1", "me measures t=21 at 2"],
    );
    check("thingsboard", "v2/t", r#"{"t":1}"#, &["me measures t=1"]);
    check("thingsboard", "v2/a", r#"{"fw":"1.2"}"#, &[r#"me is {"fw":"1.2"}"#]);
    check("thingsboard", device, "[1,2]", &[]);
}

#[test]
fn a_thingsboard_gateway_reports_for_its_devices() {
    check(
        "thingsboard",
        "v1/gateway/telemetry",
        r#"{"Device A":[{"ts":1483228800000,"values":{"t":42}},{"ts":1483228801000,"values":{"t":43}}],"Device B":[{"ts":1,"values":{"h":7}}]}"#,
        &[
            "Device A measures t=42 at 1483228800000",
            "Device A measures t=43 at 1483228801000",
            "Device B measures h=7 at 1",
        ],
    );
    check(
        "thingsboard",
        "v1/gateway/attributes",
        r#"{"Device A":{"fw":"1.2"},"Device B":{"on":true}}"#,
        &[r#"Device A is {"fw":"1.2"}"#, r#"Device B is {"on":true}"#],
    );
    // What the server sends on the same topic.
    check("thingsboard", "v1/gateway/attributes", r#"{"device":"Device A","data":{"rate":5}}"#, &[]);
    check("thingsboard", "v1/gateway/connect", r#"{"device":"Device A","type":"default"}"#, &["Device A online"]);
    check("thingsboard", "v1/gateway/disconnect", r#"{"device":"Device A"}"#, &["Device A offline"]);
    check("thingsboard", "v1/gateway/telemetry", r#"["Device A"]"#, &[]);
    check("thingsboard", "v1/gateway/telemetry", r#"{"Device A":3,"Device B":[7]}"#, &[]);
}

#[test]
fn an_enapter_device_reports_its_telemetry_and_what_it_is() {
    check(
        "enapter",
        "v1/from/sim1/rl6/v1/telemetry",
        r#"{"timestamp":1451649600,"alerts":["hot"],"power":2.5}"#,
        &[
            r#"sim1 is {"timestamp":1451649600,"alerts":["hot"],"power":2.5}"#,
            "sim1 measures timestamp=1451649600 power=2.5",
        ],
    );
    check("enapter", "v1/from/sim1/rl6/v1/register", r#"{"vendor":"x"}"#, &[r#"sim1 is {"vendor":"x"}"#]);
    check("enapter", "v1/from/sim1/rl6/v3/logs", r#"{"timestamp":1,"message":"m"}"#, &[]);
}

#[test]
fn openbk_and_the_shadow_report_what_they_measure_and_are() {
    check(
        "openbk",
        "tele/obk/SENSOR",
        r#"{"Time":"1970-01-01T00:00:00","ENERGY":{"Power":1.5,"Voltage":249.9}}"#,
        &["obk measures ENERGY.Power=1.5 ENERGY.Voltage=249.9"],
    );
    check("openbk", "obk/connected", "offline", &["obk offline"]);
    check("openbk", "obk/voltage/get", "221.5", &["obk measures voltage=221.5"]);
    check("openbk", "obk/1/get", "1", &[]);
    check(
        "aws-shadow",
        "$aws/things/dock-1/shadow/get/accepted",
        r#"{"state":{"desired":{"led":true},"reported":{"led":false}},"version":3}"#,
        &[r#"dock-1 is {"led":false}"#],
    );
    check("aws-shadow", "$aws/things/dock-1/shadow/delete/accepted", r#"{"version":3}"#, &[]);
}
