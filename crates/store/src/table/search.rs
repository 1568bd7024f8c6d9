//! `command_search`: which words occur in which commands, for the search in the history (SQLite FTS5).
//!
//! A search finds words by their beginning. FTS5 can do so too, but collects every row of a beginning before it returns
//! the first, and "pump" may begin a word of five million commands. So each beginning of a word, up to 12 characters,
//! is stored as a token of its own: FTS5 reads its rows from the newest on, and stops when the page is full. State,
//! origin, connection and device of a command are tokens of other kinds.
//!
//! The table stores no texts. Each command is entered at its submission, and again when it is finished: only then is
//! its message final. The writer does so in the transaction that writes `commands`, or later under load.

mod words;

use rusqlite::{Connection, ToSql, Transaction, ffi, params, params_from_iter};
use wilco_ledger::{Command, DeviceId, State, Timestamp};

use super::{
    SqlEnum,
    commands::{self, Place},
    counters,
};
use crate::{ConnectionId, HistoryFilter};

pub(crate) use words::is_search;

/// In place of a state: the command is not finished.
const OPEN: &str = "open";

/// The tokens are made here (see [`document`]); FTS5 splits at the spaces and must not change them.
pub(super) const CREATE: &str = "
    CREATE VIRTUAL TABLE command_search USING fts5(
        words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');";

/// Enters a command, or enters it again with its end. Fast only where rows come in their order.
pub(super) fn put(
    connection: &Connection,
    id: &ConnectionId,
    command: &Command,
    row: i64,
    is_new: bool,
) -> rusqlite::Result<()> {
    if !is_new {
        remove(connection, row)?;
    }
    connection
        .prepare_cached("INSERT INTO command_search (rowid, words) VALUES (?1, ?2)")?
        .execute(params![row, document(id, command)])?;
    Ok(())
}

/// Removes the command at a row.
pub(crate) fn remove(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM command_search WHERE rowid = ?1")?.execute([row])?;
    Ok(())
}

/// Makes the index again from `commands`, also where it is damaged.
pub(crate) fn rebuild(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    // Without its settings, FTS5 does not even drop its table.
    transaction.execute("INSERT OR IGNORE INTO command_search_config (k, v) VALUES ('version', 4)", [])?;
    transaction.execute_batch(&format!("DROP TABLE command_search; {CREATE}"))?;
    let mut rows = transaction.prepare("SELECT row FROM commands ORDER BY row")?;
    for row in rows.query_map([], |row| row.get::<_, i64>(0))? {
        let row = row?;
        let (connection, command) = commands::at(transaction, row)?;
        put(transaction, &connection, &command, row, true)?;
    }
    Ok(())
}

/// Whether FTS5 reports that its table is damaged. If its settings are gone, it does so only in the error text.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CORRUPT_VTAB)
        || error.to_string().contains("invalid fts5 file format")
}

/// The places of the newest commands that match, newest first, `limit` at most. By the rows alone: their order is that
/// in which the commands were stored.
pub(crate) fn places(
    connection: &Connection,
    connections: &[ConnectionId],
    filter: &HistoryFilter,
    limit: usize,
) -> rusqlite::Result<Vec<Place>> {
    let words = words::of_search(&filter.search);
    if words.is_empty() || connections.is_empty() {
        return Ok(Vec::new());
    }
    let before = filter.before.map_or(i64::MAX, |cursor| cursor.0.row);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (matching, query) = (matching(connection, &words, filter)?, Query::of(connections, filter));
    let mut values: Vec<&dyn ToSql> = vec![&matching, &before, &query.since, &limit];
    values.extend(query.values.iter().map(|value| value as &dyn ToSql));
    connection
        .prepare_cached(&query.sql)?
        .query_map(params_from_iter(values), |row| Ok(Place { submitted_at: row.get(0)?, row: row.get(1)? }))?
        .collect()
}

/// Keeps of these places those whose commands match. For few of them.
pub(crate) fn retain(connection: &Connection, search: &str, places: &mut Vec<Place>) -> rusqlite::Result<()> {
    let wanted = words::of_search(search);
    if wanted.is_empty() {
        return Ok(());
    }
    let mut matching = Vec::new();
    for place in places.iter() {
        let (_, command) = commands::at(connection, place.row)?;
        if words::matches(&command, &wanted) {
            matching.push(*place);
        }
    }
    *places = matching;
    Ok(())
}

/// The columns of the commands that the index finds.
struct Query {
    sql: String,
    since: i64,
    /// The values of the parameters from 5 on.
    values: Vec<String>,
}

impl Query {
    fn of(connections: &[ConnectionId], filter: &HistoryFilter) -> Query {
        let mut values: Vec<String> = Vec::new();
        let mut one_of = |column: &str, texts: Vec<&str>| {
            let first = values.len() + 5;
            let numbers: Vec<String> = (first..first + texts.len()).map(|number| format!("?{number}")).collect();
            values.extend(texts.into_iter().map(str::to_owned));
            format!(" AND c.{column} IN ({})", numbers.join(", "))
        };
        // The index has only what can be searched for, and a connection that was removed is still in it.
        let mut conditions = one_of("connection", connections.iter().map(ConnectionId::as_str).collect());
        conditions.push_str(&format!(" AND c.automatic = {}", u8::from(filter.automatic)));
        if !filter.states.is_empty() {
            conditions.push_str(&one_of("state", filter.states.iter().map(|state| state.word()).collect()));
        }
        if let Some(device) = &filter.device {
            conditions.push_str(&one_of("device", vec![device.as_str()]));
        }
        Query {
            sql: format!(
                "SELECT c.submitted_at, c.row FROM command_search s CROSS JOIN commands c ON c.row = s.rowid
                 WHERE s.command_search MATCH ?1 AND s.rowid < ?2 AND c.submitted_at >= ?3{conditions}
                 ORDER BY s.rowid DESC LIMIT ?4"
            ),
            since: filter.since.map_or(i64::MIN, |Timestamp(at)| at),
            values,
        }
    }
}

/// A command as FTS5 gets it: tokens with spaces between them, each with the letter of its kind before it.
fn document(id: &ConnectionId, command: &Command) -> String {
    let mut document = format!(
        "{} {} {} {}",
        origin_token(command.submission.automatic),
        connection_token(id),
        state_token(state_of(command)),
        device_token(command.device())
    );
    for beginning in words::beginnings(command) {
        document.push_str(" w");
        document.push_str(&beginning);
    }
    document
}

/// The FTS5 query: the beginning of each word, and further tokens. A token that nearly every command has only slows the
/// search: it is cheaper to filter the rows.
fn matching(connection: &Connection, words: &[String], filter: &HistoryFilter) -> rusqlite::Result<String> {
    let count = |id, automatic| counters::commands(connection, id, automatic).map(u64::from);
    let (wanted, others) = (count(None, filter.automatic)?, count(None, !filter.automatic)?);
    let of_connection = match &filter.connection {
        Some(id) => count(Some(id), filter.automatic)?,
        None => wanted,
    };
    let leaves_out_many = |rest: u64, of: u64| rest.saturating_mul(10) > of;
    let quoted = |token: String| format!("\"{token}\"");
    let mut parts: Vec<String> = words.iter().map(|word| quoted(format!("w{word}"))).collect();
    if leaves_out_many(others, wanted + others) {
        parts.push(quoted(origin_token(filter.automatic).to_owned()));
    }
    if leaves_out_many(wanted.saturating_sub(of_connection), wanted) {
        parts.extend(filter.connection.as_ref().map(|id| quoted(connection_token(id))));
    }
    parts.extend(filter.device.as_ref().map(|device| quoted(device_token(device))));
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|state| if state.is_final() { state.word() } else { OPEN });
        let states: Vec<String> = states.map(|state| quoted(state_token(state))).collect();
        parts.push(format!("({})", states.join(" OR ")));
    }
    Ok(parts.join(" AND "))
}

fn state_of(command: &Command) -> &'static str {
    if command.rungs.finished.is_some() { State::word(command.state) } else { OPEN }
}

fn state_token(state: &str) -> String {
    format!("s{}", state.replace('_', ""))
}

/// `aw` for a command that Wilco sent by itself, `ap` for one of a person or another console.
fn origin_token(automatic: bool) -> &'static str {
    if automatic { "aw" } else { "ap" }
}

fn connection_token(id: &ConnectionId) -> String {
    format!("c{}", spelled(id.as_str()))
}

fn device_token(device: &DeviceId) -> String {
    format!("d{}", spelled(device.as_str()))
}

/// A name in letters and digits that FTS5 takes as one token, whatever is in it.
fn spelled(name: &str) -> String {
    name.bytes().fold(String::new(), |spelled, byte| spelled + &format!("{byte:02x}"))
}
