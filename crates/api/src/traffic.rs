use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::WireView;

/// The messages to show. Only messages of the connection's own session are available.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrafficQuery {
    /// The connection's id.
    pub connection: String,
    /// Only messages from and to this device; of all where there is none.
    pub device: Option<String>,
    /// Only on topics that match this filter, with `+` and `#` as MQTT has them (MQTT 5 section 4.7); all where empty.
    pub filter: String,
}

/// Messages in the order in which they were sent and received. At most ten batches a second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrafficBatch {
    /// The messages.
    pub messages: Vec<TrafficMessage>,
    /// How many more there were since the last batch, and were left out.
    pub left_out: u32,
}

/// A message as it was sent or received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TrafficMessage {
    /// Counts up by one, also over those that are left out.
    #[ts(type = "number")]
    pub number: u64,
    /// When it was handed to MQTT, or came from it, Unix milliseconds.
    #[ts(type = "number")]
    pub at: i64,
    /// From here; otherwise to here.
    pub outgoing: bool,
    /// Topic, quality of service and payload, which may be cut.
    pub wire: WireView,
    /// How many of the payload's bytes are left out.
    pub cut: u32,
    /// The broker had kept it.
    pub retained: bool,
    /// The broker has sent it before.
    pub dup: bool,
    /// The size of the whole packet, bytes.
    pub packet_bytes: u32,
    /// Its MQTT 5 properties by name. Bytes that are not UTF-8 are shown as `\xNN`.
    pub properties: Vec<(String, String)>,
    /// The meaning in the dialect, as a sentence.
    pub meaning: String,
    /// It is on a topic of the dialect's and makes no sense.
    pub unreadable: bool,
}
