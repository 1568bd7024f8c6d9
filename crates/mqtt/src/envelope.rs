//! The properties and flags of a PUBLISH packet besides its message, for live traffic.

use wilco_dialect::Outbound;

use wilco_connection::MqttVersion;

/// A PUBLISH packet (MQTT 5 section 3.3), except topic and payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// It is a redelivery (DUP).
    pub dup: bool,
    /// The size of the whole packet.
    pub bytes: usize,
    /// Its properties (MQTT 5).
    pub properties: Properties,
}

/// The properties of a PUBLISH (MQTT 5 section 3.3.2.3), except the Correlation Data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// 1 for UTF-8 (section 3.3.2.3.2).
    pub payload_format: Option<u8>,
    /// Message expiry interval, seconds.
    pub expiry: Option<u32>,
    /// The response topic.
    pub response_topic: Option<String>,
    /// The content type of the payload.
    pub content_type: Option<String>,
    /// User properties, in order.
    pub user: Vec<(String, String)>,
}

impl Envelope {
    /// The packet of a message that Wilco sends.
    pub fn of(outbound: &Outbound, version: MqttVersion) -> Envelope {
        // Topic, packet id, payload.
        let message = 2 + outbound.topic.len() + 2 + outbound.payload.len();
        let (remaining, properties) = match version {
            MqttVersion::V311 => (message, Properties::default()),
            MqttVersion::V5 => {
                let response_topic = outbound.response_topic.as_ref().map_or(0, String::len);
                let texts = [response_topic, outbound.correlation.len(), outbound.content_type.len()];
                let length = 2 + 5 + texts.iter().filter(|length| **length > 0).map(|length| 3 + length).sum::<usize>();
                let properties = Properties {
                    payload_format: Some(1),
                    expiry: Some(outbound.expiry),
                    response_topic: outbound.response_topic.clone(),
                    content_type: Some(outbound.content_type.to_owned()).filter(|content| !content.is_empty()),
                    user: Vec::new(),
                };
                (message + variable(length) + length, properties)
            }
        };
        Envelope { dup: false, bytes: 1 + variable(remaining) + remaining, properties }
    }
}

impl Properties {
    /// The properties that are present, by the specification's names.
    pub fn named(&self, correlation: Option<&[u8]>) -> Vec<(String, String)> {
        let of = |name: &str, value: Option<String>| value.map(|value| (name.to_owned(), value));
        let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.escape_ascii().to_string(),
        };
        let own = [
            of("Payload Format Indicator", self.payload_format.map(|format| format.to_string())),
            of("Message Expiry Interval", self.expiry.map(|seconds| format!("{seconds} s"))),
            of("Response Topic", self.response_topic.clone()),
            of("Correlation Data", correlation.map(text)),
            of("Content Type", self.content_type.clone()),
        ];
        own.into_iter().flatten().chain(self.user.iter().cloned()).collect()
    }
}

/// The bytes that a number takes as a variable byte integer (MQTT 5 section 1.5.5).
fn variable(number: usize) -> usize {
    match number {
        0..128 => 1,
        128..16_384 => 2,
        16_384..2_097_152 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use wilco_dialect::Outbound;

    use super::Envelope;
    use wilco_connection::MqttVersion;

    use crate::v5;

    #[test]
    fn a_packet_is_as_large_as_the_library_makes_it() {
        let check = |payload: usize| {
            let outbound = Outbound {
                topic: "plant/pump-7/req".into(),
                payload: vec![b'x'; payload],
                correlation: b"0198-c1".to_vec(),
                response_topic: Some("plant/pump-7/resp".into()),
                expiry: 60,
                content_type: "application/json",
                kept: None,
            };
            assert_eq!(Envelope::of(&outbound, MqttVersion::V5).bytes, v5::size_of(&outbound), "{payload}");
            let mut shorter = rumqttc_v4::mqttbytes::v4::Publish::new(
                outbound.topic.clone(),
                rumqttc_v4::QoS::AtLeastOnce,
                outbound.payload.clone(),
            );
            shorter.pkid = 1;
            assert_eq!(Envelope::of(&outbound, MqttVersion::V311).bytes, shorter.size(), "{payload}");
        };
        check(0);
        check(100);
        check(127);
        check(16_000);
        check(20_000);
    }
}
