//! Errors of the store, as sentences.

use std::path::{Path, PathBuf};

use rusqlite::ffi;

use super::table::search;
use wilco_failure::{Failure, FailureCode};

/// The reason why the store failed. Cheap to clone: every caller whose changes shared a transaction gets it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database was written by a newer version. It was not changed.
    #[error("{} was written by a newer version of Wilco (format {found}; this version reads format {known})", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this version reads.
        known: u32,
    },
    /// The database cannot be read.
    #[error("{} is damaged or not a Wilco database: {what}", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The problem.
        what: String,
    },
    /// The disk is full. None of the changes was written.
    #[error("the disk is full: Wilco cannot write to {}", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The permissions of the file or its folder do not allow writing.
    #[error("{} cannot be written to: {what}", path.display())]
    NotWritable {
        /// The database.
        path: PathBuf,
        /// The error of the operating system.
        what: String,
    },
    /// Another program has moved, deleted or replaced a file of the open database, so that changes written to it would
    /// be lost. None of the changes was written.
    #[error("another program has moved, deleted or replaced {} while Wilco was using it", path.display())]
    Replaced {
        /// The database, or the log beside it.
        path: PathBuf,
    },
    /// Another connection has this name.
    #[error("a connection named '{0}' already exists")]
    NameTaken(String),
    /// The store has been closed.
    #[error("the history is closed: Wilco is shutting down")]
    Closed,
    /// The disk failed, or the system refused an operation on it.
    #[error("{} could not be used: {what}", path.display())]
    Disk {
        /// The database.
        path: PathBuf,
        /// The error of SQLite.
        what: String,
    },
    /// Any other error of SQLite.
    #[error("{} could not be used: {what}", path.display())]
    Other {
        /// The database.
        path: PathBuf,
        /// The error of SQLite.
        what: String,
    },
}

impl StoreError {
    /// How to fix it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            StoreError::Newer { .. } => "Install the newer version, or use another --data-dir. Nothing was changed.",
            StoreError::Damaged { .. } => {
                "Restore a backup. Or copy what can be read into a new data directory with wilco check --recover DIR."
            }
            StoreError::Full { .. } => {
                "Free some disk space; Wilco then continues automatically. Until then the broker keeps the devices' \
                 answers."
            }
            StoreError::NotWritable { .. } => {
                "Check the disk, your quota, and the owner of the file and its folder. Or choose another --data-dir."
            }
            StoreError::Disk { .. } => {
                "Check the disk's free space, your quota, the disk's health, and whether it is still connected."
            }
            StoreError::Replaced { .. } => {
                "Nothing is sent or stored until you put the file back; Wilco then continues automatically. If you \
                 replaced it on purpose, for example with a backup, quit Wilco and start it again."
            }
            StoreError::NameTaken(_) => "Choose another name.",
            StoreError::Closed | StoreError::Other { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Reads an error of SQLite's. A value that is not what this version writes counts as damage.
    pub(super) fn read(path: &Path, error: &rusqlite::Error) -> StoreError {
        let path = path.to_owned();
        let what = error.to_string();
        let Some(code) = error.sqlite_error() else {
            let damage = match error {
                rusqlite::Error::QueryReturnedNoRows => "a row is missing".to_owned(),
                rusqlite::Error::InvalidColumnType(_, column, found) => {
                    format!("its column {column} holds a value of another type ({found})")
                }
                rusqlite::Error::IntegralValueOutOfRange(column, value) => {
                    format!("the number {value} in it is out of range (column {column})")
                }
                rusqlite::Error::FromSqlConversionFailure(column, _, why) => {
                    format!("a value in it cannot be read (column {column}: {why})")
                }
                rusqlite::Error::Utf8Error(column, _) => format!("a text in it is not UTF-8 (column {column})"),
                _ => return StoreError::Other { path, what },
            };
            return StoreError::Damaged { path, what: damage };
        };
        match code.extended_code & 0xff {
            // The log's index could not be given its size, which is all that opening on a full disk says.
            _ if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full { path },
            // SQLite reports "full" only for ENOSPC; an exceeded quota has another code.
            _ if matches!(
                code.extended_code,
                ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_TRUNCATE
            ) =>
            {
                StoreError::NotWritable { path, what: "the system does not allow the file to grow".to_owned() }
            }
            ffi::SQLITE_FULL => StoreError::Full { path },
            ffi::SQLITE_CONSTRAINT => {
                StoreError::Damaged { path, what: format!("its tables contradict each other ({what})") }
            }
            _ if search::is_damage(error) => StoreError::Damaged { path, what },
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB | ffi::SQLITE_FORMAT => StoreError::Damaged { path, what },
            ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM => StoreError::NotWritable { path, what },
            ffi::SQLITE_IOERR => StoreError::Disk { path, what },
            _ => StoreError::Other { path, what },
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let code = match error {
            StoreError::NameTaken(_) => FailureCode::Invalid,
            _ => FailureCode::Store,
        };
        Failure::of(code, &error, error.hint())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::ffi;

    use super::StoreError;

    #[test]
    fn damage_is_told_in_words() {
        let check = |error: rusqlite::Error, expected: &str| {
            let read = StoreError::read(Path::new("w.sqlite3"), &error);
            assert!(matches!(read, StoreError::Damaged { .. }), "{read:?}");
            assert_eq!(read.to_string(), format!("w.sqlite3 is damaged or not a Wilco database: {expected}"));
        };
        check(rusqlite::Error::QueryReturnedNoRows, "a row is missing");
        check(
            rusqlite::Error::InvalidColumnType(2, "at".into(), rusqlite::types::Type::Text),
            "its column at holds a value of another type (Text)",
        );
        check(rusqlite::Error::IntegralValueOutOfRange(1, -1), "the number -1 in it is out of range (column 1)");
    }

    #[test]
    fn sqlites_codes_become_sentences() {
        let check = |code, expected: &str| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let read = StoreError::read(Path::new("w.sqlite3"), &error);
            assert!(read.to_string().contains(expected), "{read}");
        };
        check(ffi::SQLITE_FULL, "the disk is full");
        check(ffi::SQLITE_IOERR_SHMSIZE, "the disk is full");
        check(ffi::SQLITE_IOERR_WRITE, "cannot be written to");
        check(ffi::SQLITE_CORRUPT_INDEX, "damaged");
        check(ffi::SQLITE_NOTADB, "damaged or not a Wilco database");
        check(ffi::SQLITE_READONLY_DIRECTORY, "cannot be written to");
        check(ffi::SQLITE_IOERR_READ, "could not be used");
    }
}
