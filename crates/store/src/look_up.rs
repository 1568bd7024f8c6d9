//! Looks up the commands that messages name, for many messages at a time.

use std::sync::atomic::Ordering;

use rusqlite::Connection;
use wilco_dialect::LogChunk;
use wilco_ledger::{Command, CommandId, DeviceId};

use super::{
    ConnectionId, Store, StoreError, StoredLog,
    table::{commands, events, logs},
};

/// Commands of a device that a message names.
#[derive(Debug)]
pub struct NamedCommands {
    /// The device's connection.
    pub connection: ConnectionId,
    /// The device that sent the message.
    pub device: DeviceId,
    /// The IDs that it names.
    pub commands: Vec<CommandId>,
    /// The command whose log is needed too.
    pub log: Option<CommandId>,
}

/// The results.
#[derive(Debug)]
pub struct FoundCommands {
    /// Those that are known.
    pub commands: Vec<Command>,
    /// The log, with the chunks of it that are stored.
    pub log: Option<(StoredLog, Vec<LogChunk>)>,
    /// The device has no command at all. Not set while the tables of commands are behind the events.
    pub has_none: bool,
}

impl Store {
    /// The stored state of each of these, in order.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn look_up(&self, named: Vec<NamedCommands>) -> Result<Vec<FoundCommands>, StoreError> {
        let is_behind = self.behind.tables.load(Ordering::Acquire);
        let read =
            move |connection: &Connection| named.iter().map(|named| find(connection, named, is_behind)).collect();
        self.readers.read_before_others(read).await
    }

    /// The IDs of all commands of a device; `None` where those are more than `limit`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn command_ids(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        limit: usize,
    ) -> Result<Option<Vec<CommandId>>, StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        let ids = self.read(move |connection| commands::ids(connection, &id, &device, limit.saturating_add(1))).await?;
        Ok(Some(ids).filter(|ids| ids.len() <= limit))
    }
}

fn find(connection: &Connection, named: &NamedCommands, is_behind: bool) -> rusqlite::Result<FoundCommands> {
    let NamedCommands { connection: id, device, .. } = named;
    let found = named.commands.iter().filter_map(|command| command_at(connection, id, device, command).transpose());
    let commands = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let log = match &named.log {
        Some(command) => logs::with_chunks(connection, id, device, command)?,
        None => None,
    };
    let has_none = commands.is_empty() && !is_behind && !commands::has_any(connection, id, device)?;
    Ok(FoundCommands { commands, log, has_none })
}

/// A command, from its events.
pub(super) fn command_at(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Option<Command>> {
    let events = events::of_command(connection, id, device, command)?;
    match events::replay_events(&events) {
        None => commands::by_id(connection, id, device, command),
        replayed => Ok(replayed),
    }
}
