//! Shows how a dialect file decodes received messages: the meaning of each, and which ones are unreadable. It keeps no
//! state between messages.

use wilco_ledger::Outcome;

use crate::{
    DecodedMessage, DialectFile, DialectSet, Inbound, Meaning, Observed, Topics, WireIds,
    devices::Devices,
    file::{IdKind, RequestRule, What},
    pattern::{Captures, Kind, Known},
    set::Context,
    words,
};

/// The most values that are named.
const NAMED: usize = 4;
/// How much of a sentence is shown, bytes.
const SHOWN: usize = 120;

/// The meaning of a message in a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadKind {
    /// A command to a device.
    Request,
    /// A device's answer.
    Answer,
    /// A device's state.
    State,
    /// A device's presence.
    Presence,
    /// Measurements.
    Telemetry,
    /// On a described topic, but unreadable.
    Unreadable,
    /// On a topic that is not described.
    Other,
}

/// How a message is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMessage {
    /// The kind.
    pub kind: ReadKind,
    /// The device.
    pub device: Option<String>,
    /// The content, in a few words; or the reason why it cannot be read.
    pub said: String,
}

/// Decodes each of these messages with one dialect.
#[must_use]
pub fn preview(file: &DialectFile, messages: &[Observed]) -> Vec<ReadMessage> {
    let set = DialectSet::new([file.clone()], &Topics::default());
    let (devices, wire_ids) = (Devices::default(), WireIds::default());
    let context = Context { devices: &devices, wire_ids: &wire_ids };
    messages.iter().map(|message| one(file, &set, &context, message)).collect()
}

fn one(file: &DialectFile, set: &DialectSet, context: &Context<'_>, message: &Observed) -> ReadMessage {
    let inbound = Inbound {
        topic: &message.topic,
        payload: message.payload.as_bytes(),
        qos: 0,
        retained: message.retained,
        correlation: None,
    };
    let decoded = set.decode(&inbound, context);
    let mut read: Vec<ReadMessage> = decoded.into_iter().filter_map(|one| meaning(one.meaning)).collect();
    // A presence is also the news that the device has started.
    read.sort_by_key(|one| one.kind == ReadKind::State);
    if let Some(first) = read.into_iter().next() {
        return first;
    }
    if let Some(read) = file.requests.iter().find_map(|rule| request(file, rule, message)) {
        return read;
    }
    let none = |_: &str| None;
    let known = Known { bound: &none, is_device: &|_| false };
    for rule in file.receive_rules.iter().filter(|rule| !matches!(rule.what, What::Nothing)) {
        let captures = rule.topics.iter().find_map(|topic| topic.read(&message.topic, Kind::Topic, &known));
        if let Some(captures) = captures {
            let said = format!("{} described by the dialect, but not this payload.", described(&rule.what));
            return ReadMessage { kind: ReadKind::Unreadable, device: device(&captures), said };
        }
    }
    ReadMessage { kind: ReadKind::Other, device: None, said: String::new() }
}

fn described(what: &What) -> &'static str {
    match what {
        What::Answer(_) => "Answers on this topic are",
        What::State(_) => "The state on this topic is",
        What::Presence(_) => "Presence on this topic is",
        What::Telemetry { .. } => "Measurements on this topic are",
        What::Started | What::Nothing => "This topic is",
    }
}

fn device(captures: &Captures<'_>) -> Option<String> {
    captures.get("device").map(str::to_owned)
}

/// A message as a request, where its topic is one of a request.
fn request(file: &DialectFile, rule: &RequestRule, message: &Observed) -> Option<ReadMessage> {
    let setting = |name: &str| file.vars.get(name).filter(|value| !value.is_empty()).map(|value| value.as_str().into());
    let known = Known { bound: &setting, is_device: &|_| false };
    let captures = rule.topics.iter().find_map(|topic| topic.read(&message.topic, Kind::Topic, &known))?;
    let device = device(&captures);
    let unreadable = |said: String| ReadMessage { kind: ReadKind::Unreadable, device: device.clone(), said };
    let is_json = matches!(rule.payload, crate::payload::Payload::Json(_));
    if is_json && let Err(error) = serde_json::from_str::<serde_json::Value>(&message.payload) {
        return Some(unreadable(format!("The request is not JSON: {error}.")));
    }
    let read = rule.payload.read(&message.payload, &known);
    let place = |name: &str| captures.get(name).map(str::to_owned).or_else(|| read.get(name).cloned());
    let names_id = rule.payload.places().contains(&"id") || rule.topics.iter().any(|topic| topic.names("id"));
    let id = place("id");
    if rule.id != IdKind::None && names_id && id.is_none() {
        return Some(unreadable("The request has no ID where the dialect expects one.".to_owned()));
    }
    let said = match (place("command"), id) {
        (Some(command), Some(id)) => format!("{command}, ID {id}"),
        (Some(command), None) => command,
        (None, Some(id)) => format!("ID {id}"),
        (None, None) => words::shortened(&message.payload, SHOWN),
    };
    Some(ReadMessage { kind: ReadKind::Request, device, said: words::shortened(&said, SHOWN) })
}

fn meaning(meaning: Meaning) -> Option<ReadMessage> {
    let read = |kind, device: &wilco_ledger::DeviceId, said: String| {
        Some(ReadMessage { kind, device: Some(device.as_str().to_owned()), said: words::shortened(&said, SHOWN) })
    };
    match meaning {
        Meaning::Message(DecodedMessage::Answer(answer)) => {
            let id = match &answer.claim {
                wilco_ledger::Claim::Id(id) => format!(", ID {id}"),
                wilco_ledger::Claim::Nothing => ", no ID".to_owned(),
                _ => String::new(),
            };
            let message = answer.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
            read(ReadKind::Answer, &answer.device, format!("{}{id}{message}", outcome(answer.outcome)))
        }
        Meaning::Message(DecodedMessage::Presence { device, online, .. }) => {
            read(ReadKind::Presence, &device, if online { "online" } else { "offline" }.to_owned())
        }
        Meaning::Message(DecodedMessage::Telemetry { device, series, .. }) => {
            let values: Vec<String> =
                series.iter().take(NAMED).map(|(name, value)| format!("{name} = {value}")).collect();
            read(ReadKind::Telemetry, &device, listed(&values, series.len()))
        }
        Meaning::Report(report) => {
            let values: Vec<String> =
                report.values.iter().take(NAMED).map(|one| format!("{} = {}", one.key, one.value)).collect();
            read(ReadKind::State, &report.device, listed(&values, report.values.len()))
        }
        Meaning::Unreadable(unreadable) | Meaning::UnreadableReport(unreadable) => {
            let device = unreadable.device.as_ref().map(|device| device.as_str().to_owned());
            Some(ReadMessage { kind: ReadKind::Unreadable, device, said: words::shortened(&unreadable.why, SHOWN) })
        }
        Meaning::Message(_) => None,
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    outcome.state().as_str()
}

fn listed(named: &[String], all: usize) -> String {
    let more = if all > named.len() { format!(" and {} more", all - named.len()) } else { String::new() };
    format!("{}{more}", named.join(", "))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use super::{ReadKind, preview};
    use crate::{DialectFile, Observed};

    const PUMP: &str = r#"
        format = 1
        name = "pump"
        title = "Pump"
        [[request]]
        topic = "pumps/{device}/in"
        json = '{"cmd":{command},"seq":{id},{args...}}'
        id = "int31"
        [[receive]]
        topic = "pumps/{device}/out"
        as = "answer"
        id = "/seq"
        outcome = [{ at = "/rc", is = 0, means = "succeeded" }, { at = "/rc", means = "failed", message = "/text" }]
        [[receive]]
        topic = "pumps/{device}/alive"
        as = "presence"
        online = ["1"]
        offline = ["0"]
        [[receive]]
        topic = "pumps/{device}/data"
        as = "telemetry"
        [[receive]]
        topic = "pumps/{device}/level"
        as = "state"
        key = "level"
    "#;

    #[test]
    fn each_message_is_read_or_marked_as_not_readable() {
        let file = DialectFile::parse(PUMP).unwrap();
        let check = |topic: &str, payload: &str, kind: ReadKind, device: Option<&str>, said: &str| {
            let message = Observed { at: 0, topic: topic.into(), payload: payload.into(), retained: false };
            let read = preview(&file, &[message]).remove(0);
            assert_eq!((read.kind, read.device.as_deref(), &*read.said), (kind, device, said), "{topic} {payload}");
        };
        let p1 = Some("p1");
        check("pumps/p1/in", r#"{"cmd":"start","seq":7}"#, ReadKind::Request, p1, "start, ID 7");
        check(
            "pumps/p1/in",
            r#"{"cmd":"start"}"#,
            ReadKind::Unreadable,
            p1,
            "The request has no ID where the dialect expects one.",
        );
        check("pumps/p1/out", r#"{"seq":7,"rc":0}"#, ReadKind::Answer, p1, "succeeded, ID 7");
        check("pumps/p1/out", r#"{"seq":7,"rc":3,"text":"dry"}"#, ReadKind::Answer, p1, "failed, ID 7: dry");
        check("pumps/p1/out", r#"{"rc":0}"#, ReadKind::Answer, p1, "succeeded, no ID");
        check("pumps/p1/alive", "1", ReadKind::Presence, p1, "online");
        check(
            "pumps/p1/alive",
            "?",
            ReadKind::Unreadable,
            p1,
            "Presence on this topic is described by the dialect, but not this payload.",
        );
        check("pumps/p1/data", r#"{"bar":2.5,"on":true}"#, ReadKind::Telemetry, p1, "bar = 2.5");
        check("pumps/p1/level", "40", ReadKind::State, p1, "level = 40");
        check("fans/f1", "40", ReadKind::Other, None, "");
        let message =
            |payload: &str| Observed { at: 0, topic: "pumps/p1/in".into(), payload: payload.into(), retained: false };
        let read = preview(&file, &[message("start")]).remove(0);
        assert!(read.kind == ReadKind::Unreadable && read.said.starts_with("The request is not JSON"), "{}", read.said);
        let read = preview(&file, &[Observed { topic: "pumps/p1/out".into(), ..message("{}") }]).remove(0);
        assert!(read.kind == ReadKind::Unreadable && read.said.contains("no outcome"), "{}", read.said);
    }
}
