use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::WireView;

/// The messages to show. Only messages of the connection's own session are available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrafficQuery {
    /// The connection ID.
    pub connection: String,
    /// Only messages from and to this device; of all devices if `None`.
    pub device: Option<String>,
    /// Only on topics that match this filter, with the MQTT wildcards `+` and `#` (MQTT 5 section 4.7); on all topics
    /// if empty.
    pub filter: String,
}

/// Messages in the order in which they were sent and received. At most ten batches per second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrafficBatch {
    /// The messages.
    pub messages: Vec<TrafficMessage>,
    /// The number of further messages since the last batch, which were omitted.
    pub left_out: u32,
}

/// A message as it was sent or received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrafficMessage {
    /// Counts up by one, including omitted messages.
    #[ts(type = "number")]
    pub number: u64,
    /// When it was passed to the MQTT client or received from it, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Sent by Wilco; otherwise received.
    pub outgoing: bool,
    /// Topic, quality of service and payload, which may be truncated.
    pub wire: WireView,
    /// The number of omitted bytes of the payload.
    pub cut: u32,
    /// The message was retained.
    pub retained: bool,
    /// The message is a redelivery (DUP).
    pub dup: bool,
    /// The size of the whole packet, bytes.
    pub packet_bytes: u32,
    /// Its MQTT 5 properties by name. Bytes that are not UTF-8 are shown as `\xNN`.
    pub properties: Vec<(String, String)>,
    /// The meaning in the dialect, as a sentence.
    pub meaning: String,
    /// It is on a topic of the dialect but unreadable.
    pub unreadable: bool,
}
