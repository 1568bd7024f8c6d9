//! Malicious and unusual input: each costs little, and causes no send where it should not.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "it bounds what hostile input may cost")]

use std::time::{Duration, Instant};

use serde_json::json;
use wilco_dialect::{
    CommandToEncode, Context, DecodedMessage, Devices, DialectFile, DialectForm, DialectSet, Discovery, Inbound,
    KnownDevice, Meaning, Observed, ReaderKind, Template, Topics, WireIds, learn, preview, propose, shipped,
};
use wilco_ledger::{Claim, CommandId, DeviceId};

fn inbound<'a>(topic: &'a str, payload: &'a [u8]) -> Inbound<'a> {
    Inbound { topic, payload, qos: 1, retained: true, correlation: None }
}

fn only(dialect: &str) -> DialectSet {
    DialectSet::new(shipped().iter().filter(|file| file.name() == dialect).cloned(), &Topics::default())
}

fn id(name: &str) -> DeviceId {
    DeviceId::new(name).expect("a device ID")
}

fn command(name: &str) -> CommandId {
    CommandId::new(name).expect("a command ID")
}

/// Far more than any of this takes, and far less than what would be noticed as standing still.
fn quickly<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = act();
    assert!(begun.elapsed() < Duration::from_secs(5), "{what} took {:?}", begun.elapsed());
    done
}

#[test]
fn an_id_beyond_31_bits_is_no_other_command_s_answer() {
    let set = only("thingsboard");
    let (me, ours) = (id("me"), command("c1"));
    let mut devices = Devices::default();
    devices.insert(KnownDevice::new(me.clone(), "thingsboard", "me"));
    let mut wire_ids = WireIds::after(6);
    assert_eq!(wire_ids.number(&me, &ours), 7);
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    let check = |sent: &str, expected: bool| {
        let topic = format!("v1/devices/me/rpc/response/{sent}");
        let claims: Vec<Claim> = set
            .decode(&inbound(&topic, b"{}"), &context)
            .into_iter()
            .filter_map(|decoded| match decoded.meaning {
                Meaning::Message(DecodedMessage::Answer(answer)) => Some(answer.claim),
                _ => None,
            })
            .collect();
        assert_eq!(claims.contains(&Claim::Id(ours.clone())), expected, "{sent}: {claims:?}");
        assert!(!claims.contains(&Claim::Nothing), "{sent}: {claims:?}");
    };
    check("7", true);
    // The same number modulo 2^31, 2^32 and 2^64.
    check("2147483655", false);
    check("4294967303", false);
    check("18446744073709551623", false);
    check("-7", false);
    check("7.0", false);
    check("007", false);
    // The last number that there is, and the first one after it.
    let mut last = WireIds::after(u32::MAX);
    assert_eq!(last.number(&me, &ours), 1);
    let mut last = WireIds::after(0x7fff_fffe);
    assert_eq!((last.number(&me, &ours), last.number(&me, &command("c2"))), (0x7fff_ffff, 1));
}

#[test]
fn a_template_bomb_is_refused_or_stays_small() {
    let nested = format!("{{{{ {}value{} }}}}", "(".repeat(2_000), ")".repeat(2_000));
    let filters = format!("{{{{ value{} }}}}", " | upper".repeat(500));
    let conditions = format!("{}x{}", "{% if value %}".repeat(200), "{% endif %}".repeat(200));
    let bombs = [
        "{{ 'a' * 1000000000 }}",
        "{% for i in range(1000000000) %}{{ i }}{% endfor %}",
        "{{ value | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') \
         | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') }}",
        "{{ 10 ** 10 ** 10 }}",
        "{% set x = value + value %}{{ x + x + x }}",
        nested.as_str(),
        filters.as_str(),
        conditions.as_str(),
    ];
    let payload = "a".repeat(100_000);
    for bomb in bombs {
        let shown: String = bomb.chars().take(60).collect();
        let made = quickly(&shown, || Template::parse(bomb).ok().and_then(|template| template.value(&payload)));
        assert!(made.is_none_or(|text| text.len() <= 64 * 1024), "{shown}");
    }
}

#[test]
fn a_retained_configuration_of_a_device_long_gone_asks_and_sends_nothing() {
    let mut discovery = Discovery::new(ReaderKind::HomeAssistant, "wilco");
    let topic = "homeassistant/switch/old/config";
    let config = json!({"name": "Relay", "cmd_t": "old/set", "stat_t": "old/state", "dev": {"ids": "old-1"},
        "avty_t": "old/status"});
    let mut findings = discovery.read(&inbound(topic, config.to_string().as_bytes()));
    assert!(findings.questions.is_empty() && findings.problems.is_empty(), "{findings:?}");
    let mut devices = Devices::default();
    assert_eq!(findings.apply(&mut devices).listed, [id("old-1")]);
    // It is not there until it says so: what was configured says nothing of presence.
    let set = only("homeassistant");
    let wire_ids = WireIds::default();
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    assert!(set.decode(&inbound(topic, config.to_string().as_bytes()), &context).is_empty());
    // Its configuration is removed, and so is the device.
    let mut findings = discovery.read(&inbound(topic, b""));
    assert_eq!(findings.apply(&mut devices).gone, [id("old-1")]);
    assert_eq!(devices.iter().count(), 0);
}

#[test]
fn a_name_with_slashes_and_emoji_stays_one_device_and_reaches_no_other() {
    let list = json!([
        {"ieee_address": "0x01", "friendly_name": "küche/lampe/💡 1", "type": "Router", "definition": {"exposes": []}},
        {"ieee_address": "0x02", "friendly_name": "küche/lampe", "type": "Router", "definition": {"exposes": []}},
        {"ieee_address": "0x03", "friendly_name": "all/#", "type": "Router", "definition": {"exposes": []}},
        {"ieee_address": "0x04", "friendly_name": "bad\u{0}name", "type": "Router", "definition": {"exposes": []}}]);
    let mut discovery = Discovery::new(ReaderKind::Zigbee2Mqtt, "wilco");
    let mut devices = Devices::default();
    let mut findings = discovery.read(&inbound("zigbee2mqtt/bridge/devices", list.to_string().as_bytes()));
    assert_eq!(findings.problems.len(), 2, "{:?}", findings.problems);
    findings.apply(&mut devices);
    let set = only("zigbee2mqtt");
    let wire_ids = WireIds::default();
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    let of = |topic: &str| {
        let decoded = set.decode(&inbound(topic, br#"{"state":"ON"}"#), &context);
        let device = decoded.into_iter().find_map(|one| match one.meaning {
            Meaning::Report(report) => Some(report.device),
            _ => None,
        });
        device.map(|device| device.as_str().to_owned())
    };
    assert_eq!(of("zigbee2mqtt/küche/lampe/💡 1").as_deref(), Some("0x01"));
    assert_eq!(of("zigbee2mqtt/küche/lampe").as_deref(), Some("0x02"));
    let device = devices.get(&id("0x01")).expect("a device");
    let asking = CommandToEncode { device, command: "set", args: r#"{"state":"ON"}"# };
    let message = set.encode(&asking, &devices, &command("c1"), "c1").expect("a message");
    assert_eq!(message.topic, "zigbee2mqtt/küche/lampe/💡 1/set");
}

#[test]
fn messages_that_nobody_can_learn_from_cost_little_and_propose_nothing_dangerous() {
    let observed =
        |number: i64, topic: String, payload: String| Observed { at: number, topic, payload, retained: false };
    let same_id = |number: i64| observed(number, format!("a/{}/x", number % 7), r#"{"id":"1","status":"ok"}"#.into());
    let heard: Vec<Observed> = (0..5_000).map(same_id).collect();
    let _ = quickly("5,000 messages with one ID", || learn("mine", &heard));
    let bomb = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let heard = [
        observed(0, "a/{device}/{command}".into(), r#"{"id":"x","cmd":"{args...}","params":{}}"#.into()),
        observed(1, "a/{device}/+/#".into(), r#"{"id":"x","status":"ok"}"#.into()),
        observed(2, "\u{0}/\u{7f}/💡".into(), bomb),
        observed(3, String::new(), String::new()),
    ];
    for (request, answer) in [(0, 1), (1, 0), (2, 3), (3, 2), (0, 2), (9, 9)] {
        let Ok(proposal) = propose("mine", &heard, request, Some(answer)) else { continue };
        // A name in braces is text, and no place for something else.
        assert!(!proposal.form.request_topic.contains("{command}"), "{}", proposal.file);
        if let Ok(file) = DialectFile::parse(&proposal.file) {
            assert_eq!(preview(&file, &heard).len(), heard.len());
        }
    }
    let form = DialectForm { title: "\"\n[[receive]]\ntopic = \"#\"\n".into(), ..DialectForm::starter() };
    let file = DialectFile::parse(&form.text("")).expect("a file");
    assert_eq!((file.size(), file.title().contains("[[receive]]")), ((1, 1), true));
}
