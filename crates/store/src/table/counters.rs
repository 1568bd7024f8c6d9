//! `counters`: how many commands of a connection users have sent, and how many Wilco has sent by itself. Stored,
//! because counting five million takes a sixth of a second.

use rusqlite::{Connection, OptionalExtension, params};

use crate::ConnectionId;

pub(super) const CREATE: &str = "
    CREATE TABLE counters (
        connection TEXT PRIMARY KEY,
        commands   INTEGER NOT NULL,
        automatic  INTEGER NOT NULL -- those that are not among the others
    ) STRICT, WITHOUT ROWID;";

/// So many commands more, and so many automatic ones.
pub(crate) fn add(
    connection: &Connection,
    id: &ConnectionId,
    (commands, automatic): (u32, u32),
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO counters (connection, commands, automatic) VALUES (?1, ?2, ?3)
             ON CONFLICT (connection) DO UPDATE SET
                commands = commands + excluded.commands, automatic = automatic + excluded.automatic",
        )?
        .execute(params![id.as_str(), commands, automatic])?;
    Ok(())
}

/// One command less. A connection without any is no longer counted.
pub(super) fn take(connection: &Connection, id: &ConnectionId, automatic: bool) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE counters SET commands = commands - iif(?2, 0, 1), automatic = automatic - iif(?2, 1, 0)
             WHERE connection = ?1",
        )?
        .execute(params![id.as_str(), automatic])?;
    connection
        .prepare_cached("DELETE FROM counters WHERE connection = ?1 AND commands <= 0 AND automatic <= 0")?
        .execute([id.as_str()])?;
    Ok(())
}

/// A connection's commands are no longer counted at all.
pub(super) fn remove(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM counters WHERE connection = ?1", [id.as_str()])?;
    Ok(())
}

/// The number of commands of one connection, or of all: of those that users sent, or of the automatic ones.
pub(crate) fn commands(connection: &Connection, id: Option<&ConnectionId>, automatic: bool) -> rusqlite::Result<u32> {
    let column = if automatic { "automatic" } else { "commands" };
    let count: Option<i64> = match id {
        Some(id) => connection
            .prepare_cached(&format!("SELECT {column} FROM counters WHERE connection = ?1"))?
            .query_row([id.as_str()], |row| row.get(0))
            .optional()?,
        None => connection
            .prepare_cached(&format!("SELECT sum({column}) FROM counters"))?
            .query_row([], |row| row.get(0))?,
    };
    Ok(u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX))
}

/// Every connection that has commands.
pub(crate) fn connections(connection: &Connection) -> rusqlite::Result<Vec<ConnectionId>> {
    connection
        .prepare_cached("SELECT connection FROM counters ORDER BY connection")?
        .query_map([], |row| row.get::<_, String>(0).map(ConnectionId::from))?
        .collect()
}
