//! `meta`: facts about this database itself.

use rusqlite::{Connection, OptionalExtension};

use crate::{Anchor, ConnectionId};

/// The application ID distinguishes a Wilco database from other SQLite files: "WLCO".
pub(crate) const APPLICATION_ID: i64 = 0x574C_434F;

pub(super) const CREATE: &str = "
    PRAGMA application_id = 0x574C434F;
    CREATE TABLE meta (
        name  TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;";

const INSTALLATION: &str = "installation";
/// The row of the last event that the tables of commands show for certain. Not there while they show everything.
const SHOWN_UP_TO: &str = "shown up to";

/// The installation's id, if it has one yet.
pub(crate) fn installation(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([INSTALLATION], |row| row.get(0))
        .optional()
}

/// Gives the installation an id unless it has one.
pub(crate) fn name_installation(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.execute("INSERT OR IGNORE INTO meta (name, value) VALUES (?1, ?2)", [INSTALLATION, id])?;
    Ok(())
}

const CLOCK: &str = "clock";

/// Where the line of time lay that was kept last.
pub(crate) fn anchor(connection: &Connection) -> rusqlite::Result<Option<Anchor>> {
    let kept: Option<String> = connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([CLOCK], |row| row.get(0))
        .optional()?;
    Ok(kept.and_then(|kept| {
        let (boot, at_boot) = kept.rsplit_once(' ')?;
        Some(Anchor { boot: boot.to_owned(), at_boot: at_boot.parse().ok()? })
    }))
}

/// Keeps where the line of time lies.
pub(crate) fn keep_anchor(connection: &Connection, anchor: &Anchor) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [CLOCK, &format!("{} {}", anchor.boot, anchor.at_boot)],
    )?;
    Ok(())
}

/// The last used number for command IDs of a connection in messages, if one was used.
pub(crate) fn last_wire_id(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Option<u32>> {
    connection
        .prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?1")?
        .query_row([wire_id_of(id)], |row| row.get(0))
        .optional()
}

/// Keeps it.
pub(crate) fn keep_wire_id(connection: &Connection, id: &ConnectionId, last: u32) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?
        .execute([wire_id_of(id), last.to_string()])?;
    Ok(())
}

/// Forgets it, with its connection.
pub(super) fn forget_wire_id(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM meta WHERE name = ?1", [wire_id_of(id)])?;
    Ok(())
}

fn wire_id_of(id: &ConnectionId) -> String {
    format!("wire id {id}", id = id.as_str())
}

/// From here on the tables of commands may not show what comes after that event.
pub(crate) fn show_up_to(connection: &Connection, event: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO meta (name, value) VALUES (?1, ?2)")?
        .execute([SHOWN_UP_TO, &event.to_string()])?;
    Ok(())
}

/// From here on the tables of commands show everything.
pub(crate) fn show_all(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([SHOWN_UP_TO])?;
    Ok(())
}

/// The event after which the tables of commands may not show everything; `None` if they do.
pub(crate) fn shown_up_to(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?1")?
        .query_row([SHOWN_UP_TO], |row| row.get(0))
        .optional()
}

/// How many events were ever stored. Deleting events does not lower it.
const EVENTS_WRITTEN: &str = "events written";
/// The gaps that were found, as JSON.
const GAPS: &str = "gaps";

/// How many events were ever stored.
pub(crate) fn events_written(connection: &Connection) -> rusqlite::Result<u64> {
    let counted: Option<i64> = connection
        .prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?1")?
        .query_row([EVENTS_WRITTEN], |row| row.get(0))
        .optional()?;
    Ok(counted.and_then(|counted| u64::try_from(counted).ok()).unwrap_or(0))
}

/// So many more are stored.
pub(crate) fn count_events(connection: &Connection, more: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + ?2 AS TEXT)",
        )?
        .execute(rusqlite::params![EVENTS_WRITTEN, more.to_string()])?;
    Ok(())
}

/// The gaps that were found.
pub(crate) fn gaps(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut gaps = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    gaps.query_row([GAPS], |row| row.get(0)).optional()
}

/// Keeps them.
pub(crate) fn keep_gaps(connection: &Connection, gaps: &str) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [GAPS, gaps],
    )?;
    Ok(())
}
