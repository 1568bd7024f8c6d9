//! Counts what is readable in a database that cannot be opened, for example a truncated file.

use std::{fs, path::Path};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use wilco_ledger::grouped;

use super::{StoreError, check};

/// Says in the error of a damaged database how much of it can still be read. Nothing is written.
pub(super) fn explained(path: &Path, error: StoreError) -> StoreError {
    let StoreError::Damaged { path: of, what } = error else { return error };
    let what = match readable(path) {
        Some((events, last)) => {
            let last = last.map(|at| format!(", the last of {at}")).unwrap_or_default();
            format!("{what} ({} events can still be read{last})", grouped(events))
        }
        None => what,
    };
    StoreError::Damaged { path: of, what }
}

/// How many events can be read, and when the last of them happened.
fn readable(path: &Path) -> Option<(u64, Option<String>)> {
    let (connection, _copy) = reader(path)?;
    let (events, last) = check::readable(&connection);
    (events > 0).then(|| (events, last.map(check::time)))
}

/// Opens a damaged database to read what can be read. Where it has a log, that is of a copy, which lasts as long as what is
/// returned with it: SQLite neither touches the file nor puts anything beside it.
pub(super) fn reader(path: &Path) -> Option<(Connection, Option<TempDir>)> {
    let log = path.with_extension("sqlite3-wal");
    let (connection, copy) = if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        let copy = tempfile::tempdir().ok()?;
        let file = copy.path().join("damaged.sqlite3");
        fs::copy(path, &file).ok()?;
        fs::copy(&log, file.with_extension("sqlite3-wal")).ok()?;
        (Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).ok()?, Some(copy))
    } else {
        let escaped = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        (Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags).ok()?, None)
    };
    // Only so does SQLite read a file that is shorter than it says.
    connection.pragma_update(None, "writable_schema", true).ok()?;
    Some((connection, copy))
}
