//! `removed`: removed connections and devices with data that is still to be deleted.
//!
//! A history of millions is not deleted at once, because nothing else could be written meanwhile; if the program is
//! closed halfway, it deletes the rest at its next start.

use rusqlite::{Connection, OptionalExtension, params};
use wilco_ledger::DeviceId;

use super::{broadcasts, dismissed, meta, rollouts, search, telemetry};
use crate::ConnectionId;

pub(super) const CREATE: &str = "CREATE TABLE removed (connection TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;";

/// The tables with further data of a connection, and the columns that identify it.
const TABLES: [(&str, &str); 10] = [
    ("events", "row"),
    ("tallies", "device"),
    ("devices", "device"),
    ("log_chunks", "device"),
    ("logs", "device"),
    ("telemetry_sources", "device"),
    ("evidence_use", "device"),
    ("discarded", "device"),
    ("disagreements", "device"),
    // At last: it says that the device is to be forgotten.
    ("annotations", "device"),
];

/// Notes that all of a connection is to be forgotten.
pub(super) fn add(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<()> {
    connection.execute("INSERT OR IGNORE INTO removed (connection) VALUES (?1)", [id.as_str()])?;
    Ok(())
}

/// Whether a connection is one of these.
pub(crate) fn has(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM removed WHERE connection = ?1)")?
        .query_row([id.as_str()], |row| row.get(0))
}

/// Forgets up to `limit` rows of connections that are gone. Says whether there may be more.
pub(crate) fn sweep(connection: &Connection, limit: u32) -> rusqlite::Result<bool> {
    let first = connection
        .prepare_cached("SELECT connection FROM removed ORDER BY connection LIMIT 1")?
        .query_row([], |row| row.get::<_, String>(0))
        .optional()?;
    let Some(id) = first else { return Ok(false) };
    if !rollouts::sweep(connection, &id, limit)? && !take_some(connection, &id, None, limit)? {
        // Rows that were written while the connection was removed.
        meta::forget_wire_id(connection, &id.as_str().into())?;
        broadcasts::remove(connection, &id.as_str().into())?;
        dismissed::prune(connection)?;
        connection.execute("DELETE FROM removed WHERE connection = ?1", [&id])?;
    }
    Ok(true)
}

/// Forgets up to `limit` rows of a device whose commands are forgotten already. Says whether there may be more.
pub(crate) fn sweep_device(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    limit: u32,
) -> rusqlite::Result<bool> {
    take_some(connection, id.as_str(), Some(device), limit)
}

/// Whether there is something of a device whose commands are forgotten already.
pub(crate) fn has_device(connection: &Connection, id: &ConnectionId, device: &DeviceId) -> rusqlite::Result<bool> {
    for (table, _) in TABLES {
        // The parameters have the numbers that they have where the rows are deleted.
        let found = connection
            .prepare_cached(&format!("SELECT 1 FROM {table} WHERE {} LIMIT 1", of_device(table)))?
            .exists(params![id.as_str(), 1, device.as_str()])?;
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The rows of a table that belong to device `?3` of connection `?1`.
fn of_device(table: &str) -> &'static str {
    match table {
        "events" => "connection = ?1 AND command IS NULL AND device = ?3",
        _ => "connection = ?1 AND device = ?3",
    }
}

/// Forgets up to `limit` rows of one table. Says whether there were any.
fn take_some(connection: &Connection, id: &str, device: Option<&DeviceId>, limit: u32) -> rusqlite::Result<bool> {
    if telemetry::sweep(connection, id, device, limit)? {
        return Ok(true);
    }
    let device = device.map(DeviceId::as_str);
    // The commands of a single device are forgotten already, with their events. No index leads to a device's rows alone, and
    // to look through a history of millions would keep everybody from writing.
    if device.is_none() && take_commands(connection, id, limit)? {
        return Ok(true);
    }
    for (table, key) in TABLES {
        let whose = if device.is_none() { "connection = ?1 AND ?3 IS NULL" } else { of_device(table) };
        let forgotten = connection
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE {whose} AND {key} IN (SELECT {key} FROM {table} WHERE {whose} LIMIT ?2)"
            ))?
            .execute(params![id, limit, device])?;
        if forgotten > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes up to `limit` commands of a connection, with their entries in the search index.
fn take_commands(connection: &Connection, id: &str, limit: u32) -> rusqlite::Result<bool> {
    let rows: Vec<i64> = connection
        .prepare_cached(
            "DELETE FROM commands WHERE row IN (SELECT row FROM commands WHERE connection = ?1 LIMIT ?2) RETURNING row",
        )?
        .query_map(params![id, limit], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    rows.iter().try_for_each(|&row| search::remove(connection, row))?;
    Ok(!rows.is_empty())
}
