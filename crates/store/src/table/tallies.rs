//! `tallies`: the number of commands of each device, and the last one, so that the fleet is listed at the start without
//! reading its history.

use rusqlite::{Connection, OptionalExtension, params};
use wilco_ledger::{Command, DeviceId};

use super::commands;
use crate::ConnectionId;

pub(super) const CREATE: &str = "
    CREATE TABLE tallies (
        connection   TEXT NOT NULL,
        device       TEXT NOT NULL,
        commands     INTEGER NOT NULL,
        last_command INTEGER NOT NULL, -- commands.row
        last_at      INTEGER NOT NULL,
        PRIMARY KEY (connection, device)
    ) STRICT, WITHOUT ROWID;";

/// A new command at that row.
pub(super) fn add(connection: &Connection, id: &ConnectionId, command: &Command, row: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO tallies (connection, device, commands, last_command, last_at) VALUES (?1, ?2, 1, ?3, ?4)
             ON CONFLICT (connection, device) DO UPDATE SET
                commands = commands + 1,
                last_command = iif((excluded.last_at, excluded.last_command) > (last_at, last_command),
                                   excluded.last_command, last_command),
                last_at = max(last_at, excluded.last_at)",
        )?
        .execute(params![id.as_str(), command.submission.device.as_str(), row, command.submitted_at.0])?;
    Ok(())
}

/// The command at that row is gone, and with it perhaps the last one.
pub(super) fn take(connection: &Connection, id: &ConnectionId, device: &DeviceId, row: i64) -> rusqlite::Result<()> {
    let key = params![id.as_str(), device.as_str()];
    connection
        .prepare_cached("UPDATE tallies SET commands = commands - 1 WHERE connection = ?1 AND device = ?2")?
        .execute(key)?;
    connection
        .prepare_cached("DELETE FROM tallies WHERE connection = ?1 AND device = ?2 AND commands <= 0")?
        .execute(key)?;
    if let Some(last) =
        commands::places(connection, commands::runs(id, Some(device), &[], false), None, None, 1)?.first()
    {
        connection
            .prepare_cached(
                "UPDATE tallies SET last_command = ?4, last_at = ?5
                 WHERE connection = ?1 AND device = ?2 AND last_command = ?3",
            )?
            .execute(params![id.as_str(), device.as_str(), row, last.row, last.submitted_at])?;
    }
    Ok(())
}

/// The number of commands of a device.
pub(crate) fn count(connection: &Connection, id: &ConnectionId, device: &DeviceId) -> rusqlite::Result<u32> {
    let count: Option<i64> = connection
        .prepare_cached("SELECT commands FROM tallies WHERE connection = ?1 AND device = ?2")?
        .query_row([id.as_str(), device.as_str()], |row| row.get(0))
        .optional()?;
    Ok(u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX))
}
