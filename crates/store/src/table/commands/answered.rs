//! The answer times of the latest commands.

use rusqlite::{Connection, params};
use wilco_ledger::{DeviceId, Origin, State, Timestamp};

use crate::{
    ConnectionId,
    table::{Columns, SqlEnum},
};

/// A command that its device has answered to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The device.
    pub device: DeviceId,
    /// The command's name.
    pub name: String,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it was last sent.
    pub sent_at: Timestamp,
    /// When its last answer came.
    pub finished_at: Timestamp,
}

/// The latest answered commands of a connection, or of one of its devices, that users sent from here: at most `limit`.
/// It reads no more than that of each final state, however long the history is.
pub(crate) fn answered(
    connection: &Connection,
    of: &ConnectionId,
    device: Option<&DeviceId>,
    limit: usize,
) -> rusqlite::Result<Vec<Answered>> {
    let only = if device.is_some() { "AND device = ?5" } else { "AND ?5 IS NULL" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT device, name, submitted_at, sent_at, finished_at FROM (
             SELECT device, name, submitted_at, sent_at, finished_at, origin FROM commands
             WHERE connection = ?1 AND automatic = 0 AND state = ?2 AND finished_at IS NOT NULL {only}
             ORDER BY submitted_at DESC LIMIT ?3)
         WHERE sent_at IS NOT NULL AND origin = ?4"
    ))?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    for state in State::ALL.into_iter().filter(|state| state.is_from_device() && state.is_final()) {
        let device = device.map(DeviceId::as_str);
        let rows =
            statement.query_map(params![of.as_str(), state.word(), most, Origin::Here.word(), device], |row| {
                let mut columns = Columns::from(row, 0);
                Ok(Answered {
                    device: columns.checked(|device: String| DeviceId::new(device))?,
                    name: columns.get()?,
                    submitted_at: Timestamp(columns.get()?),
                    sent_at: Timestamp(columns.get()?),
                    finished_at: Timestamp(columns.get()?),
                })
            })?;
        for row in rows {
            found.push(row?);
        }
    }
    found.sort_by_key(|answered| std::cmp::Reverse(answered.submitted_at));
    found.truncate(limit);
    Ok(found)
}
