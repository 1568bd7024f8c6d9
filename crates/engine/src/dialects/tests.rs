#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use wilco_dialect::Inbound;
use wilco_ledger::{CommandId, Delivery, DeviceId, Millis, Policy, Retry, Submission};

use super::{ConnectionDialects, EnabledDialects, Reading, device_of};
use crate::{
    api::{ConnectionEntry, ConnectionSettings},
    profile::Draft,
};

fn described(dialects: &[&str], last: u32) -> ConnectionDialects {
    let entry = ConnectionEntry {
        name: "home".into(),
        url: "mqtt://127.0.0.1".into(),
        settings: ConnectionSettings {
            dialects: dialects.iter().map(|text| text.parse().unwrap()).collect(),
            ..ConnectionSettings::default()
        },
        ..ConnectionEntry::default()
    };
    let profile = Draft::of(entry, None, None, "installation").unwrap().profile;
    ConnectionDialects::of(EnabledDialects::of(&profile).unwrap(), last).unwrap()
}

fn hear(dialects: &mut ConnectionDialects, topic: &str, payload: &str) -> Reading {
    let inbound = Inbound { topic, payload: payload.as_bytes(), qos: 1, retained: true, correlation: None };
    dialects.interpret(&inbound)
}

fn announce(dialects: &mut ConnectionDialects, topic: &str, mac: &str) -> DeviceId {
    let config = format!(
        r#"{{"ip":"10.0.0.9","dn":"Lamp","fn":["Lamp"],"hn":"h","mac":"{mac}","md":"Plug","t":"{topic}","sw":"14.2.0",
                "ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1,0],"so":{{"4":0}},"state":["OFF","ON"],"ver":1}}"#
    );
    let reading = hear(dialects, &format!("tasmota/discovery/{mac}/config"), &config);
    let [device] = &reading.changes.listed[..] else { panic!("{reading:?}") };
    device.clone()
}

#[test]
fn thingsboards_devices_are_told_their_limits_where_that_is_switched_on() {
    let ask = |dialects: &mut ConnectionDialects, number: u32, payload: &str, retained: bool| {
        let topic = format!("v1/devices/me/rpc/request/{number}");
        let (payload, correlation) = (payload.as_bytes(), None);
        dialects.interpret(&Inbound { topic: &topic, payload, qos: 1, retained, correlation }).questions
    };
    let limits = r#"{"method":"getSessionLimits","params":{"timeout":5000}}"#;
    let mut off = described(&["thingsboard"], 40);
    assert_eq!(ask(&mut off, 1, limits, false), []);

    let mut on = described(&["thingsboard:session_limits=on"], 40);
    let answers = ask(&mut on, 1, limits, false);
    let [(topic, payload)] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(topic, "v1/devices/me/rpc/response/1");
    assert!(payload.contains(r#""rateLimits":{}"#), "{payload}");
    assert_eq!(ask(&mut on, 1, limits, true), [], "it was asked long ago");
    assert_eq!(ask(&mut on, 2, r#"{"method":"getValue"}"#, false), []);
    // The broker sends Wilco's own answer back: it is no answer of the device. What the device says next is.
    let meanings = |dialects: &mut ConnectionDialects, topic: &str, payload: &str| {
        let inbound = Inbound { topic, payload: payload.as_bytes(), qos: 1, retained: false, correlation: None };
        dialects.interpret(&inbound).meant.len()
    };
    meanings(&mut on, "v1/devices/me/telemetry", r#"{"rpm":1400}"#);
    assert_eq!((meanings(&mut on, topic, payload), meanings(&mut on, topic, payload)), (0, 1));
    // Wilco's own command of that name is for the device.
    on.wire_ids.number(&DeviceId::new("me").unwrap(), &CommandId::new("c1").unwrap());
    assert_eq!((ask(&mut on, 41, limits, false), ask(&mut on, 42, limits, false).len()), (Vec::new(), 1));
}

#[test]
fn a_profile_that_is_edited_keeps_which_number_is_which_command() {
    let mut before = described(&["shelly"], 7);
    let (device, id) = (DeviceId::new("plug-1").unwrap(), CommandId::new("c1").unwrap());
    assert_eq!(before.wire_ids.number(&device, &id), 8);
    let mut after = described(&["shelly", "tasmota"], 7);
    after.take_over(&before);
    assert_eq!(after.wire_ids.find("8"), Some((&device, &id)));
    assert_eq!(after.wire_ids.number(&device, &CommandId::new("c2").unwrap()), 9);
}

#[test]
fn an_answer_whose_topic_names_no_device_is_of_the_one_that_was_asked() {
    let answered = |dialects: &mut ConnectionDialects, topic: &str| {
        let inbound = Inbound { topic, payload: b"", qos: 1, retained: false, correlation: None };
        let devices: Vec<DeviceId> =
            dialects.interpret(&inbound).meant.iter().filter_map(|one| device_of(&one.meaning).cloned()).collect();
        devices
    };
    let mut hono = described(&["hono"], 7);
    let (device, id) = (DeviceId::new("4711").unwrap(), CommandId::new("c1").unwrap());
    assert_eq!(answered(&mut hono, "command///res/c1/200"), []);
    let prepared = hono.prepare(&device, "dim", "{}", &id).unwrap().unwrap();
    for topic in ["command///res/c1/200", "c///s/c1/400", "command/DEFAULT_TENANT/4711/res/c1/200"] {
        assert_eq!(answered(&mut hono, topic), std::slice::from_ref(&device), "{topic}");
    }
    assert_eq!(answered(&mut hono, "command///res/c2/200"), []);

    // After a restart, too.
    let mut again = described(&["hono"], 7);
    again.adopt(&prepared.into_submission(submission(&device, &id)));
    assert_eq!(answered(&mut again, "c///s/c1/200"), [device]);
}

fn submission(device: &DeviceId, id: &CommandId) -> Submission {
    Submission {
        device: device.clone(),
        id: id.clone(),
        name: "dim".into(),
        args: "{}".into(),
        form: None,
        policy: Policy {
            delivery: Delivery::BrokerHolds,
            timeout: Millis::seconds(10),
            time_to_live: Millis::seconds(10),
            retry: Retry { permitted: false, limit: 0, pause: Millis::seconds(1) },
            answer_expected: true,
            answers_carry_ids: true,
        },
        again_of: None,
        rollout: None,
        automatic: false,
        by: None,
    }
}

#[test]
fn a_device_of_somebody_s_own_dialect_is_shown_with_its_title() {
    let text =
        "format = 1\nname = \"pump\"\ntitle = \"Pump\"\n[[receive]]\ntopic = \"p/{device}/state\"\nas = \"state\"\n";
    let entry = ConnectionEntry {
        name: "plant".into(),
        url: "mqtt://127.0.0.1".into(),
        settings: ConnectionSettings {
            dialects: vec!["wilco".into(), "pump".into()],
            dialect_files: vec![text.into()],
            ..ConnectionSettings::default()
        },
        ..ConnectionEntry::default()
    };
    let profile = Draft::of(entry, None, None, "installation").unwrap().profile;
    let enabled = EnabledDialects::of(&profile).unwrap();
    let titles = enabled.titles.clone();
    let mut dialects = ConnectionDialects::of(enabled, 0).unwrap();
    let reading = hear(&mut dialects, "p/p1/state", r#"{"on":true}"#);
    let [device] = &reading.changes.listed[..] else { panic!("{reading:?}") };
    assert_eq!(dialects.view(device).unwrap().dialect, "Pump");
    assert_eq!(super::title(&titles, "pump"), "Pump");
    assert_eq!((super::title(&titles, "shelly"), super::title(&titles, "x")), ("Shelly".into(), "x".into()));
}

#[test]
fn a_forgotten_device_that_comes_back_is_known_as_before() {
    let mut dialects = described(&["tasmota"], 0);
    let device = announce(&mut dialects, "lamp_1", "AABBCCDDEEFF");
    hear(&mut dialects, "stat/lamp_1/POWER", "ON");
    let known = (dialects.view(&device), dialects.description(&device));
    assert!(known.0.as_ref().is_some_and(|view| view.can_switch), "{known:?}");
    let forgotten = dialects.forget(&device).unwrap();
    assert_eq!(dialects.view(&device), None);
    dialects.put_back(forgotten);
    assert_eq!((dialects.view(&device), dialects.description(&device)), known);
    assert_eq!(dialects.state(&device).1, Some(true));
}

#[test]
fn early_messages_are_not_attributed_to_another_device() {
    let mut dialects = described(&["homie4"], 0);
    let announce = |dialects: &mut ConnectionDialects, device: &str| {
        let attributes = [
            ("$homie", "4.0"),
            ("$nodes", "light"),
            ("light/$properties", "power"),
            ("light/power/$datatype", "boolean"),
            ("light/power/$settable", "true"),
            ("$state", "ready"),
        ];
        for (attribute, value) in attributes {
            hear(dialects, &format!("homie/{device}/{attribute}"), value);
        }
        DeviceId::new(device).unwrap()
    };
    hear(&mut dialects, "homie/lamp-12/light/power", "true");
    let first = announce(&mut dialects, "lamp-1");
    let second = announce(&mut dialects, "lamp-12");
    let power = |device: &DeviceId| {
        let power = dialects.state(device).0.iter().find(|one| &*one.key == "light/power");
        power.map(|one| one.value.to_string())
    };
    assert_eq!((power(&first), power(&second).as_deref()), (None, Some("true")));
}
