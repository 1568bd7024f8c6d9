//! `events`: append-only. Everything known about a command is derived from here.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use wilco_ledger::{Command, CommandId, DeviceId, Event, Outcome, Raw, Reading, Timestamp};

use super::{Columns, SqlEnum, broadcasts, commands, disagreements, discarded, evidence_use, senseless, unwritable};
use crate::{ConnectionId, bounds, checksum::EventChecksum, fact};

pub(super) const CREATE: &str = "
    CREATE TABLE events (
        row        INTEGER PRIMARY KEY,
        connection TEXT NOT NULL,
        device     TEXT NOT NULL,
        command    TEXT,             -- none: an answer that belongs to no command
        at         INTEGER NOT NULL, -- Unix milliseconds
        fact       TEXT NOT NULL,    -- JSON
        payload    BLOB,             -- of an answer, byte for byte, or both ends of it
        bytes      INTEGER,          -- by which it counts in the quota of evidence; none: it does not
        sum        INTEGER NOT NULL  -- its checksum: see checksum::EventChecksum
    ) STRICT;
    -- Ids grow with time, so what happens at one time lies together, whichever devices it is about.
    CREATE INDEX events_of_command ON events (connection, command, device);
    -- Finds those that are to be forgotten by their age.
    CREATE INDEX events_unmatched ON events (at) WHERE command IS NULL;
    CREATE TRIGGER events_stay_as_they_are BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'events are append-only'); END;";

const COLUMNS: &str = "e.row, e.connection, e.device, e.command, e.at, e.fact, e.payload";

/// Appends events, one after the other.
pub(crate) struct Append<'a>(CachedStatement<'a>);

impl<'a> Append<'a> {
    pub(crate) fn to(connection: &'a Connection) -> rusqlite::Result<Append<'a>> {
        let statement = "INSERT INTO events (connection, device, command, at, fact, payload, bytes, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        connection.prepare_cached(statement).map(Append)
    }

    /// Appends an event and returns its row.
    pub(crate) fn event(&mut self, id: &ConnectionId, event: &Event, request: Option<&Raw>) -> rusqlite::Result<i64> {
        let (fact, payload) = fact::write(event, request).map_err(unwritable)?;
        let mut sum = EventChecksum::default();
        for text in [Some(id.as_str()), Some(event.device.as_str()), event.command.as_ref().map(CommandId::as_str)] {
            sum.bytes(text.map(str::as_bytes));
        }
        sum.bytes(Some(&event.at.0.to_le_bytes()));
        sum.bytes(Some(fact.as_bytes()));
        sum.bytes(payload);
        let bytes = bounds::counted(&event.fact).or_else(|| bounds::counted_request(&event.fact, request?));
        self.0.insert(params![
            id.as_str(),
            event.device.as_str(),
            event.command.as_ref().map(CommandId::as_str),
            event.at.0,
            fact,
            payload,
            bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
            sum.value(),
        ])
    }
}

/// The events of a command, oldest first.
pub(crate) fn of_command(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Vec<Event>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events e WHERE connection = ?1 AND device = ?2 AND command = ?3 ORDER BY row"
        ))?
        .query_map([id.as_str(), device.as_str(), command.as_str()], read)?
        .collect()
}

/// The last request of a command as it was sent, or as it was received from another console.
pub(crate) fn request(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Option<(Raw, bool)>> {
    connection
        .prepare_cached(
            "SELECT fact, payload FROM events
             WHERE connection = ?1 AND device = ?2 AND command = ?3 AND payload IS NOT NULL
               AND fact ->> 'kind' IN ('handed', 'submitted')
             ORDER BY row DESC LIMIT 1",
        )?
        .query_row([id.as_str(), device.as_str(), command.as_str()], |row| {
            let fact: String = row.get(0)?;
            fact::request(&fact, row.get(1)?).map_err(|error| senseless(0, error))
        })
        .optional()
        .map(Option::flatten)
}

/// The events of a command, oldest first, each with the request that it carries.
pub(crate) fn with_requests(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Vec<(Event, Option<Raw>)>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events e WHERE connection = ?1 AND device = ?2 AND command = ?3 ORDER BY row"
        ))?
        .query_map([id.as_str(), device.as_str(), command.as_str()], |row| {
            let (written, payload): (String, Option<Vec<u8>>) = (row.get(5)?, row.get(6)?);
            let request = payload.map(|payload| fact::request(&written, payload)).transpose();
            let request = request.map_err(|error| senseless(5, error))?.flatten();
            Ok((read(row)?, request.map(|(raw, _)| raw)))
        })?
        .collect()
}

/// The answers of a device that belong to no command and came in that time, oldest first.
pub(crate) fn unmatched_between(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    (from, to): (Timestamp, Timestamp),
) -> rusqlite::Result<Vec<Event>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events e
             WHERE connection = ?1 AND device = ?2 AND command IS NULL AND at BETWEEN ?3 AND ?4 ORDER BY row"
        ))?
        .query_map(params![id.as_str(), device.as_str(), from.0, to.0], read)?
        .collect()
}

/// The row of the last event of a command; 0 for none.
pub(crate) fn last_row_of(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "SELECT coalesce(max(row), 0) FROM events WHERE connection = ?1 AND device = ?2 AND command = ?3",
        )?
        .query_row([id.as_str(), device.as_str(), command.as_str()], |row| row.get(0))
}

/// How many events a command has.
pub(crate) fn count(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<u32> {
    connection
        .prepare_cached("SELECT count(*) FROM events WHERE connection = ?1 AND device = ?2 AND command = ?3")?
        .query_row([id.as_str(), device.as_str(), command.as_str()], |row| row.get(0))
}

/// The rows of a command's events, oldest first, and how those were read that are `running` answers. A device that sends
/// what cannot be read may do so as often, so that counts as such.
pub(crate) fn running(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Vec<(i64, Option<Reading>)>> {
    connection
        .prepare_cached(
            "SELECT row, CASE
                 WHEN fact ->> '$.answer.outcome' = ?4 THEN fact ->> 'reading'
                 WHEN fact ->> 'kind' = 'unreadable' THEN 'heartbeat'
             END FROM events
             WHERE connection = ?1 AND device = ?2 AND command = ?3 ORDER BY row",
        )?
        .query_map([id.as_str(), device.as_str(), command.as_str(), Outcome::Running.word()], |row| {
            let mut columns = Columns::from(row, 0);
            Ok((columns.get()?, columns.optional_word()?))
        })?
        .collect()
}

/// The event at a row.
pub(crate) fn at(connection: &Connection, row: i64) -> rusqlite::Result<Event> {
    connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events e WHERE row = ?1"))?.query_row([row], read)
}

/// The command that a command repeats.
pub(crate) fn again_of(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<Option<CommandId>> {
    connection
        .prepare_cached(
            "SELECT fact ->> 'again_of' FROM events WHERE connection = ?1 AND device = ?2 AND command = ?3
             ORDER BY row LIMIT 1",
        )?
        .query_row([id.as_str(), device.as_str(), command.as_str()], |row| {
            Columns::from(row, 0).checked(|again: Option<String>| again.map(CommandId::new).transpose())
        })
        .optional()
        .map(Option::flatten)
}

/// The latest answers of a device that belong to no command, newest first.
pub(crate) fn unmatched(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    limit: u32,
) -> rusqlite::Result<Vec<Event>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM events e WHERE connection = ?1 AND device = ?2 AND command IS NULL
             ORDER BY row DESC LIMIT ?3"
        ))?
        .query_map(params![id.as_str(), device.as_str(), limit], read)?
        .collect()
}

/// When the last event happened.
pub(crate) fn newest(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let mut last = connection.prepare_cached("SELECT at FROM events ORDER BY row DESC LIMIT 1")?;
    last.query_row([], |row| row.get(0)).optional().map(|at: Option<i64>| at.map(Timestamp))
}

/// How many answers belong to no command and are from before that time.
pub(crate) fn count_unmatched(connection: &Connection, before: Timestamp) -> rusqlite::Result<u32> {
    connection
        .prepare_cached("SELECT count(*) FROM events WHERE command IS NULL AND at < ?1")?
        .query_row([before.0], |row| row.get(0))
}

/// Deletes up to `limit` answers without a command from before that time, and returns their number.
pub(crate) fn forget_unmatched(connection: &Connection, before: Timestamp, limit: u32) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM events WHERE row IN
             (SELECT row FROM events WHERE command IS NULL AND at < ?1 ORDER BY at LIMIT ?2)
         RETURNING connection, device, coalesce(bytes, 0)",
    )?;
    let mut sizes = BTreeMap::<(String, String), i64>::new();
    let mut forgotten = 0;
    let mut rows = statement.query(params![before.0, limit])?;
    while let Some(row) = rows.next()? {
        *sizes.entry((row.get(0)?, row.get(1)?)).or_default() += row.get::<_, i64>(2)?;
        forgotten += 1;
    }
    for ((id, device), bytes) in sizes {
        evidence_use::take(connection, &id, &device, bytes)?;
    }
    discarded::forget_unmatched(connection, before)?;
    broadcasts::forget(connection, before)?;
    Ok(forgotten)
}

/// Forgets all that happened to a command.
pub(crate) fn forget_command(
    connection: &Connection,
    id: &ConnectionId,
    device: &DeviceId,
    command: &CommandId,
) -> rusqlite::Result<()> {
    let bytes = connection
        .prepare_cached(
            "DELETE FROM events WHERE connection = ?1 AND device = ?2 AND command = ?3 RETURNING coalesce(bytes, 0)",
        )?
        .query_map([id.as_str(), device.as_str(), command.as_str()], |row| row.get::<_, i64>(0))?
        .sum::<rusqlite::Result<i64>>()?;
    evidence_use::take(connection, id.as_str(), device.as_str(), bytes)?;
    disagreements::forget_command(connection, id, device, command)?;
    discarded::forget_command(connection, id, device, command)
}

/// The commands of a connection that are not finished, from their events, in the order of submission.
pub(crate) fn unsettled(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Vec<Command>> {
    let mut statement = connection.prepare_cached(&format!(
        // In this order: the other way round it would read every event of the connection.
        "SELECT {COLUMNS} FROM commands c INDEXED BY commands_open CROSS JOIN events e
             ON e.connection = c.connection AND e.device = c.device AND e.command = c.id
         WHERE c.connection = ?1 AND c.finished_at IS NULL
         ORDER BY c.row, e.row"
    ))?;
    let mut commands = Vec::new();
    each(statement.query([id.as_str()])?, |id, events| {
        commands.extend(match (replay(&events), &events[0].1) {
            // Its beginning is gone: what was made of it still stands.
            (None, Event { device, command: Some(command), .. }) => commands::by_id(connection, id, device, command)?,
            (replayed, _) => replayed,
        });
        Ok(())
    })?;
    Ok(commands)
}

/// The row of the last event of all.
pub(crate) fn last_row(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT coalesce(max(row), 0) FROM events")?.query_row([], |row| row.get(0))
}

/// All events with their rows of each command to which something has happened after that one, one command after the other.
pub(crate) fn each_command_after(
    connection: &Connection,
    row: i64,
    take: impl FnMut(&ConnectionId, Vec<(i64, Event)>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM
             (SELECT DISTINCT connection, command, device FROM events NOT INDEXED
              WHERE row > ?1 AND command IS NOT NULL) changed
             CROSS JOIN events e INDEXED BY events_of_command
             ON e.connection = changed.connection AND e.command = changed.command AND e.device = changed.device
         ORDER BY e.connection, e.command, e.device, e.row"
    ))?;
    each(statement.query([row])?, take)
}

/// Projects the events of one command.
pub(super) fn replay(events: &[(i64, Event)]) -> Option<Command> {
    replay_events(events.iter().map(|(_, event)| event))
}

/// Projects the events of one command; `None` if they do not begin with its submission.
pub(crate) fn replay_events<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Command> {
    let mut events = events.into_iter();
    let mut command = Command::begin(events.next()?)?;
    for event in events {
        command.apply(event);
    }
    Some(command)
}

/// Gathers rows that are ordered by command.
fn each(
    mut rows: rusqlite::Rows<'_>,
    mut take: impl FnMut(&ConnectionId, Vec<(i64, Event)>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut gathered: Option<(ConnectionId, Vec<(i64, Event)>)> = None;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        let event = read(row)?;
        let connection = row.get_ref(1)?.as_str()?;
        match &mut gathered {
            Some((of, events))
                if of.as_str() == connection
                    && events[0].1.device == event.device
                    && events[0].1.command == event.command =>
            {
                events.push((number, event));
            }
            _ => {
                if let Some((of, events)) = gathered.replace((connection.into(), vec![(number, event)])) {
                    take(&of, events)?;
                }
            }
        }
    }
    match gathered {
        Some((of, events)) => take(&of, events),
        None => Ok(()),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    let mut columns = Columns::from(row, 2);
    let device = columns.checked(|device: String| DeviceId::new(device))?;
    let command = columns.checked(|command: Option<String>| command.map(CommandId::new).transpose())?;
    let at = Timestamp(columns.get()?);
    let fact: String = columns.get()?;
    let payload: Option<Vec<u8>> = columns.get()?;
    let fact = fact::read(&fact, payload, &device, command.as_ref()).map_err(|error| senseless(5, error))?;
    Ok(Event { device, command, at, fact })
}
