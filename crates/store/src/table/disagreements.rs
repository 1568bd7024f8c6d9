//! `disagreements`: commands whose devices answered that they did it, and reported something else afterwards. A row stays with
//! its command, also when the device reports the right value later.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wilco_ledger::{CommandId, DeviceId, Disagreement, Timestamp};

use super::Columns;
use crate::ConnectionId;

pub(super) const CREATE: &str = "
    CREATE TABLE disagreements (
        connection TEXT NOT NULL,
        device     TEXT NOT NULL,
        command    TEXT NOT NULL,
        key        TEXT NOT NULL,    -- the name of the value in its reports
        said       TEXT NOT NULL,
        reported   TEXT NOT NULL,
        at         INTEGER NOT NULL, -- Unix milliseconds
        PRIMARY KEY (connection, device, command)
    ) STRICT, WITHOUT ROWID;";

/// Notes that a device reported something else than it answered.
pub(crate) fn put(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    of: &Disagreement,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let Disagreement { command, key, said, reported } = of;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO disagreements (connection, device, command, key, said, reported, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![id.as_str(), device.as_str(), command.as_str(), &**key, &**said, &**reported, at.0])?;
    Ok(())
}

/// That of one command.
pub(crate) fn of_command(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Option<Disagreement>> {
    connection
        .prepare_cached(
            "SELECT command, key, said, reported FROM disagreements
             WHERE connection = ?1 AND device = ?2 AND command = ?3",
        )?
        .query_row([id.as_str(), device.as_str(), command.as_str()], |row| read(row, 0))
        .optional()
}

/// Those of all commands of a connection, each with its device.
pub(crate) fn all(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Vec<(DeviceId, Disagreement)>> {
    connection
        .prepare_cached("SELECT device, command, key, said, reported FROM disagreements WHERE connection = ?1")?
        .query_map([id.as_str()], |row| {
            let device = Columns::from(row, 0).checked(|device: String| DeviceId::new(device))?;
            Ok((device, read(row, 1)?))
        })?
        .collect()
}

/// Forgets that of a command.
pub(super) fn forget_command(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM disagreements WHERE connection = ?1 AND device = ?2 AND command = ?3")?
        .execute([id.as_str(), device.as_str(), command.as_str()])?;
    Ok(())
}

fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Disagreement> {
    let mut columns = Columns::from(row, first);
    let command = columns.checked(|command: String| CommandId::new(command))?;
    let mut text = || columns.get::<String>().map(String::into_boxed_str);
    Ok(Disagreement { command, key: text()?, said: text()?, reported: text()? })
}
