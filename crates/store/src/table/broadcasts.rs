//! `broadcasts`: the latest requests of other consoles to many devices at once. A device may answer one after a restart.

use rusqlite::{Connection, params};
use wilco_ledger::{CommandId, Raw, Timestamp};

use super::Columns;
use crate::{BROADCASTS_KEPT, ConnectionId, StoredBroadcast};

pub(super) const CREATE: &str = "
    CREATE TABLE broadcasts (
        row        INTEGER PRIMARY KEY, -- in the order of arrival
        connection TEXT NOT NULL,
        command    TEXT NOT NULL,       -- the ID that all answers have
        at         INTEGER NOT NULL,    -- Unix milliseconds
        topic      TEXT NOT NULL,
        qos        INTEGER NOT NULL,
        payload    BLOB NOT NULL,
        UNIQUE (connection, command)
    ) STRICT;";

/// Adds one, and forgets those of the connection that are no longer among its latest.
pub(crate) fn add(connection: &Connection, id: &ConnectionId, broadcast: &StoredBroadcast) -> rusqlite::Result<()> {
    let StoredBroadcast { id: command, at, raw } = broadcast;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO broadcasts (connection, command, at, topic, qos, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![id.as_str(), command.as_str(), at.0, &*raw.topic, raw.qos, &*raw.payload])?;
    connection
        .prepare_cached(
            "DELETE FROM broadcasts WHERE connection = ?1 AND row NOT IN
                 (SELECT row FROM broadcasts WHERE connection = ?1 ORDER BY row DESC LIMIT ?2)",
        )?
        .execute(params![id.as_str(), i64::try_from(BROADCASTS_KEPT).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// Those of a connection, the latest last.
pub(crate) fn of(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Vec<StoredBroadcast>> {
    connection
        .prepare_cached("SELECT command, at, topic, qos, payload FROM broadcasts WHERE connection = ?1 ORDER BY row")?
        .query_map([id.as_str()], |row| {
            let mut columns = Columns::from(row, 0);
            let id = columns.checked(|id: String| CommandId::new(&id))?;
            let at = Timestamp(columns.get()?);
            let (topic, qos, payload): (String, u8, Vec<u8>) = (columns.get()?, columns.get()?, columns.get()?);
            Ok(StoredBroadcast { id, at, raw: Raw { topic: topic.into(), payload: payload.into(), qos, cut: None } })
        })?
        .collect()
}

/// Forgets those from before that time.
pub(super) fn forget(connection: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM broadcasts WHERE at < ?1")?.execute([before.0])?;
    Ok(())
}

/// Forgets those of a connection.
pub(super) fn remove(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM broadcasts WHERE connection = ?1")?.execute([id.as_str()])?;
    Ok(())
}
