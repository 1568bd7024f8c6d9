use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::JsonText;

/// The devices of a desired configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
#[ts(export)]
pub enum DesiredFor {
    /// Those with this tag, reported or set here, whichever case its letters have.
    Tag {
        /// The tag.
        tag: String,
    },
    /// Those that match a saved view's search.
    View {
        /// The view's id.
        view: String,
    },
}

/// The desired configuration of some devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DesiredConfig {
    /// The connection's id.
    pub connection: String,
    /// The devices.
    pub target: DesiredFor,
    /// The wanted values by key: a JSON object of 1 … 100 members.
    pub values: JsonText,
    /// Its place among those of the connection, from 0. The first that names a key decides its value. When it is saved:
    /// where it is put; without one it stays where it is, and a new one goes to the end.
    #[serde(default)]
    pub place: Option<u32>,
}

/// A desired configuration, and the state of its devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DesiredView {
    /// The desired configuration, with its place in the list.
    pub desired: DesiredConfig,
    /// The tag, or the view's name.
    pub name: String,
    /// The search that finds its devices.
    pub search: String,
    /// The number of its devices that match all their wanted values, from this configuration and from others.
    pub as_wanted: u32,
    /// How many of them do not.
    pub differs: u32,
    /// How many of them have not reported their configuration.
    pub unknown: u32,
    /// Values that do not apply to some devices, because an earlier configuration has another value.
    pub overruled: Vec<OverruledValue>,
}

/// A wanted value that does not apply to some devices, because an earlier configuration has another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OverruledValue {
    /// The key.
    pub key: String,
    /// The value that applies instead.
    pub value: JsonText,
    /// The tag, or the name of the view, with the value that applies.
    pub by: String,
    /// How many devices this is about.
    pub devices: u32,
    /// Some of them, by id, 5 at most.
    pub examples: Vec<String>,
}

/// Whether a device matches its desired configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DesiredState {
    /// It reports every wanted value, as running and, if it reports one, as saved.
    AsWanted,
    /// It reports another value, or none of a wanted key.
    Differs,
    /// It has not reported its configuration.
    Unknown,
}

/// The comparison of a device with its desired configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceDesired {
    /// Whether it has it.
    pub state: DesiredState,
    /// The differences; all wanted values if the device has not reported any.
    pub differences: Vec<ConfigDifference>,
}

/// A difference from a wanted value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConfigDifference {
    /// The key.
    pub key: String,
    /// The wanted value.
    pub wanted: JsonText,
    /// The value that the device runs with; nothing where it reports none.
    pub running: Option<JsonText>,
    /// The value that it has after its next restart, where that is another one.
    pub saved: Option<JsonText>,
    /// The tag, or the name of the view, with this value.
    pub by: String,
}

/// A key of the configuration that devices report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReportedKey {
    /// The key.
    pub key: String,
    /// How many devices report it.
    pub devices: u32,
    /// Its most frequent values, 5 at most.
    pub values: Vec<ReportedValue>,
}

/// A value of a key of the configuration, and how many devices have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReportedValue {
    /// The value.
    pub value: JsonText,
    /// How many devices have it.
    pub devices: u32,
}
