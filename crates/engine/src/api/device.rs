use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::{CommandView, EventView};

/// Whether a device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Presence {
    /// It says so, and its last will has not been heard.
    Online,
    /// Its last will, or its own good-bye, says that it is not.
    Offline,
    /// It has said neither.
    Unknown,
}

/// A device as a row of the grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceRow {
    /// Its connection's id.
    pub connection: String,
    /// Its id.
    pub device: String,
    /// Whether it is there.
    pub presence: Presence,
    /// Since when, Unix milliseconds.
    #[ts(type = "number | null")]
    pub presence_since: Option<i64>,
    /// The LED as the device reports it.
    pub led: Option<bool>,
    /// Its last command.
    pub last_command: Option<CommandView>,
    /// When it was last heard, Unix milliseconds.
    #[ts(type = "number | null")]
    pub seen_at: Option<i64>,
    /// Its firmware's version.
    pub firmware: Option<String>,
    /// Which start of the device this is.
    pub boot: Option<String>,
    /// The labels it carries.
    pub tags: Vec<String>,
    /// The last time from a command on the wire to the first answer, milliseconds.
    pub trip_ms: Option<f64>,
}

/// Everything the inspector shows of a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceDetail {
    /// Its row.
    pub row: DeviceRow,
    /// When it last reported its state, Unix milliseconds; nothing where only the broker's copy of it is known.
    #[ts(type = "number | null")]
    pub reported_at: Option<i64>,
    /// The configuration it runs with: a JSON object.
    #[ts(type = "Record<string, unknown> | null")]
    pub running_config: Option<Value>,
    /// The configuration it will have after its next restart: a JSON object.
    #[ts(type = "Record<string, unknown> | null")]
    pub saved_config: Option<Value>,
    /// How often it sends telemetry, milliseconds, as it reports it.
    #[ts(type = "number | null")]
    pub telemetry_interval_ms: Option<u64>,
    /// Its last commands, newest first, 8 at the most.
    pub commands: Vec<CommandView>,
    /// The number of its commands in the history.
    pub command_count: u32,
    /// The latest of what it said that settled no command, newest first, 5 at the most.
    pub strays: Vec<EventView>,
}

/// Which devices to list, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceQuery {
    /// The connection's id.
    pub connection: String,
    /// Words and tokens: `is:online`, `is:offline`, `led:on`, `led:off`, `firmware:2.3`, `tag:kitchen`, `state:failed`;
    /// all others must stand in the id.
    #[serde(default)]
    pub search: String,
    /// The column to sort by.
    #[serde(default)]
    pub sort: SortBy,
    /// Which way.
    #[serde(default)]
    pub order: DeviceOrder,
}

/// The column devices are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum SortBy {
    /// The id, with numbers in it counted as numbers.
    #[default]
    Device,
    /// Online first.
    Presence,
    /// On first.
    Led,
    /// The last command's time.
    LastCommand,
    /// The last command's state.
    State,
    /// When last heard.
    Seen,
    /// Firmware version.
    Firmware,
    /// Answer time.
    Trip,
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

/// A window of the list of devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DevicePage {
    /// The rows from the asked-for one on.
    pub rows: Vec<DeviceRow>,
    /// The place of the first of them.
    pub from: u32,
    /// How many match.
    pub matching: u32,
    /// How many there are.
    pub total: u32,
}
