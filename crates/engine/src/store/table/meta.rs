//! `meta`: facts about this database itself.

use rusqlite::{Connection, OptionalExtension};

/// The application id tells a Wilco database from any other SQLite file: "WLCO".
pub(in crate::store) const APPLICATION_ID: i64 = 0x574C_434F;

pub(super) const CREATE: &str = "
    PRAGMA application_id = 0x574C434F;
    CREATE TABLE meta (
        name  TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;";

const INSTALLATION: &str = "installation";

/// The installation's id, if it has one yet.
pub(in crate::store) fn installation(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([INSTALLATION], |row| row.get(0))
        .optional()
}

/// Gives the installation an id unless it has one.
pub(in crate::store) fn name_installation(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.execute("INSERT OR IGNORE INTO meta (name, value) VALUES (?1, ?2)", [INSTALLATION, id])?;
    Ok(())
}
