//! What a client uses although the CONNACK says that the broker does not offer it (MQTT 5 section 3.2.2.3).

use crate::packets::{Filters, Packet, Publish, property};

/// Properties of CONNACK.
const MAXIMUM_QOS: u8 = 0x24;
const RETAIN_AVAILABLE: u8 = 0x25;
const SUBSCRIPTION_IDENTIFIERS_AVAILABLE: u8 = 0x29;
const SHARED_SUBSCRIPTIONS_AVAILABLE: u8 = 0x2a;
const WILDCARDS_AVAILABLE: u8 = 0x28;
const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;
const MAXIMUM_PACKET_SIZE: u8 = 0x27;
/// Properties of the client's packets.
const TOPIC_ALIAS: u8 = 0x23;
const SUBSCRIPTION_IDENTIFIER: u8 = 0x0b;

/// What a PUBLISH uses against the CONNACK's properties.
pub(super) fn by_publish(connack: &[u8], packet: &Packet, publish: &Publish) -> Vec<&'static str> {
    let aliases = property(connack, TOPIC_ALIAS_MAXIMUM).is_some_and(|most| *most != [0, 0]);
    let most_qos = property(connack, MAXIMUM_QOS).map_or(2, |most| most[0]);
    let longest = property(connack, MAXIMUM_PACKET_SIZE).and_then(|most| most.try_into().ok());
    let longest = longest.map_or(usize::MAX, |most| u32::from_be_bytes(most) as usize);
    named([
        (packet.first & 1 == 1 && is_off(connack, RETAIN_AVAILABLE), "retain"),
        (property(&publish.properties, TOPIC_ALIAS).is_some() && !aliases, "topic alias"),
        (publish.qos > most_qos, "QoS"),
        // The shortest fixed header has two bytes.
        (packet.body.len() + 2 > longest, "packet size"),
    ])
}

/// What a SUBSCRIBE uses against the CONNACK's properties.
pub(super) fn by_subscribe(connack: &[u8], asked: &Filters) -> Vec<&'static str> {
    let any = |is: fn(&str) -> bool| asked.filters.iter().any(|filter| is(filter));
    let identifier = property(&asked.properties, SUBSCRIPTION_IDENTIFIER).is_some();
    named([
        (identifier && is_off(connack, SUBSCRIPTION_IDENTIFIERS_AVAILABLE), "subscription identifier"),
        (any(|filter| filter.starts_with("$share/")) && is_off(connack, SHARED_SUBSCRIPTIONS_AVAILABLE), "shared"),
        (any(|filter| filter.contains(['+', '#'])) && is_off(connack, WILDCARDS_AVAILABLE), "wildcard"),
    ])
}

fn is_off(connack: &[u8], id: u8) -> bool {
    property(connack, id) == Some(&[0])
}

fn named<const N: usize>(used: [(bool, &'static str); N]) -> Vec<&'static str> {
    used.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect()
}
