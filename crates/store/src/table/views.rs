//! `views`: saved views of devices.

use std::{borrow::Cow, io};

use rusqlite::{Connection, params};
use wilco_definitions::{SavedView, SortBy, ViewColumn};

use super::{Columns, unwritable};
use crate::sql_enum::SqlEnum;

pub(super) const CREATE: &str = "
    CREATE TABLE views (
        id         TEXT PRIMARY KEY,
        connection TEXT NOT NULL,
        name       TEXT NOT NULL,
        search     TEXT NOT NULL,
        sort       TEXT NOT NULL,
        direction  TEXT NOT NULL,
        grouping   TEXT,
        columns    TEXT NOT NULL, -- a JSON array
        position   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX views_by_name ON views (connection, name);";

/// A connection's views, in the order in which they were saved.
pub(crate) fn all(connection: &Connection, of: &str) -> rusqlite::Result<Vec<SavedView>> {
    connection
        .prepare_cached(
            "SELECT id, connection, name, search, sort, direction, grouping, columns FROM views
             WHERE connection = ?1 ORDER BY position, name",
        )?
        .query_map([of], |row| {
            let mut columns = Columns::from(row, 0);
            Ok(SavedView {
                id: columns.get()?,
                connection: columns.get()?,
                name: columns.get()?,
                search: columns.get()?,
                sort: columns.checked(|text: String| sort_of(&text))?,
                order: columns.word()?,
                group: columns.optional_word()?,
                columns: columns.checked(|text: String| serde_json::from_str::<Vec<ViewColumn>>(&text))?,
            })
        })?
        .collect()
}

/// Whether another view of the connection is called so.
pub(crate) fn name_taken(connection: &Connection, view: &SavedView) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM views WHERE connection = ?1 AND name = ?2 AND id <> ?3)")?
        .query_row(params![view.connection, view.name, view.id], |row| row.get(0))
}

/// Adds a view at the end, or changes the one of the same id where it is.
pub(crate) fn put(connection: &Connection, view: &SavedView) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO views (id, connection, name, search, sort, direction, grouping, columns, position)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, (SELECT ifnull(max(position), 0) + 1 FROM views))
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, search = excluded.search, sort = excluded.sort,
                direction = excluded.direction, grouping = excluded.grouping, columns = excluded.columns",
        )?
        .execute(params![
            view.id,
            view.connection,
            view.name,
            view.search,
            sort_word(&view.sort),
            view.order.word(),
            view.group.map(SqlEnum::word),
            serde_json::to_string(&view.columns).map_err(unwritable)?,
        ])?;
    Ok(())
}

/// Removes a view; `false` where there is none of that id.
pub(crate) fn remove(connection: &Connection, id: &str) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM views WHERE id = ?1", [id])? > 0)
}

/// The columns that every list has, by their stored words.
const SORTS: [(SortBy, &str); 12] = [
    (SortBy::Device, "device"),
    (SortBy::Name, "name"),
    (SortBy::Presence, "presence"),
    (SortBy::Led, "led"),
    (SortBy::LastCommand, "last_command"),
    (SortBy::State, "state"),
    (SortBy::Took, "took"),
    (SortBy::Seen, "seen"),
    (SortBy::Firmware, "firmware"),
    (SortBy::Tags, "tags"),
    (SortBy::Trip, "trip"),
    (SortBy::Desired, "desired"),
];
/// What stands before the key of a configuration, and before the name of a series. No word of [`SORTS`] has a dot.
const CONFIG: &str = "config.";
const TELEMETRY: &str = "telemetry.";

fn sort_word(sort: &SortBy) -> Cow<'static, str> {
    match sort {
        SortBy::Config(key) => format!("{CONFIG}{key}").into(),
        SortBy::Telemetry(series) => format!("{TELEMETRY}{series}").into(),
        fixed => SORTS.iter().find(|(sort, _)| sort == fixed).map_or("device", |(_, word)| word).into(),
    }
}

fn sort_of(word: &str) -> io::Result<SortBy> {
    if let Some(key) = word.strip_prefix(CONFIG) {
        return Ok(SortBy::Config(key.to_owned()));
    }
    if let Some(series) = word.strip_prefix(TELEMETRY) {
        return Ok(SortBy::Telemetry(series.to_owned()));
    }
    let known = SORTS.iter().find(|(_, known)| *known == word).map(|(sort, _)| sort.clone());
    known.ok_or_else(|| io::Error::other(format!("unknown column '{word}'")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use super::{SORTS, SortBy, sort_of, sort_word};

    #[test]
    fn every_order_is_read_as_it_was_written() {
        let of_keys = ["report_interval_s", "a.b", "", "telemetry.x"].map(str::to_owned);
        let of_keys = of_keys.into_iter().flat_map(|key| [SortBy::Config(key.clone()), SortBy::Telemetry(key)]);
        for sort in SORTS.iter().map(|(sort, _)| sort.clone()).chain(of_keys) {
            assert_eq!(sort_of(&sort_word(&sort)).unwrap(), sort);
        }
        assert!(sort_of("sideways").is_err());
    }
}
