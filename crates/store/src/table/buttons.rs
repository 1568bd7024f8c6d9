//! `buttons`: commands with their arguments filled in.

use rusqlite::{Connection, params};

use super::Columns;
use crate::{ConnectionId, StoredButton};

pub(super) const CREATE: &str = "
    CREATE TABLE buttons (
        id         TEXT PRIMARY KEY,
        connection TEXT, -- for all where there is none
        label      TEXT NOT NULL,
        icon       TEXT NOT NULL,
        command    TEXT NOT NULL,
        args       TEXT NOT NULL, -- JSON
        no_answer  INTEGER NOT NULL,
        position   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// Every button, in the order that the person has given them.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<StoredButton>> {
    connection
        .prepare_cached(
            "SELECT id, connection, label, icon, command, args, no_answer FROM buttons ORDER BY position, label",
        )?
        .query_map([], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(StoredButton {
                id: columns.get()?,
                connection: columns.get::<Option<String>>()?.map(ConnectionId::from),
                label: columns.get()?,
                icon: columns.get()?,
                command: columns.get()?,
                args: columns.get()?,
                no_answer: columns.get()?,
            })
        })?
        .collect()
}

/// Adds a button at the end, or changes the one of the same id where it is.
pub(crate) fn put(connection: &Connection, button: &StoredButton) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO buttons (id, connection, label, icon, command, args, no_answer, position)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT ifnull(max(position), 0) + 1 FROM buttons))
             ON CONFLICT (id) DO UPDATE SET connection = excluded.connection, label = excluded.label,
                icon = excluded.icon, command = excluded.command, args = excluded.args, no_answer = excluded.no_answer",
        )?
        .execute(params![
            button.id,
            button.connection.as_ref().map(ConnectionId::as_str),
            button.label,
            button.icon,
            button.command,
            button.args,
            button.no_answer,
        ])?;
    Ok(())
}

/// Gives the buttons their places, in this order.
pub(crate) fn order(connection: &Connection, ids: &[String]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached("UPDATE buttons SET position = ?2 WHERE id = ?1")?;
    for (position, id) in ids.iter().enumerate() {
        statement.execute(params![id, u32::try_from(position).unwrap_or(u32::MAX)])?;
    }
    Ok(())
}

/// Removes a button; `false` where there is none of that id.
pub(crate) fn remove(connection: &Connection, id: &str) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM buttons WHERE id = ?1", [id])? > 0)
}
