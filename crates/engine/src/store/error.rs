//! What can go wrong with the store, as sentences.

use std::path::{Path, PathBuf};

use rusqlite::ffi;

use crate::api::{Failure, FailureCode};

/// Why the store did not do what was asked. Cheap to clone: every caller whose changes shared a transaction gets it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database was written by a newer version. It has not been touched.
    #[error("{} was written by a newer version of Wilco (format {found}, this one knows {known})", path.display())]
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
        /// What is wrong with it.
        what: String,
    },
    /// No room is left. Nothing of what was to be written has been.
    #[error("the disk is full: nothing more can be written to {}", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The file or its folder does not allow writing.
    #[error("{} cannot be written to: {what}", path.display())]
    NotWritable {
        /// The database.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
    /// Another connection of that name exists.
    #[error("there is already a connection called '{0}'")]
    NameTaken(String),
    /// The store has been closed.
    #[error("the history is closed: Wilco is shutting down")]
    Closed,
    /// Anything else that SQLite says.
    #[error("{} could not be used: {what}", path.display())]
    Other {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
}

impl StoreError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            StoreError::Newer { .. } => {
                "Install that newer version, or start this one with another --data-dir. Nothing was changed."
            }
            StoreError::Damaged { .. } => {
                "Move the file away (keep it) and start again: connections must then be added anew. Or put a backup in its place."
            }
            StoreError::Full { .. } => {
                "Free some space; Wilco goes on by itself. Until then the broker keeps what devices answer."
            }
            StoreError::NotWritable { .. } => {
                "Check the disk, your quota on it, and who owns the file and its folder. Or choose another --data-dir."
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
            return match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => StoreError::Damaged { path, what },
                _ => StoreError::Other { path, what },
            };
        };
        match code.extended_code & 0xff {
            // The log's index could not be given its size, which is all that opening on a full disk says.
            _ if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full { path },
            // SQLite tells "full" from this only by one of the system's reasons; a quota that is used up is another.
            _ if matches!(
                code.extended_code,
                ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_TRUNCATE
            ) =>
            {
                StoreError::NotWritable { path, what: "the system refuses to write more into it".to_owned() }
            }
            ffi::SQLITE_FULL => StoreError::Full { path },
            ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB | ffi::SQLITE_FORMAT => StoreError::Damaged { path, what },
            ffi::SQLITE_READONLY | ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM => StoreError::NotWritable { path, what },
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
