//! `evidence_use`: how much of the quota the evidence of each device uses. Stored, because adding it up would read
//! every event.

use rusqlite::{Connection, params};
use wilco_ledger::DeviceId;

use super::Columns;
use crate::ConnectionId;

pub(super) const CREATE: &str = "
    CREATE TABLE evidence_use (
        connection TEXT NOT NULL,
        device     TEXT NOT NULL,
        bytes      INTEGER NOT NULL,
        PRIMARY KEY (connection, device)
    ) STRICT, WITHOUT ROWID;";

/// So many bytes more.
pub(crate) fn add(connection: &Connection, id: &ConnectionId, device: &DeviceId, bytes: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO evidence_use (connection, device, bytes) VALUES (?1, ?2, ?3)
             ON CONFLICT (connection, device) DO UPDATE SET bytes = bytes + excluded.bytes",
        )?
        .execute(params![id.as_str(), device.as_str(), i64::try_from(bytes).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// So many bytes less. A device without any is no longer listed.
pub(super) fn take(connection: &Connection, id: &str, device: &str, bytes: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE evidence_use SET bytes = bytes - ?3 WHERE connection = ?1 AND device = ?2")?
        .execute(params![id, device, bytes])?;
    connection
        .prepare_cached("DELETE FROM evidence_use WHERE connection = ?1 AND device = ?2 AND bytes <= 0")?
        .execute([id, device])?;
    Ok(())
}

/// Every device whose evidence takes some of the quota, with the bytes.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<(ConnectionId, DeviceId, u64)>> {
    connection
        .prepare_cached("SELECT connection, device, bytes FROM evidence_use")?
        .query_map([], |row| {
            let mut columns = Columns::from(row, 0);
            let connection: String = columns.get()?;
            let device = columns.checked(|device: String| DeviceId::new(device))?;
            let bytes: i64 = columns.get()?;
            Ok((connection.into(), device, u64::try_from(bytes).unwrap_or(0)))
        })?
        .collect()
}
