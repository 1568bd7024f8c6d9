//! Paging through the history: it is merged from runs that are each sorted by an index, so that no page is ever sorted.

use rusqlite::{Connection, ToSql};
use wilco_ledger::{DeviceId, State, Timestamp};

use crate::{ConnectionId, table::SqlEnum};

/// A command's place in the history: newest is greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) submitted_at: i64,
    pub(crate) row: i64,
}

/// Some commands of a connection, or of one of its devices: those that are open in one of these states, or those at the one
/// end. The open ones are few, so their states are looked at one by one.
pub(crate) struct Run<'a> {
    pub(crate) connection: &'a ConnectionId,
    pub(crate) device: Option<&'a DeviceId>,
    /// Those that Wilco sent by itself, and not the others.
    pub(crate) automatic: bool,
    pub(crate) states: Vec<State>,
}

/// The runs that make up a history of these states; of all if none is given.
pub(crate) fn runs<'a>(
    connection: &'a ConnectionId,
    device: Option<&'a DeviceId>,
    states: &[State],
    automatic: bool,
) -> Vec<Run<'a>> {
    let wanted = State::ALL.into_iter().filter(|state| states.is_empty() || states.contains(state));
    let (ended, open): (Vec<_>, Vec<_>) = wanted.partition(|state| state.is_final());
    let open = (!open.is_empty()).then_some(open);
    let groups = open.into_iter().chain(ended.into_iter().map(|state| vec![state]));
    groups.map(|states| Run { connection, device, automatic, states }).collect()
}

/// The places of the newest commands of several runs, newest first: those before `before`, none submitted before
/// `since`, `limit` at most.
pub(crate) fn places<'a>(
    connection: &Connection,
    runs: impl IntoIterator<Item = Run<'a>>,
    since: Option<Timestamp>,
    before: Option<Place>,
    limit: usize,
) -> rusqlite::Result<Vec<Place>> {
    let since = since.map_or(i64::MIN, |at| at.0);
    let before = before.unwrap_or(Place { submitted_at: i64::MAX, row: 0 });
    let mut places = Vec::new();
    for run in runs {
        let mut left = limit;
        // `(submitted_at, row) < (…)` in one query would walk through everything of that millisecond.
        for rest in [REST_OF_THE_MILLISECOND, EARLIER] {
            let found = run.places(connection, rest, since, before, left)?;
            left -= found.len();
            places.extend(found);
        }
    }
    places.sort_unstable_by(|one, other| other.cmp(one));
    places.truncate(limit);
    Ok(places)
}

pub(crate) const REST_OF_THE_MILLISECOND: &str = "submitted_at = ?3 AND row < ?4 AND submitted_at >= ?2";
pub(crate) const EARLIER: &str = "submitted_at < ?3 AND submitted_at >= ?2 AND ?4 IS NOT NULL";

impl Run<'_> {
    /// The query for one part of it. The device comes last, because not every query has it.
    pub(crate) fn query(&self, part: &str) -> String {
        let (device, of_device) = if self.device.is_some() { ("AND device = ?6", "_of_device") } else { ("", "") };
        // `finished_at` in the words of the partial indexes, which are named, because SQLite would take the wrong one.
        let (index, states) = match &self.states[..] {
            [end] if end.is_final() => ("ended", format!("finished_at IS NOT NULL AND state = '{}'", end.word())),
            open => {
                let words: Vec<_> = open.iter().map(|state| format!("'{}'", state.word())).collect();
                ("open", format!("finished_at IS NULL AND state IN ({})", words.join(", ")))
            }
        };
        format!(
            "SELECT submitted_at, row FROM commands INDEXED BY commands_{index}{of_device}
             WHERE connection = ?1 AND automatic = {automatic} AND {states} {device} AND {part}
             ORDER BY submitted_at DESC, row DESC LIMIT ?5",
            automatic = u8::from(self.automatic)
        )
    }

    fn places(
        &self,
        connection: &Connection,
        part: &str,
        since: i64,
        before: Place,
        limit: usize,
    ) -> rusqlite::Result<Vec<Place>> {
        let id = self.connection.as_str();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut values: Vec<&dyn ToSql> = vec![&id, &since, &before.submitted_at, &before.row, &limit];
        let device = self.device.map(DeviceId::as_str);
        values.extend(device.as_ref().map(|device| device as &dyn ToSql));
        connection
            .prepare_cached(&self.query(part))?
            .query_map(&*values, |row| Ok(Place { submitted_at: row.get(0)?, row: row.get(1)? }))?
            .collect()
    }
}
