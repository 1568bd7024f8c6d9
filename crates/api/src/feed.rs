use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandView, ConnectionView, DeviceStates, RolloutView};

/// The changes since the last batch. At most ten to twenty batches per second, and none without changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Batch {
    /// Counts up by one; the first is 1.
    #[ts(type = "number")]
    pub sequence: u64,
    /// The engine's time, Unix milliseconds. All times use this clock, which may differ from the computer's for a while
    /// after a clock change.
    #[ts(type = "number")]
    pub now: i64,
    /// All connections, if any of them changed.
    pub connections: Option<Vec<ConnectionView>>,
    /// The commands that changed, each once, in their current state; at most 200.
    pub commands: Vec<CommandView>,
    /// More commands changed than are listed: lists must be read again.
    pub more_commands: bool,
    /// The connections (by ID) with changed devices: lists must be read again.
    pub devices: Vec<String>,
    /// The IDs of the devices that changed, at most 200, ordered by `connection/device`.
    pub changed_devices: Vec<(String, String)>,
    /// The devices whose presence or last command changed state, by connection.
    #[serde(default)]
    pub device_states: Vec<DeviceStates>,
    /// The rollouts that changed, each once, in their current state.
    pub rollouts: Vec<RolloutView>,
    /// Notices for the user.
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
    /// All stored commands.
    pub kept: u32,
}

/// A notice for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Notice {
    /// The severity.
    pub level: NoticeLevel,
    /// The event and its cause.
    pub message: String,
    /// How to fix it.
    pub hint: Option<String>,
    /// The connection ID, if the notice concerns one connection.
    pub connection: Option<String>,
}

/// The severity of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum NoticeLevel {
    /// For information.
    Info,
    /// Something is wrong.
    Warning,
    /// Something requested was not done.
    Error,
}
