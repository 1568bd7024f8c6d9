use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::JsonText;

/// The devices of which a configuration is wanted.
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

/// The configuration that is wanted of some devices.
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

/// A wanted configuration, and how its devices stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DesiredView {
    /// What is wanted, with its place.
    pub desired: DesiredConfig,
    /// The tag, or the view's name.
    pub name: String,
    /// The search that finds its devices.
    pub search: String,
    /// How many of its devices have all that is wanted of them, by this configuration and by others.
    pub as_wanted: u32,
    /// How many of them do not.
    pub differs: u32,
    /// How many of them have not reported their configuration.
    pub unknown: u32,
    /// Its values that do not apply to some of its devices, because an earlier configuration wants another one.
    pub overruled: Vec<OverruledValue>,
}

/// A wanted value that does not apply to some devices, because an earlier configuration wants another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct OverruledValue {
    /// The key.
    pub key: String,
    /// The value that applies instead.
    pub value: JsonText,
    /// The tag, or the name of the view, that wants it.
    pub by: String,
    /// How many devices this is about.
    pub devices: u32,
    /// Some of them, by id, 5 at the most.
    pub examples: Vec<String>,
}

/// Whether a device has the configuration that is wanted of it.
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

/// How a device's configuration stands to what is wanted of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceDesired {
    /// Whether it has it.
    pub state: DesiredState,
    /// What differs; all that is wanted where nothing is known.
    pub differences: Vec<ConfigDifference>,
}

/// A wanted value that a device does not report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ConfigDifference {
    /// The key.
    pub key: String,
    /// The value that is wanted.
    pub wanted: JsonText,
    /// The value that the device runs with; nothing where it reports none.
    pub running: Option<JsonText>,
    /// The value that it has after its next restart, where that is another one.
    pub saved: Option<JsonText>,
    /// The tag, or the name of the view, that wants it.
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
    /// Its most frequent values, 5 at the most.
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
