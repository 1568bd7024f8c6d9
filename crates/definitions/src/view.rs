//! Saved views: lists of devices under a name.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A list of devices that a user has saved under a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SavedView {
    /// Its ID; empty for a new view.
    pub id: String,
    /// The connection ID.
    pub connection: String,
    /// The name: at most 100 characters, unique on a connection.
    pub name: String,
    /// The search.
    pub search: String,
    /// The column to sort by.
    pub sort: SortBy,
    /// The direction.
    pub order: DeviceOrder,
    /// The grouping.
    pub group: Option<GroupBy>,
    /// The visible columns, in order; empty for the default columns.
    pub columns: Vec<ViewColumn>,
}

/// A column of the list of devices.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "column", rename_all = "snake_case")]
#[ts(export)]
pub enum ViewColumn {
    /// The name: given here, or announced.
    Name,
    /// Presence.
    Presence,
    /// The LED.
    Led,
    /// The last command.
    LastCommand,
    /// The last command's state.
    State,
    /// How long the last command took.
    Took,
    /// Time of the last message.
    Seen,
    /// Firmware version.
    Firmware,
    /// Tags.
    Tags,
    /// Answer time.
    Trip,
    /// Whether it matches its desired configuration.
    Desired,
    /// A value of the running configuration.
    Config {
        /// Its key.
        key: String,
    },
    /// A measurement with its recent values.
    Telemetry {
        /// The series.
        series: String,
    },
}

/// The column by which devices are sorted. Devices without a value come last in both directions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SortBy {
    /// The ID, with numbers in it sorted numerically.
    #[default]
    Device,
    /// The name that is shown, in upper or lower case, with numbers in it counted as numbers.
    Name,
    /// Online first.
    Presence,
    /// On first.
    Led,
    /// The time of the last command.
    LastCommand,
    /// The state of the last command: failures first, then commands in progress, then finished ones.
    State,
    /// How long the last command took, from the outbox to its end. Unfinished and cancelled ones have no such time.
    Took,
    /// Time of the last message.
    Seen,
    /// The firmware version: a pre-release comes before its release.
    Firmware,
    /// The tags in the order in which they are listed: the first one, then the second.
    Tags,
    /// Answer time.
    Trip,
    /// The comparison with the desired configuration: devices that differ first, then the unknown ones.
    Desired,
    /// The value of this key of the running configuration: numbers first, by their value, then texts and all else.
    Config(String),
    /// The latest value of this series.
    Telemetry(String),
}

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DeviceOrder {
    /// Ascending.
    #[default]
    Ascending,
    /// Descending.
    Descending,
}

/// The grouping of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum GroupBy {
    /// The first tag.
    Tag,
    /// The firmware version.
    Firmware,
    /// The last command's state.
    State,
    /// Presence.
    Presence,
}
