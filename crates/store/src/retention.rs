//! Deletes old finished commands, and the remains of removed connections.
//!
//! It deletes in small steps, so that no writer waits long. A command is deleted as a whole, with all its events and
//! counts in the same transaction: the tables still match the remaining events, so no checkpoint is needed. The caller
//! decides when to delete, and what is old.

use rusqlite::Connection;
use wilco_ledger::{CommandId, DeviceId, Timestamp};

use super::{
    ConnectionId, Store, StoreError,
    table::{
        self,
        commands::{self, Ended},
        counters, dismissed, events, logs, removed, rollout_members, search,
    },
};

/// Rows of a connection that is gone which are forgotten in one transaction.
const SWEPT_AT_ONCE: u32 = 2_000;

/// The amount of data from before a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Older {
    /// Commands finished.
    pub commands: u32,
    /// Answers that belong to no command.
    pub unmatched: u32,
    /// Devices' logs.
    pub logs: u32,
}

/// What is stored of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remains {
    /// Some of its commands. All of them must be finished before they are deleted.
    Commands(Vec<Forgotten>),
    /// Its state, measurements, logs and the like. [`Store::sweep_device`] deletes a part of it.
    Other,
    /// Nothing at all.
    Nothing,
}

/// A command that is no longer kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its device.
    pub device: DeviceId,
    /// Its id.
    pub id: CommandId,
    /// Wilco sent it by itself.
    pub automatic: bool,
}

impl Store {
    /// How much is from before that time: commands finished to which nothing has happened since, answers that belong
    /// to no command, and logs that began before.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn count_older(&self, before: Timestamp) -> Result<Older, StoreError> {
        self.read(move |connection| {
            let mut older = Older {
                unmatched: events::count_unmatched(connection, before)?,
                logs: logs::count(connection, before)?,
                ..Older::default()
            };
            for id in counters::connections(connection)? {
                older.commands = older.commands.saturating_add(commands::count_ended(connection, &id, before)?);
            }
            Ok(older)
        })
        .await
    }

    /// Up to `limit` of these commands. Fewer than that: there are no more.
    pub async fn ended(&self, before: Timestamp, limit: usize) -> Result<Vec<Forgotten>, StoreError> {
        self.read(move |connection| ended(connection, before, limit)).await
    }

    /// Deletes commands with all their events, as far as they are still there. All of them must be finished.
    pub async fn forget_commands(&self, commands: Vec<Forgotten>) -> Result<(), StoreError> {
        self.write_tables(move |transaction| {
            commands.iter().try_for_each(|forgotten| {
                let Forgotten { connection, device, id, .. } = forgotten;
                let ended = commands::ended_one(transaction, connection, device, id)?;
                ended.map_or(Ok(()), |ended| forget(transaction, &ended))
            })
        })
        .await
    }

    /// When the last of all that is kept happened.
    pub async fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(events::newest).await
    }

    /// Deletes up to `limit` answers without a command from before that time, and returns their number.
    pub async fn forget_unmatched(&self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        self.write(move |transaction| events::forget_unmatched(transaction, before, limit)).await
    }

    /// What is still stored of a device: up to `limit` of its commands, or something else once these are gone.
    pub async fn remains(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        limit: usize,
    ) -> Result<Remains, StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.read(move |connection| remains(connection, &id, &device, limit)).await
    }

    /// Deletes a part of what there is of a device besides its commands.
    pub async fn sweep_device(&self, connection: &ConnectionId, device: &DeviceId) -> Result<(), StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.write_tables(move |transaction| removed::sweep_device(transaction, &id, &device, SWEPT_AT_ONCE).map(drop))
            .await
    }

    /// Forgets a connection. Its devices and its history go with [`Store::sweep`].
    pub async fn remove_connection(&self, connection: &ConnectionId) -> Result<(), StoreError> {
        let id = connection.clone();
        self.write_tables(move |transaction| table::remove_connection(transaction, &id)).await
    }

    /// Forgets what is left of connections that are gone.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        while self.write_tables(|transaction| removed::sweep(transaction, SWEPT_AT_ONCE)).await? {}
        Ok(())
    }
}

fn ended(connection: &Connection, before: Timestamp, limit: usize) -> rusqlite::Result<Vec<Forgotten>> {
    let mut found: Vec<Ended> = Vec::new();
    for id in counters::connections(connection)? {
        found.extend(commands::ended(connection, &id, before, limit - found.len())?);
    }
    let forgotten = |Ended { connection, device, id, automatic, .. }| Forgotten { connection, device, id, automatic };
    Ok(found.into_iter().map(forgotten).collect())
}

fn remains(connection: &Connection, id: &ConnectionId, device: &DeviceId, limit: usize) -> rusqlite::Result<Remains> {
    let runs = [false, true].into_iter().flat_map(|automatic| commands::runs(id, Some(device), &[], automatic));
    let found = commands::places(connection, runs, None, None, limit)?;
    if found.is_empty() {
        return Ok(if removed::has_device(connection, id, device)? { Remains::Other } else { Remains::Nothing });
    }
    let one = |place: &commands::Place| {
        let (connection, command) = commands::at(connection, place.row)?;
        let (id, automatic) = (command.submission.id.clone(), command.submission.automatic);
        Ok(Forgotten { connection, device: device.clone(), id, automatic })
    };
    Ok(Remains::Commands(found.iter().map(one).collect::<rusqlite::Result<_>>()?))
}

fn forget(connection: &Connection, ended: &Ended) -> rusqlite::Result<()> {
    rollout_members::keep_outcome(connection, ended.row)?;
    events::forget_command(connection, &ended.connection, &ended.device, &ended.id)?;
    commands::remove(connection, ended.row)?;
    search::remove(connection, ended.row)?;
    dismissed::remove(connection, ended.row)?;
    table::count_down(connection, &ended.connection, &ended.device, ended.row, ended.automatic)
}
