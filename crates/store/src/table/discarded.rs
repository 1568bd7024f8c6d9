//! `discarded`: messages that were not kept because the quota was used up, counted for each command and for messages of
//! no command, with the newest of them.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wilco_ledger::{CommandId, DeviceId, Raw, Timestamp};

use super::Columns;
use crate::{ConnectionId, Discarded, DiscardedOf, fact};

pub(super) const CREATE: &str = "
    CREATE TABLE discarded (
        connection TEXT NOT NULL,
        device     TEXT NOT NULL,
        command    TEXT NOT NULL,    -- empty: messages that belong to no command
        messages   INTEGER NOT NULL,
        bytes      INTEGER NOT NULL, -- of their payloads
        first_at   INTEGER NOT NULL, -- Unix milliseconds
        last_at    INTEGER NOT NULL,
        topic      TEXT NOT NULL,    -- of the newest
        qos        INTEGER NOT NULL,
        payload    BLOB NOT NULL,
        cut        TEXT,             -- JSON, where the payload is not whole
        PRIMARY KEY (connection, device, command)
    ) STRICT;";

const COLUMNS: &str = "messages, bytes, first_at, last_at, topic, qos, payload, cut";

/// Adds messages to those that were counted before.
pub(crate) fn add(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: Option<&CommandId>,
    discarded: &Discarded,
) -> rusqlite::Result<()> {
    let Discarded { messages, bytes, first_at, last_at, newest } = discarded;
    let cut = newest.cut.as_deref().map(fact::write_cut).transpose().map_err(super::unwritable)?;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO discarded (connection, device, command, messages, bytes, first_at, last_at, topic, qos,
                                    payload, cut)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (connection, device, command) DO UPDATE SET
                messages = messages + excluded.messages, bytes = bytes + excluded.bytes,
                last_at = excluded.last_at, topic = excluded.topic, qos = excluded.qos,
                payload = excluded.payload, cut = excluded.cut",
        )?
        .execute(params![
            id.as_str(),
            device.as_str(),
            command.map_or("", CommandId::as_str),
            number(*messages),
            number(*bytes),
            first_at.0,
            last_at.0,
            &*newest.topic,
            newest.qos,
            &*newest.payload,
            cut,
        ])?;
    Ok(())
}

/// Messages that were not kept, of a command or of none.
pub(crate) fn of_command(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: Option<&CommandId>,
) -> rusqlite::Result<Option<Discarded>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM discarded WHERE connection = ?1 AND device = ?2 AND command = ?3"
        ))?
        .query_row([id.as_str(), device.as_str(), command.map_or("", CommandId::as_str)], read)
        .optional()
}

/// Messages of a device that were not kept, with the newest of them.
pub(crate) fn of_device(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
) -> rusqlite::Result<Option<Discarded>> {
    let rows: Vec<Discarded> = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM discarded WHERE connection = ?1 AND device = ?2 ORDER BY last_at"
        ))?
        .query_map([id.as_str(), device.as_str()], read)?
        .collect::<Result<_, _>>()?;
    Ok(rows.into_iter().reduce(|all, later| Discarded {
        messages: all.messages.saturating_add(later.messages),
        bytes: all.bytes.saturating_add(later.bytes),
        first_at: all.first_at.min(later.first_at),
        ..later
    }))
}

/// How many messages were not kept in all, and the devices with most of them, at most so many.
pub(crate) fn most(
    connection: &Connection,
    of: Option<&ConnectionId>,
    limit: u32,
) -> rusqlite::Result<(u64, Vec<DiscardedOf>)> {
    let of = of.map(ConnectionId::as_str);
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let all: Option<i64> = connection
        .prepare_cached("SELECT sum(messages) FROM discarded WHERE ?1 IS NULL OR connection = ?1")?
        .query_row([of], |row| row.get(0))?;
    let most = connection
        .prepare_cached(
            "SELECT connection, device, sum(messages) AS all_messages FROM discarded
             WHERE ?1 IS NULL OR connection = ?1
             GROUP BY connection, device ORDER BY all_messages DESC, connection, device LIMIT ?2",
        )?
        .query_map((of, limit), |row| {
            let mut columns = Columns::from(row, 0);
            let connection: String = columns.get()?;
            let device = columns.checked(|device: String| DeviceId::new(device))?;
            Ok(DiscardedOf { connection: connection.into(), device, messages: number(columns.get()?) })
        })?
        .collect::<Result<_, _>>()?;
    Ok((number(all.unwrap_or(0)), most))
}

/// Forgets what was not kept about a command.
pub(super) fn forget_command(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM discarded WHERE connection = ?1 AND device = ?2 AND command = ?3")?
        .execute([id.as_str(), device.as_str(), command.as_str()])?;
    Ok(())
}

/// Forgets what belongs to no command and last came before that.
pub(super) fn forget_unmatched(connection: &Connection, before: Timestamp) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM discarded WHERE command = '' AND last_at < ?1")?.execute([before.0])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Discarded> {
    let mut columns = Columns::from(row, 0);
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let (messages, bytes) = (number(columns.get()?), number(columns.get()?));
    let (first_at, last_at) = (Timestamp(columns.get()?), Timestamp(columns.get()?));
    let (topic, qos): (String, u8) = (columns.get()?, columns.get()?);
    let payload: Vec<u8> = columns.get()?;
    let cut = columns.checked(|cut: Option<String>| cut.as_deref().map(fact::read_cut).transpose())?;
    let newest = Raw { topic: topic.into(), payload: payload.into(), qos, cut };
    Ok(Discarded { messages, bytes, first_at, last_at, newest })
}
