use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::WireView;

/// Messages that were not kept, because the evidence of their device or all evidence together had reached its quota. They were
/// acknowledged to the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DiscardedView {
    /// How many.
    #[ts(type = "number")]
    pub messages: u64,
    /// The size of their payloads together, bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// When the first of them came, Unix milliseconds.
    #[ts(type = "number")]
    pub first_at: i64,
    /// When the last one came, Unix milliseconds.
    #[ts(type = "number")]
    pub last_at: i64,
    /// The last one.
    pub newest: WireView,
}

/// How much room evidence takes. The quotas are in the [`super::Settings`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EvidenceUse {
    /// The size that counts in the quota, bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The quota of all together, bytes.
    #[ts(type = "number")]
    pub quota: u64,
    /// How many messages were not kept.
    #[ts(type = "number")]
    pub discarded: u64,
    /// The devices with most of them, at most 5, those with most first.
    pub devices: Vec<DiscardedOfDevice>,
}

/// How many messages of a device were not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DiscardedOfDevice {
    /// The connection's id.
    pub connection: String,
    /// The device's id.
    pub device: String,
    /// How many messages.
    #[ts(type = "number")]
    pub messages: u64,
}

/// The kept parts of a payload whose middle was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CutView {
    /// Bytes of the beginning that are kept.
    pub first: u32,
    /// Bytes of the end that are kept.
    pub last: u32,
    /// The SHA-256 of the whole payload, in hexadecimal digits.
    pub sha256: String,
}
