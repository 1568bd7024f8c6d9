//! `catalogue`: users' own commands. The built-in ones are in the program.

use rusqlite::{Connection, params};
use wilco_dialect::CommandKind;
use wilco_ledger::{Millis, WireForm};

use super::{Columns, commands};
use crate::{ConnectionId, Definition};

pub(super) const CREATE: &str = "
    CREATE TABLE catalogue (
        id              TEXT PRIMARY KEY,
        connection      TEXT, -- for all where there is none
        name            TEXT NOT NULL,
        title           TEXT NOT NULL,
        schema          TEXT NOT NULL, -- JSON, digit for digit
        topic           TEXT,
        payload         TEXT,
        plain           INTEGER NOT NULL,
        timeout_ms      INTEGER NOT NULL,
        ttl_ms          INTEGER NOT NULL,
        safe_to_repeat  INTEGER NOT NULL,
        dangerous       INTEGER NOT NULL,
        answer_expected INTEGER NOT NULL,
        icon            TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX catalogue_by_name ON catalogue (name, ifnull(connection, ''));";

const COLUMNS: &str = "id, connection, name, title, schema, topic, payload, plain, timeout_ms, ttl_ms, safe_to_repeat,
    dangerous, answer_expected, icon";

/// Every definition, by name.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Definition>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM catalogue ORDER BY name, connection"))?
        .query_map([], |row| {
            let mut columns = Columns::from(row, 0);
            let id = columns.get()?;
            let connection = columns.get::<Option<String>>()?.map(ConnectionId::from);
            let (name, title) = (columns.get()?, columns.get()?);
            let schema = columns.get()?;
            let (topic, payload, plain): (Option<Box<str>>, Option<Box<str>>, bool) =
                (columns.get()?, columns.get()?, columns.get()?);
            let own = topic.is_some() || payload.is_some();
            let kind = CommandKind {
                name,
                title,
                schema,
                form: own.then_some(WireForm { topic, payload, plain, ..WireForm::default() }),
                timeout: columns.checked(commands::length)?,
                time_to_live: columns.checked(commands::length)?,
                safe_to_repeat: columns.get()?,
                dangerous: columns.get()?,
                answer_expected: columns.get()?,
                icon: columns.get()?,
            };
            Ok(Definition { id, connection, kind })
        })?
        .collect()
}

/// Whether another definition for the same connections has that name.
pub(crate) fn name_taken(connection: &Connection, definition: &Definition) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM catalogue
             WHERE name = ?1 AND ifnull(connection, '') = ifnull(?2, '') AND id <> ?3)",
        )?
        .query_row(
            params![definition.kind.name, definition.connection.as_ref().map(ConnectionId::as_str), definition.id],
            |row| row.get(0),
        )
}

/// Adds a definition, or replaces the one of the same id.
pub(crate) fn put(connection: &Connection, definition: &Definition) -> rusqlite::Result<()> {
    let Definition { id, connection: of, kind } = definition;
    let form = kind.form.as_ref();
    connection
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO catalogue ({COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        ))?
        .execute(params![
            id,
            of.as_ref().map(ConnectionId::as_str),
            kind.name,
            kind.title,
            kind.schema,
            form.and_then(|form| form.topic.as_deref()),
            form.and_then(|form| form.payload.as_deref()),
            form.is_some_and(|form| form.plain),
            stored(kind.timeout),
            stored(kind.time_to_live),
            kind.safe_to_repeat,
            kind.dangerous,
            kind.answer_expected,
            kind.icon,
        ])?;
    Ok(())
}

/// Removes a definition; `false` where there is none of that id.
pub(crate) fn remove(connection: &Connection, id: &str) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM catalogue WHERE id = ?1", [id])? > 0)
}

fn stored(length: Millis) -> i64 {
    i64::try_from(length.0).unwrap_or(i64::MAX)
}
