//! Stored records besides commands and events: connection profiles, devices, and their logs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wilco_dialect::LogChunk;
use wilco_ledger::{Command, CommandId, DeviceId, Disagreement, Event, Raw, State, Timestamp};

use super::{
    Annotation, ConnectionId, Discarded, NewAuditEntry, NewMember, RolloutSnapshot, StoredApproval, StoredRollout,
    StoredUnexpectedDevice, table::commands::Place,
};

/// Something to be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Something happened.
    Event {
        /// On which connection.
        connection: ConnectionId,
        /// The event.
        event: Event,
        /// The command after it; `None` for an event without one, and if a [`Change::CommandSnapshot`] follows for
        /// several.
        command: Option<Arc<Command>>,
    },
    /// Messages of a device were not kept.
    Discarded {
        /// On which connection.
        connection: ConnectionId,
        /// The device.
        device: DeviceId,
        /// The command that they are about; `None` for those that belong to none.
        command: Option<CommandId>,
        /// How many, and the newest.
        discarded: Box<Discarded>,
    },
    /// A device has reported something else than it answered to a command.
    Disagreed {
        /// On which connection.
        connection: ConnectionId,
        /// The device.
        device: DeviceId,
        /// The command, and both values.
        disagreement: Box<Disagreement>,
        /// When it was noticed.
        at: Timestamp,
    },
    /// A request is sent, or another console's was received.
    Request {
        /// On which connection.
        connection: ConnectionId,
        /// The event.
        event: Event,
        /// The request.
        request: Raw,
    },
    /// The state of a command after all of its events so far.
    CommandSnapshot {
        /// On which connection.
        connection: ConnectionId,
        /// The command.
        command: Arc<Command>,
    },
    /// The known state of a device has changed.
    Device {
        /// On which connection.
        connection: ConnectionId,
        /// Its state now.
        device: StoredDevice,
    },
    /// A device is not known any more, and has no history.
    NoDevice {
        /// On which connection.
        connection: ConnectionId,
        /// Which one.
        device: DeviceId,
    },
    /// Another console has sent a request to many devices at once.
    Broadcast {
        /// On which connection.
        connection: ConnectionId,
        /// The request.
        broadcast: Box<StoredBroadcast>,
    },
    /// Numbers up to this one were used for command IDs in messages.
    WireId {
        /// On which connection.
        connection: ConnectionId,
        /// The last of them.
        last: u32,
    },
    /// A user set a device's name, tags and note. It is not to be forgotten then.
    Annotation {
        /// On which connection.
        connection: ConnectionId,
        /// The device.
        device: DeviceId,
        /// Its annotation from now on.
        annotation: Annotation,
    },
    /// A device is to be forgotten, or not after all.
    ForgetLater {
        /// On which connection.
        connection: ConnectionId,
        /// The device.
        device: DeviceId,
        /// Since when it is to be; `None` if it is not.
        at: Option<Timestamp>,
    },
    /// A failed command needs no more attention.
    Dismissed {
        /// On which connection.
        connection: ConnectionId,
        /// Its device.
        device: DeviceId,
        /// The command.
        command: CommandId,
    },
    /// A person did something.
    Audit(Box<NewAuditEntry>),
    /// A rollout was started.
    Rollout {
        /// The changed settings.
        rollout: Box<StoredRollout>,
        /// Its members, in the order of release.
        members: Vec<NewMember>,
    },
    /// A rollout is further than it was.
    RolloutSnapshot {
        /// Its number.
        number: u32,
        /// How far it is.
        snapshot: Box<RolloutSnapshot>,
    },
    /// A user changed the note of a rollout.
    RolloutNote {
        /// Its number.
        number: u32,
        /// The chunks.
        note: Option<String>,
    },
    /// A second installation has answered whether a rollout may start.
    RolloutApproval {
        /// Its number.
        number: u32,
        /// What was asked for, and the answer.
        approval: Box<StoredApproval>,
    },
    /// What the device of a rollout's member had before its command changes it.
    MemberEarlier {
        /// The rollout's number.
        rollout: u32,
        /// The member's place.
        member: u32,
        /// The values: a JSON object.
        values: String,
    },
    /// A device has answered a broadcast of which it is no member.
    UnexpectedDevice {
        /// The rollout's number.
        rollout: u32,
        /// The device and its answer.
        unexpected_device: StoredUnexpectedDevice,
    },
    /// A piece of a device's log has come.
    LogChunk {
        /// On which connection.
        connection: ConnectionId,
        /// The device.
        device: DeviceId,
        /// When.
        at: Timestamp,
        /// The piece.
        chunk: LogChunk,
    },
    /// A device's log will never be right.
    LogRuined {
        /// On which connection.
        connection: ConnectionId,
        /// The device.
        device: DeviceId,
        /// The command that requested it.
        command: CommandId,
        /// Since when.
        at: Timestamp,
        /// Why, as a sentence, and what to do about it in another.
        why: String,
    },
}

/// A request of another console to many devices at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBroadcast {
    /// The ID that all answers to it have.
    pub id: CommandId,
    /// When it was received.
    pub at: Timestamp,
    /// The request.
    pub raw: Raw,
}

/// So many of them are kept of each connection: the latest.
pub const BROADCASTS_KEPT: usize = 100;

/// A device's log, without its chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLog {
    /// The command that requested it.
    pub command: CommandId,
    /// When the first of it came.
    pub begun_at: Timestamp,
    /// Why it will never be right, where that is so, and what to do about it.
    pub wrong: Option<String>,
}

/// The last known state of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDevice {
    /// Its id.
    pub device: DeviceId,
    /// Its presence; `None` if it is unknown.
    pub online: Option<bool>,
    /// Since when.
    pub presence_since: Option<Timestamp>,
    /// The LED as the device reported it.
    pub led: Option<bool>,
    /// Time of its last message.
    pub seen_at: Option<Timestamp>,
    /// Its firmware's version.
    pub firmware: Option<String>,
    /// Which start of the device it was.
    pub boot: Option<String>,
    /// When it last restarted, as far as that is known.
    pub restart: Option<Restart>,
    /// The labels it carries.
    pub tags: Vec<String>,
    /// The state as it reported it: JSON text.
    pub state: Option<String>,
    /// When it reported it.
    pub reported_at: Option<Timestamp>,
    /// The latest time from sending a command to the first answer, milliseconds.
    pub trip_ms: Option<f64>,
    /// The description in its dialect; nothing for Wilco's own.
    pub description: Option<Arc<StoredDescription>>,
    /// The difference between its answer and its report.
    pub disagreement: Option<Box<Disagreement>>,
}

/// When a device last restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// When.
    pub at: Timestamp,
    /// The device has reported it itself; otherwise its boot ID changed while Wilco was connected.
    pub reported: bool,
}

/// The description of a device in another dialect, as JSON in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDescription {
    /// The dialect's name.
    pub dialect: String,
    /// The device's name in topics.
    pub address: String,
    /// Its display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The manufacturer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The id of the device through which it is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
    /// Everything that names this very piece of hardware.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
}

impl StoredDescription {
    /// Its name for people, where it is another one than its id.
    #[must_use]
    pub fn shown_name(&self, id: &DeviceId) -> Option<&str> {
        Some(self.name.as_deref().unwrap_or(&self.address)).filter(|name| *name != id.as_str())
    }
}

/// Which part of the history to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only this connection's.
    pub connection: Option<ConnectionId>,
    /// Only this device's.
    pub device: Option<DeviceId>,
    /// Only commands in one of these states; all where empty.
    pub states: Vec<State>,
    /// Only commands submitted at or after this.
    pub since: Option<Timestamp>,
    /// Only commands that Wilco sent by itself, which are left out otherwise.
    pub automatic: bool,
    /// Only commands with words that begin like these in their device, name, arguments, message or result; all if it
    /// has no letter or digit. Newest first means the order in which they were stored.
    pub search: String,
    /// Only commands that failed at or after this time and were not dismissed.
    pub needs_attention_since: Option<Timestamp>,
    /// From where the last page ended.
    pub before: Option<Cursor>,
    /// Rows at most.
    pub limit: u32,
}

/// A page of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRows {
    /// The commands, newest first.
    pub rows: Vec<(ConnectionId, Command)>,
    /// Where the next page begins; nothing at the end.
    pub next: Option<Cursor>,
    /// The number of stored commands, of all connections or of the given one.
    pub total: u32,
    /// How many match; `None` where counting would be slow.
    pub matching: Option<u32>,
}

/// A place in the history, by which the next page is found. Stays right while new commands come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub(super) Place);

impl Cursor {
    /// Reads what [`std::fmt::Display`] has written; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Cursor> {
        let (submitted_at, row) = text.split_once('.')?;
        Some(Cursor(Place { submitted_at: submitted_at.parse().ok()?, row: row.parse().ok()? }))
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0.submitted_at, self.0.row)
    }
}
