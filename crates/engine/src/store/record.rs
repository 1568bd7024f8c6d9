//! What is stored besides commands and events: connection profiles, what is known of devices, and their logs.

use std::sync::Arc;

use wilco_dialect::LogChunk;
use wilco_ledger::{Command, CommandId, DeviceId, Event, State, Timestamp};

use super::{ConnectionId, table::commands::Place};
use crate::api::{MqttVersion, Preset, Secrets, Trust};

/// Something to be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Something happened.
    Event {
        /// On which connection.
        connection: ConnectionId,
        /// What happened.
        event: Event,
        /// The command as it stands after it; `None` for an event that belongs to none, and where a
        /// [`Change::Standing`] says it once for several.
        command: Option<Arc<Command>>,
    },
    /// How a command stands after all of its events so far.
    Standing {
        /// On which connection.
        connection: ConnectionId,
        /// The command.
        command: Arc<Command>,
    },
    /// What is known of a device has changed.
    Device {
        /// On which connection.
        connection: ConnectionId,
        /// What is known of it now.
        device: StoredDevice,
    },
    /// A piece of a device's log has come.
    LogChunk {
        /// On which connection.
        connection: ConnectionId,
        /// Whose log.
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
        /// Whose log.
        device: DeviceId,
        /// The command that asked for it.
        command: CommandId,
        /// Since when.
        at: Timestamp,
        /// Why, as a sentence, and what to do about it in another.
        why: String,
    },
}

/// A device's log, without what has come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLog {
    /// The command that asked for it.
    pub command: CommandId,
    /// When the first of it came.
    pub begun_at: Timestamp,
    /// Why it will never be right, where that is so, and what to do about it.
    pub wrong: Option<String>,
}

/// What was last known of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDevice {
    /// Its id.
    pub device: DeviceId,
    /// Whether it is there; `None` if it has said neither.
    pub online: Option<bool>,
    /// Since when.
    pub presence_since: Option<Timestamp>,
    /// The LED as the device reported it.
    pub led: Option<bool>,
    /// When it was last heard.
    pub seen_at: Option<Timestamp>,
    /// Its firmware's version.
    pub firmware: Option<String>,
    /// Which start of the device it was.
    pub boot: Option<String>,
    /// The labels it carries.
    pub tags: Vec<String>,
    /// The state as it reported it.
    pub state: Option<serde_json::Value>,
    /// When it reported it.
    pub reported_at: Option<Timestamp>,
    /// The last time from a command on the wire to the first answer, milliseconds.
    pub trip_ms: Option<f64>,
}

/// A connection's profile. Holds no secret, only which ones there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its id, made once.
    pub id: ConnectionId,
    /// What it is called. Unique.
    pub name: String,
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`, with port, and a WebSocket's path.
    pub url: String,
    /// What kind of broker.
    pub preset: Preset,
    /// The protocol version.
    pub mqtt: MqttVersion,
    /// The client id.
    pub client_id: String,
    /// The user name.
    pub username: Option<String>,
    /// The dialect's name.
    pub dialect: String,
    /// The topic prefix.
    pub prefix: String,
    /// The only devices it listens to and commands; all where empty.
    pub devices: Vec<String>,
    /// Seconds between two signs of life.
    pub keep_alive: u16,
    /// How long the broker keeps what devices answer while we are away, seconds.
    pub session_expiry: u32,
    /// Whose word is taken for the server's certificate.
    pub trust: Trust,
    /// The name that the server must prove, where it is not the one dialled.
    pub server_name: Option<String>,
    /// The protocols offered in the TLS handshake.
    pub alpn: Vec<String>,
    /// The proxy's address.
    pub proxy_url: Option<String>,
    /// The user name that the proxy asks for.
    pub proxy_username: Option<String>,
    /// Topic filters that are not asked for, because the broker refused them.
    pub denied: Vec<String>,
    /// The fleet inside the app.
    pub demo: bool,
    /// The subject of the client certificate.
    pub certificate_subject: Option<String>,
    /// The end of the client certificate's validity.
    pub certificate_expires_at: Option<Timestamp>,
    /// Which secrets there are in the vault.
    pub has: Secrets,
    /// The secrets were only kept in memory for the run in which it was added.
    pub in_memory_secrets: bool,
    /// Its place in the list.
    pub position: u32,
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
    /// From where the last page ended.
    pub before: Option<Cursor>,
    /// Rows at the most.
    pub limit: u32,
}

/// A page of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRows {
    /// The commands, newest first.
    pub rows: Vec<(ConnectionId, Command)>,
    /// Where the next page begins; nothing at the end.
    pub next: Option<Cursor>,
    /// How many commands are kept, of all connections or the one asked for.
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
