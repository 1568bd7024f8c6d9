//! Detects other programs that replace or move the files of the open database, or write to it.
//!
//! A file that was moved is still open, so SQLite goes on writing to it, and after the next start nothing of that is there.
//! Therefore nothing is committed while another file, or none, is at the path. That costs two look-ups of a file for each
//! transaction. An event that was altered has a wrong checksum, which a check finds (decision 91).

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::StoreError;

/// An action of another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interference {
    /// It has written to the database.
    Changed,
    /// It has moved, deleted or replaced one of the files. Until it is back, every change is refused with this error, a
    /// [`StoreError::Replaced`].
    Replaced(StoreError),
}

/// The files of an open database, and its state.
pub(super) struct Files {
    database: (PathBuf, Option<FileId>),
    /// Exists from the first transaction on, as long as a connection is open.
    log: (PathBuf, Option<FileId>),
    /// Changes with each commit of another connection (`PRAGMA data_version`).
    version: Option<i64>,
    /// One of the files was not in its place when it was last looked at.
    is_replaced: bool,
}

impl Files {
    /// Those of the database that has just been opened.
    pub(super) fn of(path: &Path, connection: &Connection) -> Files {
        let log = path.with_extension("sqlite3-wal");
        Files {
            database: (path.to_owned(), file_id(path)),
            log: (log.clone(), file_id(&log)),
            version: version(connection),
            is_replaced: false,
        }
    }

    /// # Errors
    /// [`StoreError::Replaced`] when one of the files is not in its place.
    pub(super) fn in_place(&mut self) -> Result<(), StoreError> {
        let (log, before) = &mut self.log;
        *before = before.or_else(|| file_id(log));
        let is_elsewhere =
            |(path, before): &&(PathBuf, Option<FileId>)| before.is_some_and(|before| file_id(path) != Some(before));
        match [&self.database, &self.log].into_iter().find(is_elsewhere) {
            Some((path, _)) => Err(StoreError::Replaced { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// What has happened since it was last looked at, if anything.
    pub(super) fn look(&mut self, connection: &Connection) -> Option<Interference> {
        let replaced = self.in_place().err();
        let was_replaced = std::mem::replace(&mut self.is_replaced, replaced.is_some());
        let now = version(connection);
        let before = std::mem::replace(&mut self.version, now);
        let is_changed = before.is_some() && now.is_some() && before != now;
        match replaced.filter(|_| !was_replaced) {
            Some(error) => Some(Interference::Replaced(error)),
            None => is_changed.then_some(Interference::Changed),
        }
    }

    /// A transaction of this connection has failed or was taken back, which may change the version as well.
    pub(super) fn note_own(&mut self, connection: &Connection) {
        self.version = version(connection);
    }
}

/// `None` where it cannot be read: whatever prevents that is reported by the transaction itself.
fn version(connection: &Connection) -> Option<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0)).ok()
}

/// Device and inode.
pub(super) type FileId = (u64, u64);

/// The file at a path; `None` where there is none.
#[cfg(unix)]
pub(super) fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Nothing is compared: an open file can be neither moved nor deleted there.
#[cfg(not(unix))]
pub(super) fn file_id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().map(|_| (0, 0))
}
