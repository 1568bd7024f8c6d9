use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::WireView;

/// Messages that were not kept, because the quota of their device or the overall quota was used up. They were
/// acknowledged to the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DiscardedView {
    /// The number of messages.
    #[ts(type = "number")]
    pub messages: u64,
    /// The total size of their payloads, bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// When the first of them arrived, Unix milliseconds.
    #[ts(type = "number")]
    pub first_at: i64,
    /// When the last one arrived, Unix milliseconds.
    #[ts(type = "number")]
    pub last_at: i64,
    /// The last message.
    pub newest: WireView,
}

/// The space used by evidence. The quotas are in the [`super::Settings`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EvidenceUse {
    /// The size that counts for the quota, bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The overall quota, bytes.
    #[ts(type = "number")]
    pub quota: u64,
    /// The number of messages that were not kept.
    #[ts(type = "number")]
    pub discarded: u64,
    /// The devices with the most of them, at most 5, in descending order.
    pub devices: Vec<DiscardedOfDevice>,
}

/// The number of messages from a device that were not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DiscardedOfDevice {
    /// The connection ID.
    pub connection: String,
    /// The device ID.
    pub device: String,
    /// The number of messages.
    #[ts(type = "number")]
    pub messages: u64,
}

/// The kept parts of a payload whose middle was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CutView {
    /// Bytes kept from the beginning.
    pub first: u32,
    /// Bytes kept from the end.
    pub last: u32,
    /// The SHA-256 of the whole payload, in hexadecimal digits.
    pub sha256: String,
}
