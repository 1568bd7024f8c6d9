use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandView, ConnectionView, DeviceStates, RolloutView};

/// The changes since the last batch. At most ten to twenty batches a second, none when nothing changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Batch {
    /// Counts up by one; the first is 1.
    #[ts(type = "number")]
    pub sequence: u64,
    /// The engine's time, Unix milliseconds. All times are of this clock, from which the computer's may differ for a while
    /// after it was set.
    #[ts(type = "number")]
    pub now: i64,
    /// Every connection, when any of them changed.
    pub connections: Option<Vec<ConnectionView>>,
    /// The commands that changed, each once, in their current state; at most 200.
    pub commands: Vec<CommandView>,
    /// More commands changed than are listed: lists must be read again.
    pub more_commands: bool,
    /// The connections (by ID) with changed devices: lists must be read again.
    pub devices: Vec<String>,
    /// The devices (by id) that changed; 200 at most, in the order of `connection/device`.
    pub changed_devices: Vec<(String, String)>,
    /// The devices whose presence or last command's state changed, by connection.
    #[serde(default)]
    pub device_states: Vec<DeviceStates>,
    /// The rollouts that changed, each once, in their current state.
    pub rollouts: Vec<RolloutView>,
    /// Sentences for the person.
    pub notices: Vec<Notice>,
}

/// Unfinished commands, and those that need attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Counts {
    /// In the outbox.
    pub queued: u32,
    /// Held until a device is online.
    pub held: u32,
    /// Sent, at broker, accepted or running.
    pub in_flight: u32,
    /// Failed, rejected, timed out or undeliverable in the last hour.
    pub needs_attention: u32,
    /// All that are kept.
    pub kept: u32,
}

/// A sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Notice {
    /// How grave.
    pub level: NoticeLevel,
    /// The event and its cause.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
    /// The connection's id, where it is of one.
    pub connection: Option<String>,
}

/// How grave a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something is not done that was to be done.
    Error,
}
