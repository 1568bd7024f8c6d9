use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{MemberCounts, MemberState, Presence};

/// The key that all devices of a group share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
#[ts(export)]
pub enum GroupKey {
    /// The first tag; devices without one where there is none.
    Tag {
        /// The tag.
        tag: Option<String>,
    },
    /// The firmware; none for devices that have not reported it.
    Firmware {
        /// Its version.
        version: Option<String>,
    },
    /// The last command's state; `pending` for devices that had no command.
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

/// Devices of one kind, one after the other in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceGroup {
    /// The key that they share.
    pub key: GroupKey,
    /// The search that finds them, and others with the tag that are in another group.
    pub search: String,
    /// The place of the first one in the list.
    pub from: u32,
    /// How many there are.
    pub count: u32,
    /// Devices of the list that have the tag too, and are in the group of their first one.
    pub elsewhere: u32,
}

/// A whole list of devices as columns: everything at one place belongs to one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceColumns {
    /// Another number whenever the devices of the list or their order are others.
    #[ts(type = "number")]
    pub revision: u64,
    /// The ids, in order; nothing where the caller knows the list of this revision.
    pub devices: Option<Vec<String>>,
    /// The groups, in order; none where nothing is grouped.
    pub groups: Vec<DeviceGroup>,
    /// The place of each presence in [`Presence`], counted from 0.
    pub presence: Vec<u8>,
    /// The place of each last command's state in [`MemberState`], counted from 0; 0 where there was no command.
    pub states: Vec<u8>,
    /// The latest value of each device, if a series was requested.
    pub values: Option<Vec<Option<f64>>>,
    /// How many devices there are on the connection.
    pub total: u32,
    /// All of them, counted.
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
    /// Devices of which it is not known.
    pub unknown: u32,
    /// By the last command's state; `pending` are those that had no command.
    pub states: MemberCounts,
    /// By firmware, the most frequent first, 20 at most.
    pub firmware: Vec<Counted>,
    /// By tag, the most frequent first, 50 at most. A device counts for each of its tags.
    pub tags: Vec<Counted>,
}

/// How many devices have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Counted {
    /// The value as it is shown.
    pub value: String,
    /// The search that finds them.
    pub search: String,
    /// How many devices.
    pub count: u32,
}

/// Devices of one connection whose presence or last command's state changed, as columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceStates {
    /// The connection's id.
    pub connection: String,
    /// Their ids, 5,000 at most.
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
    /// How many of them are known.
    pub devices: u32,
    /// Devices that are online.
    pub online: u32,
    /// Devices that are offline.
    pub offline: u32,
    /// Devices of which it is not known.
    pub unknown: u32,
    /// Devices that report their LED on.
    pub led_on: u32,
    /// Devices that report it off.
    pub led_off: u32,
    /// By the last command's state; `pending` are those that had no command.
    pub states: MemberCounts,
    /// Firmware versions, the most frequent first, 10 at most.
    pub firmware: Vec<Counted>,
    /// Tags, the most frequent first, 20 at most.
    pub tags: Vec<Counted>,
    /// The tags that people have set here, likewise.
    pub added_tags: Vec<Counted>,
    /// The running configuration by key, 50 keys at most.
    pub configuration: Vec<ConfigSummary>,
}

/// A key of the running configuration over some devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConfigSummary {
    /// The key.
    pub key: String,
    /// How many of the devices report it.
    pub devices: u32,
    /// Its values, the most frequent first, 5 at most.
    pub values: Vec<Counted>,
    /// How many different values there are.
    pub different: u32,
}

/// How a search was read, and completions at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchReading {
    /// Its parts, in order.
    pub parts: Vec<SearchPart>,
    /// Why it cannot be understood, and where.
    pub error: Option<SearchError>,
    /// Completions at the given position, the likeliest first, at most 12.
    pub completions: Vec<SearchCompletion>,
}

/// A part of a search. Places count UTF-16 units, as the page does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchPart {
    /// The kind of the part.
    pub kind: SearchPartKind,
    /// Where it begins.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
}

/// The kind of a part of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SearchPartKind {
    /// A text in the device's ID.
    Word,
    /// A field with its value: `tag:kitchen`.
    Field,
    /// `or`, a parenthesis.
    Operator,
}

/// Why a search cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchError {
    /// Where what is wrong begins, UTF-16 units.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
    /// The problem, as a sentence.
    pub message: String,
    /// The possible completion.
    pub hint: String,
}

/// A possible completion of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchCompletion {
    /// Where it would begin, UTF-16 units.
    pub from: u32,
    /// Where what it replaces ends.
    pub to: u32,
    /// The text to insert.
    pub text: String,
    /// The meaning, or the number of devices that it finds.
    pub note: String,
    /// More has to be typed after it: it is a field without a value.
    pub open: bool,
}
