use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CommandView, ConnectionView, DeviceStates, RolloutView};

/// What has changed since the last batch. Ten to twenty a second at the most, none when nothing happens.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Batch {
    /// Counts up by one; the first is 1.
    #[ts(type = "number")]
    pub sequence: u64,
    /// Every connection as it stands, when any of them changed.
    pub connections: Option<Vec<ConnectionView>>,
    /// The commands that changed, each once, as they stand now; 200 at the most.
    pub commands: Vec<CommandView>,
    /// More commands changed than are listed: what is shown must be asked for again.
    pub more_commands: bool,
    /// The connections (by id) in whose devices something changed: what is shown must be asked for again.
    pub devices: Vec<String>,
    /// The devices (by id) that changed; 200 at the most, in the order of `connection/device`.
    pub changed_devices: Vec<(String, String)>,
    /// The devices whose presence or last command's state changed, by connection.
    #[serde(default)]
    pub device_states: Vec<DeviceStates>,
    /// The rollouts that changed, each once, as they stand now.
    pub rollouts: Vec<RolloutView>,
    /// Sentences for the person.
    pub notices: Vec<Notice>,
}

/// Commands not yet at their end, and those to look at.
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
    /// What happened and why.
    pub message: String,
    /// What to do.
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
