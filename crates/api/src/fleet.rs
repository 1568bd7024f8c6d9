use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{MemberCounts, MemberState, Presence};

/// The key that all devices of a group share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
#[ts(export)]
pub enum GroupKey {
    /// The first tag; `None` for devices without tags.
    Tag {
        /// The tag.
        tag: Option<String>,
    },
    /// The firmware; `None` for devices that have not reported it.
    Firmware {
        /// Its version.
        version: Option<String>,
    },
    /// The last command's state; `pending` for devices without commands.
    State {
        /// The state.
        state: MemberState,
    },
    /// Presence.
    Presence {
        /// Whether they are there.
        presence: Presence,
    },
}

/// A group of devices, which are adjacent in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceGroup {
    /// The key that they share.
    pub key: GroupKey,
    /// The search that finds them, and other devices with the tag that are in another group.
    pub search: String,
    /// The position of the first one in the list.
    pub from: u32,
    /// The number of devices.
    pub count: u32,
    /// The number of listed devices that also have the tag, but are in the group of their first tag.
    pub elsewhere: u32,
}

/// A whole list of devices as columns: values at the same index belong to the same device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceColumns {
    /// Changes whenever the devices of the list or their order change.
    #[ts(type = "number")]
    pub revision: u64,
    /// The IDs, in order; `None` if the caller has the list of this revision.
    pub devices: Option<Vec<String>>,
    /// The groups, in order; empty without grouping.
    pub groups: Vec<DeviceGroup>,
    /// The index of each presence in [`Presence`], from 0.
    pub presence: Vec<u8>,
    /// The index of each last command's state in [`MemberState`], from 0; 0 without commands.
    pub states: Vec<u8>,
    /// The latest value of each device, if a series was requested.
    pub values: Option<Vec<Option<f64>>>,
    /// The number of devices of the connection.
    pub total: u32,
    /// The counts of all devices.
    pub counts: FleetCounts,
}

/// The counts of a connection's devices. They are updated with each change, not computed on request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FleetCounts {
    /// Devices that are online.
    pub online: u32,
    /// Devices that are offline.
    pub offline: u32,
    /// Devices with unknown presence.
    pub unknown: u32,
    /// By the last command's state; `pending` are those without commands.
    pub states: MemberCounts,
    /// By firmware, the most frequent first, at most 20.
    pub firmware: Vec<Counted>,
    /// By tag, the most frequent first, at most 50. A device counts for each of its tags.
    pub tags: Vec<Counted>,
}

/// The number of devices with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Counted {
    /// The value as it is shown.
    pub value: String,
    /// The search that finds them.
    pub search: String,
    /// The number of devices.
    pub count: u32,
}

/// Devices of a connection whose presence or last command changed state, as columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceStates {
    /// The connection ID.
    pub connection: String,
    /// The device IDs, at most 5,000.
    pub devices: Vec<String>,
    /// As in [`DeviceColumns`].
    pub presence: Vec<u8>,
    /// As in [`DeviceColumns`].
    pub states: Vec<u8>,
    /// More changed than are listed: the list must be read again.
    pub more: bool,
}

/// The common values and the differences of several devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceSummary {
    /// The number of known devices among them.
    pub devices: u32,
    /// Devices that are online.
    pub online: u32,
    /// Devices that are offline.
    pub offline: u32,
    /// Devices with unknown presence.
    pub unknown: u32,
    /// Devices that report their LED on.
    pub led_on: u32,
    /// Devices that report it off.
    pub led_off: u32,
    /// By the last command's state; `pending` are those without commands.
    pub states: MemberCounts,
    /// Firmware versions, the most frequent first, at most 10.
    pub firmware: Vec<Counted>,
    /// Tags, the most frequent first, at most 20.
    pub tags: Vec<Counted>,
    /// Tags that users have set here, likewise.
    pub added_tags: Vec<Counted>,
    /// The running configuration by key, at most 50 keys.
    pub configuration: Vec<ConfigSummary>,
}

/// A key of the running configuration over some devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConfigSummary {
    /// The key.
    pub key: String,
    /// The number of devices that report it.
    pub devices: u32,
    /// Its values, the most frequent first, at most 5.
    pub values: Vec<Counted>,
    /// The number of different values.
    pub different: u32,
}

/// A parsed search, and completions at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchReading {
    /// Its tokens, in order.
    pub parts: Vec<SearchPart>,
    /// The reason why it is invalid, and where.
    pub error: Option<SearchError>,
    /// Completions at the given position, the most likely first, at most 12.
    pub completions: Vec<SearchCompletion>,
}

/// A token of a search. Positions count UTF-16 units, as the page does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchPart {
    /// The kind of the token.
    pub kind: SearchPartKind,
    /// The start position.
    pub from: u32,
    /// The end position.
    pub to: u32,
}

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SearchPartKind {
    /// Text to find in the device ID or name.
    Word,
    /// A field with its value: `tag:kitchen`.
    Field,
    /// `or`, a parenthesis.
    Operator,
}

/// The reason why a search is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchError {
    /// The start of the invalid part, UTF-16 units.
    pub from: u32,
    /// Its end.
    pub to: u32,
    /// The problem, as a sentence.
    pub message: String,
    /// The possible completion.
    pub hint: String,
}

/// A completion of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchCompletion {
    /// The start of the replaced text, UTF-16 units.
    pub from: u32,
    /// The end of the replaced text.
    pub to: u32,
    /// The text to insert.
    pub text: String,
    /// The meaning, or the number of devices that it finds.
    pub note: String,
    /// More text must follow: it is a field without a value.
    pub open: bool,
}
