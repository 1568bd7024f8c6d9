//! `logs` and `log_chunks`: the log files that devices have published, one row per received chunk.
//!
//! Readers assemble the chunks: a chunk that arrives late changes the result.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wilco_dialect::{Checksum, LogChunk};
use wilco_ledger::{CommandId, DeviceId, Timestamp};

use super::{Columns, events};
use crate::{ConnectionId, StoredLog};

pub(super) const CREATE: &str = "
    CREATE TABLE logs (
        connection TEXT NOT NULL,
        device     TEXT NOT NULL,
        command    TEXT NOT NULL,
        begun_at   INTEGER NOT NULL,
        wrong      TEXT, -- why it will never be right
        PRIMARY KEY (connection, device, command)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE log_chunks (
        connection TEXT NOT NULL,
        device     TEXT NOT NULL,
        command    TEXT NOT NULL,
        number     INTEGER NOT NULL,
        of_chunks  INTEGER,
        starts_at  INTEGER,
        text       TEXT NOT NULL,
        sha256     TEXT,
        PRIMARY KEY (connection, device, command, number)
    ) STRICT;";

/// Logs of a device that are kept. The one that a new one's command repeats makes room for it, or the oldest.
const KEPT: usize = 5;

/// The key of a log, as every statement starts with it.
const OF_LOG: &str = "connection = ?1 AND device = ?2 AND command = ?3";

/// Adds a piece to a log, which may be a new one.
pub(crate) fn add(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    at: Timestamp,
    chunk: &LogChunk,
) -> rusqlite::Result<()> {
    begin(connection, id, device, &chunk.id, at)?;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO log_chunks (connection, device, command, number, of_chunks, starts_at, text, sha256)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            id.as_str(),
            device.as_str(),
            chunk.id.as_str(),
            chunk.number,
            chunk.of,
            chunk.offset.and_then(|offset| i64::try_from(offset).ok()),
            chunk.text,
            chunk.sha256.map(|sum| sum.to_string()),
        ])?;
    Ok(())
}

/// Notes that a log will never be right, and why.
pub(crate) fn ruin(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
    (at, why): (Timestamp, &str),
) -> rusqlite::Result<()> {
    begin(connection, id, device, command, at)?;
    connection.prepare_cached(&format!("UPDATE logs SET wrong = ?4 WHERE {OF_LOG}"))?.execute(params![
        id.as_str(),
        device.as_str(),
        command.as_str(),
        why
    ])?;
    Ok(())
}

fn begin(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let added = connection
        .prepare_cached("INSERT OR IGNORE INTO logs (connection, device, command, begun_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id.as_str(), device.as_str(), command.as_str(), at.0])?;
    if added == 0 {
        return Ok(());
    }
    // It stays whatever its time: a clock that was put back makes it older than those before it.
    let mut others = of_device(connection, id, device)?;
    others.retain(|log| log.command != *command);
    if others.len() >= KEPT {
        // The log that it replaces is deleted first.
        let replaced = events::again_of(connection, id, device, command)?;
        others.sort_by_key(|log| Some(&log.command) == replaced.as_ref());
    }
    others.iter().skip(KEPT - 1).try_for_each(|log| forget(connection, id, device, &log.command).map(drop))
}

/// The logs of a device, newest first.
pub(crate) fn of_device(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
) -> rusqlite::Result<Vec<StoredLog>> {
    connection
        .prepare_cached(
            "SELECT command, begun_at, wrong FROM logs WHERE connection = ?1 AND device = ?2
             ORDER BY begun_at DESC, command DESC",
        )?
        .query_map([id.as_str(), device.as_str()], log)?
        .collect()
}

/// A log with its received chunks, in order.
pub(crate) fn with_chunks(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Option<(StoredLog, Vec<LogChunk>)>> {
    let key = [id.as_str(), device.as_str(), command.as_str()];
    let found = connection
        .prepare_cached(&format!("SELECT command, begun_at, wrong FROM logs WHERE {OF_LOG}"))?
        .query_row(key, log)
        .optional()?;
    let Some(found) = found else { return Ok(None) };
    let chunks = connection
        .prepare_cached(&format!(
            "SELECT number, of_chunks, starts_at, text, sha256 FROM log_chunks WHERE {OF_LOG} ORDER BY number"
        ))?
        .query_map(key, |row| {
            let mut columns = Columns::from(row, 0);
            Ok(LogChunk {
                id: command.clone(),
                number: columns.get()?,
                of: columns.get()?,
                offset: columns.checked(|offset: Option<i64>| offset.map(u64::try_from).transpose())?,
                text: columns.get()?,
                sha256: columns.get::<Option<String>>()?.as_deref().and_then(Checksum::read),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some((found, chunks)))
}

/// Forgets a log. Says whether there was one.
pub(crate) fn forget(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<bool> {
    let key = [id.as_str(), device.as_str(), command.as_str()];
    connection.prepare_cached(&format!("DELETE FROM log_chunks WHERE {OF_LOG}"))?.execute(key)?;
    let logs = connection.prepare_cached(&format!("DELETE FROM logs WHERE {OF_LOG}"))?.execute(key)?;
    Ok(logs > 0)
}

/// How many logs began before then.
pub(crate) fn count(connection: &Connection, before: Timestamp) -> rusqlite::Result<u32> {
    connection.query_row("SELECT count(*) FROM logs WHERE begun_at < ?1", [before.0], |row| row.get(0))
}

/// Deletes the logs that began before that time, and returns their number.
pub(crate) fn prune(connection: &Connection, before: Timestamp) -> rusqlite::Result<usize> {
    connection.execute(
        "DELETE FROM log_chunks WHERE (connection, device, command) IN
             (SELECT connection, device, command FROM logs WHERE begun_at < ?1)",
        [before.0],
    )?;
    connection.execute("DELETE FROM logs WHERE begun_at < ?1", [before.0])
}

fn log(row: &Row<'_>) -> rusqlite::Result<StoredLog> {
    let mut columns = Columns::from(row, 0);
    Ok(StoredLog {
        command: columns.checked(|command: String| CommandId::new(command))?,
        begun_at: Timestamp(columns.get()?),
        wrong: columns.get()?,
    })
}
