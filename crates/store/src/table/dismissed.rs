//! `dismissed`: failed commands that a user has dismissed. They no longer need attention.

use std::collections::HashSet;

use rusqlite::{Connection, params};
use wilco_ledger::{CommandId, DeviceId};

use crate::ConnectionId;

pub(super) const CREATE: &str = "
    CREATE TABLE dismissed (
        row INTEGER PRIMARY KEY -- that of the command
    ) STRICT;";

/// Dismisses a command. Its row is that of its first event, which is there even while the table of commands is behind.
pub(crate) fn add(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO dismissed (row)
             SELECT row FROM events WHERE connection = ?1 AND command = ?2 AND device = ?3 ORDER BY row LIMIT 1",
        )?
        .execute(params![id.as_str(), command.as_str(), device.as_str()])?;
    Ok(())
}

/// The rows of those commands.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<HashSet<i64>> {
    connection.prepare_cached("SELECT row FROM dismissed")?.query_map([], |row| row.get(0))?.collect()
}

/// A command is forgotten, and its row may be another one's some day.
pub(crate) fn remove(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM dismissed WHERE row = ?1")?.execute([row])?;
    Ok(())
}

/// Forgets what belongs to no command any more.
pub(crate) fn prune(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM dismissed WHERE row NOT IN (SELECT row FROM commands)", [])?;
    Ok(())
}
