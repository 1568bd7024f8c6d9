//! Opens the database: rejects unsuitable files, sets it up, and opens connections to it.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    StoreError,
    table::{self, MIGRATIONS, VERSION, meta},
};

/// The position of the format number (`user_version`) in the file, big-endian: <https://sqlite.org/fileformat.html>.
const USER_VERSION_AT: u64 = 60;

/// The one connection that writes, with the newest format.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    create(path)?;
    refuse_newer(path)?;
    let read = |error| StoreError::read(path, &error);
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(read)?;
    refuse_foreign(path, &connection)?;
    set_up(&connection).map_err(read)?;
    MIGRATIONS.to_latest(&mut connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => read(err),
        other => StoreError::Other { path: path.to_owned(), what: other.to_string() },
    })?;
    table::catch_up(&mut connection).map_err(read)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// The one connection to a database whose disk has no room. It shows everything that is committed, writes nothing, not even
/// the log's index (<https://sqlite.org/wal.html#noshm>), and excludes every other connection.
pub(super) fn without_room(path: &Path) -> Result<Connection, StoreError> {
    let read = |error| StoreError::read(path, &error);
    let opened = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "cache_spill", false)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(connection)
    };
    let mut connection = opened().map_err(read)?;
    refuse_foreign(path, &connection)?;
    let found = connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).map_err(read)?;
    match found {
        VERSION => table::catch_up_in_memory(&mut connection).map_err(read)?,
        found if found > VERSION => return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION }),
        // It would have to be brought to this version first.
        _ => return Err(StoreError::Full { path: path.to_owned() }),
    }
    Ok(connection)
}

/// Creates an empty file that only its owner can read: a history contains a lot about a fleet.
fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        // It would be somewhere else, where others may write to it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_symlink() => {
            Err(StoreError::NotWritable { path: path.to_owned(), what: "it is a symbolic link".to_owned() })
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == ErrorKind::StorageFull => Err(StoreError::Full { path: path.to_owned() }),
        Err(error) => Err(StoreError::NotWritable { path: path.to_owned(), what: error.to_string() }),
    }
}

/// Refuses what a newer version wrote, before SQLite has had a chance to touch it.
fn refuse_newer(path: &Path) -> Result<(), StoreError> {
    let newer = |found| Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION });
    match version_in_file(path) {
        Ok(Some(found)) if found > VERSION => return newer(found),
        Ok(_) => {}
        Err(error) => return Err(StoreError::NotWritable { path: path.to_owned(), what: error.to_string() }),
    }
    // A version that was killed right after its migration has left the new number in the log beside the file. A
    // read-only connection sees it, and leaves both as they are.
    if fs::metadata(path.with_extension("sqlite3-wal")).is_ok_and(|log| log.len() > 0) {
        let version =
            reader(path).and_then(|connection| connection.query_row("PRAGMA user_version", [], |row| row.get(0)));
        match version {
            Ok(found) if found > VERSION => return newer(found),
            Ok(_) => {}
            Err(error) => return Err(StoreError::read(path, &error)),
        }
    }
    Ok(())
}

/// `None` for a file without a header.
fn version_in_file(path: &Path) -> std::io::Result<Option<u32>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 16];
    let mut version = [0; 4];
    let read = file
        .read_exact(&mut magic)
        .and_then(|()| file.seek(SeekFrom::Start(USER_VERSION_AT)))
        .and_then(|_| file.read_exact(&mut version));
    match read {
        Ok(()) if &magic == b"SQLite format 3\0" => Ok(Some(u32::from_be_bytes(version))),
        Ok(()) => Ok(None),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses a database of some other program's. An empty one is ours to fill.
fn refuse_foreign(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let (application, tables): (i64, i64) = connection
        .query_row(
            "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(|error| StoreError::read(path, &error))?;
    if tables > 0 && application != meta::APPLICATION_ID {
        return Err(StoreError::Damaged { path: path.to_owned(), what: "another program created it".to_owned() });
    }
    Ok(())
}

fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Readers never wait for the writer, and the writer never for them.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    // After a commit has returned, it survives a power loss.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -16_000)?; // KiB
    connection.pragma_update(None, "wal_autocheckpoint", 16_000)?; // pages; 64 MiB
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?; // bytes
    connection.pragma_update(None, "temp_store", "MEMORY")
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
mod tests {
    use super::{StoreError, writer};

    #[test]
    fn a_symbolic_link_in_the_place_of_the_database_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["missing", "present"] {
            let (link, target) = (dir.path().join(format!("{name}.sqlite3")), dir.path().join(name));
            if name == "present" {
                std::fs::write(&target, "").unwrap();
            }
            std::os::unix::fs::symlink(&target, &link).unwrap();
            let refused = writer(&link).unwrap_err();
            assert!(matches!(&refused, StoreError::NotWritable { what, .. } if what.contains("link")), "{refused:?}");
            assert_eq!(std::fs::read(&target).unwrap_or_default(), b"");
        }
    }
}
