//! The meaning of a message for a dialect, as a sentence.

use wilco_dialect::{DecodedMessage, Dialect, Inbound};
use wilco_ledger::{Answer, Claim};

/// The sentence, and whether the message is one that ought to make sense and does not.
pub(super) fn of(dialect: &Dialect, inbound: &Inbound<'_>) -> (String, bool) {
    match dialect.decode(inbound) {
        Ok(Some(heard)) => (sentence(&heard), false),
        Ok(None) => ("Not a topic that Wilco reads.".to_owned(), false),
        Err(unreadable) => (format!("Unreadable: {unreadable}"), true),
    }
}

fn sentence(heard: &DecodedMessage) -> String {
    match heard {
        DecodedMessage::Answer(answer) => self::answer(answer),
        DecodedMessage::Presence { online, firmware, .. } => {
            let firmware = firmware.as_ref().map(|version| format!(", firmware {version}")).unwrap_or_default();
            format!("Presence: {}{firmware}.", if *online { "online" } else { "offline" })
        }
        DecodedMessage::Lifecycle { event, .. } => {
            format!("Reported by the broker: {}.", if event.online { "connected" } else { "disconnected" })
        }
        DecodedMessage::State { .. } => "State report.".to_owned(),
        DecodedMessage::Telemetry { series, .. } => {
            let names: Vec<_> = series.iter().map(|(name, _)| name.as_str()).take(8).collect();
            format!("Telemetry: {}.", if names.is_empty() { "no numbers".to_owned() } else { names.join(", ") })
        }
        DecodedMessage::Request(asked) => format!("Request: {}, ID {}.", asked.name, asked.id),
        DecodedMessage::Broadcast(None) => "Request for several devices.".to_owned(),
        DecodedMessage::Broadcast(Some(asked)) => {
            format!("Request for several devices: {}, ID {}.", asked.name(), asked.id)
        }
        DecodedMessage::Probe { .. } => "Connection test.".to_owned(),
        DecodedMessage::Log { .. } => "Log chunk.".to_owned(),
    }
}

fn answer(answer: &Answer) -> String {
    let state = answer.outcome.state().as_str();
    let progress = answer.progress.map(|percent| format!(" {percent} %")).unwrap_or_default();
    let whose = match &answer.claim {
        Claim::Id(id) => format!("ID {id}"),
        Claim::Within(_) => "text that may contain an ID".to_owned(),
        Claim::Nothing | Claim::State => "no ID".to_owned(),
    };
    let old = if answer.retained { ", retained: it does not count" } else { "" };
    format!("Answer: {state}{progress}, {whose}{old}.")
}

#[cfg(test)]
mod tests {
    use wilco_dialect::{Dialect, Inbound, Topics};

    #[test]
    fn messages_on_the_wire_are_described_in_words() {
        let check = |topic: &str, payload: &[u8], expected: &str, unreadable: bool| {
            let dialect = Dialect::Wilco(Topics::new("plant").expect("a prefix"));
            let inbound = Inbound { topic, payload, qos: 1, retained: false, correlation: None };
            let (said, wrong) = super::of(&dialect, &inbound);
            assert!(said.starts_with(expected), "{said}");
            assert_eq!(wrong, unreadable, "{said}");
        };
        check("plant/pump-7/resp", br#"{"id":"c1","status":"succeeded"}"#, "Answer: succeeded, ID c1.", false);
        check(
            "plant/pump-7/resp",
            br#"{"id":"c1","status":"running","progress":40}"#,
            "Answer: running 40 %, ID c1.",
            false,
        );
        check("plant/pump-7/status", br#"{"online":true,"firmware":"2.3"}"#, "Presence: online, firmware 2.3.", false);
        check("plant/pump-7/telemetry", br#"{"heap":1,"temperature":2}"#, "Telemetry: heap, temperature.", false);
        check("plant/pump-7/resp", b"{\"id\":7", "Unreadable: ", true);
        check("elsewhere/pump-7", b"hello", "Not a topic that Wilco reads.", false);
    }
}
