//! `annotations`: names, tags and notes that users set, and devices that are about to be forgotten.

use rusqlite::{Connection, params};
use wilco_ledger::{DeviceId, Timestamp};

use super::Columns;
use crate::{Annotation, ConnectionId, StoredAnnotation};

pub(super) const CREATE: &str = "
    CREATE TABLE annotations (
        connection   TEXT NOT NULL,
        device       TEXT NOT NULL,
        name         TEXT,
        tags         TEXT NOT NULL, -- a JSON array of texts
        note         TEXT,
        forgotten_at INTEGER,       -- set while forgetting the device can still be undone
        PRIMARY KEY (connection, device)
    ) STRICT, WITHOUT ROWID;";

/// Writes what is set of a device now.
pub(crate) fn put(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    annotation: &Annotation,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO annotations (connection, device, name, tags, note) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id.as_str(),
            device.as_str(),
            annotation.name,
            serde_json::Value::from(annotation.tags.as_slice()).to_string(),
            annotation.note,
        ])?;
    Ok(())
}

/// Notes that a device is to be forgotten, or (with no time) that it is not.
pub(crate) fn forget(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    at: Option<Timestamp>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO annotations (connection, device, tags, forgotten_at) VALUES (?1, ?2, '[]', ?3)
             ON CONFLICT (connection, device) DO UPDATE SET forgotten_at = excluded.forgotten_at",
        )?
        .execute(params![id.as_str(), device.as_str(), at.map(|at| at.0)])?;
    Ok(())
}

/// Everything that is set of a connection's devices, by id.
pub(crate) fn all(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Vec<StoredAnnotation>> {
    connection
        .prepare_cached(
            "SELECT device, name, tags, note, forgotten_at FROM annotations WHERE connection = ?1 ORDER BY device",
        )?
        .query_map([id.as_str()], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(StoredAnnotation {
                device: columns.checked(|device: String| DeviceId::new(device))?,
                annotation: Annotation {
                    name: columns.get()?,
                    tags: columns.checked(|tags: String| serde_json::from_str(&tags))?,
                    note: columns.get()?,
                },
                forgotten_at: columns.get::<Option<i64>>()?.map(Timestamp),
            })
        })?
        .collect()
}
