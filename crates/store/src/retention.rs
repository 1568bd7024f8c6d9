//! Deletes old finished commands, and the remains of removed connections.
//!
//! It deletes in small steps, so that no writer waits long. A command is deleted as a whole, with all its events and
//! counts in the same transaction: the tables still match the remaining events, so no checkpoint is needed. The caller
//! decides when to delete, and what is old.

use rusqlite::{Connection, Transaction};
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
    pub strays: u32,
    /// Devices' logs.
    pub logs: u32,
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
    /// See [`StoreError`]; so for all the others.
    pub async fn count_older(&self, before: Timestamp) -> Result<Older, StoreError> {
        self.read(move |connection| {
            let mut older = Older {
                strays: events::count_strays(connection, before)?,
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

    /// Deletes up to `limit` of these commands, and returns them. Fewer than that: there are no more.
    pub async fn forget_ended(&self, before: Timestamp, limit: usize) -> Result<Vec<Forgotten>, StoreError> {
        self.write(move |transaction| forget_ended(transaction, before, limit)).await
    }

    /// When the last of all that is kept happened.
    pub async fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(events::newest).await
    }

    /// Deletes up to `limit` answers without a command from before that time, and returns their number.
    pub async fn forget_strays(&self, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
        self.write(move |transaction| events::forget_strays(transaction, before, limit)).await
    }

    /// Deletes a part of a device: up to `limit` of its commands, or of its other data once these are gone. Returns the
    /// number of deleted commands of users, and whether there may be more of anything. All of them must be finished.
    pub async fn forget_device(
        &self,
        connection: &ConnectionId,
        device: &DeviceId,
        limit: usize,
    ) -> Result<(usize, bool), StoreError> {
        let (id, device) = (connection.clone(), device.clone());
        self.write(move |transaction| forget_device(transaction, &id, &device, limit)).await
    }

    /// Forgets a connection. Its devices and its history go with [`Store::sweep`].
    pub async fn remove_connection(&self, connection: &ConnectionId) -> Result<(), StoreError> {
        let id = connection.clone();
        self.write(move |transaction| table::remove_connection(transaction, &id)).await
    }

    /// Forgets what is left of connections that are gone.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        while self.write(|transaction| removed::sweep(transaction, SWEPT_AT_ONCE)).await? {}
        Ok(())
    }
}

fn forget_ended(transaction: &Transaction<'_>, before: Timestamp, limit: usize) -> rusqlite::Result<Vec<Forgotten>> {
    let mut found: Vec<Ended> = Vec::new();
    for id in counters::connections(transaction)? {
        found.extend(commands::ended(transaction, &id, before, limit - found.len())?);
    }
    found.iter().try_for_each(|ended| forget(transaction, ended))?;
    let forgotten = |Ended { connection, device, id, automatic, .. }| Forgotten { connection, device, id, automatic };
    Ok(found.into_iter().map(forgotten).collect())
}

fn forget_device(
    transaction: &Transaction<'_>,
    id: &ConnectionId,
    device: &DeviceId,
    limit: usize,
) -> rusqlite::Result<(usize, bool)> {
    let runs = [false, true].into_iter().flat_map(|automatic| commands::runs(id, Some(device), &[], automatic));
    let found = commands::places(transaction, runs, None, None, limit)?;
    let mut sent = 0;
    for place in &found {
        let (connection, command) = commands::at(transaction, place.row)?;
        let (id, automatic) = (command.asked.id.clone(), command.asked.automatic);
        forget(transaction, &Ended { row: place.row, connection, device: device.clone(), id, automatic })?;
        sent += usize::from(!automatic);
    }
    let more = !found.is_empty() || removed::sweep_device(transaction, id, device, SWEPT_AT_ONCE)?;
    Ok((sent, more))
}

fn forget(connection: &Connection, ended: &Ended) -> rusqlite::Result<()> {
    rollout_members::keep_outcome(connection, ended.row)?;
    events::forget_command(connection, &ended.connection, &ended.device, &ended.id)?;
    commands::remove(connection, ended.row)?;
    search::remove(connection, ended.row)?;
    dismissed::remove(connection, ended.row)?;
    table::count_down(connection, &ended.connection, &ended.device, ended.row, ended.automatic)
}
