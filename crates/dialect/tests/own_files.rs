//! The files of Wilco's own two dialects say what the code does: each message is read by the code, and by the rules of
//! the file. The comments of the files list the differences, and the last test shows each of them.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use wilco_dialect::{
    CommandToEncode, Context, DecodedMessage, Devices, DialectFile, DialectSet, FREE_TEXT, Inbound, KnownDevice,
    Meaning, TelemetryRest, Topics, Unreadable, WireIds,
    json::{ExactValue, members},
    shipped_text,
};
use wilco_ledger::{Claim, CommandId, DeviceId};

const ID: &str = "0198f3c2-7d1e-7c2a-9c55-1f2e3d4c5b6a";
const DEVICE: &str = "dock-1";
const NAMES: [&str; 2] = ["wilco", "text"];

/// A dialect as code, and as its file.
struct Both {
    code: DialectSet,
    file: DialectSet,
    device: KnownDevice,
    devices: Devices,
}

/// The meaning of a message. The reason why one is unreadable is a sentence of its reader.
#[derive(Debug, PartialEq)]
enum Read {
    Message(DecodedMessage),
    Unreadable { device: Option<DeviceId>, id: Option<CommandId> },
}

impl Both {
    fn of(name: &str) -> &'static Both {
        static BOTH: LazyLock<[Both; 2]> = LazyLock::new(|| NAMES.map(Both::new));
        &BOTH[NAMES.iter().position(|known| *known == name).expect("one of Wilco's own dialects")]
    }

    fn new(name: &str) -> Both {
        let text = shipped_text(name).expect("a dialect");
        let by_rules = text.replace(&format!("code = \"{name}\"\n"), "");
        assert_ne!(by_rules, text);
        let set = |text: &str| DialectSet::new([DialectFile::parse(text).expect("a dialect file")], &Topics::default());
        let device = KnownDevice::new(DeviceId::new(DEVICE).expect("a device ID"), name, DEVICE);
        let mut devices = Devices::default();
        devices.insert(device.clone());
        Both { code: set(text), file: set(&by_rules), device, devices }
    }

    /// As the code reads it, and as the file says.
    fn read(&self, channel: &str, payload: &[u8]) -> (Vec<Read>, Vec<Read>) {
        let topic = format!("{DEVICE}/{channel}");
        let inbound = Inbound { topic: &topic, payload, qos: 1, retained: false, correlation: None };
        let wire_ids = WireIds::default();
        let context = Context { devices: &self.devices, wire_ids: &wire_ids };
        let read = |set: &DialectSet| {
            set.decode(&inbound, &context).into_iter().filter_map(|one| meaning(one.meaning)).collect()
        };
        (read(&self.code), read(&self.file))
    }

    /// The same without what is unreadable: only answers are unreadable by the rules.
    fn read_report(&self, channel: &str, payload: &[u8]) -> (Vec<Read>, Vec<Read>) {
        let (mut code, mut file) = self.read(channel, payload);
        for read in [&mut code, &mut file] {
            read.retain(|one| matches!(one, Read::Message(_)));
        }
        (code, file)
    }
}

fn meaning(meaning: Meaning) -> Option<Read> {
    let rest = TelemetryRest::default();
    match meaning {
        // A state as a value: the code keeps how it is written.
        Meaning::Message(DecodedMessage::State { device, state }) => {
            let state = ExactValue::parse(&state).expect("a state is JSON").to_string();
            Some(Read::Message(DecodedMessage::State { device, state }))
        }
        Meaning::Message(DecodedMessage::Telemetry { series, .. }) if series.is_empty() => None,
        Meaning::Message(DecodedMessage::Telemetry { device, at, series, .. }) => {
            Some(Read::Message(DecodedMessage::Telemetry { device, at, series, rest }))
        }
        Meaning::Message(message) => Some(Read::Message(message)),
        Meaning::Report(_) => None,
        Meaning::Unreadable(unreadable) | Meaning::UnreadableReport(unreadable) => {
            let Unreadable { device, id, .. } = unreadable;
            Some(Read::Unreadable { device, id })
        }
    }
}

/// What C firmware puts around a message.
fn framed(payload: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let before = prop::sample::select(vec!["", "\u{feff}", " ", "\u{feff} "]);
    let after = prop::sample::select(vec!["", "\n", " \r\n\0", "\0\0"]);
    (before, payload, after).prop_map(|(before, payload, after)| format!("{before}{payload}{after}"))
}

/// One of these texts. A bar with spaces is between two of them.
fn one_of(texts: &str) -> impl Strategy<Value = String> + use<> {
    prop::sample::select(texts.split(" | ").map(str::to_owned).collect::<Vec<_>>())
}

/// A member of an object with one of these values, as they are written. The empty one is none.
fn member(name: &'static str, values: &str) -> impl Strategy<Value = String> + use<> {
    one_of(values).prop_map(move |value| match value.as_str() {
        "" => String::new(),
        value => format!("{}:{value}", Value::from(name)),
    })
}

fn object(members: &[String]) -> String {
    let members: Vec<&str> = members.iter().map(String::as_str).filter(|member| !member.is_empty()).collect();
    format!("{{{}}}", members.join(","))
}

/// A whole number, also as a text, and what is none.
const TIMES: &str = r#" | 1795438801004 | "1795438801004" | 17.9 | -1 | null | "soon" | {}"#;

fn json_answer() -> impl Strategy<Value = String> {
    let ids = format!(r#" | "{ID}" | "7" | 1111 | 123456789012345678901 | "" | null | "{}""#, "x".repeat(129));
    let words = r#" | "accepted" | "ACK" | "running" | "In_Progress" | "in progress" | " Success " | "ok" | "Done""#;
    let statuses = format!(r#"{words} | "failed" | "Error" | "denied" | "weird" | "" | 7 | null | ["ok"]"#);
    let messages = r#" | "erasing" | " gr\u00fcn " | "" | "  " | null | 17 | true | {"a":1,"b":[2]}"#;
    let results = r#" | null | { "b" : {"d":1,"c":2}, "a":[1, 2] } | [null] | "\u00e4" | 1.50 | 1e400 | NaN | {}"#;
    let progress = r#" | 0 | -5 | 250 | 99.9 | 1e300 | "40 %" | "much" | null | true | [40] | "nan""#;
    let members = (
        member("id", &ids),
        member("status", &statuses),
        member("message", messages),
        member("result", results),
        member("progress", progress),
        member("at", TIMES),
        member("status", r#" |  |  | "failed""#),
    );
    members.prop_map(|(id, status, message, result, progress, at, again)| {
        object(&[id, status, message, result, progress, at, again])
    })
}

fn text_answer() -> impl Strategy<Value = String> {
    let good = "SUCCESS | success | Ok | ok | DONE | ACK | received | IN PROGRESS | in-progress | running";
    let word = format!("{good} | FAILURE | error | REJECTED | Denied | INVALID | OKAY | hi | 17 | true | null | [1 | ");
    let then = prop::sample::select(vec!["", ":", ": ", " ", ", ", "_", "-", "(", "\t", "'"]);
    let rest = one_of(&format!(" | light: on | 17 | grün | ran b'{{\"id\": \"{ID}\"}}'"));
    (one_of(&word), then, rest, any::<bool>()).prop_map(|(word, then, rest, is_quoted)| {
        let text = format!("{word}{then}{rest}");
        if is_quoted { Value::from(text).to_string() } else { text }
    })
}

fn status() -> impl Strategy<Value = String> {
    let words = r#""online" | "TRUE" | " on " | "OFF" | "0" | 1 | 0 | "perhaps""#;
    let names = format!(r#" | "b1" | 7 | null | "" | "{}""#, "é".repeat(100));
    let members = (
        member("online", &format!(" | true | false | {words} | null | []")),
        member("boot", &names),
        member("firmware", &names),
        member("tags", r#" | ["kitchen",7,"east"] | "kitchen" | [] | null"#),
        member("since", TIMES),
    );
    let object = members.prop_map(|(online, boot, version, tags, since)| object(&[online, boot, version, tags, since]));
    prop_oneof![object, one_of(r#"online | "Offline" | 0 | 1 | true | TRUE | off | perhaps | [] | { | 2 hours | "#)]
}

fn state() -> impl Strategy<Value = String> {
    let values = r#" | 1 | true | null | NaN | -Infinity | 1e400 | "\u00e4" | {"a":[1,null],"b":{}} | [ 1, {} ]"#;
    // The same name several times, too.
    let one = prop_oneof![member("led", values), member("running", values), member("a b/ä", values)];
    let object = prop::collection::vec(one, 0..5).prop_map(|members| object(&members));
    prop_oneof![object, one_of(r#"[] | on | 17 | "led" | { | {"led":tr | {"led":true}} | "#)]
}

fn telemetry() -> impl Strategy<Value = String> {
    let values = r#" | 21.5 | -3 | 81920 | 1e3 | 0.1 | "21.5" | null | true | NaN | 1e999 | [1] | -0 | "warm""#;
    let members = (member("t", values), member("at", TIMES), member("heap", values), member("a.b", values));
    let object = members.prop_map(|(t, at, heap, dotted)| object(&[t, at, heap, dotted]));
    prop_oneof![object, one_of(r#"21.5 | warm | [1] | {"t": | "#)]
}

/// An answer that is cut off, has a byte of another character set, or is followed by something else.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (framed(json_answer()), any::<prop::sample::Index>(), 0_u8..4).prop_map(|(answer, at, how)| {
        let mut bytes = answer.into_bytes();
        let at = at.index(bytes.len());
        match how {
            0 => bytes.truncate(at),
            1 => bytes[at] = 0xff,
            2 => bytes.push(b'}'),
            _ => bytes.extend_from_slice(b" {}"),
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_means_what_the_file_says(json in framed(json_answer()), text in framed(text_answer())) {
        for name in NAMES {
            let both = Both::of(name);
            for payload in [&json, &text] {
                let (code, file) = both.read("resp", payload.as_bytes());
                prop_assert_eq!(code.len(), 1);
                prop_assert_eq!(code, file, "{} {:?}", name, payload);
            }
        }
    }

    #[test]
    fn a_report_means_what_the_file_says(
        status in framed(status()), state in framed(state()), telemetry in framed(telemetry()),
    ) {
        for name in NAMES {
            let both = Both::of(name);
            for (channel, payload) in [("status", &status), ("state", &state), ("telemetry", &telemetry)] {
                let (code, file) = both.read_report(channel, payload.as_bytes());
                prop_assert_eq!(code, file, "{} {} {:?}", name, channel, payload);
            }
        }
    }

    #[test]
    fn a_damaged_answer_names_the_same_command_and_settles_nothing_by_the_file(payload in damaged()) {
        for name in NAMES {
            let (code, file) = Both::of(name).read("resp", &payload);
            if code == file {
                continue;
            }
            // The code reads an answer of which the ID and the status are whole.
            let shown = String::from_utf8_lossy(&payload);
            match (&code[..], &file[..]) {
                ([Read::Message(DecodedMessage::Answer(answer))], [Read::Unreadable { device, id }]) => {
                    let partly = answer.message.as_deref().is_some_and(|why| why.contains("is unreadable"));
                    prop_assert!(partly, "{} {}: {:?}", name, shown, answer);
                    prop_assert_eq!(device.as_ref(), Some(&answer.device));
                    prop_assert_eq!(id.clone().map(Claim::Id), Some(answer.claim.clone()), "{} {}", name, shown);
                }
                _ => prop_assert!(false, "{} {}: {:?} {:?}", name, shown, code, file),
            }
        }
    }

    #[test]
    fn a_request_is_what_the_file_says(
        command in prop::sample::select(vec!["led", "restart", "l\"ed\n", "käse", "a/b"]),
        args in one_of(r#" |   | {} | {"on":true} | { "a" : 1.50, "b":[1e10,"\u00e4"] }"#),
        text in prop::sample::select(vec!["light: on", "  light: on\r\n", "{\"on\": true}", "grün", "\""]),
        id in prop::sample::select(vec![ID, "7", "a\"b"]),
    ) {
        let id = CommandId::new(id).expect("a command ID");
        let free = json!({ FREE_TEXT: text }).to_string();
        for name in NAMES {
            let both = Both::of(name);
            for (command, args) in [(command, args.as_str()), (FREE_TEXT, free.as_str())] {
                let asking = CommandToEncode { device: &both.device, command, args };
                let write = |set: &DialectSet| set.encode(&asking, &both.devices, &id, id.as_str());
                let (code, file) = (write(&both.code).expect("a request"), write(&both.file).expect("a request"));
                prop_assert_eq!((&code.topic, code.id, &code.expects), (&file.topic, file.id, &file.expects));
                if name == "text" && command == FREE_TEXT {
                    prop_assert_eq!(&code.payload, text);
                    prop_assert_eq!(&code.payload, &file.payload);
                    continue;
                }
                let described = members(&file.payload).expect("an object");
                let written = members(&code.payload).expect("an object");
                prop_assert_eq!(&written[..described.len()], &described[..]);
                let more: Vec<&str> = written[described.len()..].iter().map(|(name, _)| name.as_str()).collect();
                prop_assert_eq!(more, ["issued_at", "expires_at", "attempt"]);
            }
        }
    }
}

#[test]
fn each_listed_difference_is_one() {
    let kind = |read: &[Read]| match read {
        [] => "nothing",
        [Read::Unreadable { .. }] => "unreadable",
        [Read::Message(DecodedMessage::Answer(_))] => "answer",
        [Read::Message(DecodedMessage::Presence { .. })] => "presence",
        [Read::Message(DecodedMessage::Telemetry { .. })] => "telemetry",
        [Read::Message(DecodedMessage::Request(_))] => "request",
        [Read::Message(DecodedMessage::Log { .. })] => "log",
        other => panic!("{other:?}"),
    };
    let check = |name: &str, channel: &str, payload: &str, code: &str, file: &str| {
        let (by_code, by_file) = Both::of(name).read(channel, payload.as_bytes());
        assert_eq!((kind(&by_code), kind(&by_file)), (code, file), "{name} {channel} {payload}");
    };
    check("wilco", "req", r#"{"id":"7","command":"restart"}"#, "request", "nothing");
    check("wilco", "log", r#"{"id":"7","chunk":1,"text":"x"}"#, "log", "nothing");
    check("wilco", "resp", r#"{"id":"7","status":"ok","result":{"a":"#, "answer", "unreadable");
    check("wilco", "resp", r#"{"id":true,"status":"ok"}"#, "unreadable", "answer");
    check("wilco", "resp", "SUCCESS : done", "answer", "unreadable");
    check("wilco", "status", "perhaps", "unreadable", "nothing");
    check("wilco", "state", "on", "unreadable", "nothing");
    check("wilco", "telemetry", "warm", "unreadable", "nothing");
    check("wilco", "status", r#"{"online":2}"#, "presence", "nothing");
    check("wilco", "telemetry", r#"{"d":{"e":1}}"#, "nothing", "telemetry");
    // Text firmware publishes there what it likes.
    check("text", "status", "perhaps", "nothing", "nothing");
    check("text", "req", "light: on", "nothing", "nothing");

    // A free text that cannot be sent.
    let both = Both::of("text");
    let id = CommandId::new("7").expect("a command ID");
    let asking = CommandToEncode { device: &both.device, command: FREE_TEXT, args: r#"{"text":"a","n":1}"# };
    let write = |set: &DialectSet| set.encode(&asking, &both.devices, &id, id.as_str());
    assert!(write(&both.code).is_err_and(|why| why.contains("beside 'text'")));
    assert!(write(&both.file).is_ok());
}
