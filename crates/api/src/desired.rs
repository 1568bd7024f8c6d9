use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::JsonText;

/// The devices of a desired configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "by", rename_all = "snake_case")]
#[ts(export)]
pub enum DesiredFor {
    /// Devices with this tag, reported or set here, ignoring case.
    Tag {
        /// The tag.
        tag: String,
    },
    /// Devices that match a saved view's search.
    View {
        /// The view's id.
        view: String,
    },
}

/// The desired configuration of some devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DesiredConfig {
    /// The connection ID.
    pub connection: String,
    /// The devices.
    pub target: DesiredFor,
    /// The wanted values by key: a JSON object with 1 … 100 members.
    pub values: JsonText,
    /// Its position among the configurations of the connection, from 0. The first one that sets a key applies. When
    /// saving: the new position; `None` keeps the position, or appends a new configuration.
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
    /// The number of its devices that match all their wanted values, from this configuration and others.
    pub as_wanted: u32,
    /// The number of devices that differ.
    pub differs: u32,
    /// The number of devices that have not reported their configuration.
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
    /// The tag, or the name of the view, that sets the applied value.
    pub by: String,
    /// The number of affected devices.
    pub devices: u32,
    /// Some of them by ID, at most 5.
    pub examples: Vec<String>,
}

/// Whether a device matches its desired configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DesiredState {
    /// It reports every wanted value as running and, if it reports saved values, as saved.
    AsWanted,
    /// It reports another value, or does not report a wanted key.
    Differs,
    /// It has not reported its configuration.
    Unknown,
}

/// The comparison of a device with its desired configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceDesired {
    /// Whether it matches.
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
    /// The device's running value; `None` if it reports none.
    pub running: Option<JsonText>,
    /// The value after its next restart, if it differs.
    pub saved: Option<JsonText>,
    /// The tag, or the name of the view, that sets this value.
    pub by: String,
}

/// A key of the configuration that devices report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReportedKey {
    /// The key.
    pub key: String,
    /// The number of devices that report it.
    pub devices: u32,
    /// Its most frequent values, at most 5.
    pub values: Vec<ReportedValue>,
}

/// A value of a configuration key, and the number of devices that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReportedValue {
    /// The value.
    pub value: JsonText,
    /// The number of devices that have it.
    pub devices: u32,
}
