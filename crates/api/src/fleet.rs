use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{MemberCounts, MemberState, Presence};

/// What all devices of a group have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
#[ts(export)]
pub enum GroupKey {
    /// The first tag; devices without one where there is none.
    Tag {
        /// The tag.
        tag: Option<String>,
    },
    /// The firmware; devices that have not said where there is none.
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
    /// What they have in common.
    pub key: GroupKey,
    /// The search that finds them, and others with the tag that are in another group.
    pub search: String,
    /// The place of the first one in the list.
    pub from: u32,
    /// How many there are.
    pub count: u32,
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
    /// The last value that each device has measured, where a series was asked for.
    pub values: Option<Vec<Option<f64>>>,
    /// How many devices there are on the connection.
    pub total: u32,
    /// All of them, counted.
    pub counts: FleetCounts,
}

/// The devices of a connection, counted. They are counted as things change, not when somebody asks.
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
    /// By firmware, the most frequent first, 20 at the most.
    pub firmware: Vec<Counted>,
    /// By tag, the most frequent first, 50 at the most. A device counts for each of its tags.
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
    /// Their ids, 5,000 at the most.
    pub devices: Vec<String>,
    /// As in [`DeviceColumns`].
    pub presence: Vec<u8>,
    /// As in [`DeviceColumns`].
    pub states: Vec<u8>,
    /// More changed than are listed: what is shown must be asked for again.
    pub more: bool,
}

/// What some devices have in common and where they differ.
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
    /// Firmware versions, the most frequent first, 10 at the most.
    pub firmware: Vec<Counted>,
    /// Tags, the most frequent first, 20 at the most.
    pub tags: Vec<Counted>,
    /// The tags that people have set here, likewise.
    pub added_tags: Vec<Counted>,
    /// The running configuration by key, 50 keys at the most.
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
    /// Its values, the most frequent first, 5 at the most.
    pub values: Vec<Counted>,
    /// How many different values there are.
    pub different: u32,
}

/// What a search says, and what could stand where somebody types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchReading {
    /// Its parts, in order.
    pub parts: Vec<SearchPart>,
    /// Why it cannot be understood, and where.
    pub error: Option<SearchError>,
    /// What could stand at the asked-for place, the likeliest first, 12 at the most.
    pub completions: Vec<SearchCompletion>,
}

/// A part of a search. Places count UTF-16 units, as the page does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchPart {
    /// What it is.
    pub kind: SearchPartKind,
    /// Where it begins.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
}

/// What a part of a search is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SearchPartKind {
    /// A text that stands in the device's id.
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
    /// What is wrong, as a sentence.
    pub message: String,
    /// What is possible there.
    pub hint: String,
}

/// Something that could stand in a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SearchCompletion {
    /// Where it would begin, UTF-16 units.
    pub from: u32,
    /// Where what it replaces ends.
    pub to: u32,
    /// What would stand there.
    pub text: String,
    /// What it means, or how many devices it finds.
    pub note: String,
    /// More has to be typed after it: it is a field without a value.
    pub open: bool,
}
