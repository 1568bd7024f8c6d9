//! Saved views: lists of devices under a name.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A list of devices that a person has saved under a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct SavedView {
    /// Its id; empty for a new one.
    pub id: String,
    /// The connection's id.
    pub connection: String,
    /// The name: at most 100 characters, unique on a connection.
    pub name: String,
    /// The search, as for any list of devices.
    pub search: String,
    /// The column to sort by.
    pub sort: SortBy,
    /// Which way.
    pub order: DeviceOrder,
    /// The grouping.
    pub group: Option<GroupBy>,
    /// The columns that are shown, in order; the usual ones where there are none.
    pub columns: Vec<ViewColumn>,
}

/// A column of the list of devices.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "column", rename_all = "snake_case")]
#[ts(export)]
pub enum ViewColumn {
    /// The name: given here, or announced.
    Name,
    /// Whether it is there.
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
    /// A measurement, with how it went in the last minutes.
    Telemetry {
        /// The series.
        series: String,
    },
}

/// The column devices are sorted by. Devices without a value of it come last, in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SortBy {
    /// The id, with numbers in it counted as numbers.
    #[default]
    Device,
    /// The name that is shown, in upper or lower case, with numbers in it counted as numbers.
    Name,
    /// Online first.
    Presence,
    /// On first.
    Led,
    /// The last command's time.
    LastCommand,
    /// The last command's state: what went wrong first, then what is in progress, then what is done.
    State,
    /// How long the last command took, from the outbox to its end. Unfinished and cancelled ones have no such time.
    Took,
    /// Time of the last message.
    Seen,
    /// Firmware version: a pre-release before its release.
    Firmware,
    /// The tags in the order in which they are listed: the first one, then the second.
    Tags,
    /// Answer time.
    Trip,
    /// The comparison with the desired configuration: devices that differ first, then the unknown ones.
    Desired,
    /// The value of this key of the running configuration: numbers first, by their value, then texts and all else.
    Config(String),
    /// The last value of this series.
    Telemetry(String),
}

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DeviceOrder {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// The grouping of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum GroupBy {
    /// The first of its tags.
    Tag,
    /// The firmware's version.
    Firmware,
    /// The last command's state.
    State,
    /// Whether it is there.
    Presence,
}
