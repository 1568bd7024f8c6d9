//! A probe: a message to this client itself that tests whether published messages are delivered, without reaching a
//! device.
//!
//! Every console ignores probes. They are recognised by their payload, because a preflight uses the topics of a device
//! that has the console's own name.

use serde_json::Value;
use wilco_ledger::DeviceId;

use crate::{Channel, DecodedMessage, Inbound, Outbound, Topics, json::Members, wilco};

/// The one member of a probe's payload.
const MEMBER: &str = "wilco_probe";
/// No probe is longer, in bytes.
const LONGEST: usize = 1_024;
/// How long a broker is to keep one, in seconds.
const EXPIRY: u32 = 10;

/// A probe message and its filter, for testing a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// On the topic of a request: whether publishing commands is allowed.
    pub request: Outbound,
    /// On an answer topic: it is received if answers are.
    pub answer: Outbound,
    /// The filter of the reply. [`crate::Dialect::filters`] covers it unless the devices are named.
    pub filter: String,
}

/// The probe of a client. It comes back as [`DecodedMessage::Probe`] with the same nonce.
pub(crate) fn of(topics: &Topics, client_id: &str, nonce: &str) -> Probe {
    let own = DeviceId::closest_to(client_id);
    let answers = topics.of(&own, Channel::Resp);
    let outbound = |topic: String| Outbound {
        topic,
        payload: format!("{{\"{MEMBER}\":{}}}", Value::from(nonce)).into_bytes(),
        correlation: nonce.as_bytes().to_vec(),
        response_topic: Some(answers.clone()),
        expiry: EXPIRY,
        content_type: wilco::JSON,
        kept: None,
    };
    Probe {
        request: outbound(topics.of(&own, Channel::Req)),
        answer: outbound(answers.clone()),
        filter: answers.clone(),
    }
}

/// The probe that a message is; `None` for any other message.
pub(crate) fn decode(topics: &Topics, inbound: &Inbound<'_>) -> Option<DecodedMessage> {
    let (_, channel) = topics.parse(inbound.topic)?;
    if !matches!(channel, Channel::Req | Channel::Resp) || inbound.payload.len() > LONGEST {
        return None;
    }
    let members = Members::parse(std::str::from_utf8(inbound.payload).ok()?).ok()?;
    // Exactly that and nothing beside it, so that nothing a device says is taken for one.
    match members.0.as_slice() {
        [(name, nonce)] if name == MEMBER => {
            serde_json::from_str(nonce.get()).ok().map(|nonce| DecodedMessage::Probe { nonce })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{DecodedMessage, Dialect, Inbound, Outbound, Subscriptions, Topics};

    fn dialects() -> [Dialect; 2] {
        ["wilco", "text"].map(|name| {
            let topics = Topics::new("cmd").expect("a prefix");
            Dialect::named(name, topics).expect("a known dialect")
        })
    }

    fn hear(dialect: &Dialect, topic: &str, payload: &[u8]) -> Option<DecodedMessage> {
        let inbound = Inbound { topic, payload, qos: 1, retained: false, correlation: Some(b"n-1") };
        dialect.decode(&inbound).unwrap_or_default()
    }

    #[test]
    fn a_probe_is_known_to_every_console_by_its_nonce() {
        for dialect in dialects() {
            let probe = dialect.probe("wilco-5f3a", "n-\"1\"");
            assert_eq!(probe.request.topic, "cmd/wilco-5f3a/req");
            assert_eq!(probe.answer.topic, "cmd/wilco-5f3a/resp");
            assert_eq!(probe.filter, "cmd/wilco-5f3a/resp");
            for Outbound { topic, payload, .. } in [&probe.request, &probe.answer] {
                assert_eq!(hear(&dialect, topic, payload), Some(DecodedMessage::Probe { nonce: "n-\"1\"".to_owned() }));
            }
            assert!(dialect.filters(&Subscriptions::default()).iter().any(|filter| filter.filter == "cmd/+/resp"));
        }
    }

    #[test]
    fn nothing_that_a_device_says_is_taken_for_a_probe() {
        let check = |topic: &str, payload: &str| {
            for dialect in dialects() {
                let heard = hear(&dialect, topic, payload.as_bytes());
                assert!(!matches!(heard, Some(DecodedMessage::Probe { .. })), "{topic} {payload}");
            }
        };
        check("cmd/dock-1/resp", r#"{"id":"a","status":"ok","wilco_probe":"n"}"#);
        check("cmd/dock-1/resp", r#"{"wilco_probe":7}"#);
        check("cmd/dock-1/resp", "wilco_probe");
        check("cmd/dock-1/resp", &format!(r#"{{"wilco_probe":"{}"}}"#, "x".repeat(2_000)));
        check("cmd/dock-1/telemetry", r#"{"wilco_probe":"n"}"#);
        check("other/dock-1/resp", r#"{"wilco_probe":"n"}"#);
    }

    #[test]
    fn a_client_id_that_is_no_topic_level_becomes_one() {
        let [dialect, _] = dialects();
        let check = |client: &str, expected: &str| {
            assert_eq!(dialect.probe(client, "n").filter, format!("cmd/{expected}/resp"), "{client:?}");
        };
        check("lena/laptop+#1", "lena-laptop--1");
        check("$thing", "-thing");
        check("", "-");
        check("all", "all-");
        check("a\0b", "a-b");
    }
}
