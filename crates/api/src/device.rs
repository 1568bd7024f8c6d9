use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandView, DeviceOrder, DisagreementView, DiscardedView, EventView, GroupBy, JsonText, SortBy};

/// Whether a device is online.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Presence {
    /// Its status is online, and its will has not been published.
    Online,
    /// Its will, or its own latest status, is offline.
    Offline,
    /// No status has been received.
    Unknown,
}

/// A device as a row of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceRow {
    /// The connection ID.
    pub connection: String,
    /// The device ID.
    pub device: String,
    /// Its presence.
    pub presence: Presence,
    /// Since when it has this presence, Unix milliseconds.
    #[ts(type = "number | null")]
    pub presence_since: Option<i64>,
    /// The LED as the device reports it.
    pub led: Option<bool>,
    /// Its last command.
    pub last_command: Option<CommandView>,
    /// Time of its last message, Unix milliseconds.
    #[ts(type = "number | null")]
    pub seen_at: Option<i64>,
    /// The firmware version.
    pub firmware: Option<String>,
    /// The boot ID, which differs for each start of the device.
    pub boot: Option<String>,
    /// The name that a user has given it, or else the name that its firmware announces if it differs from the ID.
    pub name: Option<String>,
    /// The tags that it reports.
    pub tags: Vec<String>,
    /// The tags that a user has set here, in order.
    pub added_tags: Vec<String>,
    /// The latest time from sending a command to its first answer, milliseconds.
    pub trip_ms: Option<f64>,
    /// The model.
    #[serde(default)]
    pub model: Option<String>,
    /// The title of its dialect; `None` for Wilco's own.
    #[serde(default)]
    pub dialect: Option<String>,
    /// It has an LED, a relay or a light, so `led` works.
    #[serde(default)]
    pub can_switch: bool,
    /// The number of messages it sent in the last second, if there were so many that only its newest reports were read
    /// or repetitions were not kept.
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
    /// The ID of the device through which it is reached.
    pub hub: Option<String>,
    /// It has a relay or a light, so `led` works.
    pub can_switch: bool,
    /// It can be restarted, so `restart` works.
    pub can_restart: bool,
    /// Its commands.
    pub commands: Vec<DeviceCommandView>,
    /// Its reported values.
    pub values: Vec<DeviceValue>,
    /// The state of the password that signs its requests; `None` for firmware without passwords.
    #[serde(default)]
    pub password: Option<DevicePassword>,
}

/// The state of the password that signs requests to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DevicePassword {
    /// No password is set. Most devices need none.
    NotSet,
    /// No password is set, and the device has refused a request without one.
    Wanted,
    /// A password of this device is set.
    OfDevice,
    /// The connection's password for all other devices is set.
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
    /// The currently reported value.
    pub value: Option<String>,
    /// The device reports the effect of the command. Otherwise the command ends as unconfirmed.
    pub reports_back: bool,
    /// The reason why it cannot be sent, as a sentence.
    pub refused: Option<String>,
    /// A setting: it changes the configuration of the device, which keeps the value.
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

/// Everything that the inspector shows about a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceDetail {
    /// Its row.
    pub row: DeviceRow,
    /// The note that a user has written about it.
    pub note: Option<String>,
    /// When it last reported its state, Unix milliseconds; `None` if only the retained copy is known.
    #[ts(type = "number | null")]
    pub reported_at: Option<i64>,
    /// When it last restarted, Unix milliseconds, if known.
    #[ts(type = "number | null")]
    pub restarted_at: Option<i64>,
    /// Its running configuration: a JSON object.
    pub running_config: Option<JsonText>,
    /// Its configuration after the next restart: a JSON object.
    pub saved_config: Option<JsonText>,
    /// Its reported telemetry interval, milliseconds.
    #[ts(type = "number | null")]
    pub telemetry_interval_ms: Option<u64>,
    /// Its last commands, newest first, at most 8.
    pub commands: Vec<CommandView>,
    /// The number of its commands in the history.
    pub command_count: u32,
    /// Its latest answers that belong to no command, newest first, at most 5.
    pub unmatched: Vec<EventView>,
    /// The size of its evidence for the quota, bytes.
    #[ts(type = "number")]
    pub evidence_bytes: u64,
    /// Its messages that were not kept.
    pub discarded: Option<DiscardedView>,
    /// The description in its dialect; `None` for Wilco's own.
    #[serde(default)]
    pub described: Option<DescribedDevice>,
}

/// The devices to list, and their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DeviceQuery {
    /// The connection ID.
    pub connection: String,
    /// A search: parts of the ID or the name, and fields such as `is:offline`, `tag:kitchen`, `firmware:<2.1`,
    /// `state:failed`, `seen:<10m`, `config.report_interval_s:>30`, `telemetry.temperature:>8`, `desired:differs`,
    /// `is:disagrees`; `-` before a field, `or`, parentheses and quotes.
    #[serde(default)]
    pub search: String,
    /// The column to sort by.
    #[serde(default)]
    pub sort: SortBy,
    /// The direction.
    #[serde(default)]
    pub order: DeviceOrder,
    /// The grouping, which is applied before the order.
    #[serde(default)]
    pub group: Option<GroupBy>,
}

/// A range of the list of devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DevicePage {
    /// The requested rows.
    pub rows: Vec<DeviceRow>,
    /// The position of the first of them.
    pub from: u32,
    /// The number of matching devices.
    pub matching: u32,
    /// The number of all devices.
    pub total: u32,
}
