//! The history in pages, and the causes of failures.

use std::collections::HashMap;

use rusqlite::Connection;
use wilco_ledger::{State, Timestamp};

use super::{
    ConnectionId, Cursor, HistoryFilter, HistoryRows, Store, StoreError,
    table::{
        commands::{self, Place},
        counters, dismissed, search, tallies,
    },
};

/// The most commands of which causes are counted: the newest.
const COUNTED: usize = 50_000;

/// The causes of failures, from the last messages of commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCauses {
    /// The most frequent first.
    pub causes: Vec<StoredCause>,
    /// The number of commands counted.
    pub commands: u32,
    /// There are older commands that were not counted.
    pub more: bool,
}

/// A message with which several commands ended, ignoring the numbers in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCause {
    /// The state in which they ended.
    pub state: State,
    /// The message of the newest of them.
    pub message: String,
    /// The number of commands.
    pub count: u32,
    /// When the newest of them was submitted.
    pub latest: Timestamp,
}

impl Store {
    /// A page of the history, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn history(&self, filter: HistoryFilter) -> Result<HistoryRows, StoreError> {
        self.search(filter, page).await
    }

    /// The causes of the newest 50,000 failed commands that match. The filter's limit is that of the causes.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn causes(&self, filter: HistoryFilter) -> Result<StoredCauses, StoreError> {
        self.search(filter, causes).await
    }

    /// Reads the history. A damaged search index is rebuilt first.
    async fn search<T: Send + 'static>(
        &self,
        filter: HistoryFilter,
        query: fn(&Connection, &HistoryFilter) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let again = filter.clone();
        if search::is_search(&filter.search) {
            self.index().await?;
        }
        match self.read(move |connection| query(connection, &filter)).await {
            Err(error @ StoreError::Damaged { .. }) if search::is_search(&again.search) => {
                tracing::warn!(%error, "the search index is rebuilt");
                self.write(search::rebuild).await?;
                self.read(move |connection| query(connection, &again)).await
            }
            read => read,
        }
    }
}

pub(super) fn page(connection: &Connection, filter: &HistoryFilter) -> rusqlite::Result<HistoryRows> {
    let connections = connections(connection, filter)?;
    let limit = filter.limit as usize;
    // One more than wanted shows whether there is another page.
    let (mut places, counted) = places(connection, &connections, filter, limit.saturating_add(1))?;
    let more = places.len() > limit;
    places.truncate(limit);
    let rows = places.iter().map(|place| commands::at(connection, place.row)).collect::<rusqlite::Result<Vec<_>>>()?;
    let total = counters::commands(connection, filter.connection.as_ref(), filter.automatic)?;
    let HistoryFilter { states, since, needs_attention_since, search, before, device, .. } = filter;
    let is_everything =
        states.is_empty() && since.is_none() && needs_attention_since.is_none() && !search::is_search(search);
    let matching = match (device, before.is_none() && !more) {
        _ if counted.is_some() => counted,
        (_, true) => u32::try_from(rows.len()).ok(),
        (None, false) if is_everything => Some(total),
        (Some(device), false) if is_everything && !filter.automatic => {
            let mut sum = 0_u32;
            for id in &connections {
                sum = sum.saturating_add(tallies::count(connection, id, device)?);
            }
            Some(sum)
        }
        _ => None,
    };
    let next = places.last().filter(|_| more).map(|&place| Cursor(place));
    Ok(HistoryRows { rows, next, total, matching })
}

/// Those that are looked through.
fn connections(connection: &Connection, filter: &HistoryFilter) -> rusqlite::Result<Vec<ConnectionId>> {
    match &filter.connection {
        Some(id) => Ok(vec![id.clone()]),
        None => counters::connections(connection),
    }
}

/// The places of the newest commands that match, newest first, `limit` at most; and how many match, where that is known
/// by then.
fn places(
    connection: &Connection,
    connections: &[ConnectionId],
    filter: &HistoryFilter,
    limit: usize,
) -> rusqlite::Result<(Vec<Place>, Option<u32>)> {
    if let Some(since) = filter.needs_attention_since {
        let mut places = needing_attention(connection, connections, filter, since)?;
        let counted = u32::try_from(places.len()).ok();
        places.retain(|place| filter.before.is_none_or(|Cursor(before)| *place < before));
        places.truncate(limit);
        return Ok((places, counted));
    }
    if search::is_search(&filter.search) {
        return Ok((search::places(connection, connections, filter, limit)?, None));
    }
    let runs =
        connections.iter().flat_map(|id| commands::runs(id, filter.device.as_ref(), &filter.states, filter.automatic));
    let before = filter.before.map(|cursor| cursor.0);
    Ok((commands::places(connection, runs, filter.since, before, limit)?, None))
}

/// The commands that need attention. They are few enough to be counted.
fn needing_attention(
    connection: &Connection,
    connections: &[ConnectionId],
    filter: &HistoryFilter,
    since: Timestamp,
) -> rusqlite::Result<Vec<Place>> {
    let dismissed = dismissed::all(connection)?;
    let mut places = Vec::new();
    for id in connections {
        places.extend(commands::needing(connection, id, filter.device.as_ref(), since, &dismissed)?);
    }
    search::retain(connection, &filter.search, &mut places)?;
    places.sort_unstable_by(|one, other| other.cmp(one));
    Ok(places)
}

fn causes(connection: &Connection, filter: &HistoryFilter) -> rusqlite::Result<StoredCauses> {
    let wanted = |state: &State| state.ended_badly() && (filter.states.is_empty() || filter.states.contains(state));
    let states: Vec<State> = State::ALL.into_iter().filter(wanted).collect();
    if states.is_empty() {
        return Ok(StoredCauses { causes: Vec::new(), commands: 0, more: false });
    }
    let filter = HistoryFilter { states, before: None, ..filter.clone() };
    let connections = connections(connection, &filter)?;
    let (mut places, _) = places(connection, &connections, &filter, COUNTED + 1)?;
    let more = places.len() > COUNTED;
    places.truncate(COUNTED);
    let mut causes: HashMap<(State, String), StoredCause> = HashMap::new();
    for place in &places {
        let (state, message) = commands::end_at(connection, place.row)?;
        let first = |message| StoredCause { state, message, count: 0, latest: Timestamp(place.submitted_at) };
        causes.entry((state, without_numbers(&message))).or_insert_with(|| first(message)).count += 1;
    }
    let mut causes: Vec<StoredCause> = causes.into_values().collect();
    causes.sort_by(|one, other| {
        other.count.cmp(&one.count).then(other.latest.cmp(&one.latest)).then_with(|| one.message.cmp(&other.message))
    });
    causes.truncate(filter.limit as usize);
    Ok(StoredCauses { causes, commands: u32::try_from(places.len()).unwrap_or(u32::MAX), more })
}

/// A message in which every number is the same.
fn without_numbers(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for c in message.chars() {
        if !c.is_ascii_digit() {
            out.push(c);
        } else if !out.ends_with('0') {
            out.push('0');
        }
    }
    out
}
