//! `counters`: how many commands a connection has. Kept, because counting five million takes a sixth of a second.

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::ConnectionId;

pub(super) const CREATE: &str = "
    CREATE TABLE counters (
        connection TEXT PRIMARY KEY,
        commands   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// So many commands more.
pub(in crate::store) fn add(connection: &Connection, id: &ConnectionId, new: u32) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO counters (connection, commands) VALUES (?1, ?2)
             ON CONFLICT (connection) DO UPDATE SET commands = commands + excluded.commands",
        )?
        .execute(params![id.as_str(), new])?;
    Ok(())
}

/// One command less. A connection without any is no longer counted.
pub(super) fn take(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE counters SET commands = commands - 1 WHERE connection = ?1")?
        .execute([id.as_str()])?;
    connection
        .prepare_cached("DELETE FROM counters WHERE connection = ?1 AND commands <= 0")?
        .execute([id.as_str()])?;
    Ok(())
}

/// A connection's commands are no longer counted at all.
pub(super) fn remove(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM counters WHERE connection = ?1", [id.as_str()])?;
    Ok(())
}

/// The number of commands of one connection, or of all.
pub(in crate::store) fn commands(connection: &Connection, id: Option<&ConnectionId>) -> rusqlite::Result<u32> {
    let count: Option<i64> = match id {
        Some(id) => connection
            .prepare_cached("SELECT commands FROM counters WHERE connection = ?1")?
            .query_row([id.as_str()], |row| row.get(0))
            .optional()?,
        None => connection.prepare_cached("SELECT sum(commands) FROM counters")?.query_row([], |row| row.get(0))?,
    };
    Ok(u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX))
}

/// Every connection that has commands.
pub(in crate::store) fn connections(connection: &Connection) -> rusqlite::Result<Vec<ConnectionId>> {
    connection
        .prepare_cached("SELECT connection FROM counters ORDER BY connection")?
        .query_map([], |row| row.get::<_, String>(0).map(ConnectionId::from))?
        .collect()
}
