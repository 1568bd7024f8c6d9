//! What can still be read of a database that cannot be opened: a file that was cut, for instance.

use std::{fs, path::Path};

use rusqlite::{Connection, OpenFlags};
use wilco_ledger::grouped;

use super::{StoreError, check};

/// Says in the error of a damaged database how much of it can still be read. Nothing is written.
pub(super) fn explained(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { path: of, what } => {
            let left = readable(path).map_or_else(
                || "none of its events can be read".to_owned(),
                |(events, last)| {
                    let last = last.map(|at| format!(", the last of {at}")).unwrap_or_default();
                    format!("{} events can still be read{last}", grouped(events))
                },
            );
            StoreError::Damaged { path: of, what: format!("{what} ({left})") }
        }
        other => other,
    }
}

/// How many events can be read, and when the last of them happened.
fn readable(path: &Path) -> Option<(u64, Option<String>)> {
    // A copy: SQLite is not to touch the damaged file, nor leave anything beside it.
    let copy = tempfile::tempdir().ok()?;
    let file = copy.path().join("damaged.sqlite3");
    fs::copy(path, &file).ok()?;
    let log = path.with_extension("sqlite3-wal");
    if log.exists() {
        fs::copy(log, file.with_extension("sqlite3-wal")).ok()?;
    }
    let connection = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).ok()?;
    // Only so does SQLite read a file that is shorter than it says.
    connection.pragma_update(None, "writable_schema", true).ok()?;
    let (events, last) = check::readable(&connection);
    (events > 0).then(|| (events, last.map(check::time)))
}
