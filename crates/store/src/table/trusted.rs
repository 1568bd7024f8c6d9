//! `trusted_installations`: the other installations whose approvals count here.

use rusqlite::{Connection, params};
use wilco_ledger::Timestamp;

use super::Columns;
use crate::TrustedInstallation;

pub(super) const CREATE: &str = "
    CREATE TABLE trusted_installations (
        name       TEXT PRIMARY KEY,
        public_key BLOB NOT NULL UNIQUE,
        added_at   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;";

/// Every one, by name.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<TrustedInstallation>> {
    connection
        .prepare_cached("SELECT name, public_key, added_at FROM trusted_installations ORDER BY name")?
        .query_map([], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(TrustedInstallation {
                name: columns.get()?,
                public_key: columns.get()?,
                added_at: Timestamp(columns.get()?),
            })
        })?
        .collect()
}

/// Adds one; `false` where one of that name or with that key is there already.
pub(crate) fn add(connection: &Connection, installation: &TrustedInstallation) -> rusqlite::Result<bool> {
    let TrustedInstallation { name, public_key, added_at } = installation;
    let added = connection
        .prepare_cached("INSERT OR IGNORE INTO trusted_installations (name, public_key, added_at) VALUES (?1, ?2, ?3)")?
        .execute(params![name, public_key, added_at.0])?;
    Ok(added > 0)
}

/// Removes one; `false` where there is none of that name.
pub(crate) fn remove(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM trusted_installations WHERE name = ?1", [name])? > 0)
}
