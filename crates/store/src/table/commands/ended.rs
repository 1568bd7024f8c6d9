//! The finished commands, and their deletion.

use rusqlite::{Connection, OptionalExtension, params};
use wilco_ledger::{CommandId, DeviceId, State, Timestamp};

use crate::{
    ConnectionId,
    table::{Columns, SqlEnum},
};

/// A finished command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) row: i64,
    pub(crate) connection: ConnectionId,
    pub(crate) device: DeviceId,
    pub(crate) id: CommandId,
    pub(crate) automatic: bool,
}

/// A command that was submitted later has not ended earlier, so the index by state leads to these.
const BEFORE: &str = "connection = ?1 AND automatic = ?4 AND state = ?2 AND finished_at IS NOT NULL \
     AND submitted_at < ?3 AND changed_at < ?3";

/// The columns by which each index separates.
fn groups() -> impl Iterator<Item = (State, bool)> {
    let states = State::ALL.into_iter().filter(|state| state.is_final());
    states.flat_map(|state| [(state, false), (state, true)])
}

/// Up to `limit` commands of a connection that are finished and to which nothing has happened since `before`.
pub(crate) fn ended(
    connection: &Connection,
    of: &ConnectionId,
    before: Timestamp,
    limit: usize,
) -> rusqlite::Result<Vec<Ended>> {
    let mut found = Vec::new();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT row, device, id FROM commands WHERE {BEFORE} ORDER BY submitted_at LIMIT ?5"
    ))?;
    for (state, automatic) in groups() {
        let left = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![of.as_str(), state.word(), before.0, automatic, left], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(Ended {
                row: columns.get()?,
                connection: of.clone(),
                device: columns.checked(|device: String| DeviceId::new(device))?,
                id: columns.checked(|id: String| CommandId::new(id))?,
                automatic,
            })
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    Ok(found)
}

/// A command that has finished, by its ID; `None` where there is none.
pub(crate) fn ended_one(
    connection: &Connection,
    of: &ConnectionId,
    device: &DeviceId,
    id: &CommandId,
) -> rusqlite::Result<Option<Ended>> {
    connection
        .prepare_cached("SELECT row, automatic FROM commands WHERE connection = ?1 AND id = ?2 AND device = ?3")?
        .query_row([of.as_str(), id.as_str(), device.as_str()], |row| {
            let (connection, device, id) = (of.clone(), device.clone(), id.clone());
            Ok(Ended { row: row.get(0)?, connection, device, id, automatic: row.get(1)? })
        })
        .optional()
}

/// How many there are of these.
pub(crate) fn count_ended(connection: &Connection, of: &ConnectionId, before: Timestamp) -> rusqlite::Result<u32> {
    let mut statement = connection.prepare_cached(&format!("SELECT count(*) FROM commands WHERE {BEFORE}"))?;
    let mut sum = 0_u32;
    for (state, automatic) in groups() {
        let count: i64 =
            statement.query_row(params![of.as_str(), state.word(), before.0, automatic], |row| row.get(0))?;
        sum = sum.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }
    Ok(sum)
}

/// Takes the command at a row away.
pub(crate) fn remove(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM commands WHERE row = ?1")?.execute([row])?;
    Ok(())
}
