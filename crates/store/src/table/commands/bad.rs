//! The failed commands by the time of their end: those that may need attention.

use std::collections::HashSet;

use rusqlite::{Connection, Row, params};
use wilco_ledger::{Command, DeviceId, Timestamp};

use super::{COLUMNS, Place, read};
use crate::{ConnectionId, table::dismissed};

/// As in `commands_ended_badly`: SQLite does not use the index for an expression in another order.
const ENDED_BADLY: &str = "automatic = 0 AND state IN ('failed', 'rejected', 'timed_out', 'undeliverable')";

/// The places of failed commands from `since` on that were not dismissed, newest first. Without those of forgotten
/// devices, which are deleted soon.
pub(crate) fn needing(
    connection: &Connection,
    of: &ConnectionId,
    device: Option<&DeviceId>,
    since: Timestamp,
    dismissed: &HashSet<i64>,
) -> rusqlite::Result<Vec<Place>> {
    let of_device = if device.is_some() { "AND device = ?3" } else { "AND ?3 IS NULL" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT submitted_at, row FROM commands INDEXED BY commands_ended_badly
         WHERE connection = ?1 AND {ENDED_BADLY} AND finished_at >= ?2 {of_device}
               AND device NOT IN (SELECT device FROM annotations WHERE connection = ?1 AND forgotten_at IS NOT NULL)"
    ))?;
    let place = |row: &Row<'_>| Ok(Place { submitted_at: row.get(0)?, row: row.get(1)? });
    let rows = statement.query_map(params![of.as_str(), since.0, device.map(DeviceId::as_str)], place)?;
    let mut places = Vec::new();
    for place in rows {
        places.extend(Some(place?).filter(|place| !dismissed.contains(&place.row)));
    }
    places.sort_unstable_by(|one, other| other.cmp(one));
    Ok(places)
}

/// The failed commands of a connection from `since` on, and whether they were dismissed.
pub(crate) fn ended_badly_since(
    connection: &Connection,
    of: &ConnectionId,
    since: Timestamp,
) -> rusqlite::Result<Vec<(Command, bool)>> {
    let dismissed = dismissed::all(connection)?;
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, c.row FROM commands c INDEXED BY commands_ended_badly
             WHERE connection = ?1 AND {ENDED_BADLY} AND finished_at >= ?2"
        ))?
        .query_map(params![of.as_str(), since.0], |row| {
            let (_, command) = read(row)?;
            Ok((command, dismissed.contains(&row.get::<_, i64>("row")?)))
        })?
        .collect()
}

#[cfg(test)]
mod tests {
    use wilco_ledger::State;

    use super::{super::CREATE, ENDED_BADLY};

    #[test]
    fn the_index_is_of_the_states_that_end_badly() {
        assert!(CREATE.contains(ENDED_BADLY));
        for state in State::ALL {
            assert_eq!(ENDED_BADLY.contains(&format!("'{}'", state.as_str())), state.ended_badly(), "{state:?}");
        }
    }
}
