//! `desired`: the desired configurations of devices.

use rusqlite::{Connection, Transaction, params};

use super::Columns;
use crate::{ConnectionId, DesiredTarget, StoredDesired};

pub(super) const CREATE: &str = "
    CREATE TABLE desired (
        connection TEXT NOT NULL,
        position   INTEGER NOT NULL, -- the first that names a key decides its value
        tag        TEXT,             -- of devices with this tag,
        view       TEXT,             -- or of those that match this view
        wanted     TEXT NOT NULL,    -- a JSON object
        PRIMARY KEY (connection, position),
        CHECK ((tag IS NULL) <> (view IS NULL))
    ) STRICT, WITHOUT ROWID;";

/// The desired configurations of a connection, in order.
pub(crate) fn all(connection: &Connection, id: &ConnectionId) -> rusqlite::Result<Vec<StoredDesired>> {
    connection
        .prepare_cached("SELECT tag, view, wanted FROM desired WHERE connection = ?1 ORDER BY position")?
        .query_map([id.as_str()], |row| {
            let mut columns = Columns::from(row, 0);
            let tag: Option<String> = columns.get()?;
            let target = match tag {
                Some(tag) => {
                    columns.get::<Option<String>>()?;
                    DesiredTarget::Tag(tag)
                }
                None => DesiredTarget::View(columns.get()?),
            };
            Ok(StoredDesired { target, values: columns.get()? })
        })?
        .collect()
}

/// Whether a view has a desired configuration.
pub(crate) fn has_view(connection: &Connection, view: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM desired WHERE view = ?1)")?
        .query_row([view], |row| row.get(0))
}

/// Replaces all desired configurations of a connection, in this order.
pub(crate) fn replace(transaction: &Transaction<'_>, id: &ConnectionId, all: &[StoredDesired]) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM desired WHERE connection = ?1")?.execute([id.as_str()])?;
    for (position, StoredDesired { target, values }) in (0_u32..).zip(all) {
        let (tag, view) = match target {
            DesiredTarget::Tag(tag) => (Some(tag), None),
            DesiredTarget::View(view) => (None, Some(view)),
        };
        transaction
            .prepare_cached(
                "INSERT INTO desired (connection, position, tag, view, wanted) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id.as_str(), position, tag, view, values])?;
    }
    Ok(())
}
