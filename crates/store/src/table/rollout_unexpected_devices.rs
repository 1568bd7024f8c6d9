//! `rollout_unexpected_devices`: devices outside a broadcast rollout that answered it, each with its last answer.

use rusqlite::{Connection, params};
use wilco_ledger::{DeviceId, Timestamp};

use super::{Columns, SqlEnum};
use crate::rollouts::StoredUnexpectedDevice;

pub(super) const CREATE: &str = "
    CREATE TABLE rollout_unexpected_devices (
        rollout INTEGER NOT NULL,
        device  TEXT NOT NULL,
        state   TEXT NOT NULL, -- that its answer would have led to
        message TEXT,
        at      INTEGER NOT NULL,
        PRIMARY KEY (rollout, device)
    ) STRICT, WITHOUT ROWID;";

/// Stores the answer of a device.
pub(crate) fn put(
    connection: &Connection,
    rollout: u32,
    unexpected_device: &StoredUnexpectedDevice,
) -> rusqlite::Result<()> {
    let StoredUnexpectedDevice { device, state, message, at } = unexpected_device;
    connection
        .prepare_cached(
            "INSERT INTO rollout_unexpected_devices (rollout, device, state, message, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (rollout, device) DO UPDATE SET state = ?3, message = ?4, at = ?5",
        )?
        .execute(params![rollout, device.as_str(), state.word(), message, at.0])?;
    Ok(())
}

/// The first of a rollout by id, and how many there are.
pub(crate) fn some(
    connection: &Connection,
    rollout: u32,
    limit: u32,
) -> rusqlite::Result<(Vec<StoredUnexpectedDevice>, u32)> {
    let count = connection
        .prepare_cached("SELECT count(*) FROM rollout_unexpected_devices WHERE rollout = ?1")?
        .query_row([rollout], |row| row.get(0))?;
    let unexpected_devices = connection
        .prepare_cached(
            "SELECT device, state, message, at FROM rollout_unexpected_devices WHERE rollout = ?1 ORDER BY device LIMIT ?2",
        )?
        .query_map([rollout, limit], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(StoredUnexpectedDevice {
                device: columns.checked(|device: String| DeviceId::new(device))?,
                state: columns.word()?,
                message: columns.get()?,
                at: Timestamp(columns.get()?),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok((unexpected_devices, count))
}

/// Forgets those of the rollouts of a connection that is gone.
pub(super) fn sweep(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM rollout_unexpected_devices WHERE rollout IN (SELECT number FROM rollouts WHERE connection = ?1)",
        )?
        .execute([id])?;
    Ok(())
}
