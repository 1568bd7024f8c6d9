//! Internals of this crate for the fuzz targets; compiled only for them.

use crate::{RECEIVED_PACKET_LIMIT, ServerReason, transport::proxy_status};

/// Parses bytes as the first and the last ones of a broker, and as its packets with both libraries, until they are
/// invalid.
pub fn broker(bytes: &[u8]) {
    for reason in [ServerReason::connack(bytes), ServerReason::disconnect(bytes)].into_iter().flatten() {
        assert!(reason.in_its_words().is_none_or(|words| !words.is_empty()));
    }
    let mut stream = bytes.into();
    while rumqttc_v5::mqttbytes::v5::Packet::read(&mut stream, Some(RECEIVED_PACKET_LIMIT)).is_ok() {}
    let mut stream = bytes.into();
    while rumqttc_v4::mqttbytes::v4::Packet::read(&mut stream, RECEIVED_PACKET_LIMIT as usize).is_ok() {}
}

/// Parses bytes as the head of an HTTP proxy's response.
pub fn proxy(bytes: &[u8]) {
    assert!(proxy_status(bytes).is_none_or(|status| status < 1_000));
}
