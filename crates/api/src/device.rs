use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandView, DeviceOrder, DisagreementView, DiscardedView, EventView, GroupBy, JsonText, SortBy};

/// Whether a device is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Presence {
    /// Its status is online, and its last will has not been received.
    Online,
    /// Its last will, or its own last status, is offline.
    Offline,
    /// No status was received.
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
    /// Time of its last message, Unix milliseconds.
    #[ts(type = "number | null")]
    pub seen_at: Option<i64>,
    /// Its firmware's version.
    pub firmware: Option<String>,
    /// Which start of the device this is.
    pub boot: Option<String>,
    /// The name that a person has given it, or else the one that its firmware announces where that is not its id.
    pub name: Option<String>,
    /// The tags that it reports.
    pub tags: Vec<String>,
    /// The tags that a person has set here, in their order.
    pub added_tags: Vec<String>,
    /// The latest time from sending a command to the first answer, milliseconds.
    pub trip_ms: Option<f64>,
    /// The model.
    #[serde(default)]
    pub model: Option<String>,
    /// The title of its dialect; none for Wilco's own.
    #[serde(default)]
    pub dialect: Option<String>,
    /// It has an LED, a relay or a light, so `led` works.
    #[serde(default)]
    pub can_switch: bool,
    /// Messages that it sent in the last second, where those are so many that only the newest of its reports was read, or
    /// that repetitions were not kept.
    #[serde(default)]
    pub over_rate: Option<u32>,
    /// The difference between its answer and its report.
    #[serde(default)]
    pub disagrees: Option<DisagreementView>,
}

/// The description of a device in another dialect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DescribedDevice {
    /// The dialect's display name.
    pub dialect: String,
    /// The device's name in topics, which may have several levels.
    pub address: String,
    /// The manufacturer.
    pub vendor: Option<String>,
    /// The id of the device through which it is reached.
    pub hub: Option<String>,
    /// It has a relay or a light, so `led` works.
    pub can_switch: bool,
    /// It can be restarted, so `restart` works.
    pub can_restart: bool,
    /// Its commands.
    pub commands: Vec<DeviceCommandView>,
    /// Its reported values.
    pub values: Vec<DeviceValue>,
    /// The password with which its requests are signed; nothing for firmware that has no such thing.
    #[serde(default)]
    pub password: Option<DevicePassword>,
}

/// The password with which the requests to a device are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DevicePassword {
    /// No password is set. Most devices need none.
    NotSet,
    /// No password is set, and the device has refused a request without one.
    Wanted,
    /// One of its own.
    OfDevice,
    /// That of all devices of the connection that have none of their own.
    OfConnection,
}

/// A command that a device has announced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceCommandView {
    /// Its name.
    pub name: String,
    /// Its display name.
    pub title: String,
    /// The JSON Schema of its arguments: of an object.
    pub schema: JsonText,
    /// The value that the device reports now.
    pub value: Option<String>,
    /// The device reports its effect. Otherwise the command ends as unconfirmed.
    pub reports_back: bool,
    /// Why it is not sent, as a sentence.
    pub refused: Option<String>,
    /// It changes how the device is set up, and the device keeps the value.
    #[serde(default)]
    pub is_setting: bool,
}

/// A value that a device reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceValue {
    /// Its display name.
    pub title: String,
    /// The value as text.
    pub value: String,
    /// Its unit.
    pub unit: Option<String>,
}

/// Everything the inspector shows of a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceDetail {
    /// Its row.
    pub row: DeviceRow,
    /// The note that a person has written of it.
    pub note: Option<String>,
    /// When it last reported its state, Unix milliseconds; nothing where only the broker's copy of it is known.
    #[ts(type = "number | null")]
    pub reported_at: Option<i64>,
    /// When it last restarted, Unix milliseconds, as far as that is known.
    #[ts(type = "number | null")]
    pub restarted_at: Option<i64>,
    /// The configuration it runs with: a JSON object.
    pub running_config: Option<JsonText>,
    /// The configuration it will have after its next restart: a JSON object.
    pub saved_config: Option<JsonText>,
    /// How often it sends telemetry, milliseconds, as it reports it.
    #[ts(type = "number | null")]
    pub telemetry_interval_ms: Option<u64>,
    /// Its last commands, newest first, 8 at most.
    pub commands: Vec<CommandView>,
    /// The number of its commands in the history.
    pub command_count: u32,
    /// The latest of what it said that settled no command, newest first, 5 at most.
    pub unmatched: Vec<EventView>,
    /// The size of its evidence in the quota, bytes.
    #[ts(type = "number")]
    pub evidence_bytes: u64,
    /// Messages of it that were not kept.
    pub discarded: Option<DiscardedView>,
    /// The description in its dialect; nothing for Wilco's own.
    #[serde(default)]
    pub described: Option<DescribedDevice>,
}

/// Which devices to list, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceQuery {
    /// The connection's id.
    pub connection: String,
    /// A search: parts of the ID or the name, and fields such as `is:offline`, `tag:kitchen`, `firmware:<2.1`,
    /// `state:failed`, `seen:<10m`, `config.report_interval_s:>30`, `telemetry.temperature:>8`, `desired:differs`,
    /// `is:disagrees`; `-` before a field, `or`, parentheses and quotes.
    #[serde(default)]
    pub search: String,
    /// The column to sort by.
    #[serde(default)]
    pub sort: SortBy,
    /// Which way.
    #[serde(default)]
    pub order: DeviceOrder,
    /// The grouping, which is applied before the order.
    #[serde(default)]
    pub group: Option<GroupBy>,
}

/// A window of the list of devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DevicePage {
    /// The requested rows.
    pub rows: Vec<DeviceRow>,
    /// The place of the first of them.
    pub from: u32,
    /// How many match.
    pub matching: u32,
    /// How many there are.
    pub total: u32,
}
